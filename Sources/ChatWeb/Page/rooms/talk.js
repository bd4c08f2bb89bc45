// One conversation: its turns, what is on its way, and the field to write in.
import { ago, form, h, isPhone, once, say, alarm, plain } from '../base/dom.js';
import { chat, isOffline, read, waiting } from '../base/wire.js';
import { Feed } from '../base/feed.js';
import { keep, kept, drop } from '../base/shelf.js';
import { draftKeys, moveDraft } from '../base/drafts.js';
import { Turn } from './turn.js';
import { Choice, Commands } from './choice.js';
import { Files } from './files.js';
import { Field } from './field.js';

export class Talk {
  /** @param {Page} page @param {string | null} session @param {number} [wanted] the turn to be shown */
  constructor(page, session, wanted) {
    this.page = page;
    this.session = session;
    this.wanted = wanted;
    this.own = page.workspace;
    /** @type {Map<number, Turn>} */
    this.turns = new Map();
    this.atEnd = true;
    this.width = 0;
    this.title = '';
    /** @type {Feed | null} */
    this.feed = null;
    this.lastTop = 0;
    this.earlier = h('button.plain', { text: 'Show earlier', hidden: true, onclick: () => this.showEarlier() });
    /** Between turns that were looked up and the newest. */
    this.gap = plain('Show later', () => this.showLater());
    this.list = h('div.turns', { role: 'log', 'aria-label': 'Conversation' });
    this.back = h('p.note', { hidden: true });
    this.unsent = h('div.turns.unsent');
    /** Where a new session will be made, while nobody can be asked to make it. */
    this.where = h('p.note', { role: 'status', hidden: true });
    this.hello = h('div.hello', h('h2', 'What shall be done?'),
      h('p.quiet', 'What you send is stored before it is answered, and sent later when you are offline.'), this.where);
    this.scroller = h('div.scroller', { tabindex: -1 }, h('div.column', this.hello, this.earlier, this.list, this.back, this.unsent));
    this.down = h('button.down', { text: 'Newest ↓', hidden: true, onclick: () => this.toEnd() });
    this.status = h('p.link', { role: 'status' });
    this.choice = new Choice(this);
    this.files = new Files(() => {
      this.field?.keep();
      if (!this.files.isLoading) this.said.textContent = '';
    });
    this.field = new Field(this);
    this.commands = new Commands(this);
    this.stop = h('button.stop', { text: 'Stop', hidden: true, onclick: () => this.abort(this.stop) });
    this.said = alarm();
    this.form = form('composer', () => this.send(), this.files.element, this.field.area, this.field.over, this.said, this.commands.element,
      h('div.composer-bar', this.files.button, this.files.input, this.choice.element, this.status, this.stop, h('button.send', { type: 'submit', text: 'Send' })));
    this.element = h('main.talk', this.scroller, h('div.dock', this.down, this.form));
    this.files.listen(this.element, this.field.area);
    this.listen();
    this.showUnsent();
    if (this.session) this.follow(this.session);
    else this.tell('connecting', true);
  }

  listen() {
    this.scroller.addEventListener('scroll', () => {
      const { scrollTop: top, clientWidth: width } = this.scroller;
      const rest = this.scroller.scrollHeight - top - this.scroller.clientHeight;
      // Only who scrolls up leaves the end: not who turns a phone.
      if (rest < 80) this.atEnd = true;
      else if (top < this.lastTop && width === this.width) this.atEnd = false;
      this.lastTop = top;
      this.width = width;
      this.down.hidden = this.atEnd;
    }, { passive: true });
    this.watch = new ResizeObserver(() => { if (this.atEnd) this.toEnd(); });
    this.watch.observe(this.list);
    this.watch.observe(this.scroller);
  }

  close() {
    this.feed?.close();
    this.field.life.abort();
    this.watch?.disconnect();
  }

  focus() { if (!isPhone()) this.field.area.focus(); }

  /** Where the focus goes when its place is gone: to what waits for an answer, else the field. */
  rest() {
    const next = this.list.querySelector('.card button');
    // On a phone the field would bring the keyboard with it.
    const place = next || (isPhone() ? this.scroller : this.field.area);
    place.focus();
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.lastTop = this.scroller.scrollTop;
    this.atEnd = true;
    this.down.hidden = true;
  }

  /** What grows at the end is not followed. */
  stay() {
    this.atEnd = false;
    this.down.hidden = false;
  }

  send() {
    const why = this.page.outbox.isFull ? 'too much waits to be sent already: what you typed is kept here' : this.field.hindrance;
    this.said.textContent = why;
    if (why) return;
    const attachments = this.files.references;
    const text = this.field.text || attachments.map((file) => file.name).join(', ');
    if (!text) return;
    this.atEnd = true;
    this.put(text, attachments.length ? attachments : undefined);
    this.files.clear();
    this.field.clear();
    this.commands.element.hidden = true;
  }

