// The title of what is shown; of a session it can be changed, and the session deleted.
import { h, spent, surely } from '../base/dom.js';
import { ask, reason } from '../base/wire.js';

// Bytes of a title, as docs/chat.md has it.
const longest = 200;

export class Title {
  /** @param {{deleted: () => void}} given */
  constructor(given) {
    this.given = given;
    /** @type {string | null} */
    this.session = null;
    this.words = h('h1', { class: 'bar-title' });
    this.field = h('input', { 'aria-label': 'Title of the session', oninput: () => this.measure() });
    this.no = h('p', { class: 'said-no', role: 'alert', hidden: true });
    this.form = h('form', { class: 'bar-form', hidden: true }, this.field, h('button', { type: 'submit', class: 'plain', text: 'Save' }), this.no);
    this.remove = h('button', { text: 'Delete' });
    this.calm = surely(this.remove, 'Delete for good?', () => this.delete());
    this.said = h('p', { class: 'said-no', role: 'alert' });
    this.used = h('p', { class: 'quiet', hidden: true });
    this.more = h('details', { class: 'more', hidden: true }, h('summary', { 'aria-label': 'This session', text: '⋯' }),
      h('div', {}, h('button', { text: 'Rename', onclick: () => this.edit() }),
        h('button', { text: 'Save as Markdown', onclick: () => this.keep('markdown') }),
        h('button', { text: 'Save as JSON', onclick: () => this.keep('json') }), this.remove, this.used, this.said));
    this.more.addEventListener('toggle', () => {
      if (this.more.open) return this.read();
      this.calm();
      this.said.textContent = '';
    });
    this.form.addEventListener('submit', (/** @type {Event} */ event) => {
      event.preventDefault();
      this.save();
    });
    this.field.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => { if (event.key === 'Escape') this.close(); });
    this.more.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== 'Escape' || !this.more.open) return;
      this.more.open = false;
      this.more.firstElementChild.focus();
    });
    document.addEventListener('click', (event) => { if (!this.more.contains(/** @type {Node} */ (event.target))) this.more.open = false; });
  }

  /** @param {string} title @param {string | null} session */
  show(title, session) {
    this.session = session;
    this.words.textContent = title || 'Session';
    document.title = title ? `${title} · Nexus` : 'Nexus';
    this.more.hidden = !session;
    this.close();
  }

  /** What the session used so far. */
  async read() {
    this.used.hidden = true;
    try {
      await ask('/api/chat', { op: 'open', session: this.session, limit: 1 }, (line) => {
        if (line.type !== 'position' || line.session !== this.session) return;
        this.used.hidden = false;
        this.used.textContent = line.tokens || line.cost ? `In all: ${spent(line.tokens, line.cost)}` : 'Nothing is known to be used.';
      });
    } catch { /* It is not said then. */ }
  }

  close() {
    this.form.hidden = true;
    this.words.className = 'bar-title';
    this.more.open = false;
    this.said.textContent = '';
    this.no.hidden = true;
    this.calm();
  }

  edit() {
    this.close();
    this.field.value = this.words.textContent;
    // It stays the page's heading.
    this.words.className = 'unseen';
    this.form.hidden = false;
    this.field.focus();
    this.field.select();
  }

  /** Says what is too long, and cuts nothing. */
  measure() {
    const bytes = new TextEncoder().encode(this.field.value.trim()).length;
    this.no.hidden = bytes <= longest;
    this.no.textContent = `Too long: it has ${bytes} bytes, a title takes ${longest}.`;
  }

  async save() {
    const title = this.field.value.trim();
    if (!title || !this.session) return this.close();
    this.measure();
    if (!this.no.hidden) return;
    try {
      await ask('/api/chat', { op: 'rename', session: this.session, title });
      this.show(title, this.session);
    } catch (error) {
      this.no.textContent = `Not changed: ${reason(error)}`;
      this.no.hidden = false;
    }
  }

  /**
   * The whole session as a file.
   * @param {'markdown' | 'json'} format
   */
  async keep(format) {
    /** @type {string[]} */
    const pieces = [];
    const title = this.words.textContent || 'session';
    this.said.textContent = 'Being written …';
    try {
      const last = await ask('/api/chat', { op: 'export', session: this.session, format }, (line) => { if (line.type === 'piece') pieces.push(line.text); });
      if (last?.type !== 'end') throw new Error('it broke off');
    } catch (error) {
      this.said.textContent = `Not saved: ${reason(error)}`;
      return;
    }
    const address = URL.createObjectURL(new Blob(pieces, { type: 'application/octet-stream' }));
    const name = title.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '').slice(0, 60) || 'session';
    h('a', { href: address, download: `${name}.${format === 'json' ? 'json' : 'md'}` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
    this.close();
  }

  async delete() {
    try {
      await ask('/api/chat', { op: 'delete', session: this.session });
      this.close();
      this.given.deleted();
    } catch (error) {
      this.said.textContent = reason(error);
    }
  }
}
