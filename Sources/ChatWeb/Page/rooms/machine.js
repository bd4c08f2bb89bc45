// The machine: every child of the tree, its last lines, and restart.
import { h, surely, isSeen, plain, size, svg, status } from '../base/dom.js';
import { ask, chat, reason, waiting } from '../base/wire.js';
import { Follower } from '../base/feed.js';
import { Tunnel } from './tunnel.js';

export class Machine {
  constructor() {
    this.words = status('Asking nexusd.');
    this.groups = h('div');
    this.standIn = h('p', { hidden: true, text: 'No AI answers here: echo-agent stands in for opencode and repeats what you say. Install opencode (https://opencode.ai) on the machine: nexusctl doctor says how' });
    this.tunnel = new Tunnel();
    this.element = h('main.room', h('div.column', h('h1', 'Machine'), this.words, this.standIn, this.tunnel.element, this.groups));
    this.before = new Map();
    /** @type {Set<string>} what Supervisor.toml lets this page ask for */
    this.may = new Set();
    /** @type {Map<string, Tail>} logs that are open */
    this.tails = new Map();
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
      const off = tree.children.filter((/** @type {any} */ one) => one.choice === 'off').map((/** @type {any} */ one) => one.name).join(', ');
      this.words.textContent = `nexus ${tree.version}, ${tree.ready ? `everything${off && ' else'} is ready` : 'not everything is ready'}${off && `; stopped by command: ${off}`}`;
      for (const child of tree.children) this.show(child);
      this.tunnel.showChild(tree.children.find((/** @type {any} */ child) => child.name === 'cloudflared'));
      this.measure(await ask('/api/appliance', { op: 'metrics' }));
      this.standIn.hidden = !(await chat({ op: 'describe', wait: 25 })).stand_in;
    } catch (error) {
      this.words.textContent = `nexusd cannot be asked now: ${reason(error)}`;
    }
  }

  /** @param {any} child */
  show(child) {
    const known = this.cards.get(child.name) || this.add(child);
    // Not offered where nexusd would refuse it.
    known.restart.hidden = (child.state === 'off' && child.started_by) || ![child.name, child.group, 'all'].some((name) => this.may.has(`restart:${name}`));
    known.state.textContent = known.state.dataset.state = child.state;
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
      if (last && now > last.at && child.cpu_us >= last.cpu_us) known.cpu.add((child.cpu_us - last.cpu_us) / (now - last.at) / 10);
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
    const said = status();
    const why = h('button.plain', { text: 'Last lines', 'aria-expanded': 'false', onclick: () => this.look(child.name, why, lines, said) });
    const restart = plain('Restart');
    surely(restart, 'Restart, surely?', () => this.restart(child.name, said));
    this.groups.append(h('section.child', h('div.row.spread', h('h2', child.name), state), sub, plots,
      h('div.row', why, restart), said, lines));
    const known = { state, sub, memory, cpu, plots, restart };
    this.cards.set(child.name, known);
    return known;
  }

  /** @param {string} child @param {Box} button @param {Box} lines @param {Box} said */
  look(child, button, lines, said) {
    const open = this.tails.get(child);
    button.ariaExpanded = String(!open);
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
  /** @param {string} child @param {Box} lines @param {Box} said @param {string} words why it cannot */
  async why(child, lines, said, words) {
    const answer = await waiting(said, 'Asking nexusd.', 'Not to be had now', () => ask('/api/appliance', { op: 'why', child }));
    if (!answer) return;
    lines.textContent = (answer.last_lines || []).join('\n') || 'It has said nothing.';
    lines.hidden = false;
    said.textContent = `These do not go on: ${words}`;
  }

  /** @param {string} child @param {Box} said */
  async restart(child, said) {
    if (!await waiting(said, 'Asking nexusd.', 'Not restarted', () => ask('/api/appliance', { op: 'restart', child }))) return;
    said.textContent = 'Asked for. It stops in order, then starts.';
    this.read();
  }
}

// At one each 4 s: 8 minutes.
const limit = 120;

