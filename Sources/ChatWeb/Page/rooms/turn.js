// One turn on the screen: what was asked, and what comes of it.
import { h, setMarkup, copyText, once, say, shown, spent, surely, plain } from '../base/dom.js';
import { read } from '../base/wire.js';
import { card, record } from './asks.js';
import { again, showFiles } from './files.js';
import { showTodos, showChanges } from './lists.js';
import { apart, most, Prose, step, whole } from './prose.js';

/** @type {Words} of a state */
const words = { queued: 'Queued', running: 'Working', interrupted: 'Interrupted', failed: 'Failed', done: '' };
/** @type {Words} of a tool call's */
const calls = { pending: 'about to run', completed: 'done', 'broken-off': 'broken off' };

export class Turn {
  /** @param {any} line of type turn, or an accepted event @param {Talk} talk */
  constructor(line, talk) {
    this.id = line.turn;
    this.session = line.session;
    this.text = line.text || '';
    this.files = line.attachments;
    this.talk = talk;
    this.state = line.state || 'queued';
    this.heard = Date.now();
    this.isQuiet = false;
    this.timer = 0;
    /** @type {Map<string, Block>} */
    this.blocks = new Map();
    /** @type {Map<string, any>} tool calls as they were told last */
    this.calls = new Map();
    /** @type {Element | null} */
    this.again = null;
    this.answer = h('div.answer');
    this.foot = h('p.foot');
    this.used = h('p.quiet.used', { hidden: true });
    this.withdraw = plain('Withdraw', () => talk.abort(this.withdraw, this.id));
    this.element = h('article.turn', { 'data-turn': this.id, 'aria-label': 'Message and answer' },
      h('div.mine', h('p.said', this.text), showFiles(this.files)), this.answer, this.foot, this.withdraw, this.used);
    this.isTakenBack = Boolean(line.taken_back);
    this.isPlaced = !line.unplaced;
    this.element.dataset.takenBack = String(this.isTakenBack);
    this.end(this.state, line.reason);
  }

  get isOver() { return !['queued', 'running'].includes(this.state); }

  /** @param {any} event */
  take(event) {
    this.heard = Date.now();
    if (this.isQuiet) this.show('Working');
    switch (event.type) {
      case 'waiting': return this.show('Waiting', event.reason);
      case 'started': return this.end('running');
      case 'text': case 'reasoning': return this.append(event);
      case 'tool': return this.tool(event.tool);
      case 'todos': return showTodos(this.list('todos', true), event.todos);
      case 'changes': return showChanges(this.list('changes', false), event.changes);
      case 'usage': return this.use(event.usage);
      case 'notice': return this.note(event.text);
      case 'permission': case 'question': return this.card(event);
      case 'answered': return this.answered(event);
      case 'ended': return this.end(event.state, event.reason);
    }
  }

  /** @param {any} event */
  append(event) {
    const block = this.block(event.type, event.block);
    if (isToldAgain(block, event)) return;
    block.text = event.whole ? event.text : block.text + event.text;
    if (event.html || this.isOver) this.finish(block, event);
    else this.grow(block, event);
    if (this.state === 'running') this.show('Working');
  }

  /** @param {Block} block @param {any} event */
  grow(block, { type, text, whole }) {
    if (block.rest && !whole) {
      block.rest.appendData(text);
    } else {
      block.rest = document.createTextNode(block.text);
      block.plain = block.later = undefined;
      block.body.replaceChildren(h('div.live', block.rest));
    }
    // What has no end would be laid out anew with each word.
    if (block.rest.length > most) {
      (block.plain ||= []).push(block.rest);
      block.rest = document.createTextNode('');
      block.body.append(h('div.live', block.rest));
    }
    if (type === 'text' && text.includes('\n')) this.render(block);
  }

  /** @param {Block} block @param {any} event that brought all of it, or a part where it is too long for that */
  finish(block, { html, whole }) {
    block.rest = null;
    // What grew here does not go for a moment.
    if ((html || block.text).length <= step || (html && block.body.firstChild)) {
      block.long = undefined;
      if (html) setMarkup(block.body, html);
      else block.body.replaceChildren(h('div.live', block.text));
      return;
    }
    if (whole || !block.long) block.long = new Prose(block, html, () => this.talk.stay());
    block.long.go();
  }

