// The list of sessions and the ways to the other rooms.
import { h, ago } from '../base/dom.js';
import { ask, reason } from '../base/wire.js';
import { keep, kept } from '../base/shelf.js';

/** @type {Record<string, string>} */
const words = { queued: 'queued', running: 'working', interrupted: 'interrupted', failed: 'failed', done: '' };

// Ages are told anew this often, in milliseconds; what changes is told by the machine.
const interval = 30000;
const limit = 1000;

export class Side {
  /** @param {{isOwner: boolean, chosen: () => void, named: (title: string) => void}} given */
  constructor(given) {
    this.given = given;
    /** @type {any[]} */
    this.sessions = kept('list') || [];
    this.current = '';
    // Behind which change of the list the machine goes on; below 0: it is to be read whole.
    this.number = -1;
    this.told = '';
    this.search = h('input', { type: 'search', placeholder: 'Find in all sessions', 'aria-label': 'Find in all sessions', oninput: () => this.look() });
    this.found = h('ul', { class: 'sessions' });
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.soon = undefined;
    this.list = h('ul', { class: 'sessions' });
    this.words = h('p', { class: 'quiet', role: 'status' });
    this.warning = h('p', { class: 'quiet', role: 'status', hidden: true });
    this.element = h('nav', { class: 'side', id: 'side', 'aria-label': 'Sessions' },
      h('div', { class: 'side-head' }, h('a', { class: 'brand', href: '#/new' }, h('img', { src: '/icon.svg', alt: '', width: 24, height: 24 }), 'Nexus'),
        h('a', { class: 'new', href: '#/new', text: 'New session' })),
      this.search, h('div', { class: 'side-list' }, this.warning, this.list, this.found, this.words),
      h('div', { class: 'side-foot' }, given.isOwner ? h('a', { href: '#/machine', text: 'Machine' }) : null, h('a', { href: '#/devices', text: given.isOwner ? 'Devices' : 'This device' })));
    this.element.addEventListener('click', (/** @type {Event} */ event) => {
      if (/** @type {Element} */ (event.target).closest('a')) given.chosen();
    });
    setInterval(() => { if (document.visibilityState === 'visible') this.show(); }, interval);
    this.show();
  }

  /** @param {string} words what the owner should know of the machine */
  warn(words) {
    this.warning.textContent = words;
    this.warning.hidden = false;
  }

  /**
   * Reads the list whole, when that is needed.
   * @param {{signal?: AbortSignal, heard?: () => void}} options
   */
  async begin(options) {
    if (this.number >= 0) return;
    /** @type {any[]} */
    const lines = [];
    await ask('/api/chat', { op: 'list', numbered: true }, (line) => lines.push(line), options);
    this.sessions = lines.filter((line) => line.type === 'session');
    this.number = lines.find((line) => line.type === 'listed')?.number ?? -1;
    this.changed();
  }

  /**
   * True for what is told of the list.
   * @param {any} line
   */
  take(line) {
    if (!['session', 'gone', 'anew'].includes(line.type)) return false;
    this.number = line.number ?? -1;
    if (line.type === 'anew') return true;
    this.sessions = this.sessions.filter((one) => one.session !== line.session);
    if (line.type === 'session') {
      this.sessions.push(line);
      if (line.session === this.current) this.given.named(line.title);
    }
    this.sessions.sort((one, other) => other.updated - one.updated || (one.session < other.session ? -1 : 1));
    this.sessions.length = Math.min(this.sessions.length, limit);
    this.changed();
    return true;
  }

  /** What comes at one time is shown at once. */
  changed() {
    this.soon ??= setTimeout(() => {
      this.soon = undefined;
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

  /** Titles at once; messages and answers when the typing pauses. */
  look() {
    this.found.replaceChildren();
    this.show();
    clearTimeout(this.timer);
    const wanted = this.search.value.trim();
    if (wanted.length > 1) this.timer = setTimeout(() => this.find(wanted), 250);
  }

  /** @param {string} wanted */
  async find(wanted) {
    /** @type {any[]} */
    const lines = [];
    try {
      await ask('/api/chat', { op: 'search', text: wanted, wait: 25 }, (line) => { if (line.type === 'found') lines.push(line); });
    } catch (error) {
      this.words.textContent = `Not searched: ${reason(error)}`;
      return;
    }
    if (this.search.value.trim() !== wanted) return;
    this.found.replaceChildren(...lines.map((line) => h('li', {}, h('a', { href: `#/s/${line.session}` },
      h('span', { class: 'title', text: line.title }), h('span', { class: 'sub' }, ...marked(line.snippet))))));
    if (lines.length) this.words.textContent = '';
  }

  /** @param {string} session */
  mark(session) {
    this.current = session;
    for (const link of this.list.querySelectorAll('a')) {
      if (link.getAttribute('href') === `#/s/${session}`) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
  }

  show() {
    const wanted = this.search.value.trim().toLowerCase();
    const found = this.sessions.filter((one) => !wanted || `${one.title} ${one.workspace || ''}`.toLowerCase().includes(wanted));
    const told = JSON.stringify([wanted, found.map((one) => [one.session, one.title, one.state, one.workspace, ago(one.updated)])]);
    // An unchanged list stays as it is, with whatever is marked or under the finger.
    if (told === this.told) return;
    this.told = told;
    this.list.replaceChildren(...found.map((one) => h('li', {},
      h('a', { href: `#/s/${one.session}` }, h('span', { class: 'title', text: one.title || 'Untitled' }),
        h('span', { class: 'sub', 'data-state': one.state, text: [words[one.state] ?? one.state, one.workspace, ago(one.updated)].filter(Boolean).join(' · ') })))));
    this.words.textContent = found.length ? '' : this.sessions.length ? 'Nothing has that.' : 'No session yet.';
    this.mark(this.current);
  }
}

/**
 * Found words stand between U+0002 and U+0003.
 * @param {string} snippet
 */
function marked(snippet) {
  return snippet.split('\u0002').flatMap((part, index) => {
    if (index === 0) return [part];
    const [word, rest] = part.split('\u0003');
    return [h('mark', { text: word }), rest || ''];
  });
}
