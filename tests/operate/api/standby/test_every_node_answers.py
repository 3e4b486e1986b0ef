"""Page and API on every node of a cluster: what a standby has itself, what it hands to the owner, and the feed."""

import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp
import pytest

from hub.limits import HEARTBEAT_SECONDS
from tests.support.cluster import Cluster
from tests.support.mqtt import client
from tests.support.nodes_here import nodes_here

RULES = """\
receivers:
  log: {file: {path: out.ndjson}}
defaults: {notify: [log]}
rules:
  - {alert: Hot, topic: "load/{device}", when: v > 900, clear: v < 100, summary: "{device}"}
"""
TOKENS = """{listen: '127.0.0.1:0', tokens: [
  {name: boss, role: admin, token: boss-boss-boss-boss},
  {name: guest, role: viewer, token: guest-guest-guest-guest}]}"""


@asynccontextmanager
async def nodes(tmp_path, broker):
    async with Cluster(tmp_path, broker, RULES, "ab", http=TOKENS) as cluster:
        first = await cluster.owner()
        urls = {name: await cluster.nodes[name].url() for name in cluster.nodes}
        async with asked(broker, first, urls) as (second, device, ask, session):
            yield cluster, first, second, device, ask, urls, session


@asynccontextmanager
async def asked(broker, first, urls):
    """Give what asks nodes that listen there."""
    async with client(broker.settings("device"), "device") as device, aiohttp.ClientSession() as session:
        [second] = {*urls} - {first}
        await ready(session, urls[second])

        async def ask(name, path, token="boss-boss-boss-boss", post=None):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            call = session.get if post is None else session.post
            options = {} if post is None else {"json": post}
            async with call(urls[name] + path, headers=headers, **options) as response:
                return response.status, await response.json(content_type=None)

        yield second, device, ask, session


async def ready(session, url):
    async with asyncio.timeout(20):
        while True:
            async with session.get(f"{url}/readyz") as response:
                if response.status == 200:
                    return
            await asyncio.sleep(0.05)


SHOWN_SECONDS = HEARTBEAT_SECONDS - 2.0
"""What is due at once has come by then. Later an owner's next record comes by itself, and hides that it was missed."""


async def until(look, seconds=SHOWN_SECONDS):
    async with asyncio.timeout(seconds):
        while not (found := await look()):
            await asyncio.sleep(0.02)
        return found


