"""Who else is there: each node says that it lives, and what it has. An owner that is silent is suspected.

The beats are plain messages, which a Raft election of the log's servers does not hold up. A node that does not hear its
own beats cannot know who is silent, and suspects nobody.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from nats.aio.msg import Msg

from hub.cluster.log.lease import Lease
from hub.cluster.log.state_log import LogNames
from hub.cluster.servers.link import Link, LinkError, NobodyAnswers
from hub.limits import (
    BEAT_SECONDS,
    BEATS_KEPT_SECONDS,
    GONE_AGAIN_SECONDS,
    GONE_ASK_SECONDS,
    NODE_GONE_SECONDS,
    OWN_ECHO_SECONDS,
)

__all__ = ["Member", "Members"]


@dataclass(frozen=True, slots=True)
class Member:
    """What a node has said of itself, and when that was heard, in seconds of `Lease.now`."""

    node: str
    incarnation: str
    heard: float
    about: Mapping[str, Any]

    @property
    def applied(self) -> int:
        """How far it has the log."""
        return int(self.about.get("applied", 0))

    @property
    def trouble(self) -> str:
        """Why it cannot follow the log; "" where it does."""
        return str(self.about.get("trouble", ""))

    @property
    def left(self) -> bool:
        """Whether it was told to own nothing any more."""
        return bool(self.about.get("left"))

    @property
    def owns(self) -> bool:
        """Whether it says that it owns the unit."""
        return bool(self.about.get("owns"))


class Members:
    """Says that this node lives, and keeps what the others say. `about` returns what this node says of itself."""

    def __init__(
        self, link: Link, names: LogNames, node: str, incarnation: str, about: Callable[[], Mapping[str, Any]]
    ) -> None:
        """Say nothing yet."""
        self._link, self._names, self.node, self.incarnation, self._about = link, names, node, incarnation, about
        self.found: dict[str, Member] = {}
        """By incarnation."""
        self.opening = set[str]()
        """Of which the last word was that it owns, and reads the state in."""
        self._own = self._hearing_since = 0.0
        self._now = asyncio.Event()

    async def run(self) -> None:
        """Speak and listen until cancelled."""
        await self._link.listen(self._names.alive, self._heard)
        await self._link.listen(self._names.node(self.incarnation), _answer)
        while True:
            await self.speak()
            try:
                async with asyncio.timeout(BEAT_SECONDS):
                    await self._now.wait()
            except TimeoutError:
                continue
            self._now.clear()

    def hurry(self) -> None:
        """Speak at once: something has changed."""
        self._now.set()

    async def speak(self) -> None:
        """Say once that this node lives."""
        await self._link.publish(self._names.alive, orjson.dumps(self._own_beat()))

    def _own_beat(self) -> dict[str, Any]:
        return {"node": self.node, "incarnation": self.incarnation, "sent": Lease.now(), **self._about()}

    def beats(self) -> list[Mapping[str, Any]]:
        """Return what the others said within NODE_GONE_SECONDS, and what this node would say now."""
        return [self._own_beat(), *self.others()]

    def others(self) -> list[Mapping[str, Any]]:
        """Return what the others said within NODE_GONE_SECONDS."""
        oldest = Lease.now() - NODE_GONE_SECONDS
        found = [each for each in self.found.values() if each.incarnation != self.incarnation]
        return [each.about for each in found if each.heard > oldest]

    def twin(self) -> str | None:
        """Return the address of another process that calls itself as this one; None where there is none."""
        return next((str(each.get("address", "")) for each in self.others() if each["node"] == self.node), None)

    async def _heard(self, message: Msg) -> None:
        try:
            said = orjson.loads(message.data)
            member = Member(str(said["node"]), str(said["incarnation"]), Lease.now(), said)
        except (ValueError, KeyError, TypeError):
            return  # somebody else's message
        self.found[member.incarnation] = member
        (self.opening.add if said.get("opening") else self.opening.discard)(member.incarnation)
        if member.incarnation == self.incarnation:
            if not self.hears:  # it was frozen, or cut off: what it has not heard before now says nothing
                self._hearing_since = Lease.now()
            self._own = float(said["sent"])

    @property
    def hears(self) -> bool:
        """Whether this node hears its own beats: else it is cut off, and the silence is its own."""
        return Lease.now() - self._own < OWN_ECHO_SECONDS

    def alive(self) -> list[Member]:
        """Return who was heard lately, this node among them, by name."""
        oldest = Lease.now() - BEATS_KEPT_SECONDS
        self.found = {name: each for name, each in self.found.items() if each.heard > oldest}
        return sorted(self.found.values(), key=lambda each: (each.node, each.incarnation))

    def silent(self, incarnation: str) -> float:
        """Return for how many seconds this node listened and did not hear a process; 0 while it hears nobody."""
        if not self.hears:
            return 0.0
        found = self.found.get(incarnation)
        return Lease.now() - max(self._hearing_since, 0.0 if found is None else found.heard)

    async def is_gone(self, incarnation: str) -> bool:
        """Ask a process directly: twice nobody listens there where it is gone, as its server has seen the socket close.

        One that is frozen, or cut off, still listens as far as its server knows.
        """
        for pause in (GONE_AGAIN_SECONDS, 0.0):
            try:
                await self._link.request(self._names.node(incarnation), seconds=GONE_ASK_SECONDS)
            except NobodyAnswers:
                await asyncio.sleep(pause)
            except LinkError:
                return False
            else:
                return False
        return True


async def _answer(message: Msg) -> None:
    if message.reply:
        await message.respond(b"")
