"""Web Push against a real push server: what it gets is decrypted with the browser's keys, its signature verified."""

import base64
import ssl

import aiohttp
import http_ece
import orjson
import pytest
import trustme
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from hub.clock import SystemClock
from hub.documents.document import Problems, parse_document
from hub.errors import RequestError
from hub.limits import PUSH_BYTES, SUBSCRIBERS
from hub.model import Delivered, Rejected, Retry
from hub.notify.outward.http import http_client
from hub.notify.receiver import Toolbox
from hub.notify.receiver_settings import build_receiver, read_receivers
from hub.notify.receivers import webpush as receivers_webpush
from hub.notify.receivers.webpush import Webpush, WebpushOptions, payload
from hub.notify.subscribers import Subscribers, Subscription, read_subscription, unfit
from tests.notify.fakes import notification
from tests.notify.listener import Listener

KEY = bytes(range(32))
CLAIMS = WebpushOptions("mailto:ops@example.org", allow_private=True)


def b64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Browser:
    """What a browser makes when it subscribes, and how it reads what comes."""

    def __init__(self, endpoint):
        self.key, self.secret, self.endpoint = ec.generate_private_key(ec.SECP256R1()), b"0123456789abcdef", endpoint
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.says = {"endpoint": endpoint, "keys": {"p256dh": b64(point), "auth": b64(self.secret)}}

    def read(self, body):
        return orjson.loads(http_ece.decrypt(body, private_key=self.key, auth_secret=self.secret, version="aes128gcm"))


@pytest.fixture
async def listener():
    async with Listener().listening() as running:
        yield running


@pytest.fixture
def subscribers():
    return Subscribers(KEY)


@pytest.fixture
async def webpush(subscribers):
    made = []
    async with http_client() as http:

        def make(options=CLAIMS):
            made.append(Webpush(options, Toolbox(http, None, "hub", "0.1.0", SystemClock(), subscribers)))
            return made[-1]

        yield make
        for each in made:
            await each.close()


def join(subscribers, listener, name="a"):
    browser = Browser(f"http://127.0.0.1:{listener.port}/push/{name}")
    subscribers.add(read_subscription(browser.says, "anna", 1000.0))
    return browser


async def test_a_browser_can_decrypt_what_it_is_told_and_the_push_server_cannot_read_it(webpush, subscribers, listener):
    receiver, browser = webpush(), join(subscribers, listener)
    assert await receiver.send(notification(order="00000000000000aa", ack_url="https://h/ack/t")) == Delivered()
    method, path, headers, body = listener.requests[0]
    assert (method, path, headers["Content-Encoding"]) == ("POST", "/push/a", "aes128gcm")
    assert b"Freezer" not in body
    said = browser.read(body)
    assert said["title"] == "[firing] FreezerTooWarm: 7 at a is -9.0 °C"
    assert "site: a" in said["body"]
    assert (said["state"], said["severity"], said["fingerprint"]) == ("firing", "critical", "00000000000000aa")
    assert said["ack_url"] == "https://h/ack/t"


async def test_a_request_is_signed_for_this_push_service_with_the_key_that_browsers_subscribe_to(
    webpush, subscribers, listener
):
    receiver = webpush()
    join(subscribers, listener)
    await receiver.send(notification())
    said = listener.requests[0][2]["Authorization"]
    assert Vapid02.verify(said)
    token, key = (part.split("=", 1)[1] for part in said.removeprefix("vapid ").split(","))
    assert key == subscribers.public_key
    claims = orjson.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["aud"] == f"http://127.0.0.1:{listener.port}"
    assert claims["sub"] == "mailto:ops@example.org"


def test_the_key_is_the_same_after_a_restart(webpush, subscribers):
    webpush()
    before = subscribers.public_key
    again = Subscribers(KEY)
    Webpush(CLAIMS, Toolbox(None, None, "hub", "0.1.0", SystemClock(), again))
    assert again.public_key == before
    assert len(base64.urlsafe_b64decode(before + "=")) == 65


