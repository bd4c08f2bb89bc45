// What was sent and is not known to be stored by the machine yet.
import { isSeen } from './dom.js';
import { store, stored, written } from './shelf.js';
import { chat, Failure, isOffline, pause } from './wire.js';

const key = 'nexus.outbox';
// So many wait; then the field takes no more.
const most = 50;

export class Outbox {
  /** @param {OutboxEar} told */
  constructor(told) {
    this.told = told;
    this.letters = letters();
    /** @type {Set<string>} not known to outlive the page and the browser */
    this.unkept = new Set();
    /** Why what waits is not sent; empty: nothing is known to hinder it. */
    this.trouble = '';
    this.isBusy = false;
    this.life = new AbortController();
    this.failures = 0;
    this.timer = 0;
    const { signal } = this.life;
    addEventListener('online', () => this.send(), { signal });
    addEventListener('offline', () => this.told.changed(), { signal });
    addEventListener('storage', (event) => { if (event.key === key) this.merge(); }, { signal });
    document.addEventListener('visibilitychange', () => { if (isSeen()) this.send(); }, { signal });
    this.send();
  }

  /** Nothing is sent any more; what waits stays. */
  close() {
    this.life.abort();
    clearTimeout(this.timer);
  }

  get isOver() { return this.life.signal.aborted; }

  get isFull() { return this.letters.length >= most; }

  /** @param {Omit<Letter, 'client_id'> & {client_id?: string}} letter */
  add(letter) {
    const id = letter.client_id || crypto.randomUUID();
    if (this.letters.some((one) => one.client_id === id)) return;
    const made = { ...letter, client_id: id };
    this.letters.push(made);
    this.unkept.add(id);
    this.keep((all) => [...all, made]);
    this.send();
  }

  /** @param {Letter} letter */
  drop(letter) {
    this.letters = this.letters.filter((other) => other !== letter);
    this.keep((all) => all.filter((other) => other.client_id !== letter.client_id));
  }

  // What the machine may have is given back when it has said that the agent does not get it.
  /** @param {Letter} letter */
  takeBack(letter) {
    if (letter.isTried) this.again(letter, { isUnwanted: true });
    else this.giveBack(letter);
  }

  /** @param {Letter} letter @param {boolean} [isDone] too late */
  giveBack(letter, isDone) {
    this.drop(letter);
    this.told.back(letter, isDone);
  }

  // Other windows of this browser keep theirs in the same place.
  /** @param {(all: Letter[]) => Letter[]} change */
  async keep(change) {
    const all = change(letters());
    const isStored = store(key, all);
    this.told.changed();
    // Without room they are sent all the same, while the page lives.
    if (isStored && await written && all.filter((letter) => this.unkept.delete(letter.client_id)).length) this.told.changed();
  }

  /** @param {Letter} letter that was refused @param {Partial<Letter>} change of what it is sent with */
  again(letter, change) {
    Object.assign(letter, change, { refused: undefined });
    this.update(letter);
    this.send();
  }

  /** @param {Letter} letter whose members were changed */
  update(letter) { return this.keep((all) => all.map((other) => (other.client_id === letter.client_id ? letter : other))); }

  /** Another window has changed it. */
  merge() {
    const all = letters();
    this.letters = [...all.map((letter) => Object.assign(this.letters.find((mine) => mine.client_id === letter.client_id) || {}, letter)),
      ...this.letters.filter((mine) => this.unkept.has(mine.client_id) && !all.some((letter) => letter.client_id === mine.client_id))];
    this.told.changed();
    this.send();
  }

  /** Sends what waits, in order; again it is the same turn. */
  async send() {
    if (this.isBusy || this.isOver) return;
    this.isBusy = true;
    clearTimeout(this.timer);
    try {
      for (;;) {
        const letter = this.letters.find((one) => !one.refused);
        if (!letter || this.isOver) break;
        await this.sendOne(letter);
        this.failures = 0;
        this.trouble = '';
      }
    } catch (/** @type {any} */ failure) {
      if (failure.code === 'unpaired') return this.told.lost(failure);
      this.trouble = failure.message;
      this.told.changed();
      this.timer = setTimeout(() => this.send(), pause(this.failures++));
    } finally {
      this.isBusy = false;
    }
  }

  /** @param {Letter} letter */
  async sendOne(letter) {
    /** @type {any} */
    let accepted = null;
    let end = '';
    const { client_id, as = client_id, session, workspace, text, model, agent, attachments, isTried } = letter;
    const wasOffline = isOffline();
    letter.isTried = true;
    await this.update(letter);
    if (!this.letters.includes(letter)) return;
    try {
      // What is undefined is not sent.
      await chat({ op: 'send', wait: 15, client_id: as, session, text, workspace: (!session && workspace) || undefined, model, agent, attachments, withdrawn: letter.isUnwanted }, (line) => {
        if (line.type === 'accepted') accepted = line;
        if (line.type === 'ended') end = line.state;
      });
    } catch (/** @type {any} */ failure) {
      if (!accepted) {
        // Without a network it has not left.
        if (wasOffline && isOffline()) this.update(Object.assign(letter, { isTried }));
        if (failure.isPassing || failure.code === 'unpaired') throw failure;
        const isGone = failure.code === 'unknown';
        letter.isTried = false;
        letter.refused = isGone ? 'its session was deleted' : failure.message;
        // For a new session now, under another name: it may have been done in the old one.
        if (isGone) Object.assign(letter, { session: null, draft: '', as: `${as}+` });
        return letter.isUnwanted ? this.giveBack(letter) : this.update(letter);
      }
    }
    if (!accepted) throw new Failure('the machine did not say that it has the message');
    for (const other of this.letters) {
      if (other.draft !== letter.draft || (workspace ?? other.workspace) !== other.workspace || other.session) continue;
      other.session = accepted.session;
      this.update(other);
    }
    this.told.accepted(letter, accepted);
    letter.session = accepted.session;
    if (!letter.isUnwanted) return this.drop(letter);
    if (!end) throw new Failure('the machine did not say what became of it');
    this.giveBack(letter, end === 'done');
  }
}

/** @returns {Letter[]} */
export function letters() { return stored(key, []); }
