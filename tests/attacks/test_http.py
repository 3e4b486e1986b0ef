"""What somebody who reaches the HTTP port can do to a hub: nothing that keeps it from evaluating and telling.

Real hub, broker, sockets and webhook; the hub has few files and short times, so that an attack of a second shows what
one of an hour would do.
"""

import asyncio
import io
import json
import socket
import struct
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import aiohttp
import h2.config
import h2.connection
import pytest
import trustme

from tests.support.ends import Web
from tests.support.hub import Hub
from tests.support.mqtt import client

RULES = """\
receivers:
  hook: {{webhook: {{url: "{url}"}}, timeout: 5s}}
rules:
  - {{event: Rang, topic: "bell/{{device}}", notify: [hook]}}
"""
TOKEN = "the-token-of-the-root"
HTTP = f"{{listen: '127.0.0.1:0', tokens: [{{name: root, role: admin, token: {TOKEN}}}]}}"
ROOT = {"Authorization": f"Bearer {TOKEN}"}
FEW = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (192, 192))\n"
SOON = {"HTTP_HEADER_SECONDS": 1.0, "HTTP_BODY_SECONDS": 1.0, "HTTP_WRITE_SECONDS": 1.0, "HTTP_CLOSE_SECONDS": 0.5}
LATE = dict.fromkeys(SOON, 60.0)
HALF_A_LOGIN = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n{"
EXPECTING = HALF_A_LOGIN.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
PATIENCE = 30


class Besieged:
    """A hub under attack, and those whom it is there for."""

    def __init__(self, hub, hook, device, url, stack):
        self.hub, self.hook, self.url = hub, hook, url
        self._device, self._stack = device, stack
        self.host, self.port = url.rpartition("/")[2].split(":")
        self.rung = 0

    async def works(self, seconds=10):
        """An event is evaluated and its webhook called, over a connection that is new."""
        self.rung += 1
        await self._device.publish("bell/7", json.dumps({"n": self.rung}))
        async with asyncio.timeout(seconds):
            await self.hook.requests.until(
                lambda items: any(each["json"]["event"]["payload"]["n"] == self.rung for each in items)
            )

    def open(self, first=b""):
        """Connect without reading what comes, and say this."""
        made = socket.create_connection((self.host, int(self.port)), timeout=PATIENCE)
        self._stack.callback(made.close)
        if first:
            made.sendall(first)
        made.setblocking(False)
        return made

    async def ask(self, path, method="GET", **headers):
        """Ask over a connection of its own; return status and body."""
        named = ROOT | {name.replace("_", "-"): value for name, value in headers.items()}
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE)) as session,
            session.request(method, self.url + path, headers=named) as answer,
        ):
            return answer.status, await answer.text()

    async def metric(self, name):
        _, text = await self.ask("/metrics")
        return float(next(line for line in text.splitlines() if line.startswith(f"{name} ")).split()[1])


async def over(sock, seconds=PATIENCE):
    """Wait until the other side has closed; return what it said before."""
    said, loop = b"", asyncio.get_running_loop()
    async with asyncio.timeout(seconds):
        try:
            while piece := await loop.sock_recv(sock, 65536):
                said += piece
        except ConnectionError:
            pass
    return said


async def _for_ever(sock, piece):
    while True:
        await asyncio.get_running_loop().sock_sendall(sock, piece)


@asynccontextmanager
async def besieged(folder, broker, http=HTTP, limits=SOON, before="", settings=""):
    async with AsyncExitStack() as stack:
        hook = await stack.enter_async_context(Web())
        rules = RULES.format(url=hook.url)
        hub = Hub(folder, broker, rules, http=http, limits=limits, before=before, settings=settings)
        await stack.enter_async_context(hub)
        device = await stack.enter_async_context(client(broker.settings("device"), "bells"))
        made = Besieged(hub, hook, device, await hub.url(), stack)
        await made.works()
        yield made


# many connections, few files


async def test_hundreds_of_sockets_leave_files_for_the_store_the_broker_and_the_webhook(tmp_path, broker):
    async with besieged(tmp_path, broker, limits=LATE | {"HTTP_CONNECTIONS_EACH": 1000}, before=FEW) as at:
        for _ in range(400):
            at.open(HALF_A_LOGIN)
        await at.hub.says(" trouble http", "connections are taken", "refused")
        for _ in range(3):
            await at.works()
        assert sum("connections are taken" in line for line in at.hub.lines) == 1
        assert at.hub.process.returncode is None


async def test_idle_sockets_give_way_to_who_has_something_to_ask(tmp_path, broker):
    async with besieged(tmp_path, broker, limits=LATE, before=FEW) as at:
        first = at.open()
        for _ in range(400):
            at.open(b"GET /api/hub/status HTTP/1.1\r\nX: ")
        assert (await at.ask("/api/hub/status"))[0] == 200
        assert await over(first) == b""
        await at.works()
        assert await at.metric("hub_http_refused_total") == 0


