"""The nats receiver on a real nats-server with JetStream."""

import asyncio
import contextlib

import nats
import orjson
import pytest

from hub.model import Delivered, Rejected, Retry
from tests.notify.fakes import notification
from tests.notify.queues import deliver, read
from tests.support.servers import PASSWORD, PLAIN_PASSWORD, NatsServer


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with NatsServer(tmp_path_factory.mktemp("nats")) as running:
        yield running


@contextlib.asynccontextmanager
async def connected(server):
    made = await nats.connect(server.address, user="hub", password=PLAIN_PASSWORD, allow_reconnect=False)
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
async def client(server):
    async with connected(server) as made:
        yield made


@pytest.fixture
async def stream(client):
    stream = client.jetstream()
    await stream.add_stream(name="alerts", subjects=["alerts.>"])
    yield stream
    await stream.delete_stream("alerts")


async def test_who_subscribes_to_the_subject_has_the_notification_and_its_id(receiver, server, client):
    ears = await client.subscribe("plain.>")
    made = receiver("nats", f"{{url: '{server.url}', subject: 'plain.{{site}}.{{device}}'}}")
    assert await made.send(notification()) == Delivered()
    message = await ears.next_msg(10)
    assert message.subject == "plain.a.7"
    assert orjson.loads(message.data) == notification().body
    assert message.headers["Nats-Msg-Id"] == notification().id
    assert message.headers["Content-Type"] == "application/json"


async def test_a_stream_stores_each_once_however_often_it_is_sent(receiver, server, stream):
    made = receiver("nats", f"{{url: '{server.url}', subject: 'alerts.{{device}}', stream: alerts, payload: '{{id}}'}}")
    for number in (1, 2, 1, 1):
        assert await made.send(notification(number)) == Delivered()
    info = await stream.stream_info("alerts")
    assert info.state.messages == 2
    assert (await stream.get_msg("alerts", 2)).data == b"a-2"


async def test_a_subject_that_no_stream_stores_is_a_retry(receiver, server, stream):
    made = receiver("nats", f"{{url: '{server.url}', subject: 'elsewhere', stream: alerts}}")
    assert await made.send(notification()) == Retry("no stream answers for this subject")


async def test_a_subject_of_another_stream_is_refused(receiver, server, stream):
    made = receiver("nats", f"{{url: '{server.url}', subject: 'alerts.x', stream: others}}")
    outcome = await made.send(notification())
    assert isinstance(outcome, Rejected)
    assert "expected stream does not match" in outcome.reason


async def test_what_is_too_large_for_the_server_is_refused(receiver, server):
    made = receiver("nats", f"{{url: '{server.url}', subject: 'plain.x'}}")
    outcome = await made.send(notification(details="x" * 1_100_000))
    assert outcome == Rejected("the server refuses it: nats: maximum payload exceeded")
    assert await made.send(notification()) == Delivered()


async def test_no_value_of_a_device_becomes_a_token_or_a_wildcard(receiver, server, client):
    ears = await client.subscribe(">")
    made = receiver("nats", f"{{url: '{server.url}', subject: 'plain.{{device}}.end'}}")
    evil = ["a.b", "*", ">", "", "a b", "\r\nPUB x 0\r\n", "x" * 5000]
    for value in evil:
        assert await made.send(notification(labels={"device": value})) == Delivered()
    subjects = [(await ears.next_msg(10)).subject for _ in evil]
    assert subjects == [
        *("plain.a_b.end", "plain._.end", "plain._.end", "plain._.end", "plain.a_b.end"),
        *("plain.__PUB_x_0__.end", f"plain.{'x' * 64}.end"),
    ]


async def test_a_server_that_is_killed_is_a_retry_and_has_it_when_it_is_back(receiver, server):
    async with connected(server) as client:
        await client.jetstream().add_stream(name="kept", subjects=["kept.>"])
    made = receiver("nats", f"{{url: '{server.url}', subject: 'kept.x', stream: kept}}")
    assert await made.send(notification(1)) == Delivered()
    server.kill()
    outcome = await made.send(notification(2))
    assert isinstance(outcome, Retry)
    assert isinstance(await made.send(notification(2)), Retry)
    server.start()
    assert await deliver(made, notification(2)) == Delivered()
    async with connected(server) as again:
        info = await again.jetstream().stream_info("kept")
        assert info.state.messages == 2


async def test_what_was_given_up_while_the_server_was_away_is_not_sent_behind_our_back(receiver, server):
    made = receiver("nats", f"{{url: '{server.url}', subject: plain.x, payload: '{{id}}'}}")
    assert await made.send(notification(1)) == Delivered()
    server.kill()
    assert isinstance(await made.send(notification(2)), Retry)
    server.start()
    async with connected(server) as client:
        ears = await client.subscribe("plain.x")
        await client.flush()
        assert await deliver(made, notification(3)) == Delivered()
        assert (await ears.next_msg(10)).data == b"a-3"


async def test_a_wrong_password_is_a_retry_whose_reason_does_not_hold_it(receiver, server):
    made = receiver("nats", f"{{url: '{server.url.replace(PASSWORD, 's3cr%40t')}', subject: plain.x}}")
    outcome = await made.send(notification())
    assert isinstance(outcome, Retry)
    # the server says why and closes at once: what comes first is a matter of luck
    assert "Authorization Violation" in outcome.reason or "reset" in outcome.reason
    assert "s3cr" not in outcome.reason
    assert PLAIN_PASSWORD not in outcome.reason


async def test_many_at_once_share_one_connection(receiver, server, stream):
    made = receiver("nats", f"{{url: '{server.url}', subject: alerts.x, stream: alerts}}")
    outcomes = await asyncio.gather(*(made.send(notification(number)) for number in range(64)))
    assert set(outcomes) == {Delivered()}
    info = await stream.stream_info("alerts")
    assert info.state.messages == 64


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("{url: 'nats://h'}", "needs the key 'subject'"),
        ("{url: 'nats://h', subject: 'a.>'}", "r.yaml:1:41: is no subject: 'a.>'"),
        ("{url: 'nats://h', subject: 'a b'}", "is no subject: 'a b'"),
        ("{url: 'nats://h', subject: a, stream: 'a.b'}", "is no name of a stream"),
        ("{url: 'mqtt://h', subject: a}", "is no URL of nats://"),
    ],
)
def test_a_mistake_is_shown_with_its_place(options, message):
    _, problems = read(f"out: {{nats: {options}}}")
    assert len(problems) == 1
    assert message in problems[0]


@pytest.mark.parametrize("offer", ["", ', "tls_available": true'])
async def test_tls_that_the_url_asks_for_is_had_or_nothing_is_said(receiver, offer):
    heard = bytearray()

    async def serve(reader, writer):
        writer.write(f'INFO {{"server_id": "x", "version": "2.10.0", "max_payload": 1000{offer}}}\r\n'.encode())
        with contextlib.suppress(OSError):
            heard.extend(await reader.read(4096))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    made = receiver("nats", f"{{url: 'tls://me:hunter2@127.0.0.1:{port}', subject: a}}")
    outcome = await asyncio.wait_for(made.send(notification()), 20)
    await made.close()
    server.close()
    assert isinstance(outcome, Retry)
    assert outcome.perhaps is False
    assert b"hunter2" not in heard
    assert b"CONNECT" not in heard
    assert heard[:1] == (b"\x16" if offer else b"")  # a TLS handshake, where the server takes one
