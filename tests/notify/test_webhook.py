"""A real HTTP listener that is down, slow, or answers as it likes; the receiver alone, and behind the dispatcher."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import logging
import socket
from collections import Counter
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from hub.clock import ManualClock, SystemClock
from hub.documents.document import Problems, parse_document
from hub.documents.secret import Secret
from hub.model import Delivered, Rejected, Retry
from hub.notify.dispatcher import Dispatcher
from hub.notify.lanes.retry import RetryPolicy
from hub.notify.outward import url
from hub.notify.outward.http import http_client
from hub.notify.outward.signature import Signer
from hub.notify.receiver_settings import read_receivers
from hub.notify.receivers.webhook import Webhook, WebhookOptions
from tests.notify.fakes import MemoryOutbox, Remembering, notification, settings, toolbox
from tests.notify.listener import Listener

BOUND = 20.0
PATH = "/services/T0SECRET/xoxbSECRET"


@pytest.fixture
async def listener():
    async with Listener().listening() as running:
        yield running


@pytest.fixture
async def http():
    async with http_client() as session:
        yield session


def target(text):
    return url.target(parse_document(f"'{text}'", "r.yaml", Problems()))


def webhook(http, port, path=PATH, clock=None, **options):
    return Webhook(
        WebhookOptions(target(f"http://user:hunter2@127.0.0.1:{port}{path}?key=querySECRET"), **options),
        toolbox(http, clock=clock),
    )


async def test_the_notification_goes_out_as_json_with_its_id_signed_over_the_exact_bytes(http, listener):
    receiver = webhook(http, listener.port, secret=Secret("s3cret"), headers=(("X-Team", Secret("cold")),))
    sent = notification(7, summary="-9 °C")
    assert await receiver.send(sent) == Delivered()
    method, path, headers, body = listener.requests[0]
    assert (method, path) == ("POST", f"{PATH}?key=querySECRET")
    assert orjson.loads(body) == sent.body
    assert headers["Content-Type"] == "application/json"
    assert headers["Idempotency-Key"] == "a-7"
    assert headers["X-Team"] == "cold"
    assert headers["X-Hub-Signature-256"] == "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert headers["Authorization"].startswith("Basic ")


async def test_without_a_secret_nothing_is_signed(http, listener):
    await webhook(http, listener.port, method="PUT").send(notification())
    assert listener.requests[0][0] == "PUT"
    assert not {"X-Hub-Signature-256", "webhook-id", "webhook-timestamp", "webhook-signature"} & set(
        listener.requests[0][2]
    )


def standard(secret, headers, body, now):
    """Verify as the specification of Standard Webhooks 1.0.0 says, word by word; return the body."""
    assert secret.startswith("whsec_")
    assert "." not in headers["webhook-id"]
    assert abs(now - int(headers["webhook-timestamp"])) <= 300
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    right = base64.b64encode(hmac.new(base64.b64decode(secret[6:]), signed, hashlib.sha256).digest()).decode()
    assert f"v1,{right}" in headers["webhook-signature"].split(" ")
    return body


async def test_what_standard_webhooks_verify_is_signed_with_id_and_the_time_of_each_attempt(http, listener):
    clock, secret = ManualClock(1_772_000_000.9), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    receiver = webhook(http, listener.port, clock=clock, secret=Secret(secret))
    listener.answers = [503, 200]
    sent = notification(7, summary="-9 °C")
    await receiver.send(sent)
    clock.advance(600)
    await receiver.send(sent)
    (_, _, first, body), (_, _, second, again) = listener.requests
    assert orjson.loads(standard(secret, first, body, 1_772_000_000)) == sent.body
    assert standard(secret, second, again, 1_772_000_600) == body
    assert (first["webhook-id"], first["webhook-timestamp"]) == ("a-7", "1772000000")
    assert (second["webhook-id"], second["webhook-timestamp"]) == ("a-7", "1772000600")
    # whoever verifies the signature of before does it with the text as it is written
    assert first["X-Hub-Signature-256"] == f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


async def test_a_secret_of_another_form_is_the_key_as_it_is_written(http, listener):
    await webhook(http, listener.port, secret=Secret("s3cret")).send(notification())
    _, _, headers, body = listener.requests[0]
    standard(f"whsec_{base64.b64encode(b's3cret').decode()}", headers, body, SystemClock().now())


@pytest.mark.parametrize("written", ["whsec_", "whsec_a*b", "whsec_abcde"])
def test_a_secret_that_is_no_base64_behind_its_prefix_is_refused_and_not_shown(written):
    problems = Problems()
    node = parse_document(f"a: {{webhook: {{url: 'http://h/', secret: '{written}'}}}}", "r.yaml", problems)
    read_receivers(node, problems)
    (problem,) = map(str, problems)
    assert "goes on in base64" in problem
    assert "a*b" not in problem


@given(st.text("ab.1"), st.integers(0, 99), st.binary(), st.text("ab.1"), st.integers(0, 99), st.binary())
def test_no_two_requests_are_signed_alike_whatever_dots_an_id_has(one, at, body, other, later, another):
    signer = Signer(Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    first, second = signer.headers(one, at, body), signer.headers(other, later, another)
    assert "." not in first["webhook-id"]
    same = (first["webhook-id"], at, body) == (second["webhook-id"], later, another)
    assert (first["webhook-signature"] == second["webhook-signature"]) is same


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_is_delivered(http, listener, status):
    listener.answers = [status]
    assert await webhook(http, listener.port).send(notification()) == Delivered()


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
async def test_what_may_pass_is_retry(http, listener, status):
    listener.answers = [web.Response(status=status, headers={"Retry-After": "7"}, text="busy")]
    outcome = await webhook(http, listener.port).send(notification())
    assert isinstance(outcome, Retry)
    assert outcome.after == 7.0
    assert outcome.reason.startswith(f"{status} ")
    assert outcome.reason.endswith(f"from http://127.0.0.1:{listener.port}: busy")


async def test_a_retry_after_that_is_a_date_counts_from_now(http, listener):
    clock = ManualClock(1_772_000_000.0)  # 2026-02-25T06:13:20Z
    listener.answers = [web.Response(status=429, headers={"Retry-After": "Wed, 25 Feb 2026 06:14:20 GMT"})]
    outcome = await webhook(http, listener.port, clock=clock).send(notification())
    assert outcome.after == 60.0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
async def test_other_4xx_is_rejected(http, listener, status):
    listener.answers = [status]
    assert isinstance(await webhook(http, listener.port).send(notification()), Rejected)


async def test_a_redirect_is_rejected_and_not_followed(http, listener):
    listener.answers = [web.Response(status=302, headers={"Location": "/elsewhere"})]
    outcome = await webhook(http, listener.port).send(notification())
    assert isinstance(outcome, Rejected)
    assert "not followed" in outcome.reason
    assert len(listener.requests) == 1


async def test_of_an_endless_answer_at_most_64_kb_are_read_and_a_line_is_shown(http):
    listener, sent = Listener(), 0

    async def endless(request):
        nonlocal sent
        response = web.StreamResponse(status=500)
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while sent < 1 << 26:
                await response.write(b"x\x1b[31m\n" * 4096)
                sent += 7 * 4096
        return response

    listener.handle = endless
    async with listener.listening():
        outcome = await asyncio.wait_for(webhook(http, listener.port).send(notification()), BOUND)
    assert isinstance(outcome, Retry)
    assert len(outcome.reason) <= 300
    assert "\x1b" not in outcome.reason
    assert sent < 1 << 24


async def test_nobody_listening_and_a_name_that_does_not_exist_are_retry_with_a_reason(http):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        outcome = await webhook(http, port).send(notification())
    assert isinstance(outcome, Retry)
    assert f"http://127.0.0.1:{port}" in outcome.reason
    receiver = Webhook(WebhookOptions(target("https://nowhere.invalid/x")), toolbox(http))
    outcome = await asyncio.wait_for(receiver.send(notification()), BOUND)
    assert outcome == Retry("host name not found at https://nowhere.invalid")


async def test_a_connection_closed_without_an_answer_is_retry(http):
    async def close(_reader, writer):
        writer.close()

    server = await asyncio.start_server(close, "127.0.0.1", 0)
    async with server:
        outcome = await webhook(http, server.sockets[0].getsockname()[1]).send(notification())
    assert isinstance(outcome, Retry)


async def test_no_secret_reaches_a_log_or_a_reason_even_when_the_server_echoes_it(http, listener, caplog):
    caplog.set_level(logging.DEBUG)
    echo = f"no {PATH}?key=querySECRET for user:hunter2 dXNlcjpodW50ZXIy tokenSECRET signSECRET xoxbSECRET querySECRET"
    listener.answers = [web.Response(status=status, text=echo, reason="tokenSECRET") for status in (400, 500, 302)]
    options = {"headers": (("Authorization2", Secret("tokenSECRET")),), "secret": Secret("signSECRET")}
    receiver = webhook(http, listener.port, **options)
    reasons = [(await receiver.send(notification())).reason for _ in range(3)]
    reasons.append((await webhook(http, 1, **options).send(notification())).reason)
    shown = "\n".join(
        [caplog.text, *reasons, repr(receiver), repr(settings()), repr(WebhookOptions(target("http://h/xSECRET")))]
    )
    for secret in ("SECRET", "hunter2", "dXNlcjpodW50ZXIy"):
        assert secret not in shown, shown


async def test_down_slow_and_failing_by_turns_loses_nothing_dead_letters_400_and_waits_for_429(http):
    """100 notifications of 10 alerts while the listener misbehaves; whatever is not refused arrives, in order."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    listener, outbox, observer = Listener(), MemoryOutbox(), Remembering()
    listener.answers = [
        503,
        "hang",
        500,
        400,
        web.Response(status=429, headers={"Retry-After": "0.5"}),
        500,
        400,
        429,
    ] * 4
    policy = RetryPolicy(first=0.01, longest=0.05)
    receivers = {"chat": (settings(timeout=0.3, retry=policy), webhook(http, port))}
    dispatcher = Dispatcher(receivers, outbox, SystemClock(), observer)
    task = asyncio.create_task(dispatcher.run())
    await asyncio.sleep(0)
    dispatcher.offer(outbox.put(*(notification(n, order=str(n % 10)) for n in range(100))))
    async with asyncio.timeout(BOUND):
        while not observer.deliveries:  # down: nobody listens yet
            await asyncio.sleep(0.001)
        async with listener.listening(port):
            await dispatcher.idle()
            await dispatcher.drain(1.0)
            await task
    states = Counter(outbox.states())
    assert states["dead"] + states["delivered"] == 100
    assert 1 <= states["dead"] <= 8  # as many as 400s, but for those that came too late for their attempt
    assert states["dead"] == sum(isinstance(outcome, Rejected) for _, outcome, _ in observer.deliveries)
    assert all(reason.startswith("400 ") for _, reason in observer.dead_letters)
    delivered = [key for key, outcome, _ in observer.deliveries if outcome == Delivered()]
    for order in map(str, range(10)):
        mine = [int(key.split("-")[1]) for key in delivered if key.startswith(f"{order}-")]
        assert mine == sorted(mine)


