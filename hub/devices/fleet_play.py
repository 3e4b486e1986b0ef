"""Plays fleets against a broker: each has its own connection, and its time stands still while that is lost."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub.devices.fleet import Fleet
from hub.devices.player import Player
from hub.devices.publisher import FleetPublisher
from hub.ingest.mqtt.session import BrokerSettings

__all__ = ["Play", "PlayTally", "scaled"]

_TICK_SECONDS = 0.01  # what is due within is sent with one write; no device is later than this
_LAG_SECONDS = 1.0  # behind by more, and the fleet's time waits instead of bursting
_LAST_WORDS_SECONDS = 5.0  # for the acknowledgements of what is under way at the end


@dataclass(frozen=True, slots=True)
class PlayTally:
    """The figures of a play, of one fleet or of all."""

    devices: int
    sent: int
    unanswered: int
    """How many of those sent were at QoS 0, which the broker does not acknowledge."""
    acknowledged: int
    refused: int
    reconnects: int
    refusal: str
    """Why the broker refused messages."""
    complaint: str
    """What ended a connection."""


def scaled(fleets: Sequence[Fleet], size: int) -> list[Fleet]:
    """Share `size` devices out among the fleets in today's proportions; leave out fleets that get none."""
    whole = sum(len(fleet.devices) for fleet in fleets)
    shares = [divmod(size * len(fleet.devices), whole) for fleet in fleets]
    sizes = [share for share, _ in shares]
    by_remainder = sorted(range(len(fleets)), key=lambda i: -shares[i][1])
    for i in by_remainder[: size - sum(sizes)]:
        sizes[i] += 1
    return [fleet.sized(number) for fleet, number in zip(fleets, sizes, strict=True) if number]


class Play:
    """Fleets at play. `rate` changes the intervals so that all devices together send so many events a second.

    `speed` lets simulated time run faster than ours; it applies to intervals, curves and faults alike.
    """

    def __init__(
        self,
        fleets: Sequence[Fleet],
        settings: BrokerSettings,
        *,
        seed: int = 0,
        rate: float | None = None,
        speed: float = 1.0,
    ) -> None:
        """Take fleets with a payload and devices; their client ids are `settings.client_id` and the fleet's name."""
        natural = sum(fleet.rate for fleet in fleets) * speed
        stretch = natural / rate if rate else 1.0
        self.speed, self.rate = speed, natural / stretch
        self.parts = [_Part(fleet, Player(fleet, seed, stretch), _publisher(fleet, settings)) for fleet in fleets]
        self._stopped = asyncio.Event()
        self._began = self._ended = 0.0

    def stop(self) -> None:
        """Let `run` end in order."""
        self._stopped.set()

    async def run(self, seconds: float | None = None) -> None:
        """Connect all fleets, then play them for so long, or until `stop`.

        Raises:
            BrokerUnreachable, ConnectionRefused: before anything was sent; later a lost connection is made anew.

        """
        clock = asyncio.get_running_loop().time
        for part in self.parts:
            await part.publisher.connect()
        self._began = clock()
        async with asyncio.TaskGroup() as tasks:
            wires = [
                tasks.create_task(each.publisher.run(), name=f"publisher {each.fleet.name}") for each in self.parts
            ]
            plays = [tasks.create_task(self._play(each), name=f"fleet {each.fleet.name}") for each in self.parts]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._stopped.wait()
            self._ended = clock()
            for task in plays:
                task.cancel()
            await asyncio.gather(*(part.publisher.close(_LAST_WORDS_SECONDS) for part in self.parts))
            for task in wires:
                task.cancel()

    async def _play(self, part: "_Part") -> None:
        player, publisher, fleet, speed = part.player, part.publisher, part.fleet, self.speed
        clock = asyncio.get_running_loop().time
        start = clock()
        while True:
            await publisher.more_room(fleet.qos)
            room = publisher.room(fleet.qos)
            now = (clock() - start) * speed
            late = (now - player.next_due) / speed
            if late > _LAG_SECONDS:
                start += late
                now = player.next_due
            messages = player.due(now, room)
            if messages:
                publisher.send(messages, fleet.qos, fleet.retain)
            if len(messages) < room:
                await asyncio.sleep(max(_TICK_SECONDS, (player.next_due - now) / speed))
            else:
                await asyncio.sleep(0)

    @property
    def seconds(self) -> float:
        """For how many seconds it has played since all fleets were connected."""
        return ((self._ended or asyncio.get_running_loop().time()) - self._began) if self._began else 0.0

    @property
    def connected(self) -> bool:
        """Whether all fleets are connected."""
        return all(part.publisher.connected for part in self.parts)

    def tally(self) -> PlayTally:
        """Return the figures of all fleets together, as they are now."""
        parts = [part.tally() for part in self.parts]
        return PlayTally(
            sum(part.devices for part in parts),
            sum(part.sent for part in parts),
            sum(part.unanswered for part in parts),
            sum(part.acknowledged for part in parts),
            sum(part.refused for part in parts),
            sum(part.reconnects for part in parts),
            next((part.refusal for part in parts if part.refusal), ""),
            next((part.complaint for part in parts if part.complaint), ""),
        )


@dataclass(frozen=True, slots=True)
class _Part:
    """A fleet, its story, and its connection."""

    fleet: Fleet
    player: Player
    publisher: FleetPublisher

    def tally(self) -> PlayTally:
        """Return the fleet's figures."""
        us = self.publisher
        unanswered = 0 if self.fleet.qos else us.sent
        devices, again = len(self.fleet.devices), max(0, us.connections - 1)
        return PlayTally(devices, us.sent, unanswered, us.acknowledged, us.refused, again, us.refusal, us.complaint)


def _publisher(fleet: Fleet, settings: BrokerSettings) -> FleetPublisher:
    own = replace(settings, client_id=f"{settings.client_id}-{fleet.name}", session_expiry=0.0)
    return FleetPublisher(own, fleet.will, fleet.birth)