  // The first message of a draft has become a session.
  /** @param {string} session */
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
    this.asOf = old?.[0].at;
    this.feed = new Feed(session, this.page.side, {
      opened: (lines) => {
        this.asOf = 0;
        this.opened(lines);
        if (this.isIdle) this.sweep();
        this.keep(lines.filter((line) => !['queued', 'running'].includes(line.state)), []);
        if (this.wanted) this.reveal(this.wanted);
      },
      event: (event) => this.take(event),
      state: (words, isGood) => this.tell(words, isGood),
      lost: (failure) => {
        drop(session);
        this.page.lose(failure);
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
        if (before !== this.gap) this.earlier.hidden = !line.earlier;
        this.own = line.workspace || null;
        if (!before) this.choice.show(line);
        if (line.title) {
          this.title = line.title;
          this.page.call(line.title);
        }
        if (!before) this.showBack(line.reverted || 0);
      } else if (line.type === 'turn') {
        this.add(new Turn(line, this), before);
      } else if (line.turn) {
        this.turns.get(line.turn)?.take(line);
      }
    }
    this.changed();
  }

  /** @param {Turn} turn @param {Element | null} before */
  add(turn, before = null) {
    for (const other of this.turns.values()) {
      if (turn.isAgain(other)) other.wasSentAgain();
      if (other.isAgain(turn)) turn.wasSentAgain();
    }
    this.turns.set(turn.id, turn);
    this.list.insertBefore(turn.element, before);
  }

  /** @param {any} event */
  take(event) {
    if (!event.turn) return;
    let turn = this.turns.get(event.turn);
    // Of what was over when it was read comes again what was told behind the number read on from.
    if (turn?.isOver) return;
    if (!turn) {
      if (event.type !== 'accepted') return;
      turn = new Turn({ ...event, state: 'queued' }, this);
      this.add(turn);
    }
    turn.take(event);
    // What was said since makes final what was taken back.
    if (event.type === 'accepted') this.showBack(0);
    if (event.type === 'ended') say(event.state === 'done' ? 'The answer is complete' : `The turn was ${event.state}`);
    if (['accepted', 'started', 'ended', 'waiting'].includes(event.type)) this.changed();
    if (event.type === 'answered' || this.isIdle) this.sweep(event.id);
  }

  get workspace() { return this.session ? this.own : this.page.workspace; }

  get isIdle() { return [...this.turns.values()].every((turn) => turn.isOver); }

  // What was typed in a card that is gone, and was not its answer, is for the field.
  /** @param {string} [id] none: of all */
  sweep(id) {
    const place = `${this.session}/`;
    const moved = draftKeys().filter((key) => (id ? key === place + id : key.startsWith(place)) && moveDraft(key, place.slice(0, -1)));
    if (moved.length) this.field.load();
  }

  changed() {
    this.hello.hidden = Boolean(this.session) || this.unsent.childElementCount > 0;
    const { isIdle } = this;
    const hadFocus = isIdle && document.activeElement === this.stop;
    this.stop.hidden = isIdle;
    if (hadFocus) this.rest();
  }

  async showEarlier() {
    const first = this.list.firstElementChild;
    const id = Number(first?.getAttribute('data-turn'));
    if (!id || !this.session) return;
    this.earlier.disabled = true;
    const lines = await this.look({ before: id });
    this.earlier.disabled = false;
    if (!lines) return;
    const rest = this.scroller.scrollHeight - this.scroller.scrollTop;
    this.lay(lines, first);
    this.scroller.scrollTop = this.scroller.scrollHeight - rest;
  }

  // Shows one turn, with what stands around it; what was looked up before goes.
  /** @param {number} id */
  async reveal(id) {
    this.wanted = 0;
    history.replaceState(null, '', `#/s/${this.session}`);
    if (!this.isShown(id)) {
      const lines = await this.look({ before: id + 1 });
      if (!lines) return;
      while (this.gap.previousSibling) this.gap.previousSibling.remove();
      this.list.prepend(this.gap);
      this.lay(lines, this.gap);
      this.earlier.hidden = !lines[0].earlier;
      await this.showLater();
    }
    this.atEnd = false;
    this.list.querySelector('.hit')?.classList.remove('hit');
    const found = this.turns.get(id)?.element;
    found?.classList.add('hit');
    found?.scrollIntoView();
  }

  /** @param {number} id */
  isShown(id) { return this.turns.get(id)?.element.isConnected; }

  async showLater() {
    const lines = await this.look({ after: Number(this.gap.previousSibling?.dataset.turn) });
    const fresh = lines?.filter((/** @type {any} */ line) => !this.isShown(line.turn));
    if (!fresh) return;
    this.lay(fresh, this.gap);
    if (fresh.length < lines.length) this.gap.remove();
  }

