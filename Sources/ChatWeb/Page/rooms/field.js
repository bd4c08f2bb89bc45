// The field to write in. Nothing that is typed or pasted is cut, and it is kept until it is sent.
import { h } from '../base/dom.js';
import { keepDraft, keptDraft, dropDraft } from '../base/drafts.js';

// Bytes of a message's JSON text, as docs/chat.md has it.
const limit = 60000;

export class Field {
  /**
   * @param {{key: () => string, files: import('./files.js').Files, choice: import('./choice.js').Choice, send: () => void}} given
   *   `key`: under which it is kept, a session or `new`
   */
  constructor(given) {
    this.given = given;
    this.area = h('textarea', { id: 'message', rows: 1, 'aria-label': 'Message to the agent', placeholder: 'Message the agent', autocapitalize: 'sentences' });
    this.words = h('span', { role: 'alert' });
    this.asFile = h('button', { class: 'plain', text: 'Attach it as a file', onclick: () => this.attach() });
    this.over = h('div', { class: 'over', hidden: true }, this.words, this.asFile);
    const draft = keptDraft(given.key());
    this.area.value = draft.text;
    given.files.restore(draft.files);
    given.choice.show(draft);
    this.area.addEventListener('input', () => this.changed());
    this.area.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
      // On a keyboard Return sends; on a phone it is a new line, and the button sends.
      const isPhone = matchMedia('(pointer: coarse)').matches;
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing || (isPhone && !event.ctrlKey && !event.metaKey)) return;
      event.preventDefault();
      given.send();
    });
    requestAnimationFrame(() => this.changed());
  }

  get text() { return this.area.value.trim(); }

  /** @param {string} text comes before what stands there */
  put(text) {
    this.area.value = [text, this.area.value].filter(Boolean).join('\n\n');
    this.changed();
    this.area.focus();
  }

  /** It went with a message. */
  clear() {
    this.area.value = '';
    this.changed();
  }

  /**
   * It is kept under another key from now on.
   * @param {string} before
   */
  moved(before) {
    dropDraft(before);
    this.keep();
  }

  changed() {
    this.area.style.height = 'auto';
    this.area.style.height = `${Math.min(this.area.scrollHeight + 2, innerHeight * 0.4)}px`;
    const isKept = this.keep();
    const bytes = this.bytes;
    const why = bytes > limit ? `Too long to be sent: it has ${Math.ceil(bytes / 1000)} KB, a message takes ${limit / 1000}. Shorten it, or attach it.`
      : isKept ? '' : 'There is no room in this browser to keep this when the page closes.';
    this.over.hidden = !why;
    this.asFile.hidden = bytes <= limit;
    if (this.words.textContent !== why) this.words.textContent = why;
  }

  /** @returns {string} why it cannot be sent; empty: it can */
  get hindrance() {
    if (this.given.files.isLoading) return 'a file is still being uploaded; send when it is there';
    return this.bytes > limit ? `too long: a message takes ${limit / 1000} KB` : '';
  }

  get bytes() {
    const { text } = this;
    // Each character takes one byte at least and, where it is written as an escape, six at most.
    return text.length * 6 <= limit ? text.length : new TextEncoder().encode(JSON.stringify(text)).length - 2;
  }

  keep() {
    const { key, files, choice } = this.given;
    return keepDraft(key(), { text: this.area.value, files: files.saved, ...choice.first });
  }

  /** The text stays in the field until the file is there. */
  async attach() {
    const { text } = this;
    this.asFile.disabled = true;
    if (await this.given.files.add(new File([text], 'message.txt', { type: 'text/plain' })) && this.text === text) {
      this.clear();
      this.area.focus();
    }
    this.asFile.disabled = false;
  }
}
