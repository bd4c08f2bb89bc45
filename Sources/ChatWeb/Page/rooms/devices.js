// The devices that may come in; and this one, whether it is told anything.
import { h, ago, surely } from '../base/dom.js';
import { ask, read, waiting } from '../base/wire.js';
import { Tell } from './tell.js';

export class Devices {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.words = h('p.quiet', { role: 'status' });
    this.list = h('div');
    this.element = h('main.room', h('div.column', h('h1', page.own.role === 'owner' ? 'Devices' : 'This device'),
      this.words, new Tell().element, this.list,
      h('p.quiet', 'Another one is let in on the machine: ', h('code', 'nexusctl pair'))));
    this.read();
  }

  close() {}

  read() {
    const { own } = this.page;
    return waiting(this.words, 'Asking who is let in.', 'Who is let in cannot be read now', async () => {
      const devices = own.role === 'owner' ? await read({ op: 'devices' }, {}, '/api/devices') : [own];
      this.list.replaceChildren(...devices.map((one) => this.card(one)));
    });
  }

  /** @param {any} device */
  card(device) {
    const button = h('button.plain', device.own ? 'Forget this browser' : 'Shut out');
    surely(button, device.own ? 'Forget it, with what is kept here?' : 'Shut it out, surely?', async () => {
      const body = device.own ? { op: 'leave' } : { op: 'revoke', device: device.device };
      if (!await waiting(this.words, 'Being done.', 'Not done', () => ask('/api/devices', body))) return;
      if (device.own) this.page.leave('This browser is forgotten.', true);
      else this.read();
    });
    return h('section.child', {},
      h('div.row.spread', h('h2', device.name), h('span.state', device.own ? 'this one' : device.role)),
      h('p.quiet', `${device.role} · ${device.device} · seen ${ago(device.seen)} from ${device.address} · paired ${ago(device.created)}`),
      h('div.row', button));
  }
}
