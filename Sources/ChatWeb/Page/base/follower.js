// Asks again and again for what goes on, whatever happens to the way.
import { ask, canStream } from './wire.js';

const pauses = [200, 500, 1000, 2000, 5000];

export class Follower {
  /** @param {{trouble: (words: string) => void, lost: (failure: import('./wire.js').Failure) => void}} told `lost`: it is over */
  constructor(told) {
    this.way = told;
    this.failures = 0;
    this.lastHeard = 0;
    // Ends what it listens to.
    this.life = new AbortController();
    this.current = new AbortController();
    this.wake = () => {};
  }

  get isOver() { return this.life.signal.aborted; }

  close() {
    this.life.abort();
    this.again();
  }

  again() {
    this.failures = 0;
    this.current.abort();
    this.wake();
  }

  /** @param {number} [limit] milliseconds; none: until `again` */
  sleep(limit) {
    return new Promise((done) => {
      this.wake = () => done(undefined);
      if (limit) setTimeout(done, limit);
    });
  }

  /**
   * Asks once.
   * @param {{signal: AbortSignal, heard: () => void}} _options
   * @returns {Promise<any>}
   */
  async step(_options) {}

  async run() {
    while (!this.isOver) {
      const { signal } = this.current = new AbortController();
      const heard = () => {
        this.lastHeard = Date.now();
        this.failures = 0;
      };
      try {
        await this.step({ signal, heard });
      } catch (error) {
        if (this.isOver) return;
        const failure = /** @type {import('./wire.js').Failure} */ (error);
        if (!failure.isPassing) return this.way.lost(failure);
        if (signal.aborted) continue;
        this.way.trouble(navigator.onLine ? failure.message : 'this device is offline');
        await this.sleep(pauses[Math.min(this.failures++, pauses.length - 1)]);
      }
    }
  }

  // Asks as a stream, or in steps: short ones until something was heard.
  /** @param {string} path @param {object} body @param {(line: any) => void} each @param {import('./wire.js').Options} options */
  async follow(path, body, each, options) {
    const wait = await canStream() ? undefined : this.failures ? 1 : 20;
    await ask(path, { ...body, wait }, each, { ...options, isFollowed: true });
  }
}
