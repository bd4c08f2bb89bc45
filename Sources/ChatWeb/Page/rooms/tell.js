// Whether this device is told what needs its owner.
import { h, codeBox, status, workerAddress } from '../base/dom.js';
import { ask, reason, waiting, within } from '../base/wire.js';

/** @type {Words} */
const kinds = { turn: 'a turn is over', asked: 'the agent asks something', parked: 'a program is given up', address: 'the address changes' };

/** @param {string} text Base64url */
function bytes(text) {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (one) => one.charCodeAt(0));
}

async function current() {
  const registration = await navigator.serviceWorker.getRegistration();
  return registration ? registration.pushManager.getSubscription() : null;
}

const quiet = () => within(current().then((one) => one?.unsubscribe()), patience, 'the browser does not let go of what it had');

/** @type {Promise<string>} why this browser does not set the page up, in words; empty: it does */
let setting = Promise.resolve('');

/** Has the browser keep the page, and take messages for it. */
export function setUp() {
  if (!('serviceWorker' in navigator)) return;
  setting = navigator.serviceWorker.register(workerAddress()).then(() => '', (failure) => (failure.name === 'SecurityError'
    ? 'This browser does not know the certificate of this page, which is self-made, and takes messages only of a page whose certificate it knows. Open the page through the tunnel (nexusctl tunnel setup), or give [chat] a certificate that browsers know.'
    : `This browser does not set the page up (${reason(failure)}): load it again.`));
}

/** Why this browser cannot be told anything, in words; empty: it can. */
function hindrance() {
  if (!window.isSecureContext) return 'Browsers take messages only of a page that came over https, or from localhost.';
  if (!('serviceWorker' in navigator) || !('PushManager' in window) || !('Notification' in window)) return 'This browser takes no messages. On an iPhone or iPad: add the page to the home screen, and open it from there.';
  if (Notification.permission === 'denied') return 'Allow notifications for this page in the settings of the browser, then come back.';
  return '';
}

// Milliseconds for a step of the browser, and of whoever looks at it.
const patience = 15000;
const leisure = 60000;

export class Tell {
  constructor() {
    this.said = status();
    this.button = h('button.plain', { role: 'switch', 'aria-checked': 'false', text: 'Tell me', hidden: true, onclick: () => this.turn() });
    this.lines = h('div');
    this.element = h('section.child', h('div.row.spread', h('h2', 'Word from Nexus'), this.button), this.said, this.lines);
    this.isOn = false;
    this.key = '';
    this.words = '';
    this.read();
  }

  read() {
    return waiting(this.said, 'Asking whether this device is told anything.', 'Not known now', async () => {
      const line = await ask('/api/push', { op: 'key' });
      this.lines.replaceChildren(...line.lines ? [codeBox(h('pre', line.lines), 'Supervisor.toml')] : []);
      const why = line.off || hindrance() || await within(setting, patience, 'the browser does not say whether it sets the page up');
      if (why) return this.show(false, why);
      this.key = line.key;
      this.words = line.words.map((/** @type {string} */ one) => kinds[one] || one).join(', ');
      const subscription = await within(current(), patience, 'the browser does not say what it takes');
      const isOn = Boolean(subscription && subscription.endpoint === line.endpoint);
      this.button.hidden = false;
      this.show(isOn);
    });
  }

  /** @param {boolean} isOn @param {string} [words] */
  show(isOn, words = `This device ${isOn ? 'is' : 'can be'} told, also when the page is closed, when ${this.words}.`) {
    this.isOn = isOn;
    this.button.ariaChecked = String(isOn);
    this.button.textContent = isOn ? 'Tell me: on' : 'Tell me: off';
    this.said.textContent = words;
  }

  async turn() {
    this.button.disabled = true;
    const steps = `Asking the browser and its push service; that takes ${patience / 1000} s at most.`;
    await waiting(this.said, this.isOn ? steps : `If the browser asks, allow it. ${steps}`, 'Not done', () => (this.isOn ? this.off() : this.on()));
    this.button.disabled = false;
  }

  async on() {
    if (await within(Notification.requestPermission(), leisure, 'the browser asked, and nobody answered it') !== 'granted') return this.show(false, hindrance() || 'The browser asked, and nothing was allowed. Ask again by the switch.');
    const registration = await within(navigator.serviceWorker.ready, patience, 'the page is not set up in this browser yet: load it again');
    // One of another life of the box is in the way.
    await quiet();
    const made = await within(registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(this.key) }), patience,
      'the push service of this browser did not answer: it may be cut off from the network, or the browser has none');
    const { endpoint, keys } = made.toJSON();
    await ask('/api/push', { op: 'subscribe', endpoint, p256dh: keys?.p256dh, auth: keys?.auth });
    this.show(true);
  }

  async off() {
    await ask('/api/push', { op: 'unsubscribe' });
    await quiet();
    this.show(false);
  }
}

/** This browser is forgotten: it wants no messages either. */
export function stayQuiet() {
  if ('serviceWorker' in navigator && 'PushManager' in window) quiet().catch(() => {});
}

/** A message that was tapped leads to its room. */
export function followTaps() {
  if (!('serviceWorker' in navigator)) return;
  navigator.serviceWorker.addEventListener('message', (event) => {
    const place = event.data?.go;
    if (typeof place === 'string' && place.startsWith('#/')) location.hash = place;
  });
}
