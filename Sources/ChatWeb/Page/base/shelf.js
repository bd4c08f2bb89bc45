// What this browser keeps, for when there is no network.
const sessions = 6;
const sessionBytes = 200000;
const prefix = 'nexus.kept.';
const order = 'nexus.shelf';

/**
 * What stands here under a name; what cannot be read was not written by this page.
 * @template T
 * @param {string} name @param {T} none
 * @returns {T}
 */
export function stored(name, none) {
  try {
    return JSON.parse(localStorage.getItem(name) || 'null') ?? none;
  } catch {
    return none;
  }
}

/** @param {string} name @param {any} value @returns {boolean} false: there is no room for it */
export function store(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** @param {string} name @param {any} value */
export function keep(name, value) {
  if (JSON.stringify(value).length > sessionBytes) return;
  const names = [...stored(order, /** @type {string[]} */ ([])).filter((one) => one !== name), name];
  while (names.length > sessions) drop(/** @type {string} */ (names.shift()));
  if (!store(prefix + name, value) || !store(order, names)) drop(name);
}

/** @param {string} name @returns {any} null: it is not there */
export function kept(name) { return stored(prefix + name, null); }

/** @param {string} name */
export function drop(name) { localStorage.removeItem(prefix + name); }

// What was typed here and not sent: only who forgets this browser takes it away.
const typed = /^nexus\.(outbox|draft)/;

/** @param {boolean} isAll what was typed here too, not only what was read */
export function clear(isAll) {
  for (const name of Object.keys(localStorage)) if (name.startsWith('nexus.') && (isAll || !typed.test(name))) localStorage.removeItem(name);
}