async def test_messages_of_one_episode_have_one_topic_and_a_critical_one_is_urgent_until_it_ends(
    webpush, subscribers, listener
):
    receiver = webpush()
    join(subscribers, listener)
    for each in (
        notification(id="00000000000000aa-1-firing"),
        notification(id="00000000000000aa-1-resolved", state="resolved"),
        notification(id="00000000000000aa-2-firing"),
    ):
        await receiver.send(type(each)(each.body["id"], each.receiver, each.order, each.body, each.created))
    first, second, third = (headers for _, _, headers, _ in listener.requests)
    assert first["Topic"] == second["Topic"] != third["Topic"]
    assert len(first["Topic"]) == 32
    assert (first["Urgency"], second["Urgency"]) == ("high", "normal")
    assert int(first["TTL"]) > 0


@pytest.mark.parametrize("status", [404, 410])
async def test_a_subscription_that_is_gone_is_forgotten(webpush, subscribers, listener, status):
    receiver, browser = webpush(), join(subscribers, listener)
    subscribers.take_rows()
    listener.answers = [status]
    assert await receiver.send(notification()) == Delivered()
    assert subscribers.all == {}
    assert subscribers.take_rows() == [(browser.endpoint, None)]


async def test_who_has_it_does_not_get_it_again_because_another_has_to_wait(webpush, subscribers, listener):
    receiver = webpush()
    join(subscribers, listener, "a")
    join(subscribers, listener, "b")
    listener.answers = [web.Response(status=429, headers={"Retry-After": "7"}), 201]
    outcome = await receiver.send(notification())
    assert outcome == Retry(f"1 of 2 browsers: 429 from http://127.0.0.1:{listener.port}", 7.0)
    busy = listener.requests[0][1]
    assert await receiver.send(notification()) == Delivered()
    assert [path for _, path, _, _ in listener.requests[2:]] == [busy]


async def test_what_a_push_service_refuses_is_a_dead_letter_that_does_not_tell_the_endpoint(
    webpush, subscribers, listener
):
    receiver = webpush()
    join(subscribers, listener, "secretpath")
    listener.answers = [403]
    outcome = await receiver.send(notification())
    assert outcome == Rejected(f"1 of 1 browsers: 403 from http://127.0.0.1:{listener.port}")


async def test_while_nobody_has_subscribed_it_is_a_dead_letter_so_that_a_fallback_is_told(webpush):
    assert await webpush().send(notification()) == Rejected("no browser has subscribed in the page")


async def test_a_server_that_is_down_is_tried_again(webpush, subscribers, listener):
    receiver = webpush()
    subscribers.add(read_subscription(Browser("http://127.0.0.1:1/push").says, "anna", 0.0))
    outcome = await receiver.send(notification())
    assert isinstance(outcome, Retry)
    assert "at http://127.0.0.1:1" in outcome.reason
    assert "/push" not in outcome.reason


async def test_a_redirect_is_not_followed(webpush, subscribers, listener):
    receiver = webpush()
    join(subscribers, listener)
    listener.answers = [web.Response(status=302, headers={"Location": "/elsewhere"})]
    assert isinstance(await receiver.send(notification()), Rejected)
    assert len(listener.requests) == 1


async def test_it_is_told_over_tls(subscribers):
    authority, trusting = trustme.CA(), ssl.create_default_context()
    authority.configure_trust(trusting)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    bodies = []

    async def handle(request):
        bodies.append(await request.read())
        return web.Response(status=201)

    app = web.Application()
    app.router.add_post("/push", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting)) as http:
            tools = Toolbox(http, None, "hub", "0.1.0", SystemClock(), subscribers)
            receiver = Webpush(CLAIMS, tools)
            browser = Browser(f"https://127.0.0.1:{runner.addresses[0][1]}/push")
            subscribers.add(read_subscription(browser.says, "anna", 0.0))
            assert await receiver.send(notification()) == Delivered()
    finally:
        await runner.cleanup()
    assert browser.read(bodies[0])["state"] == "firing"


