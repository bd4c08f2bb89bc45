// The field to write in. What is typed in a window shows in others where nothing was typed since.
import { h, isPhone, plain } from '../base/dom.js';
import { keepAside, keepDraft, keptDraft, noRoom, nothing, prefix, wholeDraft } from '../base/drafts.js';

// Bytes of a message as JSON writes it, but for its quotes.
const limit = 60000;

export class Field {
  /** @param {Talk} talk */
  constructor(talk) {
    this.talk = talk;
    this.area = h('textarea', { id: 'message', rows: 1, 'aria-label': 'Message to the agent', placeholder: 'Message the agent', onkeydown: (event) => {
      // On a keyboard Return sends; on a phone it is a new line, and the button sends.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing || (isPhone() && !event.ctrlKey && !event.metaKey)) return;
      event.preventDefault();
      if (!talk.commands.takeFirst()) talk.send();
    }, oninput: () => {
      this.isTouched = true;
      this.changed();
    } });
    this.words = h('span', { role: 'alert' });
    this.asFile = plain('Attach it as a file', () => this.attach());
    this.over = h('div.over', { hidden: true }, this.words, this.asFile);
    this.isTouched = false;
    /** @type {Typed} what stands in the browser's store, as far as this window knows */
    this.seen = nothing;
    this.load();
    talk.choice.show(keptDraft(this.key));
    this.life = new AbortController();
    addEventListener('storage', (event) => {
      if (event.key !== prefix + this.key) return;
      if (this.isTouched || talk.files.isLoading) keepAside(this.key, this.typed);
      else this.load();
    }, { signal: this.life.signal });
  }

  load() {
    const { files } = this.talk;
    const draft = wholeDraft(this.key);
    this.seen = keptDraft(this.key);
    this.area.value = draft.text;
    files.clear();
    files.restore(draft.files);
    this.isTouched = false;
    if (draft.aside?.length) this.keep();
    requestAnimationFrame(() => this.measure(true));
  }

  /** Under which it is kept. */
  get key() { return this.talk.session || 'new'; }

  get typed() { return { text: this.area.value, files: this.talk.files.saved }; }

  get text() { return this.area.value.trim(); }

  /** @param {string} text comes before what stands there */
  put(text) {
    this.area.value = [text, this.area.value].filter(Boolean).join('\n\n');
    this.isTouched = true;
    this.changed();
    this.area.focus();
  }

  clear() {
    this.area.value = '';
    this.isTouched = false;
    this.changed();
  }

  // It is kept under another key from now on.
  /** @param {string} before */
  moved(before) {
    keepDraft(before, nothing, this.seen);
    this.seen = nothing;
    this.keep();
  }

  changed() { this.measure(this.keep()); }

  /** @param {boolean} isKept */
  measure(isKept) {
    this.area.style.height = 'auto';
    this.area.style.height = `${Math.min(this.area.scrollHeight + 2, innerHeight * 0.4)}px`;
    const bytes = this.bytes;
    const why = bytes > limit ? `Too long to be sent: it has ${Math.ceil(bytes / 1000)} KB, a message takes ${limit / 1000}. Shorten it, or attach it.`
      : isKept ? '' : noRoom;
    this.over.hidden = !why;
    this.asFile.hidden = bytes <= limit;
    if (this.words.textContent !== why) this.words.textContent = why;
  }

  /** @returns {string} why it cannot be sent; empty: it can */
  get hindrance() {
    if (this.talk.files.isLoading) return 'a file is still being uploaded; send when it is there';
    const failed = this.talk.files.list.find(({ state }) => state === 'failed');
    if (failed) return `${failed.name} is not attached: remove it, or attach it again`;
    return this.bytes > limit ? `too long: a message takes ${limit / 1000} KB` : '';
  }

  get bytes() { return new TextEncoder().encode(JSON.stringify(this.text)).length - 2; }

  keep() {
    const { typed } = this;
    const isKept = keepDraft(this.key, { ...typed, ...this.talk.choice.first }, this.seen);
    if (isKept) this.seen = typed;
    return isKept;
  }

  /** The text stays in the field until the file is there. */
  async attach() {
    const { text } = this;
    this.asFile.disabled = true;
    if (await this.talk.files.add(new File([text], 'message.txt', { type: 'text/plain' })) && this.text === text) {
      this.clear();
      this.area.focus();
    }
    this.asFile.disabled = false;
  }
}
