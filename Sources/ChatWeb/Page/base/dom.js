// Small words for making elements.

/**
 * An element. Properties whose names begin with "on" are listeners, `class` and `text` are what they say, the rest are
 * attributes; false and null leave one out.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {any}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  // One without a type would send the form that it stands in.
  if (element instanceof HTMLButtonElement) element.type = 'button';
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'text') element.textContent = value;
    else if (name === 'class') element.className = value;
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/**
 * An element of a picture.
 * @param {string} tag @param {Record<string, string>} attributes @param {...Element} children
 */
export function svg(tag, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** @type {any} */
const types = /** @type {any} */ (globalThis).trustedTypes;
// The one place where text becomes markup: what the server's Markdown renderer made in its safe mode.
const policy = types?.createPolicy('nexus', {
  createHTML: (/** @type {string} */ text) => text,
  createScriptURL: (/** @type {string} */ text) => { if (text !== '/worker.js') throw new TypeError(text); return text; },
});

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
    const name = pre.querySelector('code')?.className.replace('language-', '') || '';
    const copy = h('button', { class: 'copy', text: 'Copy', 'aria-label': 'Copy this code' });
    copy.addEventListener('click', () => copyText(pre.textContent || '', copy));
    const box = h('div', { class: 'code' }, h('div', { class: 'code-bar' }, h('span', { text: name }), copy));
    pre.replaceWith(box);
    pre.tabIndex = 0;
    box.append(pre);
  }
  for (const table of element.querySelectorAll('table')) {
    const box = h('div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': 'Table' });
    table.replaceWith(box);
    box.append(table);
  }
}

/** @returns {any} */
export function workerAddress() { return policy ? policy.createScriptURL('/worker.js') : '/worker.js'; }

/** @param {string} text @param {HTMLElement} button */
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

/** @param {number} ms since 1970 */
export function ago(ms) {
  const seconds = Math.max(0, Math.round((Date.now() - ms) / 1000));
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.round(seconds / 3600)} h ago`;
  if (seconds < 7 * 86400) return `${Math.round(seconds / 86400)} d ago`;
  return new Date(ms).toLocaleDateString();
}

/**
 * What something used, in words.
 * @param {number} tokens @param {number} cost US dollars; 0: not known, or none is asked
 */
export function spent(tokens, cost) {
  const words = `${tokens.toLocaleString()} ${tokens === 1 ? 'token' : 'tokens'}`;
  return cost > 0 ? `${words}, ${cost.toLocaleString(undefined, { minimumFractionDigits: 2, maximumSignificantDigits: cost < 1 ? 2 : 6 })} US dollars` : words;
}

let spoken = /** @type {HTMLElement | null} */ (null);
/**
 * Says a line to screen readers.
 * @param {string} text
 */
export function say(text) {
  if (!spoken) {
    spoken = h('div', { class: 'unseen', role: 'status', 'aria-live': 'polite' });
    document.body.append(/** @type {HTMLElement} */ (spoken));
  }
  /** @type {HTMLElement} */ (spoken).textContent = text;
}

// Milliseconds for which a second tap is taken as meant.
const sureTime = 5000;

/**
 * Makes a button ask back: only a second tap, soon, acts.
 * @param {HTMLButtonElement} button
 * @param {string} question
 * @param {() => void} act
 * @returns {() => void} as if it had not been tapped
 */
export function surely(button, question, act) {
  const label = button.textContent;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const calm = () => {
    clearTimeout(timer);
    timer = undefined;
    button.textContent = label;
  };
  button.addEventListener('click', () => {
    if (timer !== undefined) {
      calm();
      return act();
    }
    button.textContent = question;
    say(question);
    timer = setTimeout(calm, sureTime);
  });
  return calm;
}
