// What goes on is asked for again and again, whatever happens to the way.
import { isSeen } from './dom.js';
import { ask, canStream, pause, read } from './wire.js';

export class Follower {
  /** @param {FollowerEar} told `lost`: it is over */
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

  // Asks once.
  /** @param {Way} _options */
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
      } catch (/** @type {any} */ failure) {
        if (this.isOver) return;
        if (!failure.isPassing) return this.way.lost(failure);
        if (signal.aborted) continue;
        this.way.trouble(failure.message);
        await this.sleep(pause(this.failures++));
      }
    }
  }

  // Asks as a stream, or in steps: short ones until something was heard.
  /** @param {string} path @param {object} body @param {Each} each @param {Options} options */
  async follow(path, body, each, options) {
    const wait = await canStream() ? undefined : this.failures ? 1 : 20;
    await ask(path, { ...body, wait }, each, { ...options, isFollowed: true });
  }
}

export class Feed extends Follower {
  /** @param {string | null} session null: the list alone @param {Side} list @param {FeedEar} told */
  constructor(session, list, told) {
    super({ trouble: (words) => told.state(`${words}; trying again`, false), lost: told.lost });
    this.session = session;
    this.list = list;
    this.told = told;
    this.after = -1;
    const { signal } = this.life;
    document.addEventListener('visibilitychange', () => this.back(), { signal });
    for (const name of ['online', 'offline']) addEventListener(name, () => this.again(), { signal });
    this.run();
  }

  // A way that died says nothing, nor do a browser's five idle sockets: each try ends one. HTTP/2's it tries after 10 s.
  back(tries = 7) {
    if (!isSeen()) return;
    this.again();
    const { lastHeard } = this;
    if (tries) setTimeout(() => { if (this.lastHeard === lastHeard) this.back(tries - 1); }, tries > 2 ? 120 : 8000 / tries ** 2);
  }

  /** Reads all anew. */
  anew() {
    this.after = -1;
    this.again();
  }

  /** @param {Way} way */
  async step({ signal, heard }) {
    const streams = await canStream();
    let isKnown = false;
    // Not before something came: nothing is known of a way that is only asked for.
    const options = { signal, heard: () => {
      heard();
      if (!isKnown && !this.isOver) this.told.state(streams ? 'connected' : 'connected, in steps: this way holds streams back', true);
      isKnown = true;
    } };
    if (this.session && this.after < 0) {
      const lines = await read({ op: 'open', session: this.session }, options);
      if (this.isOver) return;
      this.after = lines.find((line) => line.type === 'position')?.seq ?? 0;
      this.told.opened(lines);
    }
    await this.list.begin(options);
    if (this.isOver) return;
    const list = this.list.number;
    const body = this.session ? { op: 'resume', session: this.session, after: this.after, follow: true, list } : { op: 'changes', after: list };
    await this.follow('/api/chat', body, (line) => this.take(line), options);
  }

  /** @param {any} line */
  take(line) {
    if (this.isOver) return;
    if (this.list.take(line)) {
      // Of what it was told last the machine does not know enough any more.
      if (this.list.number < 0) this.anew();
      return;
    }
    if (line.seq) this.after = line.seq;
    this.told.event(line);
  }
}
