// Opens the page without a network.
const shelf = 'nexus-page-1';

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

worker.addEventListener('install', (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(shelf);
    const page = await (await fetch('/', { cache: 'no-store' })).text();
    // The page names all that it needs.
    await cache.addAll(['/', ...Array.from(page.matchAll(/ (?:href|src)="?([^">]+)/g), ([, path]) => path)]);
    await worker.skipWaiting();
  })());
});
worker.addEventListener('activate', (event) => {
  event.waitUntil(worker.clients.claim());
});
worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin || !/^\/$|\.(js|css|svg|webmanifest)$/.test(url.pathname)) return;
  // The network first, so that a new page is never mixed with an old one; the shelf when it does not answer in time.
  event.respondWith((async () => {
    const cache = await caches.open(shelf);
    const kept = await cache.match(url.pathname);
    const fresh = fetch(request).then((response) => {
      if (response.ok) cache.put(url.pathname, response.clone());
      // Not what something on the way says in its place.
      return kept && response.status > 499 ? kept : response;
    });
    if (!kept) return fresh;
    const late = new Promise((done) => setTimeout(done, 2000, kept));
    return Promise.race([fresh.catch(() => kept), late]);
  })());
});

// Word from Nexus, sealed for this browser.
worker.addEventListener('push', (event) => {
  event.waitUntil((async () => {
    const word = event.data?.json() || {};
    const place = word.session ? `#/s/${word.session}` : word.kind === 'parked' ? '#/machine' : '#/';
    const open = await worker.clients.matchAll({ type: 'window' });
    // Whoever looks at that very session sees it happen.
    if (word.session && open.some((client) => client.focused && client.url.endsWith(place))) return;
    // Without an icon of ours: it would be fetched first, from a machine that may be away.
    await worker.registration.showNotification(word.title || 'Nexus', {
      body: word.sentence || 'Something needs you.', tag: `${word.kind}:${word.session || word.child || ''}`,
      data: { place, url: word.kind === 'address' ? word.link || word.url : null },
    });
  })());
});
worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil((async () => {
    const { place, url } = event.notification.data;
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
    const key = await (await caches.match('/key'))?.text();
    await fetch('/api/push', {
      method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Nexus': key || '1' },
      body: JSON.stringify({ op: 'subscribe', endpoint, p256dh: keys?.p256dh, auth: keys?.auth }),
    });
  })());
});