# where a browser may lead the hub


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.org/x",
        "https://127.0.0.1/x",
        "https://10.0.0.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://192.168.0.1:8443/x",
        "https://localhost/x",
    ],
)
async def test_a_private_address_or_plain_http_is_neither_taken_nor_sent_to(webpush, subscribers, endpoint):
    receiver = webpush(WebpushOptions())
    with pytest.raises(RequestError, match="this push service is refused"):
        subscribers.add(read_subscription(Browser(endpoint).says, "anna", 0.0))
    keys = Browser(endpoint).says["keys"]
    subscribers.all[endpoint] = Subscription(endpoint, keys["p256dh"], keys["auth"], "anna", 0.0)
    outcome = await receiver.send(notification())
    assert isinstance(outcome, Rejected)
    assert "the push service is refused" in outcome.reason


async def test_a_name_that_leads_to_a_private_address_is_refused_at_the_connection(webpush, subscribers, monkeypatch):
    receiver = webpush(WebpushOptions())
    name = "https://push.localhost.example/x"
    assert unfit(name) == ""

    async def resolve(*_):
        return [{"hostname": "x", "host": "127.0.0.1", "port": 443, "family": 2, "proto": 0, "flags": 0}]

    monkeypatch.setattr("aiohttp.resolver.ThreadedResolver.resolve", resolve)
    monkeypatch.setattr("aiohttp.DefaultResolver.resolve", resolve)
    subscribers.add(read_subscription(Browser(name).says, "anna", 0.0))
    assert await receiver.send(notification()) == Rejected(
        "1 of 1 browsers: the push service is refused: its address is not a public one"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": 7},
        {"endpoint": "ftp://push.example.org/x"},
        {"endpoint": "https://user:pass@push.example.org/x"},
        {"endpoint": "https://push.example.org/" + "x" * 3000},
        {"endpoint": "https://[x"},
        {"endpoint": "https://[2606:4700::1]/x"},
        {"keys": None},
        {"keys": {"p256dh": "AAAA", "auth": "AAAA"}},
        {"keys": {"p256dh": 5, "auth": "é"}},
    ],
)
def test_what_is_no_subscription_is_refused_with_a_reason(wrong):
    with pytest.raises(RequestError):
        read_subscription(Browser("https://push.example.org/x").says | wrong, "anna", 0.0)


async def test_a_key_that_is_no_point_of_the_curve_is_forgotten_and_costs_nobody_else_his_message(
    webpush, subscribers, listener
):
    receiver = webpush()
    says = Browser(f"http://127.0.0.1:{listener.port}/broken").says
    says["keys"]["p256dh"] = b64(b"\x04" + b"\1" * 64)
    subscribers.add(read_subscription(says, "anna", 0.0))
    join(subscribers, listener, "good")
    assert await receiver.send(notification()) == Delivered()
    assert [path for _, path, _, _ in listener.requests] == ["/push/good"]
    assert len(subscribers.all) == 1


def test_nobody_can_subscribe_where_no_receiver_would_tell_him(subscribers):
    with pytest.raises(RequestError, match="no receiver of kind webpush"):
        subscribers.add(read_subscription(Browser("https://push.example.org/x").says, "anna", 0.0))


async def test_there_is_an_end_to_subscriptions(webpush, subscribers):
    webpush()
    says = Browser("https://push.example.org/x").says
    for number in range(SUBSCRIBERS):
        subscribers.add(read_subscription(says | {"endpoint": f"https://push.example.org/{number}"}, "anna", 0.0))
    with pytest.raises(RequestError, match="200 subscriptions already"):
        subscribers.add(read_subscription(says, "anna", 0.0))


async def test_what_is_stored_is_there_again(webpush, subscribers, listener):
    webpush()
    browser = join(subscribers, listener)
    again = Subscribers(KEY)
    again.restore(subscribers.take_rows())
    assert again.all == subscribers.all
    assert subscribers.all[browser.endpoint].by == "anna"
    assert subscribers.take_rows() == []


def test_a_long_message_is_cut_to_what_push_services_take():
    long = payload(notification(summary="ü" * 4000, details="\\" * 4000))
    assert PUSH_BYTES - 40 < len(long) <= PUSH_BYTES
    assert orjson.loads(long)["title"].startswith("[firing]")


