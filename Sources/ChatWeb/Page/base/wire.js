// How the page asks: one POST, answered by one JSON object a line.
import { stored } from './shelf.js';

/** What the server says no to, or does not say at all. */
export class Failure extends Error {
  /** @param {string} message @param {string} code of the server's error; `network`: there was no answer */
  constructor(message, code = 'network') {
    super(message);
    this.code = code;
  }
  /** The same may be asked again later. */
  get isPassing() { return ['network', 'unavailable', 'busy', 'peer-restarted'].includes(this.code); }
}

/** @param {any} error */
export const reason = (error) => error.message;

// Milliseconds before it is tried again.
/** @param {number} failures */
export function pause(failures) { return [200, 500, 1000, 2000, 5000][Math.min(failures, 4)]; }

// Milliseconds. The server says something each 10 s.
const silenceLimit = 25000;
const answerLimit = 40000;

// Asks and hands on each line.
/**
 * @param {string} path @param {object} body @param {Each} [each] @param {Options} options
 * @returns {Promise<any>} the last line, of type `end`, or `more` when the rest has to be asked for
 */
export async function ask(path, body, each = () => {}, { signal, heard = () => {}, isFollowed = false } = {}) {
  const control = new AbortController();
  let why = 'the machine cannot be reached';
  const leave = (/** @type {string} */ words) => {
    why = words;
    control.abort();
  };
  let silence = 0, delay = 0;
  const hear = (/** @type {boolean} */ isLine) => {
    clearTimeout(silence);
    silence = setTimeout(leave, silenceLimit, why);
    if (!isLine || isFollowed) return;
    clearTimeout(delay);
    delay = setTimeout(leave, answerLimit, `the machine took longer than ${answerLimit / 1000} s`);
  };
  const left = () => leave('left');
  signal?.addEventListener('abort', left);
  if (signal?.aborted) left();
  hear(true);
  const asked = networks;
  try {
    const response = await fetch(path, {
      method: 'POST', signal: control.signal,
      headers: { 'Content-Type': 'application/json', 'X-Nexus': stored('nexus.key', '1') }, body: JSON.stringify(body),
    });
    isReached ||= !navigator.onLine && asked === networks;
    if (!response.body) throw new Failure('the answer has no body');
    // Not what something on the way says in its place.
    if (response.ok && response.headers.get('Content-Type')?.includes('json')) heard();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    let last = null;
    const take = (/** @type {string} */ text) => {
      if (!text.trim()) return;
      let line;
      try {
        line = JSON.parse(text);
      } catch {
        throw new Failure(`something on the way answered in place of Nexus (status ${response.status})`);
      }
      if (line.type === 'beat') return;
      if (line.type === 'error') throw new Failure(line.message || 'no reason was given', line.code || 'failed');
      hear(true);
      last = line;
      each(line);
    };
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      hear(false);
      heard();
      const lines = (rest + value).split('\n');
      rest = lines.pop() || '';
      for (const line of lines) take(line);
    }
    take(rest);
    if (!response.ok) throw new Failure(`status ${response.status}`);
    if (!last) throw new Failure('the answer was cut off');
    return last;
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(isOffline() ? 'this device is offline' : why);
  } finally {
    clearTimeout(silence);
    clearTimeout(delay);
    signal?.removeEventListener('abort', left);
  }
}

// A browser without a network says that it is offline, and reaches the machine that it runs on all the same. What was
// asked for before proves nothing of that: its answer was under way.
let isReached = false;
let networks = 0;
for (const name of ['online', 'offline']) {
  addEventListener(name, () => {
    isReached = false;
    networks++;
  });
}
export const isOffline = () => !navigator.onLine && !isReached;

/** @param {object} body @param {Options} [options] */
export async function read(body, options, path = '/api/chat') {
  /** @type {any[]} */
  const lines = [];
  await ask(path, body, (line) => lines.push(line), options);
  return lines;
}

/** @param {object} body @param {Each} [each] @param {Options} [options] */
export function chat(body, each, options) { return ask('/api/chat', body, each, options); }

/** @type {Promise<boolean> | null} */
let streams = null;

/**
 * Whether answers come piece by piece here: some tunnels and proxies hold one back until it is whole. Then the page asks for
 * short ones.
 */
export function canStream() {
  streams ??= (async () => {
    // A page that has much to do takes late what came in time.
    for (let tries = 0; tries < 3; tries++) {
      let first = 0;
      await ask('/api/chat', { op: 'probe' }, (line) => { if (line.type === 'probe') first = performance.now(); });
      if (performance.now() - first > 150) return true;
    }
    setTimeout(() => { streams = null; }, 300000);
    return false;
  })().catch((error) => {
    streams = null;
    throw error;
  });
  return streams;
}

/**
 * Does one thing in words: says what for, then nothing or why it was in vain; `act` has limits of its own.
 * @template T
 * @param {Box} place shows the words
 * @param {string} words @param {string} no what did not come about
 * @param {() => Promise<T>} act
 * @returns {Promise<T | undefined>} undefined: in vain
 */
export async function waiting(place, words, no, act) {
  const show = (/** @type {string} */ text) => {
    place.classList.toggle('waits', text === words);
    place.textContent = text;
  };
  show(words);
  try {
    const done = await act();
    if (place.textContent === words) show('');
    return done;
  } catch (error) {
    show(`${no}: ${reason(error)}`);
  }
}

/** @template T @param {Promise<T>} step @param {number} limit milliseconds @param {string} words why not, when it takes longer */
export function within(step, limit, words) {
  return Promise.race([step, new Promise((_, fail) => { setTimeout(() => fail(new Error(words)), limit); })]);
}