class Plot {
  /** @param {string} name @param {(value: number) => string} words */
  constructor(name, words) {
    this.words = words;
    /** @type {number[]} */
    this.values = [];
    this.line = svg('polyline', {});
    const picture = svg('svg', { viewBox: '0 0 100 24', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, this.line);
    this.text = h('span');
    this.element = h('div.plot', { hidden: true }, h('span', name), picture, this.text);
  }

  /** @param {number} value */
  add(value) {
    this.element.hidden = false;
    this.values.push(value);
    if (this.values.length > limit) this.values.shift();
    const top = Math.max(...this.values, 1e-9);
    const step = 100 / Math.max(1, this.values.length - 1);
    this.line.setAttribute('points', this.values.map((one, index) => `${(index * step).toFixed(1)},${(22 - 20 * one / top).toFixed(1)}`).join(' '));
    this.text.textContent = this.words(value);
  }
}

/** @param {number | null | undefined} ms */
function spoken(ms) { return ms == null ? '' : ms < 100000 ? `${Math.ceil(ms / 1000)} s` : ms < 6000000 ? `${Math.round(ms / 60000)} min` : `${Math.round(ms / 3600000)} h`; }

/** @param {any} child of nexusd's `status` */
function offWords(child) {
  if (child.stopped_with_tree) return 'stopped with the tree';
  if (child.choice === 'off') return `stopped by command; nexusctl start ${child.name}`;
  if (!child.status && child.started_by) return `off until ${child.started_by} starts it${child.started_by === 'tunnel-worker' ? '; switch the tunnel above' : ''}`;
  return `${child.status || (child.enabled ? 'stopped by a worker' : 'off in the configuration')}; nexusctl start ${child.name}`;
}

/** @param {any} child */
function lastWords(child) {
  return child.last_end ? `${child.cause || child.last_end.cause}: ${child.last_end.exit}` : child.cause;
}

// Why it is not ready and what comes next; of one that is, what it says of itself.
/** @param {any} child of nexusd's `status` */
function stateWords(child) {
  const awaits = child.awaits ? `waits for ${child.awaits}` : '';
  const next = spoken(child.next_try_ms);
  const left = spoken(child.limit_ms);
  const limit = left && `${left} left`;
  /** @type {Record<string, any[]>} */
  const unlikeReady = {
    off: [offWords(child)],
    waiting: [awaits || `waits for ${child.waits_for || 'what it requires'}`],
    scheduled: [child.cause ? lastWords(child) : '', next ? `next run in ${next}` : 'no time left in its calendar'],
    delayed: [lastWords(child), next && `next try in ${next}`],
    starting: [child.health, child.status, awaits || 'not ready yet', limit],
    stopping: [child.cause ? `stopping: ${child.cause}` : 'stopping', awaits, limit, child.status],
    unkillable: [`outlived SIGKILL; see process ${child.pid ?? '?'}`],
    parked: [lastWords(child), next ? `slow retry in ${next}` : `needs you: nexusctl why ${child.name}`],
    done: [child.last_end?.exit || 'finished'],
  };
  const words = unlikeReady[child.state] || [child.health && `unhealthy: ${child.health}`, child.status];
  if (child.restarts) words.push(`${child.restarts} restart${child.restarts === 1 ? '' : 's'}`);
  return words.filter(Boolean).join(' · ') || 'it says nothing of itself';
}

// So many lines stand in the page; older ones go.
const lineLimit = 500;

// The log of one child as it grows, while somebody looks at it.
class Tail extends Follower {
  /**
   * @param {string} child
   * @param {Box} element is filled with lines
   * @param {Say} tell why nothing comes; none: it does
   * @param {(failure: Failure) => void} lost
   */
  constructor(child, element, tell, lost) {
    super({ trouble: (words) => tell(`Not kept up: ${words}.`), lost });
    this.child = child;
    this.element = element;
    this.tell = tell;
    /** @type {{at: string, same: number} | null} up to where it was told */
    this.place = null;
    document.addEventListener('visibilitychange', () => this.again(), { signal: this.life.signal });
    tell('Asking for the log.');
    this.run();
  }

  /** @param {Way} options */
  async step(options) {
    // Nobody looks at a page that is not in front: nothing is asked for.
    if (!isSeen()) await this.sleep();
    else await this.follow('/api/appliance', { op: 'tail', child: this.child, ...this.place }, (line) => this.take(line), options);
  }

  /** @param {any} line */
  take(line) {
    if (this.isOver || line.type !== 'lines') return;
    this.tell('');
    this.place = { at: line.at, same: line.same };
    const box = this.element;
    const isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    if (line.skipped) this.add(`… ${line.skipped} lines came faster than they are shown`, 'info');
    for (const one of line.lines) this.add(`${one.time.slice(11, 23)} ${one.text}`, one.level);
    if (!box.childElementCount) box.textContent = 'It has said nothing yet.';
    while (box.childElementCount > lineLimit) box.firstElementChild?.remove();
    box.hidden = false;
    if (isAtEnd) box.scrollTop = box.scrollHeight;
  }

  /** @param {string} text @param {string} level */
  add(text, level) {
    if (!this.element.childElementCount) this.element.textContent = '';
    this.element.append(h('span.log-line', { 'data-level': level, text: `${text}\n` }));
  }
}
