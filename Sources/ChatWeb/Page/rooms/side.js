// The list of sessions and the ways to the other rooms.
import { h, ago, isSeen, status } from '../base/dom.js';
import { read, waiting } from '../base/wire.js';
import { keep, kept } from '../base/shelf.js';

/** @type {Words} */
const words = { running: 'working', done: '', asking: 'waits for your answer' };

const limit = 1000;
// So many places are shown.
const most = 50;

export class Side {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    const isOwner = page.own.role === 'owner';
    /** @type {any[]} */
    this.sessions = kept('list') || [];
    this.current = '';
    // Behind which change of the list the machine goes on; below 0: it is to be read whole.
    this.number = -1;
    this.told = '';
    this.search = h('input', { type: 'search', placeholder: 'Find in all sessions', 'aria-label': 'Find in all sessions', oninput: () => this.look() });
    this.found = h('ul.sessions');
    this.timer = this.soon = 0;
    this.list = h('ul.sessions');
    this.words = status();
    /** What an owner should know. */
    this.warning = status();
    this.element = h('nav.side', { id: 'side', 'aria-label': 'Sessions', onclick: (event) => {
      const link = event.target.closest('a');
      if (!link || history.state !== 'list') return;
      // In place of the open list.
      event.preventDefault();
      location.replace(link.href);
      page.menu(false);
    } },
      h('div.side-head', h('a.brand', { href: '#/new' }, h('img', { src: '/icon.svg', alt: '', width: 24, height: 24 }), 'Nexus'),
        h('a.new', { href: '#/new', text: 'New session' })),
      this.search, h('div.side-list', this.warning, this.list, this.found, this.words),
      h('div.side-foot', {}, isOwner && h('a', { href: '#/machine', text: 'Machine' }), h('a', { href: '#/devices', text: isOwner ? 'Devices' : 'This device' })));
    setInterval(() => { if (isSeen()) this.show(); }, 30000);
    this.show();
  }

  // Reads the list whole, when that is needed.
  /** @param {Options} options */
  async begin(options) {
    if (this.number >= 0) return;
    const lines = await read({ op: 'list', numbered: true }, options);
    this.sessions = lines.filter((line) => line.type === 'session');
    this.number = lines.find((line) => line.type === 'listed')?.number ?? -1;
    const there = new Set(this.sessions.map((one) => one.session));
    // One that was cut off says nothing of what is not there.
    if (this.number >= 0) this.page.gone((session) => there.has(session));
    this.changed();
  }

  // True for what is told of the list.
  /** @param {any} line */
  take(line) {
    if (!['session', 'gone', 'anew'].includes(line.type)) return false;
    this.number = line.number ?? -1;
    if (line.type === 'anew') return true;
    this.sessions = this.sessions.filter((one) => one.session !== line.session);
    if (line.type === 'session') {
      this.sessions.push(line);
      if (line.session === this.current) {
        this.page.call(line.title);
        this.page.talk?.listed(line);
      }
    } else if (line.session !== this.current) {
      this.page.gone((session) => session !== line.session);
    }
    this.sessions.sort((one, other) => other.place - one.place || other.created - one.created);
    this.sessions.length = Math.min(this.sessions.length, limit);
    this.changed();
    return true;
  }

  /** What comes at one time is shown at once. */
  changed() {
    this.soon ||= setTimeout(() => {
      this.soon = 0;
      keep('list', this.sessions.slice(0, 100));
      this.show();
    }, 30);
  }

  /** @param {string} words why the list is not kept up to date; none: it is */
  tell(words) {
    if (words) this.words.textContent = words;
    else {
      this.told = '';
      this.show();
    }
  }

  look() {
    this.found.replaceChildren();
    this.show();
    clearTimeout(this.timer);
    const wanted = this.search.value.trim();
    if (wanted.length > 1) this.timer = setTimeout(() => this.find(wanted), 250);
  }

  /** @param {string} wanted */
  async find(wanted) {
    const lines = await waiting(this.words, 'Searching messages and answers.', 'Not searched', () => read({ op: 'search', text: wanted, limit: most + 1, wait: 25 }));
    if (!lines || this.search.value.trim() !== wanted) return;
    const found = lines.filter((line) => line.type === 'found');
    this.found.replaceChildren(...found.slice(0, most).map((line) => h('li', h('a', { href: `#/s/${line.session}/${line.turn}` },
      h('span.title', line.title), h('span.sub', ...marked(line.snippet))))));
    this.tell('');
    if (found.length) this.words.textContent = found.length > most ? `The newest ${most}; there are more.` : '';
  }

  /** @param {string} session */
  mark(session) {
    this.current = session;
    for (const link of this.list.querySelectorAll('a')) {
      link.ariaCurrent = link.getAttribute('href') === `#/s/${session}` ? 'page' : null;
    }
  }

  show() {
    const wanted = this.search.value.trim().toLowerCase();
    const found = this.sessions.filter((one) => !wanted || `${one.title} ${one.workspace || ''}`.toLowerCase().includes(wanted));
    // What needs its owner comes first.
    found.sort((one, other) => Number(!one.asking) - Number(!other.asking));
    this.page.title?.wait(this.sessions.filter((one) => one.asking));
    const told = JSON.stringify([wanted, found.map((one) => [one.session, one.title, state(one), one.workspace, ago(one.updated)])]);
    // An unchanged list stays, with what is marked or under the finger.
    if (told === this.told) return;
    this.told = told;
    this.list.replaceChildren(...found.map((one) => h('li',
      h('a', { href: `#/s/${one.session}` }, h('span.title', one.title || 'Untitled'),
        h('span.sub', { 'data-state': state(one), text: [words[state(one)] ?? one.state, one.workspace, ago(one.updated)].filter(Boolean).join(' · ') })))));
    this.words.textContent = found.length ? '' : this.sessions.length ? 'Nothing has that.' : 'No session yet.';
    this.mark(this.current);
  }
}

/** @param {any} session */
function state(session) { return session.asking ? 'asking' : session.state; }

// Found words stand between U+0002 and U+0003.
/** @param {string} snippet */
function marked(snippet) {
  return snippet.split('\u0002').flatMap((part, index) => {
    if (index === 0) return [part];
    const [word, rest] = part.split('\u0003');
    return [h('mark', word), rest || ''];
  });
}
