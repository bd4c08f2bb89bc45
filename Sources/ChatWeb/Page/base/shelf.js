// What was read last, for when there is no network: the list, and the newest sessions that were open. It goes when this
// browser is forgotten.
const sessions = 6;
const sessionBytes = 200000;
const prefix = 'nexus.kept.';

/**
 * @param {string} name
 * @param {any} value
 */
export function keep(name, value) {
  const text = JSON.stringify(value);
  if (text.length > sessionBytes) return;
  try {
    localStorage.setItem(prefix + name, text);
    const names = JSON.parse(localStorage.getItem('nexus.shelf') || '[]').filter((/** @type {string} */ one) => one !== name);
    names.push(name);
    while (names.length > sessions) localStorage.removeItem(prefix + names.shift());
    localStorage.setItem('nexus.shelf', JSON.stringify(names));
  } catch {
    // No room: then it is not there without a network.
    drop(name);
  }
}

/**
 * @param {string} name
 * @returns {any} null: it is not there
 */
export function kept(name) {
  try {
    return JSON.parse(localStorage.getItem(prefix + name) || 'null');
  } catch {
    return null;
  }
}

/** @param {string} name */
export function drop(name) { localStorage.removeItem(prefix + name); }

/** Everything that this page ever kept. */
export function clear() {
  for (const name of Object.keys(localStorage)) if (name.startsWith('nexus.')) localStorage.removeItem(name);
  sessionStorage.clear();
}
