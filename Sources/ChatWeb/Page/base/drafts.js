// What was typed and not sent yet, by session or card, with its files. What another window has is put aside, never written over.
import { store, stored } from './shelf.js';

export const prefix = 'nexus.draft.';
// So many are kept; none goes for another one.
const most = 200;
// Characters of one.
const longest = 500000;

export const noRoom = 'There is no room in this browser to keep this when the page closes.';

export const nothing = { text: '', files: [] };
const isNothing = (/** @type {Typed} */ one) => !one.text && !one.files.length;
/** @type {Both} */
const isSame = (one, other) => JSON.stringify([one.text, one.files]) === JSON.stringify([other.text, other.files]);
/** @type {Both} */
const isIn = (one, other) => other.text.includes(one.text) && one.files.every((file) => other.files.some(({ id }) => id === file.id));

/**
 * @param {string} key a session, `new`, or SESSION/CARD
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
  if (isNothing(draft) && !draft.model && !draft.agent && !draft.values) return store(prefix + key);
  return JSON.stringify(draft).length <= longest && draftKeys().filter((one) => one !== key).length < most && store(prefix + key, draft);
}

/** @param {string} key @returns {Draft} */
export function keptDraft(key) { return { ...nothing, ...stored(prefix + key, {}) }; }

// All of it, also what was put aside.
/** @param {string} key */
export function wholeDraft(key) {
  const draft = keptDraft(key);
  return (draft.aside || []).reduce(joined, draft);
}

// Its session is gone, or its card: then what was not the answer is for the session.
/** @param {string} key @param {string} [to] @returns {boolean} there was something */
export function moveDraft(key, to = 'new') {
  const kept = keptDraft(key);
  if (kept.isSent) keepDraft(key, nothing, kept);
  const draft = wholeDraft(key);
  const before = wholeDraft(to);
  if (!isNothing(draft) && !keepDraft(to, joined(before, draft), before)) return false;
  write(key, nothing);
  return !isNothing(draft);
}

/** @param {Draft} one @param {Typed} other */
function joined(one, other) {
  if (isIn(other, one)) return one;
  return { ...one, text: [other.text, one.text].filter(Boolean).join('\n\n'), files: [...one.files, ...other.files] };
}

export function draftKeys() { return Object.keys(localStorage).filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length)); }