  // What is over of a text that grows; at its end it comes as one.
  /** @param {Block} block @param {boolean} [isAll] nothing comes any more */
  async render(block, isAll) {
    if (!block.rest || block.isBusy || block.kind !== 'text' || (block.plain && !isAll)) return;
    // What was left as it is comes now, from its beginning.
    const later = block.later ||= [];
    if (block.plain) {
      later.push(...block.plain, block.rest);
      block.rest = later.shift() || block.rest;
      block.plain = undefined;
    }
    const { rest } = block;
    let size = whole(rest.data);
    for (let next; !size && (next = later.shift()); size = whole(rest.data)) {
      rest.appendData(next.data);
      next.parentElement?.remove();
    }
    if (isAll && !later.length && rest.length <= step) size = rest.length;
    if (!size) return;
    const text = rest.data.slice(0, size);
    block.isBusy = true;
    try {
      const part = h('div', h('div.live', text));
      if (isAll) await new Promise((done) => setTimeout(done, apart));
      if (size <= step) setMarkup(part, (await read({ op: 'render', text }))[0].html);
      if (block.rest === rest) {
        rest.parentElement?.before(...part.childNodes);
        rest.deleteData(0, size);
      }
    } catch {
      return;
    } finally {
      block.isBusy = false;
    }
    this.render(block, isAll || block.told === block.text);
  }

  /** @param {string} kind @param {string} key */
  block(kind, key) {
    const name = `${kind} ${key}`;
    const known = this.blocks.get(name);
    if (known) return known;
    const body = h('div', { class: kind === 'text' ? 'prose' : 'thought' });
    return this.put(name, kind, kind === 'text' ? body : h('details.fold', h('summary', 'Reasoning'), body), body);
  }

  /** @param {string} name @param {string} kind @param {Box} element @param {Box} body */
  put(name, kind, element, body = element) {
    /** @type {Block} */
    const made = { kind, element, body, text: '' };
    this.blocks.set(name, made);
    this.answer.append(element);
    return made;
  }

  /** @param {any} tool */
  tool(tool) {
    const name = `tool ${tool.id}`;
    let known = this.blocks.get(name);
    if (!known) {
      const body = h('pre', { tabindex: 0 });
      known = this.put(name, 'tool', h('details.fold.tool', h('summary'), body), body);
    }
    // Of a turn that is over nothing runs any more.
    const status = this.isOver && ['pending', 'running'].includes(tool.status) ? 'broken-off' : tool.status;
    this.calls.set(tool.id, tool);
    known.element.dataset.state = status;
    const summary = /** @type {Box} */ (known.element.firstElementChild);
    summary.replaceChildren(h('b', tool.name), ' ', h('span.what', tool.title || ''),
      ' ', h('span.how', calls[status] || status));
    // A call's input first.
    const output = tool.output || (this.isOver ? 'no output' : 'no output yet');
    known.body.textContent = shown(tool.input ? `${tool.input}\n\n${output}` : output);
  }

  // A list of which there is one in a turn.
  /** @param {string} kind @param {boolean} isOpen while the turn goes on */
  list(kind, isOpen) {
    return (this.blocks.get(kind) || this.put(kind, kind, h('details.fold', { open: isOpen && !this.isOver }))).element;
  }

  /** @param {any} usage */
  use(usage) {
    this.used.hidden = false;
    this.used.textContent = [spent(usage.input + usage.output + usage.reasoning + usage.cache_read + usage.cache_write, usage.cost), usage.model].filter(Boolean).join(', ');
  }

  /** @param {string} text */
  note(text) { this.answer.append(h('p.note', { text })); }

  /** @param {any} event */
  card(event) {
    const name = `card ${event.id}`;
    if (this.blocks.has(name)) return;
    // Of a turn that is over nothing waits.
    const block = this.put(name, 'card', this.isOver ? record(event) : card(this.session, event));
    block.asked = event;
    if (this.isOver) return;
    this.show('Working');
    say(block.element.ariaLabel || '');
  }

  /** @param {any} event */
  answered(event) {
    const known = this.blocks.get(`card ${event.id}`);
    if (known?.kind !== 'card') return;
    known.kind = 'line';
    if (this.state === 'running') this.show('Working');
    this.remember(known, event);
  }

  /** @param {Block} block a card @param {any} [answer] */
  remember(block, answer) {
    const line = record(block.asked, answer);
    const hadFocus = block.element.contains(document.activeElement);
    block.element.replaceWith(line);
    block.element = line;
    if (hadFocus) this.talk.rest();
  }

  /** @param {string} state @param {string} [reason] */
  end(state, reason = '') {
    const wasOver = this.isOver;
    this.state = state;
    this.element.dataset.state = state;
    this.show(words[state] ?? state, reason);
    const hadFocus = document.activeElement === this.withdraw;
    this.withdraw.hidden = state !== 'queued';
    if (hadFocus && this.withdraw.hidden) this.talk.rest();
    if (!this.isOver) return;
    for (const block of this.blocks.values()) if (block.kind === 'card') this.remember(block);
    for (const tool of this.calls.values()) this.tool(tool);
    this.tools();
    if (!wasOver) this.settle();
  }

