"""What goes wrong with a hub is its own alert, told once; the heartbeat beats only while it is well."""

import asyncio
import json
import re

import pytest

from hub.operate.mosquitto import Mosquitto
from tests.acceptance.scene import document, scene
from tests.faults.test_disk_full import Limit
from tests.support.ends import Web, watching
from tests.support.hub import QUICK, Hub
from tests.support.mqtt import client
from tests.support.record import PATIENCE

HOT = '  - {alert: Hot, topic: "t/{device}", when: value > 30}\n'
TELL = "self_watch: {notify: [bus]}\n"


async def test_messages_and_rules_that_cannot_be_read_are_alerts_like_any_other(tmp_path, broker):
    async with scene(tmp_path, broker, HOT, limits=QUICK, settings=TELL) as at:
        for _ in range(10):
            await at.send("t/1", b"{no json")
        told = await at.notified("HubDecodeErrors", "firing")
        assert told["event"]["topic"] == "$hub/ingest"
        assert "10 messages within 10 minutes could not be read, the last one on t/1" in told["summary"]
        assert (await at.shown("HubDecodeErrors", "firing"))["id"] == told["id"]

        for _ in range(10):
            await at.send("t/1", {"temperature": 5})
        told = await at.notified("HubRuleErrors", "firing", rule="Hot")
        assert "no such field" in told["summary"] or "value" in told["summary"]

        good = at.hub.rules.read_text()
        at.hub.rules.write_text(good.replace("when:", "wen:"))
        told = await at.notified("HubRulesRefused", "firing", within=8)
        assert "unknown key 'wen'" in told["details"]
        at.hub.rules.write_text(good)
        await at.notified("HubRulesRefused", "resolved", within=8)
        await at.settled()
        assert len(at.notifications("HubDecodeErrors")) == 1
        assert await at.hub.stop() == 0
        assert not at.hub.errors


async def test_an_alert_about_a_receiver_that_it_cannot_reach_is_no_reason_for_another_one(tmp_path, broker):
    async with Web(lambda _: 500) as hook:
        receivers = f'hook: {{webhook: {{url: "{hook.url}"}}, retry: {{attempts: 2, first: 10ms, longest: 20ms}}}}'
        settings = "self_watch: {notify: [hook]}\n"
        rules = HOT.replace("}\n", ", notify: [hook]}\n")
        async with scene(tmp_path, broker, rules, receivers, limits=QUICK, settings=settings) as at:
            await at.send("t/1", 31)
            body = await at.shown("HubDeadLetters/hook", "firing")
            assert "1 notifications for receiver hook were given up" in body["summary"]
            await hook.requests.until(lambda items: len(items) == 4)
            await asyncio.sleep(2)  # ten more measurements
            assert sorted(each["json"]["alertname"] for each in hook.requests) == [
                *("Hot", "Hot"),
                *("HubDeadLetters", "HubDeadLetters"),
            ]
            assert len(at.hub.rows("SELECT * FROM outbox WHERE state = 'dead'")) == 2


async def test_a_receiver_that_takes_nothing_is_told_to_others_over_a_restart(tmp_path, broker):
    works = asyncio.Event()
    async with Web(lambda _: 204 if works.is_set() else 503) as hook:
        receivers = f'hook: {{webhook: {{url: "{hook.url}"}}, retry: {{first: 50ms, longest: 50ms}}}}'
        mine = """
  - {alert: HubReceiverFailing, topic: "$hub/receiver/{receiver}", when: failing_seconds > 0.5, notify: [bus]}
  - {alert: HubOutboxOld, topic: "$hub/receiver/{receiver}", when: oldest_seconds > 0.5, notify: [bus]}
"""
        rules = HOT.replace("}\n", ", notify: [hook]}\n") + mine
        async with scene(tmp_path, broker, rules, receivers, limits=QUICK) as at:
            await at.send("t/1", 31)
            await at.notified("HubReceiverFailing", "firing", receiver="hook")
            await at.notified("HubOutboxOld", "firing", receiver="hook")
            await at.hub.kill()
            at.hub.rules.write_text(document(mine, ""))  # the receiver is gone meanwhile
            await at.hub.start()
            await at.notified("HubReceiverFailing", "resolved", receiver="hook")
            await at.notified("HubOutboxOld", "resolved", receiver="hook")


async def test_a_session_that_the_broker_forgot_and_what_it_dropped_meanwhile_are_told(tmp_path):
    forgetful = {"persistence": "false", "max_queued_messages": "10", "max_inflight_messages": "10"}
    async with Mosquitto(tmp_path / "broker", extra=["sys_interval 1"], replace=forgetful) as broker, Web() as hook:
        rules = document(HOT, f'hook: {{webhook: {{url: "{hook.url}"}}}}')
        settings = "self_watch: {notify: [hook]}\n"

        def names(_=None):
            return {each["json"]["alertname"] for each in hook.requests}

        async with Hub(tmp_path, broker, rules, limits=QUICK, settings=settings) as hub:
            async with asyncio.timeout(PATIENCE):
                while not hub.rows("SELECT 1 FROM meta WHERE key = 'broker_dropped'"):
                    await asyncio.sleep(0.05)
            assert await hub.stop() == 0
            async with client(broker.settings("device"), "device") as device:
                await device.publish_all([(f"t/{n}", "1") for n in range(200)])
            await hub.start()
            await hook.requests.until(lambda _: "HubBrokerDrops" in names())
            await broker.kill()
            await broker.start()
            await hook.requests.until(lambda _: "HubSessionLost" in names())
            assert await hub.stop() == 0
        dropped = next(each["json"] for each in hook.requests if each["json"]["alertname"] == "HubBrokerDrops")
        assert dropped["event"]["payload"]["dropped"] >= 180
        assert names() == {"HubBrokerDrops", "HubSessionLost"}


