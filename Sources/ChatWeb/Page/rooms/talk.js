// One conversation: its turns, what is on its way, and the field to write in.
import { h, say } from '../base/dom.js';
import { ask, read, reason } from '../base/wire.js';
import { Feed } from '../base/feed.js';
import { keep, kept, drop } from '../base/shelf.js';
import { Turn } from './turn.js';
import { Choice, Commands } from './choice.js';
import { Files } from './files.js';
import { Field } from './field.js';

export class Talk {
  /**
   * @param {{session: string | null, draft: string, workspace: string | null, outbox: import('../base/outbox.js').Outbox,
   *   titled: (title: string) => void, gone: (failure: import('../base/wire.js').Failure) => void, list: import('./side.js').Side}} given
   */
  constructor(given) {
    this.given = given;
    this.session = given.session;
    /** @type {Map<number, Turn>} */
    this.turns = new Map();
    this.atEnd = true;
    this.title = '';
    /** @type {Feed | null} */
    this.feed = null;
    this.lastTop = 0;
    this.isStopping = false;
    this.earlier = h('button', { class: 'plain', text: 'Show earlier', hidden: true, onclick: () => this.showEarlier() });
    this.list = h('div', { class: 'turns', role: 'log', 'aria-label': 'Conversation' });
    this.back = h('p', { class: 'note', hidden: true });
    this.unsent = h('div', { class: 'turns unsent' });
    this.hello = h('div', { class: 'hello' }, h('h2', { text: 'What shall be done?' }),
      h('p', { class: 'quiet', text: 'The agent works on this machine. What you send is stored before it is answered, and sent later when you are offline.' }));
    this.scroller = h('div', { class: 'scroller', tabindex: -1 }, h('div', { class: 'column' }, this.hello, this.earlier, this.list, this.back, this.unsent));
    this.down = h('button', { class: 'down', text: 'Newest ↓', hidden: true, onclick: () => this.toEnd() });
    this.status = h('p', { class: 'link', role: 'status' });
    const place = { workspace: () => this.given.workspace, session: () => this.session };
    this.choice = new Choice({ ...place, changed: () => this.field.keep() });
    this.files = new Files(() => this.field?.keep());
    /** @type {Field} */
    this.field = new Field({ key: () => this.session || 'new', files: this.files, choice: this.choice, send: () => this.send() });
    this.commands = new Commands(this.field.area, place);
    this.stop = h('button', { class: 'stop', text: 'Stop', hidden: true, onclick: () => this.abort() });
    this.form = h('form', { class: 'composer' }, this.files.element, this.field.area, this.field.over, this.commands.element,
      h('div', { class: 'composer-bar' }, this.files.button, this.files.input, this.choice.element, this.status, this.stop, h('button', { class: 'send', type: 'submit', text: 'Send' })));
    this.element = h('main', { class: 'talk' }, this.scroller, h('div', { class: 'dock' }, this.down, this.form));
    this.files.listen(this.element, this.field.area);
    this.listen();
    this.showUnsent();
    if (this.session) this.follow(this.session);
    else this.tell('connecting', true);
  }

  listen() {
    this.form.addEventListener('submit', (/** @type {Event} */ event) => {
      event.preventDefault();
      this.send();
    });
    this.scroller.addEventListener('scroll', () => {
      const top = this.scroller.scrollTop;
      const rest = this.scroller.scrollHeight - top - this.scroller.clientHeight;
      // Only who scrolls up leaves the end. What has just grown below is followed: this may be told of before that is.
      if (rest < 80) this.atEnd = true;
      else if (top < this.lastTop) this.atEnd = false;
      this.lastTop = top;
      this.down.hidden = this.atEnd;
    }, { passive: true });
    this.watch = new ResizeObserver(() => { if (this.atEnd) this.toEnd(); });
    this.watch.observe(this.list);
    this.watch.observe(this.scroller);
  }

  close() {
    this.feed?.close();
    this.choice.close();
    this.watch?.disconnect();
  }