  tools() {
    const row = h('span.row');
    if (this.state !== 'done' && this.text) {
      this.again = plain('Send again', () => {
        // The id makes it one turn, wherever it is tapped.
        this.talk.put(this.text, this.files, `again.${this.session}.${this.id}`);
        this.wasSentAgain();
        this.talk.rest();
      });
      row.append(this.again);
      if ([...this.talk.turns.values()].some((other) => other.isAgain(this))) this.wasSentAgain();
    }
    const copy = plain('Copy answer', () => copyText(this.plain(), copy));
    copy.classList.add('copies');
    row.append(copy);
    if (this.isTakenBack) this.foot.append(h('span.quiet', 'Taken back: the agent does not remember this.'));
    else if (this.isPlaced) row.append(this.more());
    this.foot.append(row);
  }

  /** @param {Turn} other @returns {boolean} it says what that one said before */
  isAgain(other) { return this.id > other.id && this.text === other.text; }

  /** Another time is the copy's matter. */
  wasSentAgain() { this.again?.replaceWith('Sent again'); }

  /** What is done to the session from here. */
  more() {
    const back = plain('Go back to before this');
    surely(back, 'Take this and all below back, with its changes of files?', () => this.talk.change({ op: 'revert', turn: this.id }));
    const copy = plain('New session up to before this', () => once([copy], () => this.talk.change({ op: 'fork', turn: this.id })));
    const row = h('span.row', copy, back);
    // What comes under the finger by this is no answer to its second tap.
    return h('details.turn-more', { ontoggle: () => {
      row.inert = true;
      setTimeout(() => { row.inert = false; }, 500);
    } }, h('summary', { 'aria-label': 'More about this message', text: '⋯' }), row);
  }

  plain() { return [...this.blocks.values()].filter((block) => block.kind === 'text').map((block) => block.text).join('\n\n'); }

  /** @param {string} title @param {string} [reason] */
  show(title, reason = '') {
    if (title === 'Working' && [...this.blocks.values()].some((block) => block.kind === 'card')) title = 'Waits for your answer';
    this.foot.replaceChildren();
    if (title) this.foot.append(h('span', h('b', title), reason ? `: ${reason}` : ''));
    this.isQuiet = false;
    this.foot.classList.toggle('working', title === 'Working');
    if (title === 'Working') this.listen();
  }

  // A turn has no limit but its owner's patience: for how long it has been silent is said, and what ends it.
  listen() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (!this.foot.classList.contains('working') || !this.foot.isConnected) return;
      const seconds = Math.round((Date.now() - this.heard) / 1000);
      if (seconds < 10) return this.listen();
      this.show('Working', `nothing heard for ${seconds < 100 ? `${seconds} s` : `${Math.round(seconds / 60)} min`}; Stop ends it`);
      this.isQuiet = true;
    }, 5000);
  }

  /** Shows the finished turn as it is stored. */
  async settle() {
    /** @type {any[]} */
    let lines;
    try {
      lines = await again(() => read({ op: 'open', session: this.session, turn: this.id }), { isGone: false });
    } catch {
      // The text is there already.
      return;
    }
    const names = lines.map(({ type, block, tool, id }) => (id ? `card ${id}` : block ? `${type} ${block}` : tool ? `tool ${tool.id}` : type));
    for (const [name, { element }] of this.blocks) {
      if (names.includes(name)) continue;
      element.remove();
      this.blocks.delete(name);
    }
    this.used.hidden = true;
    this.talk.keep(lines);
    // In order: a text above 64 KiB comes in several lines. Notices stand there.
    for (const line of lines) if (line.type !== 'notice') this.take(line);
    for (const block of this.blocks.values()) {
      const { told } = block;
      if (told === block.text) this.render(block, true);
      else if (told !== undefined) {
        block.text = told;
        this.finish(block, { whole: true });
      }
    }
  }
}

// What grew here stays, where it is long and is told once more as it was.
/** @param {Block} block @param {any} event */
function isToldAgain(block, { whole, html, text }) {
  if (whole) block.told = !html && block.rest && block.text.length > step ? '' : undefined;
  if (block.told === undefined) return false;
  const told = block.told + text;
  if (block.text.startsWith(told)) {
    block.told = told;
    return true;
  }
  // It goes on, or it is another one.
  if (block.told !== block.text) block.rest = null;
  block.text = block.told;
  block.told = undefined;
  return false;
}
