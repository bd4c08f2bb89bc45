// The tunnel: how it is, its address, on and off, another way.
import { h, svg, isSeen, alarm, plain, status } from '../base/dom.js';
import { ask, reason, waiting } from '../base/wire.js';

/** @type {Words} */
const ways = { quick: 'quick, without an account', named: 'named, by its credentials', token: 'token, by its token' };
const standing = ['connected', 'degraded', 'origin down'];
const broken = ['settings refused', 'credentials refused', 'exposes more than the chat', 'crashed'];
// Light squares around a code (ISO/IEC 18004).
const margin = 4;

export class Tunnel {
  constructor() {
    this.state = h('span.state');
    this.words = status('Asking how the tunnel is.');
    this.next = h('p.quiet', { hidden: true });
    this.reach = h('p.quiet');
    this.trialWords = h('p');
    this.trial = h('div.trial', { role: 'alert', hidden: true }, this.trialWords,
      h('button.send', { text: 'Keep', onclick: () => this.wish({ op: 'keep' }) }));
    this.link = h('a', { target: '_blank' });
    this.code = h('div.qr');
    this.dead = h('p.quiet', 'It does not lead here now.');
    this.picture = h('details', h('summary', 'QR code'), this.code);
    this.address = h('div', { hidden: true }, h('p.address', this.link), this.dead, this.picture);
    this.way = h('select', { 'aria-label': 'Way of the tunnel', onchange: () => this.offer() }, ...Object.keys(ways).map((one) => h('option', { value: one, text: ways[one] })));
    this.change = h('button.plain', { onclick: () => this.wish(this.way.value === this.last ? { op: 'start' } : { op: 'mode', mode: this.way.value }) });
    this.stop = plain('Stop', () => this.wish({ op: 'stop' }));
    this.warning = h('p.quiet');
    this.no = alarm();
    this.switches = h('div', { hidden: true }, h('div.row', this.way, this.change, this.stop), this.warning);
    this.element = h('section.child.tunnel', { 'aria-label': 'Tunnel' }, h('div.row.spread', h('h2', 'Tunnel'), this.state),
      this.words, this.next, this.trial, this.address, this.reach, this.switches, this.no);
    this.isOff = true;
    this.stands = false;
    this.isThrough = false;
    this.isBusy = false;
    /** The way that runs; the one that Start would take. */
    this.mode = this.last = '';
    this.url = '';
    this.until = 0;
    this.back = '';
    this.turn = 0;
    // Each 4 s; each second while something is on trial.
    this.timer = setInterval(() => {
      this.count();
      if (isSeen() && (this.turn++ % 4 === 3 || !this.trial.hidden)) this.read();
    }, 1000);
    this.read();
  }

  close() { clearInterval(this.timer); }

  async read() {
    if (this.isBusy) return;
    try {
      this.show(await ask('/api/tunnel', { op: 'describe' }));
    } catch (error) {
      const words = `The tunnel cannot be asked now: ${reason(error)}`;
      // What was heard before is over.
      if (/** @type {any} */ (error).code === 'refused') this.show({ state: 'not known', reach: 'not known', mode: this.mode, mode_when_on: this.last, words });
      else this.words.textContent = words;
    }
  }

  /** @param {any} line */
  show(line) {
    this.state.textContent = line.state;
    this.state.dataset.state = line.state === 'connected' ? 'ready' : ['off', 'stopped'].includes(line.state) ? '' : broken.includes(line.state) ? 'parked' : 'delayed';
    const words = line.complaint && !line.words.includes(line.complaint) ? `${line.words}; not taken: ${line.complaint}` : line.words;
    this.words.textContent = upper(words.startsWith(`${line.state}: `) ? words.slice(line.state.length + 2) : words);
    this.reach.textContent = `Who can reach the page: ${line.reach.replaceAll('`', '')}.`;
    this.stands = standing.includes(line.state);
    const isNew = line.mode !== this.mode || line.mode_when_on !== this.last;
    this.isOff = line.mode === 'off';
    this.isThrough = line.through;
    this.mode = line.mode;
    this.last = line.mode_when_on;
    // Who chooses is not disturbed.
    if (isNew && ways[this.last]) this.way.value = this.last;
    this.showTrial(line);
    this.showAddress(line);
    this.switches.hidden = !this.mode;
    this.offer();
  }

  /** @param {any} line */
  showTrial(line) {
    this.trial.hidden = !line.trial_left;
    this.until = performance.now() + 1000 * (line.trial_left || 0);
    this.back = line.trial_back;
    this.count();
  }

  /** Goes on by itself: while the way changes nobody can be asked. */
  count() {
    if (this.trial.hidden) return;
    const left = Math.max(0, Math.ceil((this.until - performance.now()) / 1000));
    this.trialWords.textContent = `This was changed through the tunnel itself. In ${left} s it is ${this.back} again, unless it is kept by the new way.`;
  }

  /** @param {any} line */
  showAddress(line) {
    this.address.hidden = !line.url;
    const leads = line.url_leads ?? this.stands;
    this.dead.hidden = leads;
    this.picture.hidden = !leads;
    if (!line.url || line.url === this.url) return;
    this.url = line.url;
    this.link.textContent = line.url;
    this.link.setAttribute('href', line.url);
    this.code.replaceChildren(picture(line.qr || []));
  }

  /** @param {any} child cloudflared, as nexusd has it */
  showChild(child) {
    const minutes = Math.ceil((child?.next_try_ms || 0) / 60000);
    const when = child?.next_try_ms ? `it is tried again within ${minutes} minute${minutes === 1 ? '' : 's'}` : 'it is not tried again by itself';
    this.next.hidden = this.isOff || child?.state !== 'parked';
    this.next.textContent = `cloudflared ended too often and is parked; ${when}.`;
  }

  offer() {
    const isOther = this.way.value !== this.mode;
    this.change.hidden = !isOther && this.stands;
    this.change.textContent = this.isOff ? 'Start' : isOther ? 'Change' : 'Start anew';
    this.stop.hidden = this.isOff;
    const quick = this.way.value === 'quick' ? 'Quick addresses do not last: each start makes another, and browsers have to be paired there. ' : '';
    const trial = this.isThrough ? 'You come through this tunnel: what you change is undone after a minute, unless you keep it by the new way.' : '';
    this.warning.textContent = quick + trial;
  }

  /** @param {object} body */
  async wish(body) {
    const isBusy = (/** @type {boolean} */ is) => { this.isBusy = this.change.disabled = this.stop.disabled = is; };
    isBusy(true);
    const line = await waiting(this.no, 'Being done.', 'Not done', () => ask('/api/tunnel', body));
    if (line) this.show(line);
    isBusy(false);
  }
}

/** @param {string} text */
const upper = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** @param {string[]} rows of `0` and `1` */
function picture(rows) {
  const side = rows.length + 2 * margin;
  const dark = rows.flatMap((row, y) => [...row].map((one, x) => (one === '1' ? `M${x + margin} ${y + margin}h1v1h-1z` : ''))).join('');
  return svg('svg', { viewBox: `0 0 ${side} ${side}`, role: 'img', 'aria-label': 'QR code of the address', 'shape-rendering': 'crispEdges' },
    svg('path', { fill: '#fff', d: `M0 0h${side}v${side}h-${side}z` }), svg('path', { fill: '#000', d: dark }));
}
