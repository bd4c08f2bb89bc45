// What the agent asks: leave to do something, or a choice.
import { h, once, alarm } from '../base/dom.js';
import { keepDraft, keptDraft, noRoom } from '../base/drafts.js';
import { chat, waiting } from '../base/wire.js';
import { diff, isDiff } from './lists.js';

/** @type {Words} how an answer is told afterwards */
const told = { once: 'Allowed once', always: 'Always allowed', reject: 'Not allowed', answered: 'Answered', dismissed: 'Put aside', unknown: 'Not waited for any more' };

/** @param {Reply} [reply] none: its turn ended first */
function outcome(reply) {
  if (!reply) return 'Not answered';
  const { answer, by, chosen, who } = reply;
  // What nobody waits for any more was answered by nobody.
  if (answer === 'unknown') return told.unknown;
  const what = chosen ? `: ${chosen.map((one) => one.map((label) => label ?? 'own words').join(', ')).join('; ')}` : '';
  return told[answer] + what + (by === 'default' ? ', because nobody answered in time' : by === 'elsewhere' ? ', elsewhere' : who ? ` by ${who}` : '');
}

/** @param {Asked} asked @param {Reply} [reply] */
export function record(asked, reply) {
  const lines = asked.resources || asked.questions.map((one) => [one.question, ...one.options.map(({ label }) => `- ${label}`)].join('\n'));
  return h('details.fold', h('summary', h('b', asked.action || 'question'), ' ', h('span.what', lines[0]?.split('\n')[0] || ''), ' ', h('span.how', outcome(reply))),
    h('pre', { text: lines.join('\n'), tabindex: 0 }), details(asked));
}

// The whole command or a diff, where that says more.
/** @param {Asked} asked */
function details({ details, resources }) {
  if (!details || details === resources?.join('\n')) return null;
  return isDiff(details) ? diff(details) : h('pre', { text: details, tabindex: 0 });
}

/** @param {string} session @param {Asked} event */
export function card(session, event) {
  const said = alarm();
  /** @type {HTMLButtonElement[]} */
  const buttons = [];
  /** @type {Card['answer']} */
  const answer = (body) => once(buttons, async () => {
    // Other buttons take no words.
    keep('answers' in body || 'message' in body);
    if (await waiting(said, 'Being answered.', 'Not answered', () => chat({ op: 'answer', session, id: event.id, ...body }))) said.textContent = 'The agent has the answer.';
    else keep();
  });
  /** @type {Card['button']} */
  const button = (text, kind, act) => {
    const made = h('button', { class: kind, text, onclick: act });
    buttons.push(made);
    return made;
  };
  const made = (event.type === 'permission' ? permission : question)({ event, said, button, answer });
  if (event.unanswered) made.append(h('p.quiet', `${told[event.unanswered.answer]} if nobody answers by ${new Date(event.unanswered.at).toLocaleString()}.`));
  const key = made.dataset.key = `${session}/${event.id}`;
  const fields = [...made.querySelectorAll('input')];
  let draft = keptDraft(key);
  draft.values?.forEach((value, index) => { fields[index][typeof value === 'string' ? 'value' : 'checked'] = value; });
  const keep = (isSent = false) => {
    const values = fields.map((field) => (field.type === 'text' ? field.value : field.checked));
    const seen = draft;
    draft = { text: values.filter((value) => value.trim?.()).join('\n\n'), files: [], values: values.some(Boolean) ? values : undefined, isSent };
    if (!keepDraft(key, draft, seen)) said.textContent = noRoom;
  };
  made.addEventListener('input', () => keep());
  return made;
}

/** @param {Card} parts */
function permission({ event, said, button, answer }) {
  const why = h('input', { 'aria-label': 'Why not, for the agent', placeholder: 'Why not? (the agent reads it)' });
  const always = event.always?.length ? `Always allows: ${event.always.join(', ')}` : '';
  return h('section.card', { 'aria-label': 'The agent asks for leave' },
    h('h2', `May the agent do this? ${event.action}`),
    event.resources?.length && h('ul', ...event.resources.map((text) => h('li', h('code', { text })))),
    details(event),
    h('div.row', button('Allow once', 'send', () => answer({ reply: 'once' })),
      button('Reject', 'stop', () => answer({ reply: 'reject', ...(why.value.trim() ? { message: why.value.trim() } : {}) })),
      button('Always', 'plain', () => answer({ reply: 'always' }))),
    why, always && h('p.quiet', always), said);
}

/** @param {Card} parts */
function question({ event, said, button, answer }) {
  const fields = event.questions.map((one, index) => {
    const name = `${event.id}-${index}`;
    const options = one.options.map((option) => h('label.option',
      h('input', { type: one.multiple ? 'checkbox' : 'radio', name, value: option.label }),
      h('span', h('b', option.label), option.description ? ` ${option.description}` : '')));
    const chosen = () => [...box.querySelectorAll('input:checked')];
    // One answer is one of the options or own words.
    const own = one.custom && h('input', { 'aria-label': 'In own words', placeholder: 'In own words', oninput: () => { if (!one.multiple) for (const input of chosen()) input.checked = false; } });
    const box = h('fieldset', h('legend', one.question || one.header || 'The agent asks'), ...options, own);
    return { box, read: () => [...chosen().map((input) => input.value), own && own.value.trim()].filter(Boolean) };
  });
  const send = () => {
    const answers = fields.map((field) => field.read());
    if (answers.some((one) => !one.length)) said.textContent = 'Each question needs an answer, or put them aside.';
    else answer({ answers });
  };
  return h('section.card', { 'aria-label': 'The agent asks a question' }, ...fields.map((field) => field.box),
    h('div.row', button('Answer', 'send', send), button('Put aside', 'plain', () => answer({ reply: 'dismiss' }))), said);
}
