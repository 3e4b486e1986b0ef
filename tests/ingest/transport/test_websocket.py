"""MQTT over WebSockets, either version, plain and with TLS: the same promises; words for what is no such listener."""

import asyncio
import contextlib
from dataclasses import replace

import pytest
import trustme
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, Pong, Request, TextMessage

from hub.operate.mosquitto import Mosquitto, free_port
from tests.support.brokers import scripted
from tests.support.mqtt import bounded, client
from tests.support.proxy import Proxy


class WebMosquitto(Mosquitto):
    """A Mosquitto with a second listener, for WebSockets."""

    def __init__(self, directory, *extra):
        self.web = free_port()
        super().__init__(directory, extra=[f"listener {self.web} 127.0.0.1", "protocol websockets", *extra])

    def through(self, user="hub", **changes):
        return self.settings(user, **{"port": self.web, "websocket": "/mqtt"} | changes)


@pytest.fixture(params=["5", "3.1.1"])
def protocol(request):
    return request.param


@pytest.fixture
async def web(tmp_path):
    async with WebMosquitto(tmp_path / "broker") as running:
        yield running


@pytest.fixture
async def device(web):
    async with client(web.settings("device"), "sensor") as connected:
        yield connected


def numbers(deliveries):
    return [int(each.payload) for each in deliveries]


async def test_events_come_in_order_and_answers_go(start, web, protocol, device):
    subject = await start(web.through(protocol=protocol))
    await device.publish_all([(f"site/{n % 7}", str(n)) for n in range(500)])
    assert numbers(await subject.take(500)) == list(range(500))
    subject.session.acknowledge(500)
    await subject.confirmed(500)
    async with client(web.settings("viewer"), "page") as page:
        await page.subscribe("alerts/#")
        await subject.session.publish("alerts/a", b"x" * 70_000)
        message = await bounded(page.messages.get())
    assert message.payload == b"x" * 70_000


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536, 1_000_000])
async def test_a_message_of_any_size_comes_whole(start, web, protocol, device, size):
    # Mosquitto 2.0.11 itself takes 7 s for a megabyte
    async with before(web, lambda data: [BytesMessage(data)]) as (_, settings):
        await _whole(start, replace(settings, protocol=protocol), device, size)


async def _whole(start, settings, device, size):
    subject = await start(settings)
    payload = bytes(n % 251 for n in range(size))
    await device.publish("site/a", payload)
    await device.publish("site/b", b"1")
    first, second = await subject.take(2)
    assert (bytes(first.payload), bytes(second.payload)) == (payload, b"1")
    await subject.close()


async def test_what_was_not_acknowledged_comes_again_after_a_death(start, web, protocol, device):
    subject = await start(web.through(protocol=protocol))
    await subject.notice("drained")
    await device.publish_all([("site/a", str(n)) for n in range(200)])
    await subject.take(200)
    subject.session.acknowledge(50)
    await subject.confirmed(50)
    await subject.die()
    again = await start(web.through(protocol=protocol))
    assert again.notices[0].detail == "resumed"
    taken = await again.take(150)
    assert numbers(taken) == list(range(50, 200))
    assert all(each.duplicate for each in taken)


async def test_a_connection_that_is_cut_is_made_again(start, web, protocol, device):
    async with Proxy(web.web) as proxy:
        subject = await start(web.through(protocol=protocol, port=proxy.port))
        proxy.cut()
        await subject.notice("disconnected")
        await subject.notice("connected", 2)
        await device.publish("site/a", "7")
        assert numbers(await subject.take(1)) == [7]
    assert proxy.sent[0].startswith(b"GET /mqtt HTTP/1.1\r\n")
    assert b"sec-websocket-protocol: mqtt\r\n" in bytes(proxy.sent[0]).lower()


