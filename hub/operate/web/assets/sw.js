// The service worker: it shows what the hub pushes while no page is open. An alert has one notification, which the next
// one about it replaces.

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  const said = event.data?.json() ?? {};
  const firing = said.state === "firing";
  event.waitUntil(self.registration.showNotification(said.title ?? "hub", {
    body: said.body,
    tag: said.tag,
    renotify: Boolean(said.tag) && firing,
    requireInteraction: firing && said.severity === "critical",
    timestamp: said.time * 1000,
    icon: "assets/icon-192.png",
    data: said,
    actions: firing && said.ack_url ? [{ action: "ack", title: "Acknowledge" }] : [],
  }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { fingerprint, ack_url: link } = event.notification.data ?? {};
  event.waitUntil(event.action === "ack" ? acknowledge(event.notification, link) : open(fingerprint));
});

// Acknowledge by the link, at the hub that this worker belongs to: the link may have another name for it.
async function acknowledge(notification, link) {
  const page = new URL(link);
  const here = new URL(`ack/${page.pathname.split("/").pop()}`, self.registration.scope);
  const answer = await fetch(here, { method: "POST" }).catch(() => null);
  if (!answer?.ok) await self.registration.showNotification(notification.title, { body: "Not acknowledged: the hub does not answer.", tag: notification.tag });
}

// Show the alert in a page that is open, else in a new one.
async function open(fingerprint) {
  const url = new URL(fingerprint ? `#/alert/${fingerprint}` : "#/", self.registration.scope).href;
  const [page] = await self.clients.matchAll({ type: "window" });
  if (!page) return self.clients.openWindow(url);
  await page.focus();
  return page.navigate(url);
}
