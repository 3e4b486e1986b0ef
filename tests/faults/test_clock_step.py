"""The wall clock of a running hub is set an hour forward or back: no timer speaks earlier or later, nothing is lost.

The hub is a process of its own whose SystemClock two signals set; the clock that never steps goes on, as on a machine
on which somebody, or a time service after a start without a battery, sets the time.
"""

import asyncio
import signal
import time
from contextlib import asynccontextmanager

import pytest

from tests.acceptance.scene import SLACK, scene, seconds
from tests.support.ends import Web
from tests.support.hub import STEPS

RULES = """
  - {alert: Held, topic: "held/{device}", when: v > 5, for: 4s}
  - {alert: Ends, topic: "ends/{device}", when: v > 5, clear_for: 4s}
  - {alert: Silent, topic: "alive/{device}", absent: 5s}
  - {alert: Again, topic: "again/{device}", when: v > 5, repeat: 4s}
  - {alert: Steps, topic: "steps/{device}", when: v > 5, notify: [], escalate: [{after: 4s, to: [bus]}]}
  - {event: Slow, topic: "slow/{device}", notify: [down]}
  - {event: Told, topic: "told/{device}"}
"""
DOWN = 'down: {{webhook: {{url: "{url}"}}, fallback: {{to: bus, after: 6s}}}}'
STEP = {"forward": signal.SIGUSR1, "back": signal.SIGUSR2}


@asynccontextmanager
async def clocked(folder, broker):
    """Set a scene whose hub has a clock to set, a receiver that is down, and a device that speaks all the time."""

    async def alive(at):
        while True:
            await at.send("alive/1", "{}")
            await asyncio.sleep(0.5)

    async with Web() as hook:
        pass  # now there is a port at which nobody listens
    limits = {"REPEAT_SECONDS": 1.0}
    async with scene(folder, broker, RULES, DOWN.format(url=hook.url), before=STEPS, limits=limits) as at:
        speaking = asyncio.create_task(alive(at))
        try:
            yield at, speaking
        finally:
            speaking.cancel()


async def begin(at):
    """Let every timer begin to run; return when that was."""
    for topic, v in (("held/1", 9), ("ends/1", 9), ("ends/1", 1), ("again/1", 9), ("steps/1", 9)):
        await at.send(topic, {"v": v})
    begun = time.monotonic()
    await at.send("slow/1", {"v": 1})
    await at.notified("Again", "firing")
    return begun


async def due(at, begun, alertname, step, after):
    """Wait for a step of an alert's first episode; it comes neither early nor late."""

    def come(_):
        return any(each["id"].endswith(f"-1-{step}") for each in at.notifications(alertname))

    await at.told.until(come, after + SLACK, f"{alertname} {step}")
    assert time.monotonic() - begun > after - 1.5, f"{alertname} {step} came too early"


async def all_in_time(at, begun):
    async with asyncio.TaskGroup() as group:
        for each in (
            ("Held", "firing", 4),
            ("Ends", "resolved", 4),
            ("Again", "repeat-1", 4),
            ("Steps", "escalate-1", 4),
            ("Slow", "event", 6),
        ):
            group.create_task(due(at, begun, *each))


@pytest.mark.parametrize("way", STEP)
async def test_no_timer_speaks_earlier_or_later_when_the_clock_of_a_running_hub_is_set(tmp_path, broker, way):
    async with clocked(tmp_path, broker) as (at, speaking):
        begun = await begin(at)
        at.hub.signal(STEP[way])
        await at.send("told/1", {"n": 1})
        told = await at.notified("Told", "event")
        ahead = 3600 if way == "forward" else -3600
        assert abs(seconds(told["event"]["time"]) - time.time() - ahead) < SLACK
        await at.hub.says("clock", "1h")
        await all_in_time(at, begun)
        assert at.notifications("Silent") == [], "it has spoken all the time"
        speaking.cancel()
        quiet = time.monotonic()
        await due(at, quiet, "Silent", "firing", 5)
        assert len({each["id"] for each in at.notifications()}) == len(at.notifications())


async def test_a_clock_that_was_set_back_while_the_hub_was_off_delays_no_timer(tmp_path, broker):
    async with clocked(tmp_path, broker) as (at, _):
        at.hub.signal(signal.SIGUSR1)  # the hub is an hour ahead, and the one after it is not
        begun = await begin(at)
        await at.hub.kill()
        await at.hub.start()
        await at.hub.says("clock", "back")
        await all_in_time(at, begun)
        assert at.notifications("Silent") == []
