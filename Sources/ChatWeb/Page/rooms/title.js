// The title of what is shown; of a session it can be changed, and the session deleted.
import { form, h, menu, once, plain, say, spent, surely, alarm } from '../base/dom.js';
import { store, stored } from '../base/shelf.js';
import { chat, waiting, within } from '../base/wire.js';

// Bytes of a title, as docs/chat.md has it.
const longest = 200;
// Milliseconds for the browser's question, whether the page may copy.
const limit = 60000;
// One that is being typed.
const key = 'nexus.typed.title';

export class Title {
  constructor() {
    this.session = null;
    /** @type {string | null} that is being deleted from here */
    this.going = null;
    this.title = '';
    /** @type {any[]} sessions that wait for an answer */
    this.asking = [];
    this.words = h('h1.bar-title');
    this.waits = h('a.sub', { 'data-state': 'asking' });
    this.field = h('input', { 'aria-label': 'Title of the session', oninput: () => this.measure(), onkeydown: (event) => { if (event.key === 'Escape') this.close(); } });
    this.no = alarm();
    this.form = form('bar-form', () => this.save(), this.field, h('button', { type: 'submit', class: 'plain', text: 'Save' }), plain('Cancel', () => this.close()), this.no);
    this.remove = h('button', 'Delete');
    this.calm = surely(this.remove, 'Delete for good?', () => this.delete());
    this.copies = h('button', { text: 'Copy all', onclick: () => once([this.copies], () => this.copy()) });
    this.said = alarm();
    this.used = h('p.quiet');
    this.more = menu('more', 'This session', '⋯', () => {
      if (this.more.open) return this.read();
      this.calm();
      this.said.textContent = '';
    }, h('button', { text: 'Rename', onclick: () => {
      this.edit();
      this.field.select();
    } }),
    this.copies, h('button', { text: 'Save as Markdown', onclick: () => this.keep('markdown') }),
    h('button', { text: 'Save as JSON', onclick: () => this.keep('json') }), this.remove, this.used, this.said);
  }

  /** @param {string} title @param {string | null} session */
  show(title, session) {
    // What is being typed stays when another device gives a title.
    const isKept = session && !this.form.hidden && session === this.session;
    this.session = session;
    this.words.textContent = title || 'Session';
    this.title = title;
    this.wait();
    this.more.hidden = !session;
    if (isKept) return;
    const half = stored(key, { session, text: '' });
    // To go elsewhere gives up nothing.
    this.form.hidden = true;
    this.close();
    if (session && session === half.session && half.text) this.edit(half.text);
  }

  wait(asking = this.asking) {
    this.asking = asking;
    const [first] = asking;
    const isHere = asking.some((one) => one.session === this.session);
    this.waits.hidden = !first;
    this.waits.textContent = first ? isHere ? 'waits for your answer' : 'another waits for your answer' : '';
    this.waits.href = isHere ? location.hash : `#/s/${first?.session}`;
    document.title = [first && 'Waits for your answer', this.title, 'Nexus'].filter(Boolean).join(' · ');
  }

  read() {
    return waiting(this.used, 'Asking what it used.', 'What it used is not known', () => chat({ op: 'open', session: this.session, limit: 1 }, (line) => {
      if (line.type !== 'position' || line.session !== this.session) return;
      this.used.textContent = line.tokens || line.cost ? `In all: ${spent(line.tokens, line.cost)}` : 'Nothing is known to be used.';
    }));
  }

  close() {
    if (!this.form.hidden) store(key);
    this.form.hidden = true;
    this.words.className = 'bar-title';
    this.more.open = false;
    this.said.textContent = '';
    this.no.textContent = '';
    this.calm();
  }

  edit(text = this.words.textContent) {
    this.close();
    this.field.value = text;
    // It stays the page's heading.
    this.words.className = 'unseen';
    this.form.hidden = false;
    this.field.focus();
  }

  measure() {
    store(key, { session: this.session, text: this.field.value });
    const bytes = new TextEncoder().encode(this.field.value.trim()).length;
    this.no.textContent = bytes > longest ? `Too long: it has ${bytes} bytes, a title takes ${longest}.` : '';
  }

  async save() {
    const title = this.field.value.trim();
    if (!this.session) return this.close();
    this.measure();
    if (!title) this.no.textContent = 'A title has to say something.';
    if (this.no.textContent) return;
    if (await waiting(this.no, 'Being changed.', 'Not changed', () => chat({ op: 'rename', session: this.session, title }))) {
      this.close();
      this.show(title, this.session);
    }
  }

  /** @param {'markdown' | 'json'} format @returns {Promise<string[]>} the whole session, in pieces */
  async write(format) {
    /** @type {string[]} */
    const pieces = [];
    const last = await chat({ op: 'export', session: this.session, format }, (line) => { if (line.type === 'piece') pieces.push(line.text); });
    if (last?.type !== 'end') throw new Error('it broke off');
    return pieces;
  }

  /** @param {'markdown' | 'json'} format */
  async keep(format) {
    const title = this.words.textContent || 'session';
    const pieces = await waiting(this.said, 'Being written.', 'Not saved', () => this.write(format));
    if (!pieces) return;
    const address = URL.createObjectURL(new Blob(pieces, { type: 'application/octet-stream' }));
    const name = title.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '').slice(0, 60) || 'session';
    h('a', { href: address, download: `${name}.${format === 'json' ? 'json' : 'md'}` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
    this.close();
  }

  /** The whole session as Markdown, also what is not shown here. */
  async copy() {
    const isDone = await waiting(this.said, 'Being copied.', 'Not copied', async () => {
      const text = this.write('markdown').then((pieces) => new Blob(pieces, { type: 'text/plain' }));
      // Asked for within the tap: later some browsers do not let a page copy.
      const done = (async () => navigator.clipboard.write([new ClipboardItem({ 'text/plain': text })]))();
      done.catch(() => {});
      await text;
      await within(done, limit, '').catch(() => { throw new Error('this browser does not let the page copy. Save it as Markdown'); });
      return true;
    });
    if (!isDone) return;
    this.copies.textContent = 'Copied';
    say('All of the session is copied');
    setTimeout(() => { this.copies.textContent = 'Copy all'; }, 1500);
  }

  async delete() {
    const session = this.going = this.session;
    const isDone = await waiting(this.said, 'Being deleted.', 'Not deleted', () => chat({ op: 'delete', session }));
    this.going = null;
    if (!isDone) return;
    this.close();
    location.hash = '#/new';
  }
}
