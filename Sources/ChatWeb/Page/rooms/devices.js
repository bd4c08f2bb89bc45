// The devices that may come in; and this one, whether it is told anything.
import { h, ago, isSeen, surely, status } from '../base/dom.js';
import { ask, read, waiting } from '../base/wire.js';
import { Tell } from './tell.js';

export class Devices {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.words = status();
    this.list = h('div');
    this.tell = new Tell();
    this.told = '';
    this.isKnown = true;
    this.isReading = false;
    // Others come and go.
    this.timer = setInterval(() => { if (isSeen()) this.read(this.words.textContent); }, 4000);
    this.element = h('main.room', h('div.column', h('h1', page.own.role === 'owner' ? 'Devices' : 'This device'),
      this.words, this.tell.element, this.list,
      h('p.quiet', 'Another one is let in on the machine: ', h('code', 'nexusctl pair'))));
    this.read();
  }

  close() { clearInterval(this.timer); }

  async read(words = 'Asking who is let in.') {
    if (this.isReading) return;
    this.isReading = true;
    const isRead = await waiting(this.words, words, 'Who is let in cannot be read now', async () => {
      const devices = await read({ op: this.page.own.role === 'owner' ? 'devices' : 'own' }, {}, '/api/devices');
      const cards = h('div', ...devices.map((one) => this.card(one)));
      // Who is about to tap is not disturbed.
      const told = cards.textContent;
      if (told === this.told || this.list.querySelector('[data-asks]')) return true;
      this.list.replaceChildren(...cards.childNodes);
      this.told = told;
      return true;
    });
    if (isRead && !this.isKnown) this.tell.read();
    this.isKnown = Boolean(isRead);
    this.isReading = false;
  }

  /** @param {any} device */
  card(device) {
    const said = status();
    const button = h('button.plain', device.own ? 'Forget this browser' : 'Shut out');
    surely(button, device.own ? 'Forget it, with what is kept here?' : 'Shut it out, surely?', async () => {
      const body = device.own ? { op: 'leave' } : { op: 'revoke', device: device.device };
      if (!await waiting(said, 'Being done.', 'Not done', () => ask('/api/devices', body))) return;
      if (device.own) this.page.leave('This browser is forgotten.', true);
      else this.read();
    });
    return h('section.child',
      h('div.row.spread', h('h2', device.name), h('span.state', device.own ? 'this one' : device.role)),
      h('p.quiet', `${device.role} · ${device.device} · ${device.own || device.here ? 'here now' : `seen ${ago(device.seen)}`} from ${device.address} · paired ${ago(device.created)}`),
      h('div.row', button), said);
  }
}