async def test_one_address_takes_no_more_connections_than_its_share_and_the_log_names_it(tmp_path, broker):
    async with besieged(tmp_path, broker, limits=LATE | {"HTTP_CONNECTIONS_EACH": 5}) as at:
        held = [at.open(EXPECTING) for _ in range(5)]
        for each in held:  # a connection whose head is not read yet gives way
            assert (await asyncio.get_running_loop().sock_recv(each, 100)).startswith(b"HTTP/1.1 100 ")
        refused = at.open()
        assert (await over(refused)).startswith(b"HTTP/1.1 503 ")
        await at.hub.says(" trouble http", "127.0.0.1 has 5 connections", "http.proxies")
        held[0].close()
        async with asyncio.timeout(PATIENCE):
            while (await over(at.open(b"GET /healthz HTTP/1.1\r\nConnection: close\r\nHost: h\r\n\r\n")))[
                9:12
            ] != b"200":
                await asyncio.sleep(0.05)


async def test_a_proxy_that_is_named_may_have_any_number_of_connections(tmp_path, broker):
    http = HTTP.replace("{listen", "{proxies: [127.0.0.1], listen")
    async with besieged(tmp_path, broker, http, limits=LATE | {"HTTP_CONNECTIONS_EACH": 5}) as at:
        for _ in range(20):
            at.open(HALF_A_LOGIN)
        assert (await at.ask("/api/hub/status"))[0] == 200
        assert await at.metric("hub_http_connections") == 21


async def test_who_connects_and_runs_again_and_again_slows_nobody_down_for_long(tmp_path, broker):
    async with besieged(tmp_path, broker) as at:

        async def knock():
            while True:
                at.open(b"GET / HTTP/1.1\r\n\r\n").close()
                await asyncio.sleep(0)

        knocking = asyncio.create_task(knock())
        for _ in range(5):
            await at.works()
        assert not knocking.done()
        knocking.cancel()
        assert (await at.ask("/api/hub/status"))[0] == 200


# slow clients


@pytest.mark.parametrize(
    "head", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
)
async def test_a_head_that_comes_byte_by_byte_is_cut_off(tmp_path, broker, head):
    async with besieged(tmp_path, broker) as at:
        slow = at.open(head)
        ending = asyncio.create_task(over(slow, 10))
        while not ending.done() and head[:3] == b"GET":
            try:
                slow.send(b"a")
            except OSError:
                break
            await asyncio.sleep(0.05)
        await ending
        await at.works()


