// Shows what the hub pushes, while no page is open. One notification for each alert: what comes later takes its place.

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

async function acknowledge(notification, link) {
  const page = new URL(link);
  const here = new URL(`ack/${page.pathname.split("/").pop()}`, self.registration.scope);
  const answer = await fetch(here, { method: "POST" }).catch(() => null);
  if (!answer?.ok) await self.registration.showNotification(notification.title, { body: "Not acknowledged: the hub does not answer.", tag: notification.tag });
}

async function open(fingerprint) {
  const url = new URL(fingerprint ? `#/alert/${fingerprint}` : "#/", self.registration.scope).href;
  const [page] = await self.clients.matchAll({ type: "window" });
  if (!page) return self.clients.openWindow(url);
  await page.focus();
  return page.navigate(url);
}
