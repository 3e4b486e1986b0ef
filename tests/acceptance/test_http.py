"""The hub over HTTP from outside: events in, the desk, the feed, who may do what; real hub, broker and clients."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager

import aiohttp
import pytest
import trustme

from tests.acceptance.scene import scene

RULES = """
  - alert: Hot
    topic: t/{site}/{device}
    when: celsius > 30
    repeat: 10s until ack
    summary: "{device} has {celsius}"
"""
TOKENS = """{listen: '127.0.0.1:0', tokens: [
  {name: wall, role: viewer, token: see-and-no-more-0}, {name: olga, role: operator, token: do-and-see-only-0},
  {name: root, role: admin, token: all-that-there-is}]}"""
SEE, DO, ALL = "see-and-no-more-0", "do-and-see-only-0", "all-that-there-is"


class Http:
    """A client of a hub's HTTP interface."""

    def __init__(self, scene, session):
        self.scene, self.session, self.url = scene, session, ""

    async def ask(self, method, path, body=None, token=None, **headers):
        """Return status and body."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named |= {"authorization": f"Bearer {token}"} if token else {}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        async with self.session.request(method, self.url + path, data=data, headers=named) as response:
            return response.status, await response.json()

    async def good(self, method, path, body=None, **more):
        """Return the body of an answer that must be good."""
        status, found = await self.ask(method, path, body, **more)
        assert status < 300, (status, found)
        return found

    @asynccontextmanager
    async def feed(self, query=""):
        """Yield a function that waits for the next message of a type."""
        async with self.session.ws_connect(f"{self.url}/ws{query}") as socket:

            async def next_of(kind):
                async with asyncio.timeout(30):
                    while True:
                        message = json.loads(await socket.receive_str())
                        if message["type"] == kind:
                            return message

            yield next_of


@asynccontextmanager
async def opened(folder, broker, http="{listen: '127.0.0.1:0'}", rules=RULES, **options):
    async with scene(folder, broker, rules, http=http, **options) as made, aiohttp.ClientSession() as session:
        found = Http(made, session)
        found.url = await made.hub.url()
        yield found


@pytest.fixture
async def http(tmp_path, broker):
    async with opened(tmp_path, broker) as made:
        yield made


# events


async def test_a_posted_event_is_one_as_if_it_came_by_mqtt(http):
    assert await http.ask("POST", "/events/t/a/7", {"celsius": 31}) == (
        202,
        {"ok": True, "events": 1, "duplicate": False},
    )
    body = await http.scene.notified("Hot", "firing", device="7")
    assert (body["summary"], body["event"]["topic"]) == ("7 has 31", "t/a/7")
    await http.good("POST", "/events/t/a/7", b"not json")
    await http.good("POST", "/events/t/a/7", b'{"celsius": 1}')
    await http.scene.notified("Hot", "resolved", device="7")


async def test_what_was_answered_is_there_after_a_kill_and_its_key_brings_nothing_twice(http):
    await http.good("POST", "/events/t/a/7", {"celsius": 31}, idempotency_key="order-1")
    await http.scene.hub.kill()
    await http.scene.hub.start()
    http.url = await http.scene.hub.url()
    again = await http.good("POST", "/events/t/a/7", {"celsius": 1}, idempotency_key="order-1")
    assert again == {"ok": True, "events": 0, "duplicate": True}
    (alert,) = (await http.good("GET", "/api/hub/alerts?state=firing"))["alerts"]
    assert alert["labels"]["device"] == "7"


async def test_a_batch_is_taken_whole_or_not_at_all(http):
    lines = [{"topic": f"t/a/{number}", "payload": {"celsius": 40}} for number in range(5)]
    bad = b"\n".join(json.dumps(line).encode() for line in [*lines, {"topic": "t/+/x", "payload": 1}])
    status, found = await http.ask("POST", "/events", bad, content_type="application/x-ndjson")
    assert (status, "line 6: 't/+/x' is no topic" in found["error"]) == (400, True)
    assert (await http.good("GET", "/api/hub/alerts"))["alerts"] == []
    good = b"\n".join(json.dumps(line).encode() for line in lines)
    assert (await http.good("POST", "/events", good, content_type="application/x-ndjson"))["events"] == 5
    every = (await http.good("GET", "/api/hub/alerts"))["alerts"]
    assert len(every) == 5
    for page in ("", "&cursor="):
        assert (await http.good("GET", f"/api/hub/alerts?id={every[2]['fingerprint']}{page}"))["alerts"] == [every[2]]
        assert (await http.ask("GET", f"/api/hub/alerts?id=none{page}"))[0] == 400
    values = b'{"celsius": 1}\n\n{"celsius": 50}\n'
    assert (await http.good("POST", "/events/t/b/1", values, content_type="application/x-ndjson"))["events"] == 2
    await http.scene.notified("Hot", "firing", site="b")


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "error"),
    [
        ("/events/t/a/7", b'{"celsius": oops}', {}, 400, "broken JSON"),
        ("/events/t/a/7", b'{"celsius": 1, "celsius": 2}', {}, 400, "twice in one object"),
        ("/events/t/%23", b"1", {}, 400, "is no topic for an event"),
        ("/events/t/%00", b"1", {}, 400, "is no topic for an event"),
        ("/events/$SYS/x", b"1", {}, 400, "begin with $"),
        ("/events/hub/status", b"1", {}, 400, "the hub's own"),
        ("/events", b"1", {}, 400, "which topic?"),
        ("/events/t/a/7", b"1", {"idempotency_key": "x" * 300}, 400, "Idempotency-Key"),
        ("/events/t/a/7", b'"' + b"x" * 300_000 + b'"', {}, 413, "the limit is 262144"),
        ("/events/t/a/7", b"1\n" * 10_001, {"content_type": "application/x-ndjson"}, 413, "the most are 10000"),
        ("/events", b"[1]", {"content_type": "application/x-ndjson"}, 400, "line 1: no JSON object with 'topic'"),
        ("/api/hub/ack", b"[]", {}, 400, "a request is a JSON object"),
        ("/api/hub/ack", b"{", {}, 400, "not JSON"),
        ("/api/hub/ack", b'{"alertname": "Hot"}', {}, 404, "no firing alert matches"),
        ("/api/hub/nothing", b"{}", {}, 404, "nothing that can be asked here"),
    ],
)
async def test_what_cannot_be_taken_is_refused_with_its_reason(http, path, body, headers, status, error):
    found = await http.ask("POST", path, body, **headers)
    assert (found[0], error in found[1]["error"]) == (status, True), found


# the desk


async def test_acknowledged_over_http_is_seen_everywhere_and_audited(http):
    await http.scene.send("t/a/7", {"celsius": 31})
    await http.scene.notified("Hot", "firing")
    async with http.feed("?types=alert") as next_of:
        await http.good("POST", "/api/hub/ack", {"alertname": "Hot", "comment": "on my way"})
        assert (await next_of("alert"))["data"]["acknowledged"]["by"] == "local"
    shown = await http.scene.shown("Hot/a/7", "firing", after=1)
    assert shown["acknowledged"]["comment"] == "on my way"
    (entry,) = (await http.good("GET", "/api/hub/audit"))["entries"]
    assert (entry["actor"], entry["via"], entry["action"]) == ("local", "http", "ack")
    assert entry["detail"]["comment"] == "on my way"
    kinds = [each["kind"] for each in (await http.good("GET", "/api/hub/history"))["entries"]]
    assert {"transition", "notified", "command"} <= set(kinds)
    why = (await http.good("GET", "/api/hub/why?alert=Hot&device=7"))["alerts"][0]
    assert why["trace"][0]["kind"] == "transition"


async def test_a_silence_is_made_seen_and_ended(http):
    made = await http.good("POST", "/api/hub/silence", {"matchers": 'site="a"', "for": "1h", "comment": "works"})
    (seen,) = (await http.good("GET", "/api/hub/silences"))["silences"]
    assert seen["id"] == made["silence"]["id"]
    await http.good("POST", "/api/hub/unsilence", {"id": seen["id"]})
    assert (await http.good("GET", "/api/hub/silences"))["silences"] == []
    assert len((await http.good("GET", "/api/hub/silences?expired=true"))["silences"]) == 1


async def test_a_silence_that_would_hide_everything_is_refused_and_one_for_nothing_is_warned_of(http):
    status, said = await http.ask("POST", "/api/hub/silence", {"matchers": 'zone!~"x.+"'})
    assert (status, said["ok"]) == (400, False)
    assert "must not match the empty string" in said["error"]
    made = await http.good("POST", "/api/hub/silence", {"matchers": "siet=a", "start": 4e9, "for": "2h"})
    assert made["warnings"] == ["no alert or rule has a label 'siet'; did you mean 'site'?"]
    assert made["silence"]["endsAt"] == "2096-10-02T09:06:40.000Z"


async def test_what_the_hub_watches_is_to_be_seen(http):
    await http.scene.send("t/a/7", {"celsius": 31.5})
    await http.scene.notified("Hot", "firing")
    rules = {each["name"]: each for each in (await http.good("GET", "/api/hub/rules"))["rules"]}
    assert (rules["Hot"]["firing"], rules["Hot"]["when"], rules["Hot"]["topics"]) == (
        1,
        "celsius > 30",
        ["t/{site}/{device}"],
    )
    one = await http.good("GET", "/api/hub/rules/Hot")
    assert [each["labels"]["device"] for each in one["alerts"]] == ["7"]
    device = (await http.good("GET", "/api/hub/devices"))["devices"][0]
    assert (device["device"], device["presence"]) == ("t/a/7", "online")
    events = (await http.good("GET", "/api/hub/events?topic=t/%23"))["events"]
    assert events[0]["payload"] == {"celsius": 31.5}
    async with asyncio.timeout(20):
        while not (series := (await http.good("GET", "/api/hub/values?rule=Hot"))["series"]):
            await asyncio.sleep(0.1)
    assert (series[0]["topic"], series[0]["field"], series[0]["points"][0][1]) == ("t/a/7", "celsius", 31.5)
    for query, topics in (("rule=Hot&device=7", 1), ("rule=Hot&device=8", 0), ("topic=t/%2B/7", 1), ("topic=x", 0)):
        assert (await http.good("GET", f"/api/hub/values?{query}"))["topics"] == topics
    assert (await http.ask("GET", "/api/hub/rules/Cold"))[0] == 404
    receivers = (await http.good("GET", "/api/hub/receivers"))["receivers"]
    assert [(each["name"], each["kind"], each["circuit"]) for each in receivers] == [("bus", "mqtt", "closed")]


# the feed


async def test_an_alert_is_in_the_feed_within_a_second_of_its_event(http):
    async with http.feed() as next_of:
        hello = await next_of("hello")
        assert hello["data"]["client_id"] == "hub"
        await http.scene.send("t/a/7", {"celsius": 31})
        async with asyncio.timeout(4):  # a second on a machine with nothing else to do
            alert = await next_of("alert")
        assert (alert["data"]["state"], alert["data"]["labels"]["device"]) == ("firing", "7")
        delivered = await next_of("delivery")
        assert (delivered["data"]["receiver"], delivered["data"]["outcome"]) == ("bus", "delivered")
        figures = await next_of("figures")
        assert {"egr", "nsr", "epl", "npl", "outbox", "alerts"} <= set(figures["data"])


async def test_a_client_that_was_away_hears_what_it_missed(http):
    async with http.feed() as next_of:
        seen = (await next_of("hello"))["id"]
    await http.scene.send("t/a/7", {"celsius": 31})
    await http.scene.notified("Hot", "firing")
    async with http.feed(f"?since={seen}&types=alert") as next_of:
        assert (await next_of("alert"))["data"]["state"] == "firing"
    async with http.feed("?since=0-0") as next_of:
        assert (await next_of("gap"))["data"]["since"] == "0-0"


async def test_a_client_that_does_not_read_is_dropped_and_the_hub_goes_on(tmp_path, broker):
    async with opened(tmp_path, broker, limits={"FEED_PATIENCE_SECONDS": 0.5}) as http:
        host, port = http.url.removeprefix("http://").split(":")
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # else the kernel reads megabytes for it
        deaf.connect((host, int(port)))
        reader, writer = await asyncio.open_connection(sock=deaf, limit=1024)
        writer.write(
            b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert b"101" in await reader.readuntil(b"\r\n\r\n")
        for celsius in [31, 1] * 4:
            lines = [json.dumps({"topic": f"t/a/{n}", "payload": {"celsius": celsius}}) for n in range(1000)]
            await http.good("POST", "/events", "\n".join(lines).encode(), content_type="application/x-ndjson")
        async with asyncio.timeout(30):
            while (await http.good("GET", "/api/hub/status"))["clients"]:
                await asyncio.sleep(0.05)
        assert (await http.good("GET", "/api/hub/alerts"))["alerts"]
        writer.close()


async def test_server_sent_events_come_over_http_2_and_tls(tmp_path, broker):
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "hub.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "hub.key")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    async with opened(tmp_path, broker, "{listen: '127.0.0.1:0', cert: hub.pem, key: hub.key}") as http:
        assert http.url.startswith("https://")
        curl = await asyncio.create_subprocess_exec(
            *("curl", "--http2", "--no-buffer", "--silent", "--include", "--max-time", "30"),
            *("--cacert", str(tmp_path / "ca.pem"), f"{http.url}/sse?types=alert"),
            stdout=asyncio.subprocess.PIPE,
        )
        lines = []
        async with asyncio.timeout(30):
            while not any(line.startswith(b"event: hello") for line in lines):
                lines.append(await curl.stdout.readline())
            await http.scene.send("t/a/7", {"celsius": 31})
            while not any(line.startswith(b"event: alert") for line in lines):
                lines.append(await curl.stdout.readline())
        curl.kill()
        await curl.wait()
        assert lines[0].startswith(b"HTTP/2 200")
        assert any(b"text/event-stream" in line for line in lines)


# who may


async def test_roles_tokens_and_logins(tmp_path, broker):
    async with opened(tmp_path, broker, TOKENS) as http:
        assert (await http.ask("GET", "/api/hub/alerts"))[0] == 401
        assert (await http.ask("GET", "/api/hub/alerts", token=SEE))[0] == 200
        assert (await http.ask("POST", "/events/t/a/7", {"celsius": 31}, token=SEE))[0] == 403
        assert (await http.ask("POST", "/events/t/a/7", {"celsius": 31}, token=DO))[0] == 202
        await http.good("POST", "/api/hub/ack", {"alertname": "Hot"}, token=DO)
        (alert,) = (await http.good("GET", "/api/hub/alerts", token=SEE))["alerts"]
        assert alert["acknowledged"]["by"] == "olga"
        assert (await http.ask("GET", "/api/hub/audit", token=DO))[0] == 403
        await http.good("POST", "/api/hub/unack", {"alertname": "Hot", "by": "the boss"}, token=DO)
        entries = (await http.good("GET", "/api/hub/audit", token=ALL))["entries"]
        assert [(each["actor"], each["detail"].get("by")) for each in entries] == [("olga", "the boss"), ("olga", None)]
        assert (await http.ask("GET", "/api/hub/alerts?state=bogus", token=SEE))[0] == 400
        assert (await http.ask("POST", "/api/hub/outbox-drop", {"all": True}, token=DO))[0] == 403
        assert (await http.ask("POST", "/api/hub/outbox-drop", {"all": True}, token=ALL))[0] == 200
        assert (await http.ask("GET", "/healthz"))[0] == (await http.ask("GET", "/readyz"))[0] == 200
        found = await http.good("POST", "/login", {"token": SEE})
        assert (found["name"], found["role"]) == ("wall", "viewer")


async def test_a_browser_logs_in_and_out_with_a_cookie_that_no_script_can_read(tmp_path, broker):
    async with opened(tmp_path, broker, TOKENS) as http:
        jar = aiohttp.CookieJar(unsafe=True)  # of an address
        async with aiohttp.ClientSession(cookie_jar=jar) as browser:
            async with browser.post(f"{http.url}/login", data={"token": DO}) as answer:
                assert answer.status == 200
                cookie = answer.headers["set-cookie"].lower()
            assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/", "max-age=2592000"))
            async with browser.get(f"{http.url}/api/hub/status") as answer:
                assert (await answer.json())["actor"] == {"name": "olga", "role": "operator"}
            async with browser.post(f"{http.url}/api/hub/ack", json={}, headers={"Origin": "http://evil"}) as answer:
                assert answer.status == 403
            await (await browser.post(f"{http.url}/logout")).read()
            async with browser.get(f"{http.url}/api/hub/status") as answer:
                assert answer.status == 401


async def test_a_login_that_was_stolen_is_worthless_after_logging_out_also_over_a_restart(tmp_path, broker):
    async with opened(tmp_path, broker, TOKENS) as http:
        cookies = []
        for _ in range(2):
            async with http.session.post(f"{http.url}/login", data={"token": DO}) as answer:
                cookies.append(f"hub_session={answer.cookies['hub_session'].value}")
            http.session.cookie_jar.clear()
        stolen, other = cookies
        async with http.session.ws_connect(f"{http.url}/ws", headers={"cookie": stolen}) as feed:
            assert json.loads(await feed.receive_str())["type"] == "hello"
            await http.good("POST", "/logout", cookie=stolen)
            async with asyncio.timeout(20):
                while (said := await feed.receive()).type is aiohttp.WSMsgType.TEXT:
                    pass
            assert (said.type, said.data) == (aiohttp.WSMsgType.CLOSE, 1008)
        assert (await http.ask("GET", "/api/hub/status", cookie=stolen))[0] == 401
        await http.scene.hub.kill()
        await http.scene.hub.start()
        http.url = await http.scene.hub.url()
        assert (await http.ask("GET", "/api/hub/status", cookie=stolen))[0] == 401
        assert (await http.ask("GET", "/api/hub/status", cookie=other))[0] == 200


async def test_a_viewer_hears_nothing_in_the_feed_of_who_did_what(tmp_path, broker):
    async with opened(tmp_path, broker, TOKENS) as http:
        heard = {}
        for token in (SEE, ALL):
            async with http.session.ws_connect(f"{http.url}/ws", headers={"authorization": f"Bearer {token}"}) as feed:
                await http.good("POST", "/api/hub/silence", {"matchers": "site=a", "comment": "private"}, token=DO)
                await http.scene.send("t/a/7", b"{oops")  # a dead letter, which both are told of
                heard[token] = []
                async with asyncio.timeout(20):
                    while "decode_error" not in heard[token]:
                        heard[token].append(json.loads(await feed.receive_str())["type"])
        assert ("command" in heard[SEE], "command" in heard[ALL]) == (False, True)


async def test_a_hub_without_its_broker_is_alive_and_not_ready(http):
    assert await http.ask("GET", "/readyz") == (200, {"ok": True})
    async with http.feed("?types=session") as next_of:
        await http.scene.hub.broker.stop()
        assert (await next_of("session"))["data"]["kind"] == "disconnected"
    assert (await http.ask("GET", "/readyz"))[0] == 503
    assert (await http.ask("GET", "/healthz"))[0] == 200