async def test_tls_with_a_client_certificate(start, tmp_path, protocol):
    authority = trustme.CA()
    files = {name: tmp_path / f"{name}.pem" for name in ("ca", "server", "serverkey", "hub", "hubkey")}
    authority.cert_pem.write_to_path(files["ca"])
    for name, made in (("server", authority.issue_cert("localhost")), ("hub", authority.issue_cert("hub"))):
        made.private_key_pem.write_to_path(files[f"{name}key"])
        files[name].write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    lines = [f"cafile {files['ca']}", f"certfile {files['server']}", f"keyfile {files['serverkey']}"]
    changes = {"host": "localhost", "tls": True, "ca": files["ca"], "cert": files["hub"], "key": files["hubkey"]}
    async with WebMosquitto(tmp_path / "broker", *lines, "require_certificate true") as broker:
        settings = broker.through(protocol=protocol, **changes)
        assert str(settings).startswith("wss://localhost:")
        subject = await start(settings)
        async with client(broker.settings("device"), "sensor") as device:
            await device.publish_all([("site/a", str(n)) for n in range(3000)])
        assert numbers(await subject.take(3000)) == list(range(3000))
        await subject.close()
        other = await start(broker.through(protocol=protocol, **changes | {"host": "127.0.0.1"}), connected=False)
        assert "certificate" in (await other.notice("disconnected")).detail


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "HTTP status 404 (mend the path"),
        (b"HTTP/1.1 302 Found\r\nLocation: wss://b/mqtt\r\nContent-Length: 0\r\n\r\n", "it names 'wss://b/mqtt'"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "is this the port of its WebSocket listener?"),
        (b"\x20\x02\x00\x00", "is this the port of its WebSocket listener?"),
        (b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n", "accept"),
    ],
)
async def test_what_is_no_websocket_is_told_in_words(start, web, protocol, answer, words):
    async def once(_reader, writer):
        writer.write(answer)
        await writer.drain()

    async with scripted(once) as port:
        subject = await start(web.through(protocol=protocol, port=port), connected=False)
        told = (await subject.notice("disconnected")).detail
        await subject.close()
    assert words in told
    assert "ws://127.0.0.1:" in told


async def test_a_plain_listener_is_no_websocket_and_the_other_way_round(start, web, protocol):
    subject = await start(web.through(protocol=protocol, port=web.port), connected=False)
    assert "WebSocket listener?" in (await subject.notice("disconnected")).detail
    await subject.close()
    subject = await start(web.settings("hub", protocol=protocol, port=web.web), connected=False)
    told = (await subject.notice("disconnected")).detail
    assert protocol != "5" or "write ws://" in told or "before it answered" in told


class Server:
    """A WebSocket in front of a broker's plain port, which cuts what comes from there as `cut` says."""

    def __init__(self, port, cut):
        self.port, self.cut, self.pongs, self.targets = port, cut, asyncio.Queue(), []

    async def __call__(self, reader, writer):
        frames = WSConnection(ConnectionType.SERVER)
        there, back = await asyncio.open_connection("127.0.0.1", self.port)
        down = asyncio.create_task(self._down(there, writer, frames))
        try:
            while data := await reader.read(1 << 16):
                frames.receive_data(data)
                for event in frames.events():
                    self._hear(event, writer, back, frames)
        finally:
            down.cancel()
            back.close()
            writer.close()

    def _hear(self, event, writer, back, frames):
        match event:
            case Request():
                self.targets.append(event.target)
                writer.write(frames.send(AcceptConnection(subprotocol="mqtt")))
            case BytesMessage():
                back.write(bytes(event.data))
            case Pong():
                self.pongs.put_nowait(bytes(event.payload))

    async def _down(self, there, writer, frames):
        with contextlib.suppress(OSError):
            while data := await there.read(1 << 16):
                for event in self.cut(data):
                    writer.write(frames.send(event))


@contextlib.asynccontextmanager
async def before(broker, cut):
    server = Server(broker.port, cut)
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    try:
        yield server, broker.through(port=listening.sockets[0].getsockname()[1], websocket="/x?token=secret")
    finally:
        listening.close()


def fragments(data):
    """One message of one-byte fragments with a ping between them; packets end anywhere."""
    for place in range(len(data)):
        yield BytesMessage(data[place : place + 1], message_finished=place == len(data) - 1)
        if place == 1:
            yield Ping(b"are you there")


async def test_fragments_and_pings_and_a_path_with_a_query(start, web, protocol, device):
    async with before(web, fragments) as (server, settings):
        assert "secret" not in str(settings)
        subject = await start(replace(settings, protocol=protocol))
        await device.publish_all([("site/a", str(n)) for n in range(50)])
        assert numbers(await subject.take(50)) == list(range(50))
        assert await bounded(server.pongs.get()) == b"are you there"
        assert server.targets == ["/x?token=secret"]
        await subject.close()


@pytest.mark.parametrize(
    ("event", "words"),
    [(TextMessage("hi"), "MQTT is binary"), (CloseConnection(1008, "go away"), "closed the WebSocket: 1008 go away")],
)
async def test_how_a_websocket_ended_is_told(start, web, event, words):
    def cut(data):
        yield BytesMessage(data)
        if data[0] == 0x90:  # SUBACK
            yield event

    async with before(web, cut) as (_, settings):
        subject = await start(settings, connected=False)
        assert words in (await subject.notice("disconnected")).detail
        await subject.close()
