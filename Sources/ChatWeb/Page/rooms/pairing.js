// Letting this browser in. The code is spent by a tap only.
import { form, h, surely, alarm, plain } from '../base/dom.js';
import { draftKeys } from '../base/drafts.js';
import { letters } from '../base/outbox.js';
import { clear } from '../base/shelf.js';
import { ask } from '../base/wire.js';

function guess() {
  const first = (/** @type {string} */ names) => names.split(' ').find((name) => navigator.userAgent.includes(name));
  const device = first('iPhone iPad Android Macintosh Windows Linux') || 'A device';
  return `${device}, ${first('Firefox Edg Chrome Safari') || 'a browser'}`.replace(/Edg$/, 'Edge');
}

/** What was typed here and not sent. */
function keptHere() {
  const messages = letters().length, drafts = draftKeys().length;
  if (!messages && !drafts) return null;
  const forget = plain('Forget that');
  const box = h('p.kept', `Not sent and kept in this browser: messages ${messages}, drafts ${drafts}. When it is paired again the messages are sent, and the drafts stand in their fields. `, forget);
  surely(forget, 'Forget it, surely?', () => {
    clear(true);
    box.remove();
  });
  return box;
}

// `isReturn`: by this code a known device comes back under another address, as itself.
/** @param {Pairing} given */
export function pairing(given) {
  const code = h('input', { id: 'code', autocomplete: 'one-time-code', autocapitalize: 'off', spellcheck: 'false', value: given.code.length === 10 ? `${given.code.slice(0, 5)}-${given.code.slice(5)}` : given.code, placeholder: 'xxxxx-xxxxx', required: true });
  const name = h('input', { id: 'name', value: guess(), maxlength: 60, required: true });
  // Asked for by a machine that has one.
  const password = h('input', { id: 'password', type: 'password', autocomplete: 'current-password', maxlength: 256 });
  const secret = h('div.secret', { hidden: true }, h('label', { for: 'password', text: 'Password of this machine, as nexusctl password set it there' }), password);
  const said = alarm();
  const label = given.isReturn ? 'Come back in' : 'Pair this browser';
  const button = h('button.send', { type: 'submit', text: label });
  const asked = given.isReturn ? [] : [h('label', { for: 'code', text: 'Code' }), code, h('label', { for: 'name', text: 'Name of this browser' }), name];
  const send = async () => {
    button.disabled = true;
    button.textContent = 'Pairing';
    said.textContent = '';
    try {
      given.done(await ask('/api/pair', { code: code.value, name: name.value, ...(secret.hidden ? {} : { password: password.value }) }));
    } catch (/** @type {any} */ { code, message }) {
      const isAsked = code === 'password';
      // A code that was refused is not what the page comes back with.
      if (code === 'code') history.replaceState(null, '', '/');
      said.textContent = isAsked && secret.hidden ? '' : message;
      if (isAsked) {
        secret.hidden = false;
        password.value = '';
        password.required = true;
        password.focus();
      }
    }
    button.disabled = false;
    button.textContent = label;
  };
  return h('main.alone', h('img', { src: '/icon.svg', alt: '', width: 56, height: 56 }), h('h1', 'Nexus'),
    h('p', given.words || 'The agent on this machine talks only to browsers that its owner has let in.'),
    !given.code && h('p.quiet', 'On the machine, type ', h('code', `nexusctl pair${location.hostname === 'localhost' ? ' --here' : ''}`), ' and enter the code it prints.'),
    form('pairing', send, ...asked, secret, button, said), given.own && h('p', h('a', { href: '/', text: 'Back to the sessions', onclick: () => history.replaceState(null, '', '/') })), keptHere());
}
