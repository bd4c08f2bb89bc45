// Model and agent of the next message, and the commands there are.
import { h, menu, alarm } from '../base/dom.js';
import { chat, waiting } from '../base/wire.js';

/** @type {Map<string, Promise<any>>} by workspace; asked again when it could not be had */
const catalogs = new Map();

/** @param {string | null} workspace */
function catalog(workspace) {
  const key = workspace || '';
  const known = catalogs.get(key);
  if (known) return known;
  const asked = (async () => {
    /** @type {Record<string, any[]>} */
    const found = { model: [], agent: [], command: [] };
    await chat({ op: 'catalog', workspace: workspace || undefined }, (line) => found[line.type]?.push(line));
    return { models: found.model, agents: found.agent, commands: found.command };
  })();
  catalogs.set(key, asked);
  asked.catch(() => catalogs.delete(key));
  return asked;
}

export class Choice {
  /** @param {Talk} talk */
  constructor(talk) {
    this.talk = talk;
    /** @type {Chosen} */
    this.chosen = { model: null, agent: null };
    /** @type {any[]} */
    this.known = [];
    this.words = h('span', 'Model');
    this.model = h('select', { 'aria-label': 'Model', onchange: () => this.take({ model: this.model.value || null }) });
    this.agent = h('select', { 'aria-label': 'Agent', onchange: () => this.take({ agent: this.agent.value || null }) });
    this.said = alarm();
    this.element = menu('choice', 'Model and agent', this.words, () => { if (this.element.open) this.read(); },
      h('label', 'Model', this.model), h('label', 'Agent', this.agent), this.said);
    this.fill([], []);
  }

  /** @param {Chosen} line */
  show({ model = null, agent = null }) {
    if (model === this.chosen.model && agent === this.chosen.agent) return;
    this.chosen = { model, agent };
    this.name();
    if (this.element.open) this.read();
  }

  /** What of it goes with the first message of a session; a session that is there has its own. */
  get first() { return this.talk.session ? {} : this.chosen; }

  async read() {
    await waiting(this.said, 'Asking the agent what there is.', 'What there is cannot be read now', async () => {
      const { models, agents } = await catalog(this.talk.workspace);
      this.fill(models, agents);
      if (!models.length) throw new Error('the agent has no model. On the machine: nexusctl agent login');
    });
    this.name();
  }

  /** @param {any[]} models @param {any[]} agents */
  fill(models, agents) {
    this.known = models;
    const { model, agent } = this.chosen;
    const option = (/** @type {string | null} */ value, text = value) => h('option', { value, text });
    /** @type {(...given: any) => void} */
    const fill = (select, chosen, isThere, options) => {
      select.replaceChildren(option('', 'The agent’s own'), chosen && !isThere ? option(chosen) : '', ...options);
      select.value = chosen || '';
    };
    fill(this.model, model, models.some((one) => one.id === model), [...new Set(models.map((one) => one.provider))].map((provider) =>
      h('optgroup', { label: provider }, ...models.filter((one) => one.provider === provider).map((one) => option(one.id, one.name)))));
    fill(this.agent, agent, agents.some((one) => one.name === agent), agents.map((one) => option(one.name, one.description ? `${one.name}: ${one.description}` : one.name)));
  }

  name() {
    const { model, agent } = this.chosen;
    const name = this.known?.find((one) => one.id === model)?.name || model?.split('/').slice(1).join('/');
    this.words.textContent = [name, agent].filter(Boolean).join(' · ') || 'Model';
  }

  /** @param {Chosen} change */
  async take(change) {
    const before = this.chosen;
    this.chosen = { ...before, ...change };
    this.name();
    const { session } = this.talk;
    if (!session) return this.talk.field.keep();
    if (await waiting(this.said, 'Being changed.', 'Not changed', () => chat({ op: 'choose', session, ...change }))) return;
    const why = this.said.textContent;
    this.chosen = before;
    await this.read();
    this.said.textContent = why;
  }
}

export class Commands {
  /** @param {Talk} talk */
  constructor(talk) {
    this.talk = talk;
    this.isWhole = false;
    /** @type {HTMLTextAreaElement} */
    const field = this.field = talk.field.area;
    this.element = h('ul.commands', { 'aria-label': 'Commands', hidden: true, onkeydown: (event) => {
      const item = event.target.closest('li');
      if (event.key === 'ArrowDown') this.move(event, item?.nextElementSibling?.querySelector('button'));
      else if (event.key === 'ArrowUp') this.move(event, item?.previousElementSibling?.querySelector('button') || field);
      else if (event.key === 'Escape') {
        this.element.hidden = true;
        this.move(event, field);
      }
    } });
    field.addEventListener('input', () => this.look());
    field.addEventListener('keydown', (event) => {
      if (this.element.hidden) return;
      if (event.key === 'Escape') this.element.hidden = true;
      else if (event.key === 'ArrowDown' || (event.key === 'Tab' && !event.shiftKey)) this.move(event, this.element.querySelector('button'));
    });
  }

  /** @param {KeyboardEvent} event @param {any} to */
  move(event, to) {
    event.preventDefault();
    event.stopPropagation();
    to?.focus();
  }

  async look() {
    const typed = this.field.value;
    // They are a help only: without it the name can be typed.
    const { commands } = /^\/\S*$/.test(typed) ? await catalog(this.talk.workspace).catch(() => ({ commands: [] })) : { commands: [] };
    // What is one already is sent by Return, what may become one is taken.
    this.isWhole = commands.some((/** @type {any} */ one) => `/${one.name}` === typed);
    if (this.field.value === typed) this.show(commands.filter((/** @type {any} */ one) => one.name.startsWith(typed.slice(1)) && `/${one.name}` !== typed));
  }

  /** Takes the first that is listed; false: none is meant. */
  takeFirst() {
    if (this.element.hidden || this.isWhole) return false;
    this.element.querySelector('button')?.click();
    return true;
  }

  /** @param {any[]} commands */
  show(commands) {
    this.element.hidden = commands.length === 0;
    this.element.dataset.state = this.isWhole ? 'whole' : '';
    this.element.replaceChildren(...commands.slice(0, 8).map((one) => h('li', h('button', { onclick: () => this.take(one.name) },
      h('b', `/${one.name}`), ' ', h('span.what', one.description)))));
  }

  /** @param {string} name */
  take(name) {
    this.field.value = `/${name} `;
    this.element.hidden = true;
    this.field.focus();
    this.field.dispatchEvent(new Event('input'));
  }
}
