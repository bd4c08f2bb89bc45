// Files that go with the next message, uploaded at once, in pieces.
import { h, plain, say, size } from '../base/dom.js';
import { chat, Failure, isOffline, pause, reason } from '../base/wire.js';

const most = 8;
// As the machine says; bytes.
let largest = Infinity;
let told = 'Attach files';

/** @param {any} about how much is taken */
export function limit(about) {
  largest = about.attachment;
  told = `Attach files: ${size(largest)} each, ${most} a message, ${size(about.attachments)} kept in all`;
  for (const one of document.querySelectorAll('.attach')) one.setAttribute('title', told);
}

/** @type {Map<number, Attached>} whatever room is shown */
const loading = new Map();

export class Files {
  /** @param {Act} changed what `saved` says is another thing now */
  constructor(changed) {
    this.changed = changed;
    /** @type {Attached[]} */
    this.list = [];
    this.input = h('input', { type: 'file', multiple: true, hidden: true, 'aria-label': 'Files to attach', onchange: () => {
      this.take(this.input.files);
      this.input.value = '';
    } });
    this.button = h('button.plain.attach', { text: 'Attach', 'aria-label': 'Attach files', title: told, onclick: () => this.input.click() });
    this.element = h('ul.attached', { hidden: true, 'aria-label': 'Files that go with the message' });
  }

  /** @param {Box} place @param {Box} field */
  listen(place, field) {
    place.addEventListener('dragover', (event) => { if (event.dataTransfer?.types.includes('Files')) event.preventDefault(); });
    const take = (/** @type {any} */ event) => {
      const { files } = event.dataTransfer || event.clipboardData;
      if (!files.length) return;
      event.preventDefault();
      this.take(files);
    };
    place.addEventListener('drop', take);
    field.addEventListener('paste', take);
  }

  get isLoading() { return this.list.some((one) => one.state === 'loading'); }

  /** What goes with a message. */
  get references() { return this.list.filter((one) => one.state === 'kept').map(({ id, name }) => ({ id, name })); }

  /** What is kept beside the text: the machine has those with an `id` for a week. */
  get saved() { return this.list.filter((one) => one.state !== 'failed' || one.isCut).map(({ id, name, bytes, number }) => (id ? { id, name, bytes } : { name, number })); }

  /** @param {Kept[]} files */
  restore(files) {
    for (const { id, name, bytes = 0, number = 0 } of files) {
      const going = loading.get(number);
      if (going) {
        this.lay(going);
        continue;
      }
      const { one, words, bar } = this.show(name, bytes);
      bar.hidden = true;
      one.id = id || '';
      one.state = id ? 'kept' : 'failed';
      words.textContent = id ? bytes ? size(bytes) : '' : 'Not attached: its upload was cut off. Attach it again.';
    }
  }

  /** @param {FileList | null} files */
  take(files) {
    for (const file of files || []) this.add(file);
  }

  /** @param {string} name @param {number} bytes */
  show(name, bytes) {
    const words = h('span.quiet', { role: 'status', text: 'Being uploaded' });
    const bar = h('progress', { max: bytes || 1, value: 0, 'aria-label': `Upload of ${name}` });
    /** @type {Attached} */
    const one = { name, id: '', bytes, number: Math.random(), state: 'loading', isGone: false, home: this, element: h('li', h('b', { text: name, title: name }), bar, words) };
    one.element.append(h('button.plain', { text: 'Remove', 'aria-label': `Remove ${one.name}`, onclick: () => one.home.drop(one) }));
    this.lay(one);
    return { one, words, bar };
  }

  /** @param {Attached} one */
  lay(one) {
    one.home = this;
    this.list.push(one);
    this.element.append(one.element);
    this.element.hidden = false;
  }

