// What was typed and not sent yet, by session, with the files that were uploaded for it. It outlives the page and its tab, and
// goes when this browser is forgotten.
const prefix = 'nexus.draft.';
const order = 'nexus.drafts';
// So many are kept; the one that was longest not touched goes.
const most = 20;
// Characters of one.
const longest = 500000;

/** @typedef {{name: string, id?: string, bytes?: number}} Kept a file; without `id` it was not uploaded whole */
/** @typedef {{text: string, files: Kept[], model?: string | null, agent?: string | null}} Draft the last two of a session that is not there yet */

/**
 * @param {string} key a session, or `new`
 * @param {Draft} draft an empty one is forgotten
 * @returns {boolean} false: there is no room for it
 */
export function keepDraft(key, draft) {
  if (!draft.text && !draft.files.length && !draft.model && !draft.agent) {
    dropDraft(key);
    return true;
  }
  if (draft.text.length > longest) return false;
  const names = list().filter((name) => name !== key);
  while (names.length >= most) localStorage.removeItem(prefix + names.shift());
  for (;;) {
    try {
      localStorage.setItem(prefix + key, JSON.stringify(draft));
      localStorage.setItem(order, JSON.stringify([...names, key]));
      return true;
    } catch {
      // No room: the oldest of them makes some.
      if (!names.length) return false;
      localStorage.removeItem(prefix + names.shift());
    }
  }
}

/**
 * @param {string} key
 * @returns {Draft}
 */
export function keptDraft(key) {
  try {
    return { text: '', files: [], ...JSON.parse(localStorage.getItem(prefix + key) || '{}') };
  } catch {
    return { text: '', files: [] };
  }
}

/** @param {string} key */
export function dropDraft(key) {
  localStorage.removeItem(prefix + key);
  localStorage.setItem(order, JSON.stringify(list().filter((name) => name !== key)));
}

/** @returns {string[]} the one that was touched last stands last */
function list() {
  try {
    return JSON.parse(localStorage.getItem(order) || '[]');
  } catch {
    return [];
  }
}