@pytest.mark.parametrize("contact", ["ops@example.org", "mailto:ops@example.org", "https://example.org", "a@localhost"])
def test_whoever_is_named_as_contact_can_be_signed_with(contact):
    problems = Problems()
    found = read_receivers(parse_document(f"b: {{webpush: {{contact: '{contact}'}}}}", "r.yaml", problems), problems)
    assert problems == []
    assert found["b"].options.contact.startswith(("mailto:", "https://"))


@pytest.mark.parametrize("contact", ["somebody", "https://example.org/contact", "http://example.org", "a b"])
def test_a_contact_that_cannot_be_signed_with_is_a_problem_at_load(contact):
    problems = Problems()
    read_receivers(parse_document(f"b: {{webpush: {{contact: '{contact}'}}}}", "r.yaml", problems), problems)
    assert "write user@host, or https://host" in str(problems[0])


async def test_it_is_a_receiver_like_any_other(subscribers, listener):
    problems = Problems()
    found = read_receivers(
        parse_document("b: {webpush: {contact: ops@example.org, allow_private: true}}", "r.yaml", problems), problems
    )
    assert problems == []
    async with http_client() as http:
        made = build_receiver(found["b"], Toolbox(http, None, "hub", "0.1.0", SystemClock(), subscribers))
        browser = join(subscribers, listener)
        assert await made.send(notification()) == Delivered()
        await made.close()
    assert browser.read(listener.requests[0][3])["tag"] == "a-1"
    assert subscribers.public_key == ""


@pytest.mark.parametrize("host", ["xn--", "a" * 64 + ".example", "a..b", "push.invalid", "127.1", "0x7f000001"])
async def test_a_push_service_that_can_be_none_is_not_taken_and_one_from_before_costs_nobody_else_his_message(
    webpush, subscribers, listener, host
):
    receiver, browser = webpush(), Browser(f"https://{host}/x")
    with pytest.raises(RequestError, match="is not the URL of a push service"):
        read_subscription(browser.says, "anna", 0.0)
    keys = browser.says["keys"]
    subscribers.add(Subscription(browser.endpoint, keys["p256dh"], keys["auth"], "anna", 0.0))
    join(subscribers, listener)
    outcome = await receiver.send(notification())
    assert isinstance(outcome, Rejected)
    assert outcome.reason.startswith("1 of 2 browsers: the push service is refused: ")
    assert outcome.reason.endswith(" (the other 1 have it)")
    assert len(listener.requests) == 1


async def test_a_push_service_that_hangs_costs_the_others_nothing(webpush, subscribers, listener, monkeypatch):
    monkeypatch.setattr(receivers_webpush, "PUSH_SECONDS", 0.2)
    receiver = webpush()
    async with Listener().listening() as slow:
        slow.answers = ["hang"] * 2
        join(subscribers, slow, "slow")
        join(subscribers, listener, "quick")
        outcomes = [await receiver.send(notification()) for _ in range(2)]
        assert all(isinstance(outcome, Retry) and outcome.partly for outcome in outcomes)
        assert "no answer within" in outcomes[0].reason
        assert len(listener.requests) == 1, "who has it does not get it again"


async def test_where_nobody_has_it_the_failure_counts(webpush, subscribers, listener):
    receiver, _ = webpush(), join(subscribers, listener)
    listener.answers = [500]
    outcome = await receiver.send(notification())
    assert isinstance(outcome, Retry)
    assert not outcome.partly


async def test_who_may_only_look_gets_no_link_that_acknowledges(webpush, listener, subscribers):
    receiver = webpush()
    browsers = {}
    for name in ("wall", "olga"):
        browsers[name] = Browser(f"http://127.0.0.1:{listener.port}/push/{name}")
        subscribers.add(read_subscription(browsers[name].says, name, 1000.0))
    subscribers.acknowledges = lambda name: name == "olga"
    assert await receiver.send(notification(ack_url="https://h/ack/t")) == Delivered()
    heard = {path.rpartition("/")[2]: body for _, path, _, body in listener.requests}
    assert {name: browsers[name].read(body)["ack_url"] for name, body in heard.items()} == {
        "wall": "",
        "olga": "https://h/ack/t",
    }
    assert b"/ack/" not in orjson.dumps(browsers["wall"].read(heard["wall"]))
