// The log of one child as it grows, while somebody looks at it.
import { h } from './dom.js';
import { ask, canStream, Failure } from './wire.js';

const pauses = [500, 1000, 2000, 5000];
// So many lines stand in the page; older ones go.
const limit = 500;

export class Tail {
  /**
   * @param {string} child
   * @param {HTMLElement} element is filled with lines
   * @param {(words: string) => void} tell why nothing comes; none: it does
   * @param {(failure: Failure) => void} lost
   */
  constructor(child, element, tell, lost) {
    this.child = child;
    this.element = element;
    this.tell = tell;
    this.lost = lost;
    /** @type {{at: string, same: number} | null} up to where it was told */
    this.place = null;
    this.failures = 0;
    this.isOver = false;
    /** @type {AbortController | null} */
    this.current = null;
    /** @type {(() => void) | null} */
    this.wake = null;
    // Nobody looks at a page that is not in front: nothing is asked for, and it goes on where it was.
    this.whenSeen = () => {
      this.failures = 0;
      this.current?.abort();
      this.wake?.();
    };
    document.addEventListener('visibilitychange', this.whenSeen);
    this.run();
  }

  close() {
    this.isOver = true;
    document.removeEventListener('visibilitychange', this.whenSeen);
    this.whenSeen();
  }

  async run() {
    while (!this.isOver) {
      if (document.visibilityState !== 'visible') {
        await new Promise((done) => { this.wake = () => done(undefined); });
        continue;
      }
      this.current = new AbortController();
      try {
        const body = { op: 'tail', child: this.child, ...this.place };
        const isStream = await canStream();
        if (this.isOver || this.current.signal.aborted) continue;
        await ask('/api/appliance', isStream ? body : { ...body, wait: 20 }, (line) => this.take(line), { signal: this.current.signal });
      } catch (error) {
        if (this.isOver) return;
        const failure = /** @type {Failure} */ (error);
        if (!failure.isPassing) return this.lost(failure);
        if (this.current.signal.aborted) continue;
        this.tell(`Not kept up: ${failure.message}.`);
        const time = pauses[Math.min(this.failures++, pauses.length - 1)];
        await new Promise((done) => {
          this.wake = () => done(undefined);
          setTimeout(done, time);
        });
      }
    }
  }

  /** @param {any} line */
  take(line) {
    if (this.isOver || line.type !== 'lines') return;
    this.failures = 0;
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
    this.element.append(h('span', { class: 'log-line', 'data-level': level, text: `${text}\n` }));
  }
}
