// Small words for making elements.

/**
 * Text as it is read: what turns the order of letters round (UAX #9) is a dot, for somebody may allow what stands there.
 * @param {string} text
 */
export function shown(text) { return text.replace(/[\u202a-\u202e\u2066-\u2069]/g, '·'); }

/**
 * An element. `on…` are listeners, `text` is what it says, the rest are attributes; false and null leave one out.
 * @param {string} tag with its classes, behind dots
 * @param {Properties | Node | string} [properties] may be left out
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {any}
 */
export function h(tag, properties = {}, ...children) {
  if (typeof properties === 'string' || properties instanceof Node) return h(tag, {}, properties, ...children);
  const [name, ...classes] = tag.split('.');
  const element = document.createElement(name);
  element.className = classes.join(' ');
  // One without a type would send the form that it stands in.
  if (element instanceof HTMLButtonElement) element.type = 'button';
  for (const [name, value] of Object.entries(properties || {})) {
    if (value == null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'text') element.textContent = shown(String(value));
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) if (child) element.append(typeof child === 'string' ? shown(child) : child);
  return element;
}

/** @param {string} tag @param {Words} attributes @param {...Element} children */
export function svg(tag, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** @param {string} text @param {Act} [onclick] */
export function plain(text, onclick = () => {}) { return h('button.plain', { text, onclick }); }

/** Where it says how something is. */
export function status(text = '') { return h('p.quiet', { role: 'status', text }); }

/** Where it says what went wrong. */
export function alarm() { return h('p.said-no', { role: 'alert' }); }

const types = /** @type {any} */ (globalThis).trustedTypes;
// The one place where text becomes markup: what the server's Markdown renderer made in its safe mode.
const policy = types?.createPolicy('nexus', {
  createHTML: (/** @type {string} */ text) => text,
  createScriptURL: (/** @type {string} */ text) => { if (text !== '/worker.js') throw new TypeError(text); return text; },
});

// Code, and a way to copy it.
/** @param {HTMLElement} pre */
export function codeBox(pre, name = '') {
  const copy = h('button.copy', { text: 'Copy', 'aria-label': 'Copy this code', onclick: () => copyText(pre.textContent || '', copy) });
  pre.tabIndex = 0;
  return h('div.code', h('div.code-bar', h('span', name), copy), pre);
}

/** @param {Element} element @param {string} html made by the server */
export function setMarkup(element, html) {
  element.innerHTML = policy ? policy.createHTML(html) : html;
  for (const link of element.querySelectorAll('a')) {
    // What the renderer did not take for an address of the web is words only.
    if (!link.getAttribute('href')) link.replaceWith(...link.childNodes);
    link.target = '_blank';
    link.rel = 'noopener noreferrer';
  }
  for (const pre of element.querySelectorAll('pre')) {
    const { parentNode, nextSibling } = pre;
    parentNode?.insertBefore(codeBox(pre, pre.querySelector('code')?.className.replace('language-', '')), nextSibling);
  }
  for (const table of element.querySelectorAll('table')) {
    const box = h('div.wide', { tabindex: 0, role: 'region', 'aria-label': 'Table' });
    table.replaceWith(box);
    box.append(table);
  }
}

export function workerAddress() { return policy ? policy.createScriptURL('/worker.js') : '/worker.js'; }

/** @param {string} text @param {Box} button */
export async function copyText(text, button) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    button.textContent = 'Not allowed';
  }
  setTimeout(() => { button.textContent = label; }, 1500);
}

/** Somebody may look at the page: it is in front. */
export function isSeen() { return document.visibilityState === 'visible'; }

export function isPhone() { return matchMedia('(pointer: coarse)').matches; }

/** @param {number} ms since 1970 */
export function ago(ms) {
  const seconds = Math.max(0, Math.round((Date.now() - ms) / 1000));
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.round(seconds / 3600)} h ago`;
  if (seconds < 7 * 86400) return `${Math.round(seconds / 86400)} d ago`;
  return new Date(ms).toLocaleDateString();
}

/** @param {number} bytes */
export function size(bytes) { return bytes < 1000 ? `${bytes} bytes` : bytes < 999500 ? `${Math.round(bytes / 1000)} KB` : `${(bytes / 1e6).toFixed(1)} MB`; }

// What something used, in words.
/** @param {number} tokens @param {number} cost US dollars; 0: not known, or none is asked */
export function spent(tokens, cost) {
  const words = `${tokens.toLocaleString()} ${tokens === 1 ? 'token' : 'tokens'}`;
  return cost > 0 ? `${words}, ${cost.toLocaleString(undefined, { minimumFractionDigits: 2, maximumSignificantDigits: cost < 1 ? 2 : 6 })} US dollars` : words;
}

const spoken = h('div.unseen', { role: 'status' });
document.body.append(spoken);
let stale = 0;
/** @param {string} text for screen readers, once */
export function say(text) {
  spoken.textContent = text;
  clearTimeout(stale);
  stale = setTimeout(say, 5000, '');
}

/** @param {string} name of its class @param {Act} act when it is sent @param {...any} children */
export function form(name, act, ...children) {
  return h('form', { class: name, onsubmit: (event) => {
    event.preventDefault();
    act();
  } }, ...children);
}

/**
 * Something that unfolds and is closed by Escape and by a tap elsewhere.
 * @param {string} name of its class @param {string} label @param {any} words @param {Act} changed
 * @param {...any} children
 */
export function menu(name, label, words, changed, ...children) {
  const summary = h('summary', { 'aria-label': label }, words);
  return h('details', { class: name, 'data-menu': '', ontoggle: changed, onkeydown: (event) => {
    if (event.key !== 'Escape' || !summary.parentElement.open) return;
    event.stopPropagation();
    summary.parentElement.open = false;
    summary.focus();
  } }, summary, h('div', ...children));
}
document.addEventListener('click', (event) => {
  for (const one of /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll('[data-menu][open]'))) {
    if (!one.contains(/** @type {Node} */ (event.target))) one.open = false;
  }
});

// Does one thing at a time: a tap on these buttons meanwhile does nothing.
/** @param {HTMLButtonElement[]} buttons @param {() => Promise<any>} act */
export async function once(buttons, act) {
  if (buttons.some((one) => one.ariaDisabled)) return;
  // Not `disabled`: that would take the focus away.
  for (const one of buttons) one.ariaDisabled = 'true';
  await act();
  for (const one of buttons) one.ariaDisabled = null;
}

// Milliseconds for which a second tap is taken as meant.
const sureTime = 5000;

/**
 * Makes a button ask back: only a second tap, soon, acts.
 * @param {HTMLButtonElement} button
 * @param {string} question
 * @param {Act} act
 * @returns {() => void} as if it had not been tapped
 */
export function surely(button, question, act) {
  const label = button.textContent;
  let timer = 0;
  const calm = () => {
    clearTimeout(timer);
    timer = 0;
    button.textContent = label;
    delete button.dataset.asks;
  };
  button.addEventListener('click', () => {
    if (timer) {
      calm();
      return act();
    }
    button.textContent = question;
    button.dataset.asks = '';
    say(question);
    timer = setTimeout(calm, sureTime);
  });
  return calm;
}