async def test_a_second_head_on_the_same_connection_is_cut_off_as_well(tmp_path, broker):
    async with besieged(tmp_path, broker) as at:
        slow = at.open(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await asyncio.sleep(1.5)  # longer than a head may take: between two requests a connection may rest
        slow.send(b"GET /healthz HTTP/1.1\r\nHo")
        said = await over(slow, 10)
        assert said.count(b"HTTP/1.1 200") == 1


async def test_a_body_that_trickles_is_refused(tmp_path, broker):
    async with besieged(tmp_path, broker) as at:
        slow = at.open(HALF_A_LOGIN)
        ending = asyncio.create_task(over(slow, 10))
        while not ending.done():
            try:
                slow.send(b" ")
            except OSError:
                break
            await asyncio.sleep(0.05)
        assert (await ending).startswith(b"HTTP/1.1 408 ")


async def test_bodies_and_heads_without_end_are_refused(tmp_path, broker):
    async with besieged(tmp_path, broker, limits=LATE) as at:
        loop = asyncio.get_running_loop()
        chunked = b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        for head, piece, status in (
            (chunked, b"2000\r\n" + b"x" * 8192 + b"\r\n", (b"413",)),
            (b"POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999\r\n\r\n", b"x" * 8192, (b"401",)),
            (b"GET / HTTP/1.1\r\nX: ", b"x" * 8192, (b"400", b"431")),
        ):
            sock = at.open(head)
            answer = asyncio.create_task(over(sock))
            sent = 0
            try:
                while not answer.done() and sent < 64 << 20:
                    await loop.sock_sendall(sock, piece)
                    sent += len(piece)
            except OSError:
                pass
            assert sent < 8 << 20
            said = await answer
            assert not said or said[9:12] in status
        await at.works()


async def test_bodies_of_all_together_are_bounded(tmp_path, broker):
    limits = LATE | {"HTTP_BODIES_BYTES": 100_000}
    async with besieged(tmp_path, broker, limits=limits) as at:
        for _ in range(3):
            at.open(HALF_A_LOGIN + b"x" * 30_000)
        full = at.open(HALF_A_LOGIN + b"x" * 30_000)
        assert (await over(full)).startswith(b"HTTP/1.1 503 ")
        await at.works()


async def test_answers_that_nobody_reads_are_given_up(tmp_path, broker):
    async with besieged(tmp_path, broker) as at:
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect((at.host, int(at.port)))
        deaf.setblocking(False)
        deaf.send(b"GET /assets/app.js HTTP/1.1\r\nHost: localhost\r\n\r\n" * 600)
        assert await at.metric("hub_http_connections") == 2
        async with asyncio.timeout(PATIENCE):
            while await at.metric("hub_http_connections") > 1:
                await asyncio.sleep(0.1)
        deaf.close()
        await at.works()


# HTTP/2, WebSocket, feeds


def speaker():
    made = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    made.initiate_connection()
    return made


PINGS = b"\0\0\x08\x06\0\0\0\0\0" + b"12345678"
PINGS *= 1000
HEADERS = [(":method", "GET"), (":path", "/api/hub/status"), (":scheme", "http"), (":authority", "localhost")]


async def test_streams_of_http_2_that_are_reset_at_once_cost_the_hub_its_loop_no_longer_than_they_last(
    tmp_path, broker
):
    async with besieged(tmp_path, broker) as at:
        for _ in range(4):
            sock, speaking = at.open(), speaker()
            with suppress(OSError):  # it takes no more, or is closed
                for stream in range(1, 4000, 2):
                    speaking.send_headers(stream, HEADERS, end_stream=True)
                    speaking.reset_stream(stream)
                    sock.send(speaking.data_to_send())
            await over(sock)
        await at.works()
        assert (await at.ask("/api/hub/status"))[0] == 200


async def test_pings_of_http_2_without_end_do_not_silence_the_hub(tmp_path, broker):
    async with besieged(tmp_path, broker) as at:
        pings = [asyncio.create_task(_for_ever(at.open(speaker().data_to_send()), PINGS)) for _ in range(20)]
        for _ in range(3):
            await at.works()
        for each in pings:
            each.cancel()


async def test_streams_of_http_2_whose_answers_nobody_takes_are_given_up(tmp_path, broker):
    async with besieged(tmp_path, broker, limits=SOON | {"HTTP_REQUEST_SECONDS": 1.0}) as at:
        sock, speaking = at.open(), speaker()
        speaking.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0})
        for stream in range(1, 60, 2):
            speaking.send_headers(stream, [*HEADERS[:1], (":path", "/assets/app.js"), *HEADERS[2:]], end_stream=True)
        sock.send(speaking.data_to_send())
        await over(sock)
        await at.works()


UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nAuthorization: Bearer "
    + TOKEN.encode()
    + b"\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


FRAME = b"\x81\xfe" + struct.pack(">H", 1000) + b"\0\0\0\0" + b"x" * 1000


async def test_feeds_of_one_token_are_bounded(tmp_path, broker):
    async with (
        besieged(tmp_path, broker, limits=LATE | {"FEED_CLIENTS_EACH": 3}) as at,
        aiohttp.ClientSession(headers=ROOT) as session,
    ):
        heard = [await session.get(f"{at.url}/sse") for _ in range(3)]
        async with session.get(f"{at.url}/sse") as answer:
            assert answer.status == 429
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(f"{at.url}/ws")
        assert refused.value.status == 429
        await at.works()
        for each in heard:
            each.close()


