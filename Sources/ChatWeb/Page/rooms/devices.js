// The devices that may come in; and this one, whether it is told anything.
import { h, ago, surely } from '../base/dom.js';
import { ask, reason } from '../base/wire.js';
import { Tell } from './tell.js';

export class Devices {
  /** @param {{own: any, left: () => void}} given */
  constructor(given) {
    this.given = given;
    this.words = h('p', { class: 'quiet', role: 'status' });
    this.list = h('div', {});
    this.element = h('main', { class: 'room' }, h('div', { class: 'column' }, h('h1', { text: given.own.role === 'owner' ? 'Devices' : 'This device' }),
      this.words, new Tell().element, this.list,
      h('p', { class: 'quiet' }, 'Another one is let in on the machine: ', h('code', { text: 'nexusctl pair' }))));
    this.read();
  }

  close() {}

  async read() {
    /** @type {any[]} */
    const devices = [];
    try {
      if (this.given.own.role === 'owner') await ask('/api/devices', { op: 'devices' }, (line) => devices.push(line));
      else devices.push(this.given.own);
      this.list.replaceChildren(...devices.map((one) => this.card(one)));
      this.words.textContent = '';
    } catch (error) {
      this.words.textContent = `Not to be had now: ${reason(error)}`;
    }
  }

  /** @param {any} device */
  card(device) {
    const button = h('button', { class: 'plain', text: device.own ? 'Forget this browser' : 'Shut out' });
    surely(button, device.own ? 'Forget it, with what is kept here?' : 'Shut it out, surely?', async () => {
      try {
        await ask('/api/devices', device.own ? { op: 'leave' } : { op: 'revoke', device: device.device });
      } catch (error) {
        this.words.textContent = `Not done: ${reason(error)}`;
        return;
      }
      if (device.own) this.given.left();
      else this.read();
    });
    return h('section', { class: 'child' },
      h('div', { class: 'row spread' }, h('h2', { text: device.name }), h('span', { class: 'state', text: device.own ? 'this one' : device.role })),
      h('p', { class: 'quiet', text: `${device.role} · ${device.device} · seen ${ago(device.seen)} from ${device.address} · paired ${ago(device.created)}` }),
      h('div', { class: 'row' }, button));
  }
}
