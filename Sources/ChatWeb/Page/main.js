// Who is here, and which room is shown.
import { h, workerAddress } from './base/dom.js';
import { ask, Failure } from './base/wire.js';
import { clear } from './base/shelf.js';
import { Feed } from './base/feed.js';
import { Outbox } from './base/outbox.js';
import { Talk } from './rooms/talk.js';
import { Side } from './rooms/side.js';
import { Machine } from './rooms/machine.js';
import { Devices } from './rooms/devices.js';
import { Title } from './rooms/title.js';
import { pairing } from './rooms/pairing.js';
import { followTaps, stayQuiet } from './rooms/tell.js';

const app = /** @type {HTMLElement} */ (document.getElementById('app'));
const known = 'nexus.own';
/** @type {Page | null} */
let page = null;

class Page {
  /** @param {any} own the device */
  constructor(own) {
    this.own = own;
    /** @type {any} */
    this.room = null;
    /** @type {Feed | null} the list of sessions, while no session is shown that brings it along */
    this.feed = null;
    /** How the way to the machine is, as the list was told last. */
    this.way = { words: 'connecting', isGood: true };
    /** @type {string[]} */
    this.workspaces = [];
    this.workspace = localStorage.getItem('nexus.workspace');
    this.outbox = new Outbox({
      changed: () => { if (this.room instanceof Talk) this.room.showUnsent(); },
      accepted: (letter, event) => this.accepted(letter, event),
    });
    // What was begun without a network, and is still to be sent, goes on in the room for a new session.
    this.draft = this.outbox.letters.filter((letter) => !letter.session).at(-1)?.draft || String(Date.now());
    this.side = new Side({ isOwner: own.role === 'owner', chosen: () => this.menu(false), named: (title) => { if (title !== this.title.words.textContent) this.call(title); } });
    this.title = new Title({
      deleted: () => { location.hash = '#/new'; },
    });
    this.choice = h('select', { 'aria-label': 'Workspace of the new session', hidden: true });
    this.choice.addEventListener('change', () => {
      this.workspace = this.choice.value;
      localStorage.setItem('nexus.workspace', this.choice.value);
      if (this.room instanceof Talk) this.room.given.workspace = this.choice.value;
    });
    this.button = h('button', { class: 'menu', 'aria-expanded': 'false', 'aria-controls': 'side', 'aria-label': 'Sessions', text: '☰', onclick: () => this.menu() });
    this.place = h('div', { class: 'place' });
    this.shade = h('div', { class: 'shade', onclick: () => this.menu(false) });
    this.frame = h('div', { class: 'frame' }, this.side.element, this.shade,
      h('div', { class: 'stage' }, h('header', { class: 'bar' }, this.button, this.title.words, this.title.form, this.choice, this.title.more, h('a', { class: 'bar-new', href: '#/new', 'aria-label': 'New session', text: '+' })), this.place));
    app.replaceChildren(this.frame);
    window.addEventListener('hashchange', () => { if (!isCode()) this.show(); });
    document.addEventListener('keydown', (event) => { if (event.key === 'Escape') this.menu(false); });
    this.describe();
    this.show();
  }

  async describe() {
    try {
      const about = await ask('/api/chat', { op: 'describe', wait: 25 });
      this.workspaces = about.workspaces || [];
      if (about.moved_aside) this.side.warn(`A store of conversations was damaged. It is kept on the machine as ${about.moved_aside}`);
      if (!this.workspaces.includes(this.workspace || '')) this.workspace = this.workspaces[0] || null;
      this.choice.replaceChildren(...this.workspaces.map((name) => h('option', { value: name, text: name, selected: name === this.workspace })));
      this.show(true);
    } catch { /* Without them a new session goes to the first. */ }
  }

  /** @param {boolean} [isOpen] */
  menu(isOpen = !this.frame.classList.contains('open')) {
    this.frame.classList.toggle('open', isOpen);
    this.button.setAttribute('aria-expanded', String(isOpen));
  }

  /** @param {any} letter @param {any} event */
  accepted(letter, event) {
    if (!(this.room instanceof Talk) || this.room.given.draft !== letter.draft || this.room.session) return;
    this.room.become(event.session);
    this.listen();
    this.draft = String(Date.now());
    history.replaceState(null, '', `#/s/${event.session}`);
    this.side.mark(event.session);
    this.choice.hidden = true;
    this.call(event.text.split('\n')[0].slice(0, 60));
  }

