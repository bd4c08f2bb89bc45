// What was typed and not sent yet, by session, with its files. What another window has is put aside, never written over.
import { store, stored } from './shelf.js';

export const prefix = 'nexus.draft.';
const order = 'nexus.drafts';
// So many are kept; none goes for another one.
const most = 200;
// Characters of one.
const longest = 500000;

/** @typedef {{name: string, id?: string, bytes?: number}} Kept a file; without `id` it was not uploaded whole */
/** @typedef {{text: string, files: Kept[]}} Typed */
/** @typedef {Typed & {aside?: Typed[], model?: string | null, agent?: string | null}} Draft `aside`: of other windows; model and agent: of a session that is not there yet */

/** @type {Typed} */
export const nothing = { text: '', files: [] };
const isNothing = (/** @type {Typed} */ one) => !one.text && !one.files.length;
const isSame = (/** @type {Typed} */ one, /** @type {Typed} */ other) => JSON.stringify([one.text, one.files]) === JSON.stringify([other.text, other.files]);
const isIn = (/** @type {Typed} */ one, /** @type {Typed} */ other) => other.text.includes(one.text) && one.files.every((file) => other.files.some(({ id }) => id === file.id));

/**
 * @param {string} key a session, or `new`
 * @param {Draft} draft an empty one is forgotten
 * @param {Typed} seen what this window knows to stand there
 * @returns {boolean} false: there is no room for it
 */
export function keepDraft(key, draft, seen) {
  const before = keptDraft(key);
  const others = [...before.aside || [], before].filter((one) => !isNothing(one) && !isSame(one, seen) && !isIn(one, draft));
  const front = isNothing(draft) ? others.pop() : null;
  const { text, files } = front || draft;
  return write(key, { ...draft, text, files, aside: others.map((one) => ({ text: one.text, files: one.files.filter(({ id }) => id) })) });
}

// Puts what a window has beside what another one wrote.
/** @param {string} key @param {Typed} typed */
export function keepAside(key, typed) {
  const draft = keptDraft(key);
  const aside = draft.aside || [];
  if (!isNothing(typed) && ![draft, ...aside].some((one) => isIn(typed, one))) write(key, { ...draft, aside: [...aside, typed] });
}

/** @param {string} key @param {Draft} draft */
function write(key, draft) {
  const names = draftKeys().filter((name) => name !== key);
  if (isNothing(draft) && !draft.model && !draft.agent) {
    localStorage.removeItem(prefix + key);
    return store(order, names);
  }
  return JSON.stringify(draft).length <= longest && names.length < most && store(prefix + key, draft) && store(order, [...names, key]);
}

/** @param {string} key @returns {Draft} */
export function keptDraft(key) { return { ...nothing, ...stored(prefix + key, {}) }; }

// All of it, also what was put aside.
/** @param {string} key @returns {Draft} */
export function wholeDraft(key) {
  const draft = keptDraft(key);
  return (draft.aside || []).reduce(joined, draft);
}

// The session is gone: what was typed in it is for a new one.
/** @param {string} session @returns {boolean} there was something */
export function moveDraft(session) {
  const draft = wholeDraft(session);
  const before = wholeDraft('new');
  if (isNothing(draft) || !keepDraft('new', joined(before, draft), before)) return false;
  return write(session, nothing);
}

/** @param {Draft} one @param {Typed} other @returns {Draft} */
function joined(one, other) {
  if (isIn(other, one)) return one;
  return { ...one, text: [other.text, one.text].filter(Boolean).join('\n\n'), files: [...one.files, ...other.files] };
}

/** @returns {string[]} the one that was touched last stands last */
export function draftKeys() { return stored(order, []); }