async def test_a_429_waits_as_long_as_it_asks(http, listener):
    outbox, observer = MemoryOutbox(), Remembering()
    listener.answers = [web.Response(status=429, headers={"Retry-After": "1"})]
    receivers = {"chat": (settings(retry=RetryPolicy(first=0.001)), webhook(http, listener.port))}
    dispatcher = Dispatcher(receivers, outbox, SystemClock(), observer)
    task = asyncio.create_task(dispatcher.run())
    await asyncio.sleep(0)
    begun = asyncio.get_running_loop().time()
    dispatcher.offer(outbox.put(notification()))
    async with asyncio.timeout(BOUND):
        await dispatcher.idle()
        await dispatcher.drain(1.0)
        await task
    assert asyncio.get_running_loop().time() - begun >= 0.99
    assert len(listener.requests) == 2
    assert listener.requests[0][2]["Idempotency-Key"] == listener.requests[1][2]["Idempotency-Key"]


def problems_of(text):
    problems = Problems()
    read_receivers(parse_document(text, "r.yaml", problems), problems)
    return [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("ops: {webhook: {}}", "r.yaml:1:16: 'webhook' of receiver 'ops' needs the key 'url'"),
        ("ops: {webhook: {url: example.org}}", "r.yaml:1:22: is no HTTP URL (write it as https://host/path)"),
        ("ops: {webhook: {url: 'http://[::1'}}", "is no HTTP URL"),
        (
            "ops: {webhook: {url: http://h/, body: alertmanger}}",
            "r.yaml:1:39: is not a kind of body: 'alertmanger' (did you mean 'alertmanager'?)",
        ),
        ("ops: {webhook: {url: http://h/, method: POTS}}", "did you mean 'POST'?"),
        (
            "ops: {webhook: {url: http://h/, metod: POST}}",
            "r.yaml:1:33: unknown key 'metod' in 'webhook' of receiver 'ops' (did you mean 'method'?)",
        ),
        ("ops: {webhook: {url: http://h/, headers: {'A b': c}}}", "'A b' is no header name"),
        ('ops: {webhook: {url: http://h/, headers: {A: "c\\r\\nB: d"}}}', "holds a control character"),
        ("ops: {webhook: {url: http://h/, headers: {Idempotency-Key: x}}}", "is set by the hub"),
    ],
)
def test_a_mistake_is_shown_with_its_place(yaml, message):
    found = problems_of(yaml)
    assert len(found) == 1
    assert message in found[0]


