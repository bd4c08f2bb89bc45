// A line of the last samples, and the newest in words.
import { h, svg } from '../base/dom.js';

// At one each 4 s: 8 minutes.
const limit = 120;

export class Plot {
  /**
   * @param {string} name
   * @param {(value: number) => string} words
   */
  constructor(name, words) {
    this.words = words;
    /** @type {number[]} */
    this.values = [];
    this.line = svg('polyline', {});
    const picture = svg('svg', { viewBox: '0 0 100 24', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, this.line);
    this.text = h('span');
    this.element = h('div.plot', { hidden: true }, h('span', name), picture, this.text);
  }

  /** @param {number} value */
  add(value) {
    this.element.hidden = false;
    this.values.push(value);
    if (this.values.length > limit) this.values.shift();
    const top = Math.max(...this.values, 1e-9);
    const step = 100 / Math.max(1, this.values.length - 1);
    this.line.setAttribute('points', this.values.map((one, index) => `${(index * step).toFixed(1)},${(22 - 20 * one / top).toFixed(1)}`).join(' '));
    this.text.textContent = this.words(value);
  }
}

/** @param {number} bytes */
export function size(bytes) { return bytes >= 1 << 30 ? `${(bytes / (1 << 30)).toFixed(1)} GiB` : `${(bytes / (1 << 20)).toFixed(bytes < 10 << 20 ? 1 : 0)} MiB`; }
