// What was typed and is not known to be stored by the machine yet. It outlives the page: nothing typed is lost.
import { ask, Failure } from './wire.js';

const key = 'nexus.outbox';
const pauses = [500, 1000, 2000, 5000, 10000];

/**
 * @typedef {{client_id: string, draft: string, session: string | null, workspace: string | null, text: string,
 *   model?: string, agent?: string, attachments?: {id: string, name: string}[], refused?: string}} Letter
 */

export class Outbox {
  /** @param {{changed: () => void, accepted: (letter: Letter, event: any) => void}} told */
  constructor(told) {
    this.told = told;
    /** @type {Letter[]} */
    this.letters = [];
    try {
      this.letters = JSON.parse(localStorage.getItem(key) || '[]');
    } catch { /* What cannot be read was not written by this page. */ }
    this.isBusy = false;
    this.failures = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    window.addEventListener('online', () => this.send());
    document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible') this.send(); });
    this.send();
  }

  /** @param {Omit<Letter, 'client_id'>} letter */
  add(letter) {
    const id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
    this.letters.push({ ...letter, client_id: id });
    this.keep();
    this.send();
  }

  /** @param {Letter} letter */
  drop(letter) {
    this.letters = this.letters.filter((other) => other !== letter);
    this.keep();
  }

  /** Forgets all. */
  empty() {
    this.letters = [];
    this.keep();
  }

  keep() {
    try {
      localStorage.setItem(key, JSON.stringify(this.letters));
    } catch { /* No room: they are sent all the same, while the page lives. */ }
    this.told.changed();
  }

  /** Sends what waits, in order. The same client id finds the same turn, so that sending again sends nothing twice. */
  async send() {
    if (this.isBusy) return;
    this.isBusy = true;
    clearTimeout(this.timer);
    try {
      for (;;) {
        const letter = this.letters.find((one) => !one.refused);
        if (!letter) break;
        await this.sendOne(letter);
        this.failures = 0;
      }
    } catch {
      this.timer = setTimeout(() => this.send(), pauses[Math.min(this.failures++, pauses.length - 1)]);
    } finally {
      this.isBusy = false;
    }
  }

  /** @param {Letter} letter */
  async sendOne(letter) {
    /** @type {any} */
    let accepted = null;
    const { client_id, session, workspace, text, model, agent, attachments } = letter;
    try {
      const body = { op: 'send', wait: 15, client_id, session, text, ...(workspace && !session ? { workspace } : {}), ...(model ? { model } : {}), ...(agent ? { agent } : {}), ...(attachments ? { attachments } : {}) };
      await ask('/api/chat', body, (line) => { if (line.type === 'accepted') accepted = line; });
    } catch (error) {
      const failure = /** @type {Failure} */ (error);
      if (!accepted && failure.isPassing) throw failure;
      if (!accepted) {
        letter.refused = failure.message;
        return this.keep();
      }
    }
    if (!accepted) throw new Failure('network', 'the machine did not say that it has the message');
    for (const other of this.letters) if (other.draft === letter.draft) other.session = accepted.session;
    this.told.accepted(letter, accepted);
    this.drop(letter);
  }
}