  focus() { if (!matchMedia('(pointer: coarse)').matches) this.field.area.focus(); }

  /** Where the focus goes when what had it is gone: to what waits for an answer, else to the field. */
  rest() {
    const next = this.list.querySelector('.card button');
    // On a phone the field would bring the keyboard with it.
    const place = next || (matchMedia('(pointer: coarse)').matches ? this.scroller : this.field.area);
    /** @type {HTMLElement} */ (place).focus();
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.lastTop = this.scroller.scrollTop;
    this.atEnd = true;
    this.down.hidden = true;
  }

  send() {
    const why = this.field.hindrance;
    if (why) return this.tell(why, false);
    const attachments = this.files.references;
    const text = this.field.text || attachments.map((file) => file.name).join(', ');
    if (!text) return;
    this.atEnd = true;
    this.put(text, attachments.length ? attachments : undefined);
    this.files.clear();
    this.field.clear();
    this.commands.element.hidden = true;
  }

  /**
   * The first message of a draft has become a session.
   * @param {string} session
   */
  become(session) {
    if (this.session) return;
    this.session = session;
    // What was typed since is of the session that it is typed in.
    this.field.moved('new');
    this.follow(session);
  }

  /** @param {string} session */
  follow(session) {
    this.tell('connecting', true);
    // Of last time, until the machine answers; what was under way then is not shown as if it were now.
    const old = kept(session);
    if (old) this.opened(old);
    this.feed = new Feed(session, this.given.list, {
      opened: (lines) => {
        this.opened(lines);
        keep(session, lines.filter((line) => !['queued', 'running'].includes(line.state)));
      },
      event: (event) => this.take(event),
      state: (words, isGood) => this.tell(words, isGood),
      lost: (failure) => {
        drop(session);
        this.given.gone(failure);
      },
    });
  }

  /** @param {any[]} lines */
  opened(lines) {
    this.list.replaceChildren();
    this.turns.clear();
    this.lay(lines, null);
    this.toEnd();
  }

  /** @param {any[]} lines of `open` @param {Element | null} before */
  lay(lines, before) {
    for (const line of lines) {
      if (line.type === 'position') {
        this.earlier.hidden = !line.earlier;
        this.given.workspace = line.workspace || null;
        if (!before) this.choice.show(line);
        if (line.title) {
          this.title = line.title;
          this.given.titled(line.title);
        }
        if (!before) this.showBack(line.reverted || 0);
      } else if (line.type === 'turn') {
        this.add(new Turn(line, this.told()), before);
      } else if (line.turn) {
        this.turns.get(line.turn)?.take(line);
      }
    }
    this.changed();
  }

  /** @param {Turn} turn @param {Element | null} before */
  add(turn, before = null) {
    this.turns.set(turn.id, turn);
    this.list.insertBefore(turn.element, before);
  }

  /** @param {any} event */
  take(event) {
    if (!event.turn) return;
    let turn = this.turns.get(event.turn);
    // What was over when it was read comes again only as far as it was told after the number read on from.
    if (turn?.isOver) return;
    if (!turn) {
      if (event.type !== 'accepted') return;
      turn = new Turn({ ...event, state: 'queued' }, this.told());
      this.add(turn);
    }
    turn.take(event);
    // What was said since makes final what was taken back.
    if (event.type === 'accepted') this.showBack(0);
    if (event.type === 'ended') say(event.state === 'done' ? 'The answer is complete' : `The turn was ${event.state}`);
    if (['accepted', 'started', 'ended', 'waiting'].includes(event.type)) this.changed();
  }

  changed() {
    this.hello.hidden = this.turns.size > 0 || this.unsent.childElementCount > 0;
    const isIdle = ![...this.turns.values()].some((turn) => !turn.isOver);
    const hadFocus = isIdle && document.activeElement === this.stop;
    this.stop.hidden = isIdle;
    if (hadFocus) this.rest();
  }

