// Keeps up with the list of sessions and, where one is shown, with that session, over one way and whatever happens to it.
import { ask, canStream, Failure, read } from './wire.js';

const pauses = [200, 500, 1000, 2000, 5000];
// A stream that was silent for so long when the page comes back to the front is not waited for.
const staleLimit = 11000;

export class Feed {
  /**
   * @param {string | null} session null: the list alone
   * @param {import('../rooms/side.js').Side} list
   * @param {{opened: (lines: any[]) => void, event: (event: any) => void, state: (words: string, isGood: boolean) => void,
   *   lost: (failure: Failure) => void}} told
   */
  constructor(session, list, told) {
    this.session = session;
    this.list = list;
    this.told = told;
    this.after = -1;
    this.failures = 0;
    this.lastHeard = 0;
    this.isOver = false;
    /** @type {AbortController | null} */
    this.current = null;
    /** @type {(() => void) | null} */
    this.wake = null;
    this.whenShown = () => {
      if (document.visibilityState === 'visible' && Date.now() - this.lastHeard > staleLimit) this.again();
    };
    document.addEventListener('visibilitychange', this.whenShown);
    this.whenOnline = () => this.again();
    for (const name of ['online', 'offline']) window.addEventListener(name, this.whenOnline);
    this.run();
  }

  /** Leaves. */
  close() {
    this.isOver = true;
    document.removeEventListener('visibilitychange', this.whenShown);
    for (const name of ['online', 'offline']) window.removeEventListener(name, this.whenOnline);
    this.again();
  }

  /** Reads all anew. */
  anew() {
    this.after = -1;
    this.again();
  }

  /** Asks anew at once. */
  again() {
    this.failures = 0;
    this.current?.abort();
    this.wake?.();
  }

  async run() {
    while (!this.isOver) {
      this.current = new AbortController();
      const options = { signal: this.current.signal, heard: () => this.heard() };
      try {
        const streams = await canStream();
        if (this.session && this.after < 0) {
          const lines = await read({ op: 'open', session: this.session }, options);
          if (this.isOver) return;
          this.after = lines.find((line) => line.type === 'position')?.seq ?? 0;
          this.told.opened(lines);
        }
        await this.list.begin(options);
        if (this.isOver) return;
        this.told.state(streams ? 'connected' : 'connected, in steps: this way holds streams back', true);
        const list = this.list.number;
        const body = this.session ? { op: 'resume', session: this.session, after: this.after, follow: true, list } : { op: 'changes', after: list };
        await ask('/api/chat', streams ? body : { ...body, wait: 20 }, (line) => this.take(line), options);
      } catch (error) {
        if (this.isOver) return;
        const failure = /** @type {Failure} */ (error);
        if (!failure.isPassing) return this.told.lost(failure);
        if (this.current.signal.aborted) continue;
        await this.pause(failure);
      }
    }
  }

  heard() {
    this.lastHeard = Date.now();
    this.failures = 0;
  }

  /** @param {any} line */
  take(line) {
    if (this.isOver) return;
    if (this.list.take(line)) {
      // Of what it was told last the machine does not know enough any more.
      if (this.list.number < 0) this.again();
      return;
    }
    if (line.seq) this.after = line.seq;
    this.told.event(line);
  }

  /** @param {Failure} failure */
  async pause(failure) {
    const time = pauses[Math.min(this.failures++, pauses.length - 1)];
    const why = navigator.onLine ? failure.message : 'this device is offline';
    this.told.state(`${why}; trying again`, false);
    await new Promise((done) => {
      this.wake = () => done(undefined);
      setTimeout(done, time);
    });
    this.wake = null;
  }
}
