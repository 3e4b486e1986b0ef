// Whether this browser is told of alerts while the page is closed (Web Push).

import { ask, command } from "./api.js";
import { toast } from "./dom.js";

const node = () => document.getElementById("push");

// Script addresses are trusted by a policy, which the page's Content-Security-Policy asks for.
const policy = globalThis.trustedTypes?.createPolicy("hub", {
  createScriptURL: (url) => {
    if (url !== "sw.js") throw new TypeError("not a script of this page");
    return url;
  },
});

export async function offerPush() {
  if (!("serviceWorker" in navigator)) return;
  const worker = await navigator.serviceWorker.register(policy?.createScriptURL("sw.js") ?? "sw.js").catch(() => null);
  if (!worker || !("pushManager" in worker) || !("Notification" in globalThis)) return;
  const key = await ask("push").then(({ key: found }) => found, () => "");
  node().hidden = !key;
  if (!key) return;
  const subscription = await worker.pushManager.getSubscription();
  node().setAttribute("aria-pressed", Boolean(subscription));
  if (subscription) command("push-subscribe", subscription.toJSON()).catch(() => {}); // the hub may have lost it
  node().onclick = () => change(worker, key).catch((error) => toast(error.message, true));
}

async function change(worker, key) {
  await navigator.serviceWorker.ready;
  const subscription = await worker.pushManager.getSubscription();
  if (subscription) {
    await command("push-unsubscribe", { endpoint: subscription.endpoint }).catch(() => {});
    await subscription.unsubscribe();
  } else {
    if ((await Notification.requestPermission()) !== "granted") throw new Error("the browser does not allow notifications for this page");
    const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
    try {
      await command("push-subscribe", made.toJSON());
    } catch (error) {
      await made.unsubscribe();
      throw error;
    }
  }
  node().setAttribute("aria-pressed", !subscription);
  toast(subscription ? "This device is told no more" : "This device is told from now on");
}

function bytes(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}
