// Long texts of an answer: put onto the screen piece by piece, and no more of one than somebody asks for.
import { h, plain, say, setMarkup, size } from '../base/dom.js';
import { read, within } from '../base/wire.js';

// What is put in at a time: characters, and 20 for an element. A phone lays that out in some hundredths of a second.
export const step = 20000;
// What is shown of one text before that.
export const most = 100000;
// Milliseconds between two questions for Markdown: the machine takes 20 each second of all kinds.
export const apart = 60;
// And for the answer to one.
const limit = 4000;

/** @type {Set<Prose>} what is to be put in; the last comes first, for it stands where the reader is */
const queue = new Set();
let isBusy = false;

async function work() {
  isBusy = true;
  for (;;) {
    await new Promise(requestAnimationFrame);
    const one = [...queue].at(-1);
    if (!one) break;
    // What was taken off the screen is not waited for.
    if (!one.isWanted || !await one.put()) queue.delete(one);
  }
  isBusy = false;
}

export class Prose {
  /**
   * @param {Block} block whose text may still come
   * @param {string | undefined} html of all of it; none: it is too long, and is rendered in pieces
   * @param {Act} stay called before more is shown than there was
   */
  constructor(block, html, stay) {
    this.block = block;
    this.html = html;
    this.stay = stay;
    /** @type {ChildNode[] | null} of the HTML, not shown yet */
    this.nodes = null;
    /** Characters of the text that are shown; and up to where it goes on as it is. */
    this.at = this.plainTo = 0;
    this.left = most;
    this.isBegun = false;
    this.more = plain('', () => this.showAll());
  }

  get isWanted() { return this.block.long === this && this.block.body.isConnected; }

  go() {
    queue.add(this);
    if (!isBusy) work();
  }

  /** Puts in a piece; false: there is none, or it was the last for now. */
  async put() {
    if (!this.isBegun) this.block.body.replaceChildren();
    this.isBegun = true;
    const { body, text } = this.block;
    if (this.left > 0) {
      const piece = this.html ? this.take(this.html) : await this.render();
      if (!this.isWanted) return false;
      const scroller = /** @type {Box} */ (body.closest('.scroller'));
      // What is read below it stays where it is, in browsers that would not see to that.
      const isAbove = /** @type {Box} */ (body.closest('.turn')).getBoundingClientRect().bottom < scroller.getBoundingClientRect().top;
      const rest = scroller.scrollHeight - scroller.scrollTop;
      if (this.more.isConnected) this.more.before(...piece);
      else body.append(...piece);
      if (isAbove) scroller.scrollTop = scroller.scrollHeight - rest;
    }
    if (!(this.nodes ? this.nodes.length : this.at < text.length)) {
      this.more.remove();
      return false;
    }
    if (this.left > 0) return true;
    this.more.textContent = `Show all of it (${size(new Blob([text]).size)})`;
    body.append(this.more);
    return false;
  }

  showAll() {
    const { body } = this.block;
    this.stay();
    this.left = Infinity;
    // Its button goes last: what is shorter for a moment would be scrolled. The focus stays here.
    body.tabIndex = -1;
    body.focus({ preventScroll: true });
    this.more.disabled = true;
    say('All of it is being shown');
    this.go();
  }

  /** @param {string} html */
  take(html) {
    if (!this.nodes) {
      const all = h('div');
      setMarkup(all, html);
      this.nodes = [...all.childNodes];
    }
    let weight = 0;
    let count = 0;
    while (count < this.nodes.length && weight < step) {
      const node = this.nodes[count++];
      weight += (node.textContent || '').length + (node instanceof Element ? 20 * node.getElementsByTagName('*').length : 0);
    }
    this.left -= weight;
    return this.nodes.splice(0, count);
  }

  /** @returns {Promise<ChildNode[]>} */
  async render() {
    const { text, kind } = this.block;
    const { at } = this;
    if (at >= this.plainTo) {
      const isLast = kind !== 'text' || text.length - at <= step;
      const end = !isLast && whole(text, at) || text.length;
      if (kind === 'text' && end - at <= step) {
        try {
          await new Promise((done) => setTimeout(done, apart));
          const [line] = await within(read({ op: 'render', text: text.slice(at, end) }), limit, '');
          const part = h('div');
          setMarkup(part, line.html);
          this.left -= end - at;
          this.at = end;
          return [...part.childNodes];
        } catch { /* It is shown as it is. */ }
      }
      this.plainTo = end;
    }
    const end = this.at = cut(text, at, this.plainTo);
    this.left -= end - at;
    return [h('div.live', text.slice(at, end))];
  }
}

/** @param {string} text @param {number} at @param {number} end @returns {number} where a piece of it ends, best behind a line, else a word */
function cut(text, at, end) {
  if (end - at <= step) return end;
  for (const mark of ['\n', ' ']) {
    const place = text.lastIndexOf(mark, at + step) + 1;
    if (place > at) return place;
  }
  // Not in the middle of a character.
  return at + step - Number(/[\ud800-\udbff]/.test(text[at + step - 1]));
}

/** @param {string} text @param {number} [from] @returns {number} behind the last paragraph or block of code that is over within `step` of there, else behind the first; 0: none is */
export function whole(text, from = 0) {
  let end = 0;
  let at = from;
  let fence = '';
  for (let next; (next = text.indexOf('\n', at) + 1) && (!end || next - from <= step); at = next) {
    const line = text.slice(at, next - 1);
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1] || '';
    if (!fence) fence = mark;
    else if (mark.startsWith(fence)) fence = '';
    if (!fence && (mark || !line.trim())) end = next;
  }
  return end;
}
