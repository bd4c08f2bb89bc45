// What the agent asks: leave to do something, or a choice.
import { h, once, alarm } from '../base/dom.js';
import { chat, waiting } from '../base/wire.js';
import { diff, isDiff } from './lists.js';

/**
 * How an answer is told afterwards.
 * @type {Record<string, string>}
 */
const told = { once: 'Allowed once', always: 'Always allowed', reject: 'Not allowed', answered: 'Answered', dismissed: 'Put aside', unknown: 'Not waited for any more' };

// The words under which a card is remembered.
/** @param {any} event of type answered */
export function outcome(event) {
  // What nobody waits for any more was answered by nobody.
  if (event.answer === 'unknown') return told.unknown;
  const by = event.by === 'default' ? ', because nobody answered in time' : event.by === 'elsewhere' ? ', elsewhere' : '';
  return `${told[event.answer] || event.answer}${by}`;
}

/**
 * @param {string} session
 * @param {any} event of type permission or question
 */
export function card(session, event) {
  const said = alarm();
  /** @type {HTMLButtonElement[]} */
  const buttons = [];
  const answer = (/** @type {object} */ body) => once(buttons, async () => {
    if (await waiting(said, 'Being answered.', 'Not answered', () => chat({ op: 'answer', session, id: event.id, ...body }))) said.textContent = 'The agent has the answer.';
  });
  const button = (/** @type {string} */ text, /** @type {string} */ kind, /** @type {() => void} */ act) => {
    const made = h('button', { class: kind, text, onclick: act });
    buttons.push(made);
    return made;
  };
  return (event.type === 'permission' ? permission : question)({ event, said, button, answer });
}

/** @param {Record<string, any>} parts */
function permission({ event, said, button, answer }) {
  const why = h('input', { 'aria-label': 'Why not, for the agent', placeholder: 'Why not? (the agent reads it)' });
  const always = event.always?.length ? `Always allows: ${event.always.join(', ')}` : '';
  return h('section.card', { 'aria-label': 'The agent asks for leave' },
    h('h2', `May the agent do this? ${event.action}`),
    event.resources?.length ? h('ul', {}, ...event.resources.map((/** @type {string} */ text) => h('li', h('code', { text })))) : null,
    event.details && event.details !== event.resources?.join('\n') ? isDiff(event.details) ? diff(event.details) : h('pre', { text: event.details, tabindex: 0 }) : null,
    h('div.row', {}, button('Allow once', 'send', () => answer({ reply: 'once' })),
      button('Reject', 'stop', () => answer({ reply: 'reject', ...(why.value.trim() ? { message: why.value.trim() } : {}) })),
      button('Always', 'plain', () => answer({ reply: 'always' }))),
    why, always ? h('p.quiet', always) : null, said);
}

/** @param {Record<string, any>} parts */
function question({ event, said, button, answer }) {
  const asked = event.questions || [];
  const fields = asked.map((/** @type {any} */ one, /** @type {number} */ index) => {
    const name = `${event.id}-${index}`;
    const options = (one.options || []).map((/** @type {any} */ option) => h('label.option', {},
      h('input', { type: one.multiple ? 'checkbox' : 'radio', name, value: option.label }),
      h('span', h('b', option.label), option.description ? ` ${option.description}` : '')));
    const own = one.custom ? h('input', { 'aria-label': 'In own words', placeholder: 'In own words' }) : null;
    const box = h('fieldset', h('legend', { text: one.question || one.header || 'The agent asks' }), ...options, own);
    return { box, read: () => [...[...box.querySelectorAll('input:checked')].map((input) => input.value), ...(own?.value.trim() ? [own.value.trim()] : [])] };
  });
  const send = () => {
    const answers = fields.map((/** @type {any} */ field) => field.read());
    if (answers.some((/** @type {string[]} */ one) => one.length === 0)) said.textContent = 'Each question needs an answer, or put them aside.';
    else answer({ answers });
  };
  return h('section.card', { 'aria-label': 'The agent asks a question' }, ...fields.map((/** @type {any} */ field) => field.box),
    h('div.row', {}, button('Answer', 'send', send), button('Put aside', 'plain', () => answer({ reply: 'dismiss' }))), said);
}