  async showEarlier() {
    const first = this.list.firstElementChild;
    const id = Number(first?.getAttribute('data-turn'));
    if (!id || !this.session) return;
    this.earlier.disabled = true;
    try {
      const lines = await read({ op: 'open', session: this.session, before: id });
      const rest = this.scroller.scrollHeight - this.scroller.scrollTop;
      this.lay(lines, first);
      this.scroller.scrollTop = this.scroller.scrollHeight - rest;
    } catch (error) {
      this.tell(`Earlier messages cannot be read now: ${reason(error)}`, false);
    }
    this.earlier.disabled = false;
  }

  async abort() {
    if (this.isStopping) return;
    this.isStopping = true;
    // Not `disabled`: that would take the focus from it.
    this.stop.setAttribute('aria-disabled', 'true');
    this.stop.textContent = 'Stopping';
    try {
      await ask('/api/chat', { op: 'abort', session: this.session });
    } catch (error) {
      this.tell(`It could not be stopped: ${reason(error)}`, false);
    }
    this.isStopping = false;
    this.stop.removeAttribute('aria-disabled');
    this.stop.textContent = 'Stop';
  }

  /** @param {string} text @param {{id: string, name: string}[]} [attachments] */
  put(text, attachments) {
    this.given.outbox.add({ draft: this.given.draft, session: this.session, workspace: this.given.workspace, text, attachments, ...this.choice.first });
  }

  /** What a turn asks for. */
  told() {
    return {
      again: (/** @type {string} */ text, /** @type {any} */ files) => this.put(text, files),
      rest: () => this.rest(),
      copied: (/** @type {number} */ turn) => this.change({ op: 'fork', turn }),
      takenBack: (/** @type {number} */ turn) => this.change({ op: 'revert', turn }),
    };
  }

  /**
   * Copies the session, takes turns of it back or brings them back.
   * @param {{op: string, turn?: number}} asked
   */
  async change(asked) {
    try {
      const answer = await ask('/api/chat', { ...asked, session: this.session });
      if (answer.type === 'forked') location.hash = `#/s/${answer.session}`;
      else this.feed?.anew();
    } catch (error) {
      this.tell(reason(error), false);
    }
  }

  /** @param {number} count of turns that can be brought back */
  showBack(count) {
    this.back.hidden = count === 0;
    this.back.replaceChildren(`${count === 1 ? 'One message is' : `${count} messages are`} taken back until you write something new. `,
      h('button', { class: 'plain', text: 'Bring back', onclick: () => this.change({ op: 'unrevert' }) }));
  }

  /** Messages that the machine is not known to have; where no session is yet, all that shall begin one. */
  showUnsent() {
    const mine = this.given.outbox.letters.filter((one) => one.session === this.session);
    const hasMore = mine.length > this.unsent.childElementCount;
    const { trouble } = this.given.outbox;
    const waits = !navigator.onLine ? 'Sent when this device is online again' : trouble ? `Waiting: ${trouble}; trying again` : 'Being sent';
    this.unsent.replaceChildren(...mine.map((letter) => {
      const edit = h('button', { class: 'plain', text: letter.refused ? 'Edit' : 'Take back' });
      edit.addEventListener('click', () => {
        this.given.outbox.drop(letter);
        this.files.restore(letter.attachments || []);
        this.field.put(letter.text);
      });
      return h('article', { class: 'turn', 'data-state': letter.refused ? 'failed' : 'queued' },
        h('div', { class: 'mine' }, h('p', { class: 'said', text: letter.text }),
        letter.attachments ? h('p', { class: 'quiet', text: letter.attachments.map((file) => file.name).join(', ') }) : null),
        h('p', { class: 'foot' }, letter.refused ? `Not taken: ${letter.refused}` : waits, h('span', { class: 'row' }, edit)));
    }));
    this.changed();
    if (hasMore) this.toEnd();
  }

  /** @param {string} words @param {boolean} isGood */
  tell(words, isGood) {
    this.status.textContent = words;
    this.status.dataset.good = String(isGood);
  }
}
