"""Web Push from the page to a push server and back into the browser. Only the push service itself is a stand-in.

A browser's subscription comes from its vendor's servers: here the page gets one of the test's, with keys of its own.
What the hub then sends is decrypted with them and handed to the real service worker, as the push service would.
"""

import asyncio
import base64
import json

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.notify.listener import Listener
from tests.operate.web.conftest import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

SUBSCRIBING = """
const made = SUBSCRIPTION;
let subscribed = null;
const unsubscribe = async () => !(subscribed = null);
const subscription = { endpoint: made.endpoint, toJSON: () => made, unsubscribe };
PushManager.prototype.getSubscription = async () => subscribed;
PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
  if (!userVisibleOnly || applicationServerKey.length !== 65) throw new TypeError("key");
  return (subscribed = subscription);
};
"""


def b64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@pytest.fixture
def key():
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def script(key):
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def make(endpoint):
        keys = {"p256dh": b64(point), "auth": b64(b"0123456789abcdef")}
        return SUBSCRIBING.replace("SUBSCRIPTION", json.dumps({"endpoint": endpoint, "keys": keys}))

    return make


async def test_a_browser_that_subscribes_is_told_shows_it_and_is_told_no_more(desk, browser, key, script):
    async with Listener().listening() as service:
        endpoint = f"http://127.0.0.1:{service.port}/push/one"
        async with browser.page(
            "about:blank", script=script(endpoint), permissions=["notifications"], allowed=()
        ) as page:
            worker = await deliver_to(page)
            await page.goto(desk.url)
            await page.get_by_role("button", name="Notify this device", pressed=False).click()
            await page.get_by_role("button", name="Notify this device", pressed=True).wait_for()

            await desk.say("pushed/seven", bad=True)
            await until(lambda: _has(service.requests))
            body = service.requests[0][3]
            said = http_ece.decrypt(body, private_key=key, auth_secret=b"0123456789abcdef", version="aes128gcm")
            await worker(desk.url, said.decode())
            shown = await page.evaluate(NOTIFICATIONS)
            fingerprint = (await desk.alert("Pushed", device="seven"))["fingerprint"]
            assert shown == [
                {"title": "[firing] Pushed: seven is bad", "tag": f"{fingerprint}-1", "actions": ["Acknowledge"]}
            ]

            await desk.say("pushed/seven", bad=False)
            await until(lambda: _has(service.requests[1:]))
            over = http_ece.decrypt(
                service.requests[1][3], private_key=key, auth_secret=b"0123456789abcdef", version="aes128gcm"
            )
            await worker(desk.url, over.decode())
            shown = await page.evaluate(NOTIFICATIONS)
            assert [each["title"] for each in shown] == ["[resolved] Pushed: seven is bad"]
            assert [(each["tag"], each["actions"]) for each in shown] == [(f"{fingerprint}-1", [])]

            await page.get_by_role("button", name="Notify this device", pressed=True).click()
            await page.get_by_role("button", name="Notify this device", pressed=False).wait_for()
            assert (await desk.ask("/api/hub/push"))["subscribers"] == 0
            assert desk.hub.rows("SELECT * FROM subscribers") == []


NOTIFICATIONS = """navigator.serviceWorker.ready.then((worker) => worker.getNotifications()).then((all) =>
  all.map(({ title, tag, actions }) => ({ title, tag, actions: actions.map((each) => each.title) })))"""

SHOWING = """() => {
  const show = self.registration.showNotification.bind(self.registration);
  self.shown = new Promise((done) => {
    self.registration.showNotification = (...given) => show(...given).then(done);
  });
}"""


async def _has(found):
    return bool(found)


async def deliver_to(page):
    """Return what hands a message to the page's service worker, as the browser does for its push service.

    It returns when the worker has shown it. A test cannot ask again and again what is shown: Chromium forgets a
    notification that it is asked for after it was stored and before it is on the screen.
    """
    session = await page.context.new_cdp_session(page)
    registered = asyncio.get_running_loop().create_future()

    def heard(said):
        for each in said["registrations"]:
            if not registered.done() and not each["isDeleted"]:
                registered.set_result(each["registrationId"])

    session.on("ServiceWorker.workerRegistrationUpdated", heard)
    await session.send("ServiceWorker.enable")

    async def deliver(origin, text):
        where = {"origin": origin, "registrationId": await asyncio.wait_for(registered, 20)}
        [worker] = page.context.service_workers
        await worker.evaluate(SHOWING)
        await session.send("ServiceWorker.deliverPushMessage", {**where, "data": text})
        await asyncio.wait_for(worker.evaluate("self.shown"), 20)

    return deliver


async def test_a_subscription_is_there_after_a_restart_and_the_key_is_the_same(desk, script):
    key = (await desk.ask("/api/hub/push"))["key"]
    made = json.loads(script("https://push.example.org/kept").split("const made = ")[1].split(";\n")[0])
    assert (await desk.ask("/api/hub/push-subscribe", **made))["subscribers"] == 1
    assert await desk.hub.stop() == 0
    await desk.hub.start()
    desk.url = await desk.hub.url()
    assert await desk.ask("/api/hub/push") == {"ok": True, "key": key, "subscribers": 1}
    audit = (await desk.ask("/api/hub/audit"))["entries"]
    assert any(each["action"] == "push-subscribe" and each["actor"] == "local" for each in audit)
    assert "push.example.org" not in str(audit)
    assert (await desk.ask("/api/hub/push-unsubscribe", endpoint=made["endpoint"]))["subscribers"] == 0
    assert not (await desk.ask("/api/hub/push-unsubscribe", endpoint=made["endpoint"]))["ok"]
