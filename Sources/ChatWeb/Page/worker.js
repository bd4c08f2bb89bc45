// Opens the page without a network: the files of last time are shown, and asked for anew behind that.
const shelf = 'nexus-page-1';
const files = ['/', '/page.css', '/main.js', '/base/dom.js', '/base/wire.js', '/base/drafts.js', '/base/feed.js', '/base/outbox.js', '/base/shelf.js', '/base/tail.js', '/rooms/talk.js', '/rooms/turn.js', '/rooms/asks.js', '/rooms/choice.js', '/rooms/lists.js', '/rooms/field.js', '/rooms/files.js', '/rooms/side.js', '/rooms/title.js', '/rooms/machine.js', '/rooms/state.js', '/rooms/plot.js', '/rooms/devices.js', '/rooms/tell.js', '/rooms/tunnel.js', '/rooms/pairing.js', '/icon.svg', '/page.webmanifest'];

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

worker.addEventListener('install', (event) => {
  event.waitUntil(caches.open(shelf).then((cache) => cache.addAll(files)).then(() => worker.skipWaiting()));
});
worker.addEventListener('activate', (event) => {
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter((name) => name !== shelf).map((name) => caches.delete(name)))).then(() => worker.clients.claim()));
});
worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin || !files.includes(url.pathname)) return;
  // The network first, so that a new page is never mixed with an old one; the shelf when it does not answer in time.
  event.respondWith((async () => {
    const cache = await caches.open(shelf);
    const kept = await cache.match(url.pathname);
    const fresh = fetch(request).then((response) => {
      if (response.ok) cache.put(url.pathname, response.clone());
      return response;
    });
    if (!kept) return fresh;
    const late = new Promise((done) => setTimeout(() => done(kept), 2000));
    return Promise.race([fresh.catch(() => kept), late]);
  })());
});

// Word from Nexus. What comes was sealed for this browser; nobody on the way read it.
worker.addEventListener('push', (event) => {
  event.waitUntil((async () => {
    const word = event.data?.json() || {};
    const place = word.session ? `#/s/${word.session}` : word.kind === 'parked' ? '#/machine' : '#/';
    const open = await worker.clients.matchAll({ type: 'window' });
    // Whoever looks at that very session sees it happen.
    if (word.session && open.some((client) => client.focused && client.url.endsWith(place))) return;
    await worker.registration.showNotification(word.title || 'Nexus', {
      body: word.sentence || 'Something needs you.', icon: '/icon.svg', tag: `${word.kind}:${word.session || word.child || ''}`,
      data: { place, url: word.kind === 'address' ? word.link || word.url : null },
    });
  })());
});
worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil((async () => {
    const { place, url } = event.notification.data || { place: '#/' };
    if (url) return worker.clients.openWindow(url);
    const [client] = await worker.clients.matchAll({ type: 'window' });
    if (!client) return worker.clients.openWindow(`/${place}`);
    client.postMessage({ go: place });
    return client.focus();
  })());
});
// The push service wants another subscription in place of the one it had.
worker.addEventListener('pushsubscriptionchange', (/** @type {any} */ event) => {
  event.waitUntil((async () => {
    const made = await worker.registration.pushManager.subscribe(event.oldSubscription.options);
    const { endpoint, keys } = made.toJSON();
    await fetch('/api/push', {
      method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Nexus': '1' },
      body: JSON.stringify({ op: 'subscribe', endpoint, p256dh: keys?.p256dh, auth: keys?.auth }),
    });
  })());
});