  /** @param {object} stretch @returns {Promise<any>} */
  look(stretch) {
    return waiting(this.said, 'Reading messages.', 'They cannot be read now', () => read({ op: 'open', session: this.session, ...stretch }));
  }

  // What was chosen or taken back, by whichever device.
  /** @param {any} line */
  listed(line) {
    if (this.reverted !== (line.reverted || 0)) this.feed?.anew();
    this.choice.show(line);
  }

  // For when there is no network.
  /** @param {any[]} lines of `open`: of all, or of one turn at its end */
  keep([position, ...lines], before = kept(this.session) || []) {
    const [first = position, ...old] = before;
    const all = [...old.filter((/** @type {any} */ line) => line.turn !== lines[0].turn), ...beginnings(lines)].filter((line) => line.turn);
    keep(this.session, [{ ...first, at: Date.now() }, ...all.sort((one, other) => one.turn - other.turn)]);
  }

  /** @param {HTMLButtonElement} button @param {number} [turn] none: all that is under way */
  abort(button, turn) { once([button], () => waiting(this.said, 'Being stopped.', 'It could not be stopped', () => chat({ op: 'abort', session: this.session, turn }))); }

  /** @param {string} text @param {Letter['attachments']} [attachments] @param {string} [client_id] */
  put(text, attachments, client_id) {
    this.page.outbox.add({ client_id, draft: this.page.draft, session: this.session, workspace: this.workspace, text, attachments, ...this.choice.first });
  }

  /** @param {{op: string, turn?: number}} asked */
  async change(asked) {
    const answer = await waiting(this.said, 'Being done.', 'Not done', () => chat({ ...asked, session: this.session }));
    if (answer?.type === 'forked') location.hash = `#/s/${answer.session}`;
  }

  /** @param {number} count of turns that can be brought back */
  showBack(count) {
    this.reverted = count;
    this.back.hidden = count === 0;
    this.back.replaceChildren(`${count === 1 ? 'One message is' : `${count} messages are`} taken back, and can be brought back until you write something new. `,
      plain('Bring back', () => this.change({ op: 'unrevert' })));
  }

  /** Messages that the machine is not known to have. */
  showUnsent() {
    const mine = this.page.outbox.letters.filter((one) => one.session === this.session);
    const hasMore = mine.length > this.unsent.childElementCount;
    const { trouble } = this.page.outbox;
    const waits = isOffline() ? 'Sent when this device is online again' : trouble ? `Waiting: ${trouble}; trying again` : '';
    this.unsent.replaceChildren(...mine.map((letter) => {
      const again = plain(this.session ? 'Send again' : 'Send as a new session', () => this.page.outbox.again(letter, this.session ? {} : { draft: this.page.draft }));
      const place = waits && !letter.session ? `, in a new session in ${room(letter.workspace)}` : '';
      const edit = plain(letter.refused ? 'Edit' : 'Take back', () => this.page.outbox.takeBack(letter));
      return h('article.turn', { 'data-state': letter.refused ? 'failed' : 'queued' },
        h('div.mine', h('p.said', letter.text),
        letter.attachments && h('p.quiet', letter.attachments.map((file) => file.name).join(', '))),
        h('p.foot', letter.refused ? `Not taken: ${letter.refused}` : letter.isUnwanted ? `Being taken back: the machine may have it and is asked first. ${waits || 'Being sent'}` : (waits || 'Being sent') + place,
          this.page.outbox.unkept.has(letter.client_id) && ' (this browser has not kept it: leave the page open)', h('span.row', letter.refused && again, !letter.isUnwanted && edit)));
    }));
    this.changed();
    if (hasMore) this.toEnd();
  }

  /** @param {string} words @param {boolean} isGood */
  tell(words, isGood) {
    const age = this.asOf ? `. As it was ${ago(this.asOf)}` : this.session && !this.turns.size ? '. Nothing of this session is kept here' : '';
    this.status.textContent = isGood ? words : words + age;
    this.status.dataset.good = String(isGood);
    this.isCut = !isGood;
    this.showWhere();
  }

  showWhere() {
    if (this.session) return;
    this.where.hidden = !this.isCut;
    this.where.textContent = `There is no connection now. A new session will be made in ${room(this.workspace)} when it is back.`;
  }
}

// Of a text that is too long for one line the first: it would take the room of all else.
/** @param {any[]} lines of `open` */
function beginnings(lines) {
  return lines.flatMap((line, index) => {
    if (!line.block || line.whole || !line.text) return [line];
    return lines[index - 1]?.whole ? [{ type: 'notice', turn: line.turn, text: 'The rest of this is not kept in this browser.' }] : [];
  });
}

/** @param {string | null} workspace */
function room(workspace) { return workspace ? `the workspace “${workspace}”` : 'the machine’s first workspace'; }
