"""Times as a user reads them: for, clear_for, absent; by the clock, across restarts."""

import asyncio
import json
import time
from datetime import UTC, datetime

import pytest

from tests.acceptance.scene import SLACK, scene, seconds
from tests.support.mqtt import client

FREEZER = """
  - alert: FreezerTooWarm
    topic: site/{site}/freezer/{device}/telemetry
    when: temperature > -15
    for: FOR
    clear: temperature < -18
    summary: "{device} at {site} is {temperature:.1f} °C"
"""
SEVEN = "site/a/freezer/7/telemetry"


async def test_a_freezer_too_warm_fires_after_its_time_even_if_it_says_nothing_more(tmp_path, broker):
    async with scene(tmp_path, broker, FREEZER.replace("FOR", "2s")) as at:
        sent = await at.send(SEVEN, {"temperature": -9})
        await at.shown("FreezerTooWarm/a/7", "pending")
        told = await at.notified("FreezerTooWarm", "firing", within=2 + SLACK)
        assert 2 <= seconds(told["since"]) - sent + 0.001 < 2 + SLACK
        assert told["summary"] == "7 at a is -9.0 °C"
        assert told["labels"] == {"alertname": "FreezerTooWarm", "severity": "warning", "site": "a", "device": "7"}
        await at.send(SEVEN, {"temperature": -17})  # between the two: hysteresis
        await at.settled()
        await at.send(SEVEN, {"temperature": -19})
        told = await at.notified("FreezerTooWarm", "resolved")
        assert (told["episode"], told["reason"]) == (1, "cleared")


async def test_its_time_counts_from_the_first_warm_message_and_a_cold_one_ends_it(tmp_path, broker):
    async with scene(tmp_path, broker, FREEZER.replace("FOR", "2s")) as at:
        first = await at.send(SEVEN, {"temperature": -9})
        other = SEVEN.replace("7", "8")
        await at.send(other, {"temperature": -9})
        await at.send(other, {"temperature": -16})  # not warm: what was pending is over
        await at.shown("FreezerTooWarm/a/8", None)
        for _ in range(4):
            await asyncio.sleep(0.3)
            await at.send(SEVEN, {"temperature": -9})
        told = await at.notified("FreezerTooWarm", "firing", within=2 + SLACK, device="7")
        assert 2 <= seconds(told["since"]) - first + 0.001 < 2 + SLACK
        await at.settled()
        assert at.notifications(device="8") == []


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_its_time_goes_on_while_the_hub_is_away(tmp_path, broker, how):
    async with scene(tmp_path, broker, FREEZER.replace("FOR", "3s")) as at:
        sent = await at.send(SEVEN, {"temperature": -9})
        await at.shown("FreezerTooWarm/a/7", "pending")
        await getattr(at.hub, how)()
        await at.hub.start()
        told = await at.notified("FreezerTooWarm", "firing", within=3 + SLACK)
        assert 3 <= seconds(told["since"]) - sent + 0.001 < 3 + SLACK
        assert told["summary"] == "7 at a is -9.0 °C"
        await at.hub.kill()
        await at.send(SEVEN, {"temperature": -20})
        await at.hub.start()
        await at.notified("FreezerTooWarm", "resolved")
        assert len({body["id"] for body in at.notifications("FreezerTooWarm")}) == 2  # after a kill one may come again


async def test_what_became_due_while_it_was_away_is_told_after_what_came_meanwhile(tmp_path, broker):
    async with scene(tmp_path, broker, FREEZER.replace("FOR", "1s")) as at:
        await at.send(SEVEN, {"temperature": -9})
        await at.send(SEVEN.replace("7", "8"), {"temperature": -9})
        await at.shown("FreezerTooWarm/a/8", "pending")
        await at.hub.kill()
        await at.send(SEVEN, {"temperature": -20})  # in time, had the hub been there
        await asyncio.sleep(1)
        await at.hub.start()
        await at.notified("FreezerTooWarm", "firing", device="8")
        await at.settled()
        assert at.notifications(device="7") == []


async def test_flapping_within_clear_for_stays_one_episode(tmp_path, broker):
    rules = '  - {alert: Door, topic: "door/{room}", when: open, clear_for: 1500ms}'
    async with scene(tmp_path, broker, rules) as at:
        for is_open in (True, False, True, False, True):
            await at.send("door/a", {"open": is_open})
        closed = await at.send("door/a", {"open": False})
        told = await at.notified("Door", "resolved", within=1.5 + SLACK)
        assert 1.5 <= seconds(told["until"]) - closed + 0.001 < 1.5 + SLACK
        assert [body["episode"] for body in at.notifications("Door")] == [1, 1]


def span(begin, end):
    """Write a schedule that holds between two whole seconds, here and now."""
    return " to ".join(datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at in (begin, end))


@pytest.mark.parametrize("how", ["nothing", "kill"])
async def test_when_a_pause_ends_the_last_value_counts_though_no_message_comes(tmp_path, broker, how):
    end = int(time.time()) + 9
    rules = f'  - {{alert: Warm, topic: "f/{{device}}", when: t > 5, pause: "from {span(end - 3600, end)}"}}'
    async with scene(tmp_path, broker, rules) as at:
        for name, values in {"1": (1, 9), "2": (9, 1)}.items():
            for value in values:
                await at.send(f"f/{name}", {"t": value})
        await at.settled()
        assert at.notifications("Warm") == []
        if how == "kill":
            await at.hub.kill()
            await at.hub.start()
        told = await at.notified("Warm", "firing", within=9 + SLACK)
        assert end <= seconds(told["since"]) < end + SLACK
        await at.settled()
        assert [body["labels"]["device"] for body in at.notifications("Warm")] == ["1"]


