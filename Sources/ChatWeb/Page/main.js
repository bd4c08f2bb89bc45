// Who is here, and which room is shown.
import { h } from './base/dom.js';
import { ask, chat } from './base/wire.js';
import { clear, keepKey, load, store, stored } from './base/shelf.js';
import { draftKeys, keepAside, moveDraft } from './base/drafts.js';
import { Feed } from './base/feed.js';
import { Outbox } from './base/outbox.js';
import { Talk } from './rooms/talk.js';
import { Side } from './rooms/side.js';
import { Machine } from './rooms/machine.js';
import { Devices } from './rooms/devices.js';
import { Title } from './rooms/title.js';
import { pairing } from './rooms/pairing.js';
import { limit } from './rooms/files.js';
import { followTaps, setUp, stayQuiet } from './rooms/tell.js';

const app = /** @type {Box} */ (document.getElementById('app'));
const known = 'nexus.own';
/** @type {Page | null} */
let page = null;

export class Page {
  /** @param {any} own the device */
  constructor(own) {
    this.own = own;
    this.room = null;
    /** @type {Feed | null} the list of sessions, while no session is shown that brings it along */
    this.feed = null;
    /** As the list was told last. */
    this.way = { words: 'connecting', isGood: true };
    /** @type {string[]} */
    this.workspaces = [];
    this.workspace = localStorage.getItem('nexus.workspace');
    this.outbox = new Outbox({
      changed: () => this.talk?.showUnsent(),
      accepted: (letter, event) => this.accepted(letter, event),
      back: (letter, isDone) => this.back(letter, isDone),
      lost: (failure) => this.lose(failure),
    });
    this.isOver = false;
    // What is still to be sent goes on in the room for a new session.
    this.draft = this.outbox.letters.filter((letter) => !letter.session).at(-1)?.draft || String(Date.now());
    this.side = new Side(this);
    this.title = new Title();
    this.choice = h('select', { 'aria-label': 'Workspace of the new session', onchange: () => {
      this.workspace = this.choice.value;
      localStorage.setItem('nexus.workspace', this.choice.value);
      this.talk?.showWhere();
    } });
    this.button = h('button.menu', { 'aria-expanded': 'false', 'aria-controls': 'side', 'aria-label': 'Sessions', text: '☰', onclick: () => this.menu() });
    this.place = h('div.place');
    this.shade = h('div.shade', { onclick: () => this.menu(false) });
    this.frame = h('div.frame', this.side.element, this.shade,
      h('div.stage', h('header.bar', this.button, h('div.bar-words', this.title.words, this.title.waits), this.title.form, this.choice, this.title.more, h('a.bar-new', { href: '#/new', 'aria-label': 'New session', text: '+' })), this.place));
    app.replaceChildren(this.frame);
    addEventListener('hashchange', () => { if (!isCode()) this.show(); });
    addEventListener('popstate', () => this.menu(history.state === 'list'));
    document.addEventListener('keydown', (event) => { if (event.key === 'Escape' && !this.isOver) this.menu(false); });
    this.describe();
    this.show();
  }

  get talk() { return this.room instanceof Talk ? this.room : null; }

  async describe() {
    try {
      const about = await chat({ op: 'describe', wait: 25 });
      this.workspaces = about.workspaces || [];
      limit(about);
      if (about.moved_aside) this.side.warning.textContent = `A store of conversations was damaged. It is kept on the machine as ${about.moved_aside}`;
      if (!this.workspaces.includes(this.workspace || '')) this.workspace = this.workspaces[0] || null;
      this.choice.replaceChildren(...this.workspaces.map((name) => h('option', { value: name, text: name, selected: name === this.workspace })));
      this.show(true);
      this.talk?.showWhere();
    } catch { if (!this.isOver) setTimeout(() => this.describe(), 4000); }
  }

  /** @param {boolean} [isOpen] */
  menu(isOpen = !this.frame.classList.contains('open')) {
    this.frame.classList.toggle('open', isOpen);
    this.button.ariaExpanded = String(isOpen);
    // Back closes it.
    if (isOpen === (history.state === 'list')) return;
    if (isOpen) history.pushState('list', '');
    else history.back();
  }

  /** @param {any} letter @param {any} event */
  accepted({ draft, workspace }, event) {
    // For another workspace it is one elsewhere.
    if (this.isOver || !this.talk || this.draft !== draft || this.talk.session || (workspace ?? this.workspace) !== (this.workspace ?? workspace)) return;
    this.room.become(event.session);
    this.listen();
    this.draft = String(Date.now());
    history.replaceState(null, '', `#/s/${event.session}`);
    this.side.mark(event.session);
    this.choice.hidden = true;
    this.call(event.text.split('\n')[0].slice(0, 60));
  }

  /** @param {Letter} letter that is not sent after all @param {boolean} [isDone] it was, before that */
  back({ session, text, attachments = [] }, isDone) {
    const room = this.talk?.session === session ? this.talk : null;
    if (isDone) {
      if (room) room.said.textContent = 'Not taken back: the agent had done it already.';
    } else if (room) {
      room.files.restore(attachments);
      room.field.put(text);
    } else keepAside(session || 'new', { text, files: attachments });
  }