  show(isKept = false) {
    const [, room, id] = location.hash.split('/');
    this.choice.hidden = Boolean(room && room !== 'new') || this.workspaces.length < 2;
    if (isKept) {
      if (this.room instanceof Talk && !this.room.session) this.room.given.workspace = this.workspace;
      return;
    }
    this.room?.close();
    this.side.mark(room === 's' ? id : '');
    if (room === 'machine') this.enter('Machine', this.own.role === 'owner' ? new Machine() : closedRoom());
    else if (room === 'devices') this.enter('Devices', new Devices({ own: this.own, left: () => this.leave('This browser is forgotten.') }));
    else if (room === 's' && id) this.enter('', this.talk(id));
    else this.enter('New session', this.talk(null));
  }

  /** @param {string | null} session */
  talk(session) {
    return new Talk({
      session, draft: this.draft, workspace: this.workspace, outbox: this.outbox, list: this.side,
      titled: (title) => this.call(title),
      gone: (failure) => this.lose(failure),
    });
  }

  /** Keeps up with the list, where no session does. */
  listen() {
    const isAlone = !(this.room instanceof Talk && this.room.feed && !this.room.feed.isOver);
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
    if (this.room instanceof Talk && !this.room.session && this.feed) this.room.tell(this.way.words, this.way.isGood);
  }

  /** @param {Failure} failure of what kept up with a session or the list */
  lose(failure) {
    if (failure.code === 'unpaired') return this.leave(failure.message);
    if (!(this.room instanceof Talk)) return;
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
    this.title.show(title, this.room instanceof Talk ? this.room.session : null);
  }

  close() {
    this.room?.close();
    this.feed?.close();
  }

  /** @param {string} words */
  leave(words) {
    clear();
    stayQuiet();
    this.close();
    location.hash = '';
    enter('', words);
  }
}

/** What a device that was paired for the chat alone finds where the machine would be. */
function closedRoom() {
  return { close() {}, element: h('main', { class: 'room' }, h('div', { class: 'column' }, h('h1', { text: 'Machine' }),
    h('p', { class: 'quiet' }, 'This device was paired for the chat alone, so the machine is not shown here. An owner’s device shows it, and a terminal on the machine: ', h('code', { text: 'nexusctl status' })))) };
}

/** The address holds a code to come in by. */
function isCode() { return /^#(pair|again)=/.test(location.hash); }

/** @param {string} code @param {string} words @param {boolean} isReturn */
function enter(code, words, isReturn = false) {
  page?.close();
  app.replaceChildren(pairing({
    code, words, isReturn,
    done: (device) => {
      localStorage.setItem(known, JSON.stringify(device));
      page = new Page(device);
    },
  }));
}

async function begin() {
  const given = new URLSearchParams(location.hash.slice(1));
  const again = given.get('again') || '';
  const code = again || given.get('pair') || '';
  // Gone from the address bar and the history before anything else.
  if (code) history.replaceState(null, '', '/');
  const before = JSON.parse(localStorage.getItem(known) || 'null');
  // Known from last time: shown at once, also without a network; the server has the last word.
  if (before && !code) page = new Page(before);
  try {
    const own = await ask('/api/devices', { op: 'own' });
    localStorage.setItem(known, JSON.stringify(own));
    // Whoever is in here already needs no way back.
    if (again) page ??= new Page(own);
    else if (code) enter(code, 'This browser is paired already. Pair it anew?');
    else if (!before || before.role !== own.role) {
      page?.close();
      page = new Page(own);
    }
  } catch (error) {
    const failure = /** @type {Failure} */ (error);
    if (failure.code === 'unpaired') {
      clear();
      enter(code, again ? 'Nexus has a new address. This device was let in before, and comes back by this link as what it was.' : '', Boolean(again));
    } else if (!before || code) enter(code, failure.message, Boolean(again));
  }
}

begin();
followTaps();
// A pairing link that is opened where the page is open already changes nothing but this.
window.addEventListener('hashchange', () => { if (isCode()) begin(); });
if ('serviceWorker' in navigator) navigator.serviceWorker.register(workerAddress()).catch(() => {});