async def test_when_a_mute_ends_what_still_fires_is_told(tmp_path, broker):
    end = int(time.time()) + 9
    rules = f'  - {{alert: Warm, topic: "f/{{device}}", when: t > 5, mute: "from {span(end - 3600, end)}"}}'
    async with scene(tmp_path, broker, rules) as at:
        for name in "12":
            await at.send(f"f/{name}", {"t": 9})
        await at.send("f/2", {"t": 1})
        await at.shown("Warm/1", "firing")
        await at.settled()
        assert at.notifications("Warm") == []
        told = await at.notified("Warm", "firing", within=9 + SLACK)
        assert seconds(told["since"]) < end
        await at.settled()
        assert [body["labels"]["device"] for body in at.notifications("Warm")] == ["1"]


async def test_a_late_event_counts_for_its_time_from_when_it_was_measured(tmp_path, broker):
    rules = '  - {alert: Warm, topic: "f/{device}", when: t > 5, for: 1h, timestamp: at}'
    async with scene(tmp_path, broker, rules) as at:
        sent = await at.send("f/1", {"t": 9, "at": time.time() - 3598})
        told = await at.notified("Warm", "firing", within=2 + SLACK)
        assert 2 <= seconds(told["since"]) - sent + 0.01 < 2 + SLACK
        assert seconds(told["event"]["time"]) < sent - 3500


ABSENT = """
  - {alert: Silent, topic: "beat/{device}", absent: 2s}
  - {alert: Busy, topic: "beat/{device}", when: load > 90, absent: 2s}
"""


async def test_one_wildcard_rule_misses_each_device_for_itself(tmp_path, broker):
    async with scene(tmp_path, broker, ABSENT) as at:
        last = await at.send("beat/b", {"load": 1})
        async with Beating(at, "a"):
            told = await at.notified("Silent", "firing", within=2 + SLACK, device="b")
            assert 2 <= seconds(told["since"]) - last + 0.001 < 2 + SLACK
            beside = await at.notified("Busy", "firing", device="b")
            assert beside["labels"]["reason"] == "absent"
            await at.send("beat/b", {"load": 1})
            back = await at.notified("Silent", "resolved", device="b")
            assert back["reason"] == "message again"
            await at.notified("Busy", "resolved", device="b", reason="absent")
            await at.settled()
            assert at.notifications(device="a") == []


async def test_the_hubs_own_downtime_is_nobodys_silence(tmp_path, broker):
    async with scene(tmp_path, broker, ABSENT) as at:
        for name in "ab":
            await at.send(f"beat/{name}", {"load": 1})
        await at.settled()
        await at.hub.kill()
        await asyncio.sleep(2.5)
        await at.hub.start()
        back = at.hub.lines.times[-1]
        async with Beating(at, "a"):
            told = await at.notified("Silent", "firing", within=2 + SLACK, device="b")
            assert back < seconds(told["since"]) < back + 2 + SLACK
            await at.settled()
            assert at.notifications(device="a") == []


async def test_the_brokers_downtime_is_nobodys_silence(tmp_path, broker):
    rules = '  - {alert: Silent, topic: "beat/{device}", absent: 2s, notify: [log]}'
    async with scene(tmp_path, broker, rules, "log: {file: {path: out.ndjson}}") as at:
        await at.send("beat/a", {})
        await at.settled()
        await broker.stop()
        await at.hub.says(" disconnected ")
        await asyncio.sleep(2.5)
        said = len(at.hub.lines)
        await broker.start()
        await at.hub.says(" connected ", after=said)
        async with client(broker.settings("device"), "again") as device:
            await device.publish("beat/a", "{}")
            back = at.hub.lines.times[-1]
            line = await at.hub.says(" firing ", "Silent", seconds=2 + SLACK)
        assert seconds(line.split()[0]) > back + 1


async def test_a_retained_message_is_no_sign_of_life_and_no_event_but_a_value(tmp_path, broker):
    rules = (
        ABSENT
        + """
  - {event: Beat, topic: "beat/{device}"}
  - {alert: Loaded, topic: "beat/{device}", when: load > 50}
"""
    )
    async with client(broker.settings("device"), "early") as device:
        await device.publish("beat/old", json.dumps({"load": 99}), retain=True)
    async with scene(tmp_path, broker, rules) as at:
        await at.notified("Loaded", "firing", device="old")
        await at.notified("Silent", "firing", within=2 + SLACK, device="old")
        await at.settled()
        assert at.notifications("Beat") == []
        await at.send("beat/old", {"load": 1})
        await at.notified("Silent", "resolved", device="old")
        assert len(at.notifications("Beat")) <= 1
        await at.notified("Beat", "event")


class Beating:
    """A device that is heard every 400 ms."""

    def __init__(self, at, name):
        self.at, self.name = at, name

    async def __aenter__(self):
        await self.at.send(f"beat/{self.name}", {"load": 1})
        self.task = asyncio.create_task(self.run())

    async def __aexit__(self, *_):
        self.task.cancel()

    async def run(self):
        while True:
            await asyncio.sleep(0.4)
            await self.at.send(f"beat/{self.name}", {"load": 1})


async def test_clean_restarts_cost_absent_no_more_than_the_time_for_which_the_hub_was_off(tmp_path, broker):
    rule = '  - {alert: Silent, topic: "alive/{device}", absent: 6s}\n'
    async with scene(tmp_path, broker, rule) as at:
        sent, off = await at.send("alive/1", {}), 0.0
        await at.settled()
        for _ in range(3):
            begun = time.time()
            await at.hub.stop()
            await at.hub.start()
            off += time.time() - begun
        told = await at.notified("Silent", "firing", within=6 + off + SLACK)
        assert 6 <= seconds(told["since"]) - sent + 0.001 < 6 + off + 1.0