  /** @param {File} file @returns {Promise<boolean>} it is there */
  async add(file) {
    const { one, words, bar } = this.show(file.name || 'file', file.size);
    const fail = (/** @type {string} */ why, canRetry = false) => {
      one.state = 'failed';
      bar.hidden = true;
      words.textContent = why;
      const { element } = one.home;
      // Seen whole, where the list is longer than its room.
      element.scrollTop += Math.max(0, one.element.getBoundingClientRect().bottom - element.getBoundingClientRect().bottom);
      say(`${one.name}: ${why}`);
      if (canRetry) {
        words.append(' ', plain('Try again', () => {
          one.home.drop(one);
          one.home.add(file);
        }));
      }
      one.home.changed();
      return false;
    };
    if (this.list.filter((other) => other.state !== 'failed').length > most) return fail(`Not attached: a message takes ${most} files. Remove one, or send these first.`);
    if (file.size > largest) return fail(`Not attached: it has ${size(file.size)}, and a file may have ${size(largest)} ([chat] attachment). Put it into the workspace and name it.`);
    if (isOffline()) return fail('Not attached: this device is offline. Attach it again then: files do not wait, messages do.');
    loading.set(one.number, one);
    this.changed();
    try {
      await this.upload(one, file, (done) => { bar.value = done; });
    } catch (error) {
      const isFailure = error instanceof Failure;
      // Named when this browser is let in again.
      one.isCut = isFailure && error.code === 'unpaired';
      return one.isGone ? false : fail(`Not attached: ${isFailure ? reason(error) : 'this browser cannot read it any more; choose it again'}.`, isFailure && error.code !== 'bad-request');
    } finally {
      loading.delete(one.number);
    }
    bar.hidden = true;
    words.textContent = size(file.size);
    say(`${one.name} is attached`);
    one.home.changed();
    return true;
  }

  /** @param {Attached} one @param {File} file @param {(done: number) => void} told @returns {Promise<void>} */
  async upload(one, file, told, tries = 3) {
    const begun = await again(() => chat({ op: 'upload', bytes: file.size }), one);
    let at = 0;
    for (;;) {
      const piece = new Uint8Array(await file.slice(at, at + begun.piece).arrayBuffer());
      let line;
      try {
        line = await again(() => chat({ op: 'piece', upload: begun.upload, at, data: base64(piece) }), one);
      } catch (error) {
        // chat-bridge was started anew, or had its last word on it already.
        if (!(error instanceof Failure) || error.code !== 'unknown' || tries < 2) throw error;
        return this.upload(one, file, told, tries - 1);
      }
      at += piece.length;
      told(at);
      if (line.type !== 'attachment') continue;
      one.id = line.id;
      one.state = 'kept';
      return;
    }
  }

  /** @param {Attached} one */
  drop(one) {
    one.isGone = true;
    one.element.remove();
    this.list = this.list.filter((other) => other !== one);
    this.element.hidden = this.list.length === 0;
    this.changed();
  }

  clear() {
    this.list = [];
    this.element.replaceChildren();
    this.element.hidden = true;
  }
}

// Asks until there is an answer, for a while.
/** @param {() => Promise<any>} call @param {{isGone: boolean}} one */
export async function again(call, one) {
  for (let tries = 0; ; tries++) {
    if (one.isGone) throw new Failure('it was removed', 'left');
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Failure) || !error.isPassing || tries > 3) throw error;
      await new Promise((done) => setTimeout(done, pause(tries)));
    }
  }
}

/** @param {Uint8Array} bytes */
function base64(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

/** @param {any[] | undefined} files */
export function showFiles(files) {
  if (!files?.length) return null;
  return h('ul.attached', ...files.map((file) => {
    const address = `/attachment/${file.id}?name=${encodeURIComponent(file.name)}`;
    const words = `${file.name}, ${size(file.bytes)}`;
    return h('li', file.mime.startsWith('image/') ? h('a', { href: address, target: '_blank', rel: 'noopener' }, h('img', { src: address, alt: words, loading: 'lazy' }))
      : h('a', { href: address, download: file.name, text: words }));
  }));
}
