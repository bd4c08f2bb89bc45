// Which model and which agent the next message goes with, and the commands there are.
import { h } from '../base/dom.js';
import { ask, reason } from '../base/wire.js';

/**
 * What each workspace has; asked once, and again when it could not be had.
 * @type {Map<string, Promise<any>>}
 */
const catalogs = new Map();

/**
 * What there is to choose and to call.
 * @param {string | null} workspace
 * @returns {Promise<{models: any[], agents: any[], commands: any[]}>}
 */
function catalog(workspace) {
  const key = workspace || '';
  const known = catalogs.get(key);
  if (known) return known;
  const asked = (async () => {
    /** @type {Record<string, any[]>} */
    const found = { model: [], agent: [], command: [] };
    await ask('/api/chat', { op: 'catalog', ...(workspace ? { workspace } : {}) }, (line) => found[line.type]?.push(line));
    return { models: found.model, agents: found.agent, commands: found.command };
  })();
  catalogs.set(key, asked);
  asked.catch(() => catalogs.delete(key));
  return asked;
}

export class Choice {
  /** @param {{workspace: () => string | null, session: () => string | null, changed: () => void}} given */
  constructor(given) {
    this.given = given;
    /** @type {{model: string | null, agent: string | null}} */
    this.chosen = { model: null, agent: null };
    /** @type {any[]} */
    this.known = [];
    this.words = h('span', { text: 'Model' });
    this.model = h('select', { 'aria-label': 'Model', onchange: () => this.take({ model: this.model.value || null }) });
    this.agent = h('select', { 'aria-label': 'Agent', onchange: () => this.take({ agent: this.agent.value || null }) });
    this.said = h('p', { class: 'said-no', role: 'alert' });
    this.element = h('details', { class: 'choice' }, h('summary', { 'aria-label': 'Model and agent' }, this.words),
      h('div', {}, h('label', {}, 'Model', this.model), h('label', {}, 'Agent', this.agent), this.said));
    this.element.addEventListener('toggle', () => { if (this.element.open) this.read(); });
    this.element.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== 'Escape' || !this.element.open) return;
      event.stopPropagation();
      this.element.open = false;
      this.element.firstElementChild.focus();
    });
    this.whenElsewhere = (/** @type {Event} */ event) => { if (!this.element.contains(/** @type {Node} */ (event.target))) this.element.open = false; };
    document.addEventListener('click', this.whenElsewhere);
    this.fill([], []);
  }

  close() { document.removeEventListener('click', this.whenElsewhere); }

  /**
   * As the session has it.
   * @param {{model?: string | null, agent?: string | null}} line
   */
  show(line) {
    this.chosen = { model: line.model || null, agent: line.agent || null };
    this.name();
    if (this.element.open) this.read();
  }

  /** What of it goes with the first message of a session; a session that is there has its own. */
  get first() { return this.given.session() ? {} : this.chosen; }

  async read() {
    this.said.textContent = '';
    try {
      const { models, agents } = await catalog(this.given.workspace());
      this.fill(models, agents);
      if (!models.length) this.said.textContent = 'The agent has no model. On the machine: opencode auth login, as the user that opencode runs as.';
    } catch (error) {
      this.said.textContent = `What there is cannot be read now: ${reason(error)}`;
    }
    this.name();
  }

  /** @param {any[]} models @param {any[]} agents */
  fill(models, agents) {
    this.known = models;
    const providers = [...new Set(models.map((one) => one.provider))];
    const option = (/** @type {string} */ value, /** @type {string} */ text, /** @type {string | null} */ chosen) => h('option', { value, text, selected: value === (chosen || '') });
    const lost = (/** @type {string | null} */ name, /** @type {boolean} */ isThere) => (name && !isThere ? [option(name, name, name)] : []);
    this.model.replaceChildren(option('', 'The agent’s own', this.chosen.model), ...lost(this.chosen.model, models.some((one) => one.id === this.chosen.model)),
      ...providers.map((provider) => h('optgroup', { label: provider }, ...models.filter((one) => one.provider === provider).map((one) => option(one.id, one.name, this.chosen.model)))));
    this.agent.replaceChildren(option('', 'The agent’s own', this.chosen.agent), ...lost(this.chosen.agent, agents.some((one) => one.name === this.chosen.agent)),
      ...agents.map((one) => option(one.name, one.description ? `${one.name}: ${one.description}` : one.name, this.chosen.agent)));
  }

  name() {
    const { model, agent } = this.chosen;
    const name = this.known?.find((one) => one.id === model)?.name || model?.split('/').slice(1).join('/');
    this.words.textContent = [name, agent].filter(Boolean).join(' · ') || 'Model';
  }

  /** @param {{model?: string | null, agent?: string | null}} change */
  async take(change) {
    const before = this.chosen;
    this.chosen = { ...before, ...change };
    this.name();
    const session = this.given.session();
    if (!session) return this.given.changed();
    this.said.textContent = '';
    try {
      await ask('/api/chat', { op: 'choose', session, ...change });
    } catch (error) {
      this.chosen = before;
      await this.read();
      this.said.textContent = `Not changed: ${reason(error)}`;
    }
  }
}

/** The commands that begin as what is typed. */
export class Commands {
  /** @param {any} field @param {{workspace: () => string | null}} given */
  constructor(field, given) {
    this.field = field;
    this.given = given;
    this.element = h('ul', { class: 'commands', 'aria-label': 'Commands', hidden: true });
    this.typed = '';
    field.addEventListener('input', () => this.look());
    field.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
      if (this.element.hidden) return;
      if (event.key === 'Escape') this.element.hidden = true;
      else if (event.key === 'ArrowDown' || (event.key === 'Tab' && !event.shiftKey)) this.move(event, this.element.querySelector('button'));
    });
    this.element.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
      const item = /** @type {Element} */ (event.target).closest('li');
      if (event.key === 'ArrowDown') this.move(event, item?.nextElementSibling?.querySelector('button'));
      else if (event.key === 'ArrowUp') this.move(event, item?.previousElementSibling?.querySelector('button') || this.field);
      else if (event.key === 'Escape') {
        this.element.hidden = true;
        this.move(event, this.field);
      }
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
    this.typed = typed;
    const isName = /^\/\S*$/.test(typed);
    if (!isName) {
      this.element.hidden = true;
      return;
    }
    try {
      const { commands } = await catalog(this.given.workspace());
      if (this.typed === typed) this.show(commands.filter((one) => one.name.startsWith(typed.slice(1)) && `/${one.name}` !== typed));
    } catch {
      // They are a help only: without it the name can be typed.
      this.element.hidden = true;
    }
  }

  /** @param {any[]} commands */
  show(commands) {
    this.element.hidden = commands.length === 0;
    this.element.replaceChildren(...commands.slice(0, 8).map((one) => h('li', {}, h('button', { onclick: () => this.take(one.name) },
      h('b', { text: `/${one.name}` }), ' ', h('span', { class: 'what', text: one.description })))));
  }

  /** @param {string} name */
  take(name) {
    this.field.value = `/${name} `;
    this.element.hidden = true;
    this.field.focus();
    this.field.dispatchEvent(new Event('input'));
  }
}
