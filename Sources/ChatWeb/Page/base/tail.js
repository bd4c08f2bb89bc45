// The log of one child as it grows, while somebody looks at it.
import { h, isSeen } from './dom.js';
import { Follower } from './feed.js';

// So many lines stand in the page; older ones go.
const limit = 500;

export class Tail extends Follower {
  /**
   * @param {string} child
   * @param {HTMLElement} element is filled with lines
   * @param {(words: string) => void} tell why nothing comes; none: it does
   * @param {(failure: import('./wire.js').Failure) => void} lost
   */
  constructor(child, element, tell, lost) {
    super({ trouble: (words) => tell(`Not kept up: ${words}.`), lost });
    this.child = child;
    this.element = element;
    this.tell = tell;
    /** @type {{at: string, same: number} | null} up to where it was told */
    this.place = null;
    document.addEventListener('visibilitychange', () => this.again(), { signal: this.life.signal });
    tell('Asking for the log.');
    this.run();
  }

  /** @param {{signal: AbortSignal, heard: () => void}} options */
  async step(options) {
    // Nobody looks at a page that is not in front: nothing is asked for, and it goes on where it was.
    if (!isSeen()) await this.sleep();
    else await this.follow('/api/appliance', { op: 'tail', child: this.child, ...this.place }, (line) => this.take(line), options);
  }

  /** @param {any} line */
  take(line) {
    if (this.isOver || line.type !== 'lines') return;
    this.tell('');
    this.place = { at: line.at, same: line.same };
    const box = this.element;
    const isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    if (line.skipped) this.add(`… ${line.skipped} lines came faster than they are shown`, 'info');
    for (const one of line.lines) this.add(`${one.time.slice(11, 23)} ${one.text}`, one.level);
    if (!box.childElementCount) box.textContent = 'It has said nothing yet.';
    while (box.childElementCount > limit) box.firstElementChild?.remove();
    box.hidden = false;
    if (isAtEnd) box.scrollTop = box.scrollHeight;
  }

  /** @param {string} text @param {string} level */
  add(text, level) {
    if (!this.element.childElementCount) this.element.textContent = '';
    this.element.append(h('span.log-line', { 'data-level': level, text: `${text}\n` }));
  }
}