WRONG = UPGRADE.replace(b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 1")
STRANGER = UPGRADE.replace(TOKEN.encode(), b"x")


@pytest.mark.parametrize("said", [WRONG, UPGRADE + FRAME, STRANGER + FRAME, STRANGER], ids=["a", "b", "c", "d"])
async def test_a_handshake_that_is_wrong_or_in_haste_holds_no_connection(tmp_path, broker, said):
    async with besieged(tmp_path, broker, limits=SOON | {"HTTP_SOCKET_BYTES": 500}) as at:
        assert b"HTTP/1.1 101" not in await over(at.open(said))


async def test_a_client_of_the_feed_that_talks_without_end_is_closed(tmp_path, broker):
    async with besieged(tmp_path, broker) as at:
        sock = at.open(UPGRADE)
        assert b" 101 " in await asyncio.get_running_loop().sock_recv(sock, 4096)
        talking = asyncio.create_task(_for_ever(sock, FRAME))
        await asyncio.wait({talking}, timeout=PATIENCE)
        assert isinstance(talking.exception(), ConnectionError)
        await at.works()


# the end


async def test_a_stop_with_every_kind_of_client_is_clean(tmp_path, broker):
    async with besieged(tmp_path, broker, limits={}) as at:
        async with aiohttp.ClientSession(headers=ROOT) as session:
            feeds = [await session.get(f"{at.url}/sse") for _ in range(3)]
            sockets = [await session.ws_connect(f"{at.url}/ws") for _ in range(3)]
            for feed in feeds:
                assert (await feed.content.readline()).startswith(b"id:")
            at.open()
            at.open(HALF_A_LOGIN)
            at.open(b"GET / HT")
            at.open(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            begun = asyncio.get_running_loop().time()
            assert await at.hub.stop() == 0
            assert asyncio.get_running_loop().time() - begun < 5
            assert [line for line in at.hub.errors if line] == []
            for socket_ in sockets:
                while (said := await socket_.receive()).type is aiohttp.WSMsgType.TEXT:
                    pass
                assert said.data == 1001
            for feed in feeds:
                feed.close()
        assert not any("Traceback" in line for line in at.hub.lines)


async def test_a_stop_with_clients_over_tls_is_clean(tmp_path, broker):
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "hub.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "hub.key")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = HTTP.replace("{listen", "{cert: hub.pem, key: hub.key, listen")
    async with besieged(tmp_path, broker, tls, limits={}) as at:
        curl = await asyncio.create_subprocess_exec(
            *("curl", "--http2", "--no-buffer", "--silent", "--cacert", str(tmp_path / "ca.pem")),
            *("-H", f"Authorization: Bearer {TOKEN}", f"{at.url}/sse"),
            stdout=asyncio.subprocess.PIPE,
        )
        assert (await curl.stdout.readline()).startswith(b"id:")
        at.open()  # in the middle of its handshake
        at.open(b"GET / HTTP/1.1\r\n\r\n")  # no TLS at all
        assert await at.hub.stop() == 0
        assert [line for line in at.hub.errors if line] == []
        await curl.communicate()


# tokens


@pytest.mark.parametrize("token", ["''", "' '", "short", "!env NOTHING"])
async def test_a_hub_with_a_token_that_can_be_guessed_does_not_start(tmp_path, broker, monkeypatch, token):
    monkeypatch.setenv("NOTHING", "")
    hub = Hub(tmp_path, broker, RULES.format(url="http://127.0.0.1:9"), http=HTTP.replace(TOKEN, token))
    await hub.start(connected=False)
    assert await hub.ended() == 1
    assert any("hub.yaml:4:" in line and "a token " in line for line in [*hub.lines, *hub.errors])


async def test_who_guesses_locks_out_nobody_with_a_right_token(tmp_path, broker):
    async with besieged(tmp_path, broker) as at:
        found = [(await at.ask("/api/hub/status", authorization=f"Bearer x{n}"))[0] for n in range(12)]
        assert found == [401] * 10 + [429] * 2
        assert (await at.ask("/api/hub/status"))[0] == 200
        await at.hub.says(" trouble http", "127.0.0.1 has shown wrong tokens 10 times")


async def test_who_guesses_through_a_proxy_is_told_from_the_others_there(tmp_path, broker):
    http = HTTP.replace("{listen", "{proxies: [127.0.0.1], listen")
    async with besieged(tmp_path, broker, http) as at:
        for n in range(10):
            await at.ask("/api/hub/status", authorization=f"Bearer x{n}", x_forwarded_for="203.0.113.9")
        wrong = {"authorization": "Bearer x"}
        assert (await at.ask("/api/hub/status", **wrong, x_forwarded_for="1.2.3.4, 203.0.113.9"))[0] == 429
        assert (await at.ask("/api/hub/status", **wrong, x_forwarded_for="203.0.113.10"))[0] == 401


# costly questions


async def test_long_answers_that_a_viewer_does_not_read_are_bounded_in_number_and_silence_nobody(tmp_path, broker):
    async with besieged(tmp_path, broker, limits=LATE | {"READS": 3, "READ_SLICE_SECONDS": 0.0}) as at:
        lines = [b'{"topic": "bell/x/%d", "payload": "%s"}' % (n, b"x" * 900) for n in range(5000)]
        async with (
            aiohttp.ClientSession(headers=ROOT | {"Content-Type": "application/x-ndjson"}) as session,
            session.post(f"{at.url}/events", data=io.BytesIO(b"\n".join(lines))) as answer,
        ):
            assert answer.status == 202
        ask = b"GET /api/hub/events HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + TOKEN.encode() + b"\r\n\r\n"
        for _ in range(3):
            at.open().send(ask * 3)
        async with asyncio.timeout(PATIENCE):
            while (await at.ask("/api/hub/events"))[0] != 503:
                await asyncio.sleep(0.05)
        assert (await at.ask("/api/hub/status"))[0] == 200
        await at.works()
