"""Measures the hub every few seconds and hands the results to the pipeline, as events on `$hub/…`.

contracts/own_voice.py lists them. They go the way of every event: durable with all they cause, judged by rules.yaml and
by the user's own rules.
"""

import asyncio
import contextlib
import shutil
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import orjson

from hub.clock import Clock
from hub.errors import StoreError
from hub.limits import SELF_WATCH_CALM_SECONDS, SELF_WATCH_SECONDS, SELF_WATCH_SOON_SECONDS
from hub.model import OWN_TOPICS, Event
from hub.notify.dispatcher import ReceiverStanding
from hub.rules.running.misses import Misses
from hub.selfwatch.event_tally import EventTally
from hub.selfwatch.peers import ALONE, Peers

__all__ = ["DROPPED", "DROPPED_SO_FAR", "SelfWatcher", "free_of"]

DROPPED = "$SYS/broker/publish/messages/dropped"
"""Where Mosquitto counts what it drops."""
DROPPED_SO_FAR = "broker_dropped"
_RECEIVER, _RULE = f"{OWN_TOPICS}receiver/", f"{OWN_TOPICS}rule/"
_IDLE: Mapping[str, Any] = {"circuit": "closed", "queued": 0, "oldest_seconds": 0.0}


class Way(Protocol):
    """What the watcher asks of the pipeline."""

    notes: dict[str, str | None]

    async def submit(self, events: Sequence[Event], key: str = "", *, own: bool = False) -> bool:
        """Evaluate events; return when all they caused is on disk."""
        ...


class SelfWatcher:
    """Turns the tally and the state of now into events. `spoken` are the topics of such events before a restart."""

    def __init__(
        self,
        tally: EventTally,
        way: Way,
        standing: Callable[[Collection[str]], Mapping[str, ReceiverStanding]],
        clock: Clock,
        state: Path,
        notes: Mapping[str, str],
        spoken: Iterable[str],
        misses: Misses,
        custody: Callable[[], Awaitable[str]] | None = None,
        peers: Peers = ALONE,
    ) -> None:
        """Take what is looked at.

        `standing` returns how each receiver stands, `state` is the path of the state file, `notes` is what the store
        holds, `misses` is what rules could not judge. `custody` returns what is wrong with the state file, else "".
        `peers` are the other nodes.
        """
        self._custody, self._misses, self._peers = custody, misses, peers
        self._tally, self._way, self._standing, self._clock, self._state = tally, way, standing, clock, state
        self._total: int | None = int(notes[DROPPED_SO_FAR]) if DROPPED_SO_FAR in notes else None
        self._dropped = 0
        begun = clock.monotonic()
        spoken = list(spoken)
        peers.recall(notes, spoken)
        levels = (topic.removeprefix(_RECEIVER) for topic in spoken if topic.startswith(_RECEIVER))
        self._receivers = dict.fromkeys(levels, begun)  # by level: when it was last there, or something was given up
        for topic in spoken:
            if topic.startswith(_RULE):
                tally.recall(topic.removeprefix(_RULE))

    @property
    def broker_dropped(self) -> int | None:
        """How many messages the broker says it has dropped since it started; None where it says nothing."""
        return self._total

    async def run(self) -> None:
        """Measure until cancelled, or until the store has ended."""
        with contextlib.suppress(StoreError):
            while True:
                await self._pause()
                free = await asyncio.to_thread(free_of, self._state.parent)
                wrong = await self._custody() if self._custody else ""
                await self._way.submit(self._events(free, wrong), own=True)

    def broker_says(self, payload: bytes) -> None:
        """Note how many messages the broker says it has dropped since it started."""
        try:
            total = int(payload)
        except ValueError:
            return  # another broker's topic of that name
        before = self._total
        if before is not None:
            self._dropped += total - before if total >= before else total  # less than before: it has started anew
        self._total = total
        self._way.notes[DROPPED_SO_FAR] = str(total)
        if self._dropped:
            self._tally.urgent.set()

    async def _pause(self) -> None:
        """Wait for the next time, or for something urgent and a little longer: it rarely comes alone."""
        urgent = self._tally.urgent
        try:
            async with asyncio.timeout(SELF_WATCH_SECONDS):
                await urgent.wait()
        except TimeoutError:
            return
        await asyncio.sleep(SELF_WATCH_SOON_SECONDS)
        urgent.clear()

    def _events(self, free: Mapping[str, float], wrong: str = "") -> list[Event]:
        now, tally = self._clock.now(), self._tally
        found: dict[str, Mapping[str, Any]] = {"session": tally.take_session(), "ingest": tally.take_ingest()}
        found |= {"rules": tally.rules(), "clock": tally.take_clock(), "state": tally.take_state(wrong)}
        if free:
            found["disk"] = free
        if self._total is not None:
            found["broker"] = {"dropped": self._dropped, "total": self._total}
            self._dropped = 0
        found |= {f"rule/{name}": payload for name, payload in tally.take_errors(self._misses)}
        found |= {f"receiver/{name}": payload for name, payload in self._of_receivers(now)}
        mark = self._peers.mark
        told = [(topic, {**payload, **mark}) for topic, payload in found.items()] + [*self._peers.events()]
        self._way.notes.update(self._peers.notes())
        return [_event(OWN_TOPICS + topic, payload, now) for topic, payload in told]

    def _of_receivers(self, now: float) -> Iterable[tuple[str, Mapping[str, Any]]]:
        """Yield the payload of each receiver.

        One that is gone is among them until rules that look back at it have seen it calm for long enough.
        """
        standing, seen = self._standing(self._tally.ignored), self._clock.monotonic()
        for name, at in standing.items():
            age = max(0.0, now - at.oldest) if at.queued else 0.0
            shown = {"circuit": at.circuit.value, "queued": at.queued, "oldest_seconds": round(age, 1)}
            self._receivers[_level(name)] = seen
            yield _level(name), shown | self._tally.take_receiver(name, waiting=at.queued > 0)
        names = {_level(name): name for name in self._tally.receivers_with_dead() if name not in standing}
        self._receivers |= dict.fromkeys(names, seen)
        there = {_level(name) for name in standing}
        for level in [level for level in self._receivers if level not in there]:
            yield level, {**_IDLE, **self._tally.take_receiver(names.get(level, level), waiting=False)}
            if seen - self._receivers[level] > SELF_WATCH_CALM_SECONDS:
                del self._receivers[level]


def _level(receiver: str) -> str:
    """Write a receiver's name as one level of a topic."""
    return receiver.replace("/", "%2F")


def _event(topic: str, payload: Mapping[str, Any], now: float) -> Event:
    return Event(topic, orjson.dumps(payload), payload, payload, now, 1, retain=False)


def free_of(folder: Path) -> dict[str, float]:
    """Return what is free on the disk of this folder; nothing where nobody knows."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return {}
    return {"free_bytes": usage.free, "free_percent": round(100 * usage.free / max(usage.total, 1), 2)}