async def test_a_standby_shows_alerts_and_takes_what_changes_them(tmp_path, broker, log_servers, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with nodes_here(tmp_path, broker, log_servers, RULES, monkeypatch, TOKENS) as here:
        first, urls = "a", {name: node.url for name, node in here.items()}
        async with asked(broker, first, urls) as (second, device, ask, session):
            await _shows_and_takes(first, second, device, ask, urls, session)


async def _shows_and_takes(first, second, device, ask, urls, session):
    assert (await ask(second, "/readyz", token=""))[0] == 200
    assert (await ask(second, "/api/hub/alerts", token=""))[0] == 401
    assert (await ask(second, "/api/hub/ack", token="guest-guest-guest-guest", post={}))[0] == 403
    feed = await session.ws_connect(
        urls[second].replace("http", "ws") + "/ws", headers={"Authorization": "Bearer boss-boss-boss-boss"}
    )
    await device.publish("load/x", b'{"v": 999}')

    async def shown():
        _, body = await ask(second, "/api/hub/alerts")
        return body["alerts"]

    [alert] = await until(shown)
    assert (await ask(first, "/api/hub/alerts"))[1]["alerts"] == [alert]
    heard = await until(lambda: _next(feed, "alert"))
    assert (heard["data"]["alertname"], heard["data"]["state"]) == ("Hot", "firing")
    status, body = await ask(second, "/api/hub/ack", post={"id": alert["fingerprint"], "comment": "mine"})
    assert (status, body["ok"]) == (200, True)
    [alert] = await until(lambda: _acknowledged(ask, second))
    assert (alert["acknowledged"]["by"], alert["acknowledged"]["comment"]) == ("boss", "mine")
    status, body = await ask(second, "/api/hub/silence", post={"matchers": ['device="y"'], "for": "1h"})
    assert status == 200
    assert [each["id"] for each in (await until(lambda: _silences(ask, second)))] == [body["silence"]["id"]]
    status, body = await ask(second, f"/api/hub/why?alert={alert['fingerprint']}")
    assert (status, body["ok"]) == (200, True)
    assert (await ask(second, "/api/hub/status"))[1]["session"] == "connected"
    for path in ("/api/v2/alerts", "/api/v2/alerts/groups", "/api/v2/silences"):
        shown_there, shown_here = (await ask(first, path))[1], (await ask(second, path))[1]
        assert len(shown_here) == 1
        assert timeless(shown_here) == timeless(shown_there), path
    assert len((await ask(second, "/api/hub/history"))[1]["entries"]) >= 2
    assert any(each["actor"] == "boss" for each in (await ask(second, "/api/hub/audit"))[1]["entries"])
    async with session.get(f"{urls[second]}/") as page:
        assert " hub</title>" in await page.text()
    async with session.post(f"{urls[second]}/events/load/z", data=b'{"v": 999}', headers=BOSS) as response:
        assert response.status == 202
    await until(lambda: _two(ask, second))
    await feed.close()


def timeless(shown):
    """Return an answer without the end that moves with the moment of the question."""
    if isinstance(shown, list):
        return [timeless(each) for each in shown]
    if isinstance(shown, dict):
        return {key: timeless(value) for key, value in shown.items() if key != "endsAt"}
    return shown


BOSS = {"Authorization": "Bearer boss-boss-boss-boss"}


async def _two(ask, name):
    return len((await ask(name, "/api/hub/alerts"))[1]["alerts"]) == 2


async def _silences(ask, name):
    return (await ask(name, "/api/hub/silences"))[1]["silences"]


async def _acknowledged(ask, name):
    alerts = (await ask(name, "/api/hub/alerts"))[1]["alerts"]
    return alerts if alerts and alerts[0]["acknowledged"] else None


async def _next(feed, kind):
    message = json.loads((await feed.receive(timeout=20)).data)
    return message if message["type"] == kind else None


@pytest.mark.time_limit(120, "the owner is killed, and another one takes over")
async def test_a_login_and_a_feed_outlive_the_owner_and_reads_never_stop(tmp_path, broker):
    async with nodes(tmp_path, broker) as (cluster, first, second, device, ask, urls, session):
        await device.publish("load/x", b'{"v": 999}')
        await until(lambda: _alerts(ask, second))
        async with session.post(f"{urls[second]}/login", json={"token": "guest-guest-guest-guest"}) as response:
            assert response.status == 200
            cookie = response.cookies["hub_session"].value
        feed = await session.ws_connect(
            urls[second].replace("http", "ws") + "/ws", headers={"Authorization": "Bearer boss-boss-boss-boss"}
        )
        await cluster.nodes[first].kill()
        owned = asyncio.create_task(cluster.owner())
        while not owned.done():
            assert len((await ask(second, "/api/hub/alerts"))[1]["alerts"]) == 1
            await asyncio.sleep(0.05)
        assert await owned == second
        async with session.get(f"{urls[second]}/api/hub/alerts", cookies={"hub_session": cookie}) as response:
            assert response.status == 200
        await device.publish("load/x", b'{"v": 1}')

        async def resolved():
            message = await _next(feed, "alert")
            return message and message["data"]["state"] == "resolved"

        await until(resolved)
        await feed.close()
        await cluster.nodes[first].start(connected=False)
        url = urls[first] = await cluster.nodes[first].url()
        await ready(session, url)
        async with session.get(f"{url}/api/hub/alerts", cookies={"hub_session": cookie}) as response:
            assert response.status == 200


async def _alerts(ask, name):
    return (await ask(name, "/api/hub/alerts"))[1]["alerts"]
