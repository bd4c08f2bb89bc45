// How the page asks: one POST, answered by one JSON object a line.

/** What the server says no to, or does not say at all. */
export class Failure extends Error {
  /** @param {string} code of the server's error; `network`: there was no answer @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
  /** The same may be asked again later. */
  get isPassing() { return ['network', 'unavailable', 'busy', 'peer-restarted'].includes(this.code); }
}

/** @param {unknown} error */
export function reason(error) { return /** @type {Error} */ (error).message; }

// The server says something each 10 s.
const silenceLimit = 25000;

/**
 * Asks and hands on each line. Ends with the last line's type: `end`, or `more` when the rest has to be asked for.
 * @param {string} path
 * @param {object} body
 * @param {(line: any) => void} [each]
 * @param {{signal?: AbortSignal, heard?: () => void}} options `heard` is called for all that comes, heartbeats too
 * @returns {Promise<any>} the last line
 */
export async function ask(path, body, each = () => {}, { signal, heard = () => {} } = {}) {
  const control = new AbortController();
  let timer = setTimeout(() => control.abort(), silenceLimit);
  const leave = () => control.abort();
  signal?.addEventListener('abort', leave);
  if (signal?.aborted) leave();
  try {
    const response = await fetch(path, {
      method: 'POST', credentials: 'same-origin', cache: 'no-store', signal: control.signal,
      headers: { 'Content-Type': 'application/json', 'X-Nexus': '1' }, body: JSON.stringify(body),
    });
    if (!response.body) throw new Failure('network', 'the answer has no body');
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    /** @type {any} */
    let last = null;
    const take = (/** @type {string} */ text) => {
      if (!text.trim()) return;
      let line;
      try {
        line = JSON.parse(text);
      } catch {
        // Not ours: something on the way answered in its own words.
        throw new Failure('network', `something on the way answered in place of Nexus (status ${response.status})`);
      }
      if (line.type === 'beat') return;
      if (line.type === 'error') throw new Failure(line.code || 'failed', line.message || 'no reason was given');
      last = line;
      each(line);
    };
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      clearTimeout(timer);
      timer = setTimeout(() => control.abort(), silenceLimit);
      heard();
      const lines = (rest + value).split('\n');
      rest = lines.pop() || '';
      for (const line of lines) take(line);
    }
    take(rest);
    if (!response.ok) throw new Failure('network', `status ${response.status}`);
    return last;
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('network', signal?.aborted ? 'left' : 'the machine cannot be reached');
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', leave);
  }
}

/**
 * Asks the chat, and gives all lines of the answer at once.
 * @param {object} body @param {{signal?: AbortSignal, heard?: () => void}} [options]
 */
export async function read(body, options) {
  /** @type {any[]} */
  const lines = [];
  await ask('/api/chat', body, (line) => lines.push(line), options);
  return lines;
}

/** @type {Promise<boolean> | null} */
let streams = null;

/**
 * Whether answers come piece by piece here. Some tunnels and proxies hold an answer back until it is whole; then the page
 * asks again and again for short ones.
 */
export function canStream() {
  streams ??= (async () => {
    let first = 0;
    await ask('/api/chat', { op: 'probe' }, (line) => { if (line.type === 'probe') first = performance.now(); });
    return performance.now() - first > 150;
  })().catch((error) => {
    streams = null;
    throw error;
  });
  return streams;
}