async def test_a_broker_that_does_not_let_the_hub_read_what_it_drops_is_no_harm(tmp_path, broker):
    acl = tmp_path / "broker" / "mosquitto.acl"
    acl.write_text(acl.read_text().replace("topic read $SYS/#", ""))
    await broker.stop()
    await broker.start()
    async with scene(tmp_path, broker, HOT, limits=QUICK) as at:
        await at.send("t/1", 31)
        await at.notified("Hot", "firing")
        assert await at.hub.stop() == 0


async def test_events_of_its_own_come_from_no_broker_and_are_not_counted(tmp_path, broker):
    rules = "  - {alert: Always, topic: $hub/disk, when: free_bytes > 0}\n"
    async with watching(broker, "#", name="all") as seen:
        async with Hub(tmp_path, broker, document(rules, ""), limits=QUICK) as hub:
            await seen.first(lambda each: each.topic == "hub/alerts/Always")
            assert await hub.stop() == 0
        assert any(re.search(r" summary EGR +0, ", line) for line in hub.lines), list(hub.lines)
    assert not any(each.topic.startswith("$") for each in seen)


BEAT = "heartbeat: {{url: '{url}/ping/s3cret?k=t0ken', every: 200ms, method: POST}}\n"
BEATING = {"HEARTBEAT_LEAST_SECONDS": 0.1, "HEARTBEAT_SECONDS": 0.6}


async def quiet(hook, seconds=1.2):
    """Wait until nothing has come for so long."""
    while True:
        count = len(hook.requests)
        await asyncio.sleep(seconds)
        if len(hook.requests) == count:
            return count


async def test_the_heartbeat_stops_with_the_broker_and_comes_back_with_it(tmp_path, broker):
    async with Web() as hook:
        async with Hub(tmp_path, broker, document(HOT, ""), limits=BEATING, settings=BEAT.format(url=hook.url)) as hub:
            await hook.requests.until(lambda items: len(items) >= 3)
            assert hook.requests[0]["path"] == "/ping/s3cret"
            assert hook.requests[0]["headers"]["User-Agent"].startswith("mqtt-notification-hub/")
            await broker.kill()
            await hub.says(" trouble ", "heartbeat: none is sent: the session with the broker does not stand")
            before = await quiet(hook)
            await broker.start()
            await hook.requests.until(lambda items: len(items) >= before + 3)
            await hub.says(" trouble ", "heartbeat: it is sent again")
            assert await hub.stop() == 0
        assert not any(secret in line for line in [*hub.lines, *hub.errors] for secret in ("s3cret", "t0ken"))
        count = len(hook.requests)
        await asyncio.sleep(0.5)
        assert len(hook.requests) == count


async def test_the_heartbeat_stops_while_the_disk_is_full(tmp_path, broker):
    (tmp_path / "state").mkdir()
    disk = Limit(tmp_path / "state")
    options = {"limits": BEATING, "state": "state/hub.db"}
    async with Web() as hook:
        settings = BEAT.format(url=hook.url)
        async with Hub(tmp_path, broker, document(HOT, ""), settings=settings, **options) as disk.hub:
            await hook.requests.until(lambda items: len(items) >= 3)
            disk.fill()
            async with client(broker.settings("device"), "device") as device:
                await device.publish_all([(f"t/{n}", json.dumps({"value": 40, "pad": "x" * 200})) for n in range(1000)])
            await disk.hub.says(" trouble ", "heartbeat: none is sent: nothing was written to disk")
            before = await quiet(hook)
            disk.empty()
            await hook.requests.until(lambda items: len(items) >= before + 3)


@pytest.mark.parametrize(("status", "words"), [(404, "404 Not Found"), (302, "302 Found (redirects are not followed)")])
async def test_a_heartbeat_that_is_not_taken_is_told_once_without_its_path(tmp_path, broker, status, words):
    answer = [status]
    async with Web(lambda _: answer[0]) as hook:
        async with Hub(tmp_path, broker, document(HOT, ""), limits=BEATING, settings=BEAT.format(url=hook.url)) as hub:
            line = await hub.says(" trouble ", f"heartbeat: {hook.url} does not take it: {words}")
            assert "s3cret" not in line
            await hook.requests.until(lambda items: len(items) >= 6)
            answer[0] = 204
            await hub.says(" trouble ", "heartbeat: it is sent again")
            assert sum("does not take it" in line for line in hub.lines) == 1
        assert {each["path"] for each in hook.requests} == {"/ping/s3cret"}
