// What this browser keeps, for when there is no network.
import { within } from './wire.js';

const sessions = 6;
const sessionBytes = 200000;
const prefix = 'nexus.kept.';
const order = 'nexus.shelf';
// How often what was typed here changed.
const count = 'nexus.typed';
// Milliseconds for the browser's database.
const limit = 5000;

// What cannot be read was not written by this page.
/** @template T @param {string} name @param {T} none @returns {T} */
export function stored(name, none) {
  try {
    return JSON.parse(localStorage.getItem(name) || 'null') ?? none;
  } catch {
    return none;
  }
}

/** @param {string} name @param {any} [value] none: it goes @returns {boolean} false: there is no room for it */
export function store(name, value) {
  for (;;) {
    try {
      if (value === undefined) localStorage.removeItem(name);
      else localStorage.setItem(name, JSON.stringify(value));
      if (isTyped(name)) write(name);
      return true;
    } catch {
      // What was read can be read again: it goes for what was typed, the oldest first.
      const [oldest, ...names] = stored(order, /** @type {string[]} */ ([]));
      if (!isTyped(name) || !oldest) return false;
      drop(oldest);
      localStorage.setItem(order, JSON.stringify(names));
    }
  }
}

// For the page and its worker.
/** @param {string} key */
export function keepKey(key) {
  store('nexus.key', key);
  caches.open('nexus').then((cache) => cache.put('/key', new Response(key)));
}

/** @param {any} name @param {any[]} value */
export function keep(name, value) {
  // The oldest of it goes, behind the first.
  const sizes = value.map((one) => JSON.stringify(one).length + 1);
  let all = sizes.reduce((sum, one) => sum + one, 1);
  let gone = 1;
  while (all > sessionBytes && gone < sizes.length) all -= sizes[gone++];
  value.splice(1, gone - 1);
  const names = [...stored(order, []).filter((one) => one !== name), name];
  while (names.length > sessions) drop(names.shift());
  if (!store(prefix + name, value) || !store(order, names)) drop(name);
}

/** @param {any} name @returns {any} null: it is not there */
export function kept(name) { return stored(prefix + name, null); }

/** @param {any} name */
export function drop(name) { localStorage.removeItem(prefix + name); }

// What was typed here and not sent: only who forgets this browser takes it away.
const isTyped = (/** @type {string} */ name) => /^nexus\.(outbox|draft\.|typed)/.test(name);

/** @param {boolean} isAll what was typed here too, not only what was read */
export function clear(isAll) {
  caches.delete('nexus');
  for (const name of Object.keys(localStorage)) if (name.startsWith('nexus.') && (isAll ? name !== count : !isTyped(name))) store(name);
}

// Browsers write localStorage late: what was typed stands in their database too, which outlives one that is killed.
/** @type {IDBDatabase} */
let database;
/** What was stored last outlives the browser; false: it may not. */
export let written = Promise.resolve(true);

/** @param {...string} names */
function write(...names) {
  localStorage.setItem(count, String(Number(localStorage.getItem(count)) + 1));
  written = within(new Promise((done, fail) => {
    const work = database.transaction(count, 'readwrite', { durability: 'strict' });
    const typed = work.objectStore(count);
    for (const name of [...names, count]) {
      const text = localStorage.getItem(name);
      if (text === null) typed.delete(name);
      else typed.put(text, name);
    }
    work.oncomplete = () => done(true);
    work.onabort = fail;
    work.commit();
  }), limit, '').catch(() => false);
}

// Takes what a browser that was killed had not written.
export async function load() {
  const asked = indexedDB.open('nexus', 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore(count);
  database = await answered(asked);
  const typed = database.transaction(count).objectStore(count);
  const [names, texts] = await Promise.all([answered(typed.getAllKeys()), answered(typed.getAll())]);
  const here = Object.keys(localStorage).filter(isTyped);
  const number = texts[names.indexOf(count)];
  if (!number) write(...here);
  else if (Number(number) > Number(localStorage.getItem(count))) {
    for (const name of here) localStorage.removeItem(name);
    names.forEach((name, index) => localStorage.setItem(String(name), texts[index]));
  }
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function answered(request) {
  return within(new Promise((done, fail) => {
    request.onsuccess = () => done(request.result);
    request.onerror = fail;
  }), limit, '');
}