  show(isKept = false) {
    if (this.isOver) return;
    const [, room, id, turn] = location.hash.split('/');
    this.choice.hidden = Boolean(room && room !== 'new') || this.workspaces.length < 2;
    if (isKept) return;
    if (turn && this.talk?.session === id) return this.talk.reveal(Number(turn));
    this.room?.close();
    this.side.mark(room === 's' ? id : '');
    if (room === 'machine') this.enter('Machine', this.own.role === 'owner' ? new Machine() : closedRoom);
    else if (room === 'devices') this.enter('Devices', new Devices(this));
    else if (room === 's' && id) this.enter('', new Talk(this, id, Number(turn)));
    else this.enter('New session', new Talk(this, null));
  }

  /** Keeps up with the list, where no session does. */
  listen() {
    const isAlone = this.talk?.feed?.isOver ?? true;
    if (isAlone === Boolean(this.feed)) return;
    this.feed?.close();
    this.feed = isAlone ? new Feed(null, this.side, {
      opened: () => {}, event: () => {},
      state: (words, isGood) => {
        this.way = { words, isGood };
        this.side.tell(isGood ? '' : `The list is as it was: ${words}`);
        this.sayWay();
      },
      lost: (failure) => this.lose(failure),
    }) : null;
  }

  /** Says it where no session would. */
  sayWay() {
    if (this.feed && this.talk && !this.talk.session) this.talk.tell(this.way.words, this.way.isGood);
  }

  /** @param {Failure} failure of what kept up with a session or the list */
  lose(failure) {
    if (failure.code === 'unpaired') return this.leave(failure.message);
    if (!this.talk) return;
    const { session } = this.room;
    if (failure.code === 'unknown' && session) {
      const hasMoved = this.gone((one) => one !== session);
      history.replaceState(null, '', '#/new');
      this.show();
      if (session === this.title.going && !hasMoved) return;
      this.room.said.textContent = `That session is not there any more.${hasMoved ? ' What was typed in it and not sent stands here.' : ''}`;
      return;
    }
    this.room.tell(failure.message, false);
    this.room.feed?.close();
    this.listen();
  }

  /** @param {string} title @param {any} room */
  enter(title, room) {
    this.room = room;
    this.listen();
    this.sayWay();
    this.place.replaceChildren(room.element);
    this.call(title || room.title || '');
    if (room instanceof Talk) {
      room.toEnd();
      room.focus();
    }
  }

  /** @param {string} title */
  call(title) {
    const session = this.talk?.session ?? null;
    // Nothing that is open there is closed for the same words.
    if (title !== this.title.words.textContent || session !== this.title.session) this.title.show(title, session);
  }

  /** @param {(session: string) => boolean} isThere */
  gone(isThere) {
    const moved = draftKeys().filter((key) => key !== 'new' && !isThere(key.split('/')[0]) && moveDraft(key));
    if (moved.length && this.talk && !this.talk.session) this.talk.field.load();
    return moved.length;
  }

  close() {
    this.isOver = true;
    this.outbox.close();
    this.room?.close();
    this.feed?.close();
  }

  /** @param {string} words @param {boolean} [isAll] with what was typed here and not sent */
  leave(words, isAll = false) {
    if (this.isOver && !isAll) return;
    clear(isAll);
    stayQuiet();
    this.close();
    location.hash = '';
    enter('', words);
  }
}

const closedRoom = { close() {}, element: h('main.room', h('div.column', h('h1', 'Machine'),
  h('p.quiet', 'This device was paired for the chat alone. Owners see the machine here, and in a terminal on it: ', h('code', 'nexusctl status')))) };

/** The address holds a code to come in by. */
function isCode() { return /^#(pair|again)=/.test(location.hash); }

/** @param {string} code @param {string} words @param {boolean} isReturn @param {any} [own] the device that this browser is already */
function enter(code, words, isReturn = false, own) {
  page?.close();
  app.replaceChildren(pairing({
    code, words, isReturn, own,
    done: ({ key, ...device }) => {
      history.replaceState(null, '', '/');
      store(known, device);
      // Half of what lets it in, where other programs get the cookie too.
      if (key) keepKey(key);
      page = new Page(device);
    },
  }));
}

async function begin() {
  const given = new URLSearchParams(isCode() ? location.hash.slice(1) : history.state?.code || '');
  const again = given.get('again') || '';
  const code = again || given.get('pair') || '';
  // Gone from the address bar and from what a browser remembers of it first; a page that is loaded again has it still.
  if (code) history.replaceState({ code: given.toString() }, '', '/');
  /** @type {any} */
  const before = stored(known, null);
  // Known from last time: shown at once, also without a network.
  if (before && !code) page = new Page(before);
  try {
    const own = await ask('/api/devices', { op: 'own' });
    store(known, own);
    // Whoever is in here already needs no way back.
    if (again) {
      history.replaceState(null, '', '/');
      page ??= new Page(own);
    }
    else if (code) enter(code, 'This browser is paired already. Pair it anew?', false, own);
    else if (!before || before.role !== own.role) {
      page?.close();
      page = new Page(own);
    }
  } catch (/** @type {any} */ failure) {
    if (failure.code === 'unpaired') {
      page?.close();
      clear(false);
      enter(code, again ? 'Nexus has a new address. This device was let in before, and comes back by this link as what it was.' : before ? failure.message : '', Boolean(again));
    } else if (!before || code) enter(code, failure.message, Boolean(again), before);
  }
}

load().catch(() => {}).then(begin);
followTaps();
// All that a pairing link changes where the page is open already.
addEventListener('hashchange', () => { if (isCode()) begin(); });
setUp();
