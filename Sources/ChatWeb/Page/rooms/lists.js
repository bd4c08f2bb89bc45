// What the agent means to do, and the files it changed.
import { h } from '../base/dom.js';

/** @type {Record<string, [string, string]>} the mark and words of a state */
const marks = { pending: ['○', 'to do'], in_progress: ['◐', 'under way'], completed: ['●', 'done'], cancelled: ['×', 'called off'] };

/** @param {Box} element is filled anew @param {any[]} todos */
export function showTodos(element, todos) {
  const over = todos.filter((one) => ['completed', 'cancelled'].includes(one.status)).length;
  const now = todos.find((one) => one.status === 'in_progress');
  element.replaceChildren(
    h('summary', h('b.label', 'To do'), ' ', h('span.what', { text: `${over} of ${todos.length} done${now ? `; now: ${now.content}` : ''}` })),
    h('ul.todos', ...todos.map((one) => {
      const [mark, words] = marks[one.status] || ['○', one.status];
      return h('li', { 'data-state': one.status }, h('span.mark', { 'aria-hidden': 'true', text: mark }),
        h('span', h('span.unseen', `${words}: `), one.content, one.priority === 'high' && h('span.high', ' high')));
    })));
}

/** @param {Box} element is filled anew; files that were open stay open @param {any[]} changes */
export function showChanges(element, changes) {
  const open = new Set([...element.querySelectorAll('details[open]')].map((one) => one.getAttribute('data-path')));
  const added = changes.reduce((sum, one) => sum + one.additions, 0);
  const gone = changes.reduce((sum, one) => sum + one.deletions, 0);
  element.replaceChildren(
    h('summary', h('b.label', 'Changed'), ' ', h('span.what', changes.length === 1 ? '1 file' : `${changes.length} files`), ' ', count(added, gone)),
    h('div.files', ...changes.map((one) => {
      const head = [h('b', one.path), ' ', one.status !== 'modified' && h('span.how', one.status), ' ', count(one.additions, one.deletions)];
      if (!one.patch) return h('p.file', ...head);
      return h('details.file', { 'data-path': one.path, open: open.has(one.path) || changes.length === 1 }, h('summary', ...head), diff(one.patch));
    })));
}

/** @param {number} added @param {number} gone lines */
function count(added, gone) {
  return h('span.count', h('span.plus', `+${added}`), ' ', h('span.minus', `−${gone}`));
}

/** @param {string} text */
export function isDiff(text) { return /^(---|diff |@@ |Index: )/m.test(text) && /^@@ /m.test(text); }

// A unified diff with its lines told apart, by colour and by their sign.
/** @param {string} patch */
export function diff(patch) {
  const lines = patch.replace(/\n$/, '').split('\n');
  // Before the first hunk stand names that the summary says already.
  const first = Math.max(0, lines.findIndex((line) => line.startsWith('@@')));
  return h('pre.diff', { tabindex: 0, 'aria-label': 'Difference' }, ...lines.slice(first).map((line) => {
    const kind = line.startsWith('@@') ? 'hunk' : line.startsWith('+') ? 'plus' : line.startsWith('-') ? 'minus' : '';
    return h('span', { class: `line ${kind}`, text: `${line}\n` });
  }));
}