def test_secrets_of_a_file_with_problems_are_not_shown(tmp_path):
    Path(tmp_path / "token").write_text("tokenSECRET")
    assert "SECRET" not in "\n".join(problems_of("ops: {webhook: {url: 'ftp://u:passSECRET@h/xSECRET'}}"))


async def test_an_answer_of_10_mb_to_a_delivered_message_is_not_read(http, listener):
    listener.answers = [web.Response(body=b"x" * (10 << 20))]
    assert await asyncio.wait_for(webhook(http, listener.port).send(notification()), BOUND) == Delivered()


async def test_all_messages_of_an_episode_share_a_header_to_update_in_place_by(http, listener):
    made = notification(order="0123")
    for step in ("firing", "repeat-1", "resolved"):
        await webhook(http, listener.port).send(replace(made, id=f"0123-7-{step}"))
    assert {headers["X-Hub-Alert"] for _, _, headers, _ in listener.requests} == {"0123-7"}


async def test_a_content_type_of_the_users_own_takes_the_place_of_ours(http, listener):
    await webhook(http, listener.port, headers=(("content-type", Secret("text/x")),)).send(notification())
    assert listener.requests[0][2]["Content-Type"] == "text/x"


async def test_only_what_certainly_did_not_arrive_says_so(http, listener):
    listener.answers = [503, 429, 500, 504]
    receiver = webhook(http, listener.port)
    assert [(await receiver.send(notification())).perhaps for _ in range(4)] == [False, False, True, True]
    assert not (await webhook(http, 1).send(notification())).perhaps
