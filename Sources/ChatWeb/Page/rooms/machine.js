// The machine: every child of the tree, its last lines, and restart.
import { h, surely, isSeen, plain } from '../base/dom.js';
import { ask, reason, waiting } from '../base/wire.js';
import { Tail } from '../base/tail.js';
import { Plot, size } from './plot.js';
import { stateWords } from './state.js';
import { Tunnel } from './tunnel.js';

export class Machine {
  constructor() {
    this.words = h('p.quiet', { role: 'status', text: 'Asking nexusd.' });
    this.groups = h('div');
    this.tunnel = new Tunnel();
    this.element = h('main.room', h('div.column', h('h1', 'Machine'), this.words, this.tunnel.element, this.groups));
    /** @type {Map<string, {cpu_us: number, at: number}>} */
    this.before = new Map();
    /** @type {Set<string>} what Supervisor.toml lets this page ask for */
    this.may = new Set();
    /** @type {Map<string, Tail>} logs that are open */
    this.tails = new Map();
    /** @type {Map<string, any>} */
    this.cards = new Map();
    this.timer = setInterval(() => { if (isSeen()) this.read(); }, 4000);
    this.read();
  }

  close() {
    clearInterval(this.timer);
    for (const tail of this.tails.values()) tail.close();
    this.tunnel.close();
  }

  async read() {
    try {
      const tree = await ask('/api/appliance', { op: 'status' });
      this.may = new Set((await ask('/api/appliance', { op: 'may' })).may);
      this.words.textContent = `nexus ${tree.version}, ${tree.ready ? 'everything is ready' : 'not everything is ready'}`;
      for (const child of tree.children) this.show(child);
      this.tunnel.showChild(tree.children.find((/** @type {any} */ child) => child.name === 'cloudflared'));
      this.measure(await ask('/api/appliance', { op: 'metrics' }));
    } catch (error) {
      this.words.textContent = `nexusd cannot be asked now: ${reason(error)}`;
    }
  }

  /** @param {any} child */
  show(child) {
    const known = this.cards.get(child.name) || this.add(child);
    // Not offered where nexusd would refuse it.
    known.restart.hidden = ![child.name, child.group, 'all'].some((name) => this.may.has(`restart:${name}`));
    known.state.textContent = child.state;
    known.state.dataset.state = child.state;
    known.sub.textContent = stateWords(child);
  }

  /** @param {any} numbers of nexusd's `metrics` */
  measure(numbers) {
    const now = performance.now();
    for (const child of numbers.children) {
      const known = this.cards.get(child.name);
      if (!known) continue;
      known.plots.hidden = child.memory_bytes === null;
      if (child.memory_bytes !== null) known.memory.add(child.memory_bytes);
      const last = this.before.get(child.name);
      // A new run counts from nothing again.
      if (last && child.cpu_us >= last.cpu_us) known.cpu.add((child.cpu_us - last.cpu_us) / (now - last.at) / 10);
      if (child.cpu_us !== null) this.before.set(child.name, { cpu_us: child.cpu_us, at: now });
    }
  }

  /** @param {any} child */
  add(child) {
    const state = h('span.state');
    const sub = h('p.quiet');
    const memory = new Plot('Memory', size);
    const cpu = new Plot('CPU', (percent) => `${percent.toFixed(percent < 10 ? 1 : 0)} %`);
    const plots = h('div.plots', { hidden: true }, memory.element, cpu.element);
    // A log that is spoken as it grows would be in the way of all else.
    const lines = h('pre.log', { role: 'log', 'aria-live': 'off', tabindex: 0, hidden: true, 'aria-label': `Last lines of ${child.name}` });
    const said = h('p.quiet', { role: 'status' });
    const why = h('button.plain', { text: 'Last lines', 'aria-expanded': 'false', onclick: () => this.look(child.name, why, lines, said) });
    const restart = plain('Restart');
    surely(restart, 'Restart, surely?', () => this.restart(child.name, said));
    this.groups.append(h('section.child', h('div.row.spread', h('h2', child.name), state), sub, plots,
      h('div.row', why, restart), said, lines));
    const known = { state, sub, memory, cpu, plots, restart };
    this.cards.set(child.name, known);
    return known;
  }

  /** @param {string} child @param {HTMLElement} button @param {HTMLElement} lines @param {HTMLElement} said */
  look(child, button, lines, said) {
    const open = this.tails.get(child);
    button.setAttribute('aria-expanded', String(!open));
    if (open) {
      open.close();
      this.tails.delete(child);
      lines.hidden = true;
      lines.replaceChildren();
      said.textContent = '';
      return;
    }
    this.tails.set(child, new Tail(child, lines, (words) => { said.textContent = words; }, (failure) => this.why(child, lines, said, failure.message)));
  }

  // What nexusd itself knows, where the log cannot be followed.
  /** @param {string} child @param {HTMLElement} lines @param {HTMLElement} said @param {string} words why it cannot */
  async why(child, lines, said, words) {
    const answer = await waiting(said, 'Asking nexusd.', 'Not to be had now', () => ask('/api/appliance', { op: 'why', child }));
    if (!answer) return;
    lines.textContent = (answer.last_lines || []).join('\n') || 'It has said nothing.';
    lines.hidden = false;
    said.textContent = `These do not go on: ${words}`;
  }

  /** @param {string} child @param {HTMLElement} said */
  async restart(child, said) {
    if (!await waiting(said, 'Asking nexusd.', 'Not restarted', () => ask('/api/appliance', { op: 'restart', child }))) return;
    said.textContent = 'Asked for. It stops in order, then starts.';
    this.read();
  }
}
