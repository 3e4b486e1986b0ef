// The button that lets this browser be told of alerts while the page is closed (Web Push).

import { ask, command } from "./api.js";
import { toast } from "./dom.js";

const node = () => document.getElementById("push");

// The page's Content-Security-Policy demands that the address of a script passes a policy. This one lets only sw.js pass.
const policy = globalThis.trustedTypes?.createPolicy("hub", {
  createScriptURL: (url) => {
    if (url !== "sw.js") throw new TypeError("not a script of this page");
    return url;
  },
});

// Show the button where browser and hub can do Web Push.
export async function offerPush() {
  if (!("serviceWorker" in navigator)) return;
  const worker = await navigator.serviceWorker.register(policy?.createScriptURL("sw.js") ?? "sw.js").catch(() => null);
  if (!worker || !("pushManager" in worker) || !("Notification" in globalThis)) return;
  const key = await ask("push").then(({ key: found }) => found, () => "");
  node().hidden = !key;
  if (!key) return;
  const subscription = await worker.pushManager.getSubscription();
  node().setAttribute("aria-pressed", Boolean(subscription));
  if (subscription) command("push-subscribe", subscription.toJSON()).catch(() => {}); // the hub may have forgotten it
  node().onclick = () => change(worker, key).catch((error) => toast(error.message, true));
}

// Subscribe this browser, or end its subscription.
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
    } catch (error) { // a subscription that the hub does not know would show as pressed, and nothing would ever come
      await made.unsubscribe();
      throw error;
    }
  }
  node().setAttribute("aria-pressed", !subscription);
  toast(subscription ? "This device is no longer told" : "This device is told from now on");
}

// The bytes of a text in base64url.
function bytes(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}
