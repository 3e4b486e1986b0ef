"""A node: stands by until it has claimed the unit, owns it, and stands by again. `hub run` drives it like an App."""

import asyncio
import gc
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hub import __version__
from hub.clock import Clock
from hub.cluster.chores import Chores
from hub.cluster.log.lease import Lease
from hub.cluster.log.mark import Mark
from hub.cluster.log.replica import Replica
from hub.cluster.log.state_log import LogNames
from hub.cluster.members import Members
from hub.cluster.orders import Orders
from hub.cluster.ownership import Ownership, Work
from hub.cluster.rule_files import RuleFiles
from hub.cluster.servers.jetstream import JetStream, LogRefused
from hub.cluster.servers.link import Link, LinkError
from hub.cluster.standby import Standby, TakenClaim
from hub.cluster.told.cluster_picture import LogEnd
from hub.cluster.told.company import Company
from hub.cluster.voice import Voice
from hub.limits import BEAT_TEXT_CHARS, LINK_WAIT_SECONDS, STALE_SECONDS, TIDY_SECONDS
from hub.node.opening import Opening
from hub.project.files import Files
from hub.settings.cluster_settings import ClusterSettings
from hub.spine.crew import crew

__all__ = ["ClusterNode"]

T = TypeVar("T")


class ClusterNode:
    """One process of a cluster.

    `work` makes what an owner runs, `rules` are the rules of this node, `replica` opens this node's copy of the log of
    the cluster with an id; `path` is where that copy is, `address` where people reach this node. `front` serves HTTP
    for it.
    """

    def __init__(
        self,
        *,
        cluster: ClusterSettings,
        link: Link,
        voice: Voice,
        clock: Clock,
        rules: RuleFiles,
        path: Path,
        work: Callable[[Opening], Work],
        replica: Callable[[str], Awaitable[Replica]],
        address: str = "",
        front: "Callable[[ClusterNode], Coroutine[Any, Any, None]] | None" = None,
    ) -> None:
        """Connect to nothing yet."""
        self._cluster, self.link, self._voice, self._clock = cluster, link, voice, clock
        self._rules, self._path, self._make, self._open, self._front = rules, path, work, replica, front
        self._address = address
        self.names = LogNames(cluster.name)
        incarnation = f"{cluster.node}.{secrets.token_hex(4)}"
        self.members = Members(link, self.names, cluster.node, incarnation, self._about)
        self._since, self._lost_answers = clock.now(), 0
        self.company = Company(
            names=self.names,
            members=self.members,
            voice=voice,
            clock=clock,
            end=self._log_end,
            lost_answers=lambda: (
                self._lost_answers + (self.ownership.log.lost_answers if self.ownership is not None else 0)
            ),
        )
        self.orders = Orders(link, self.names, cluster.node, self._carry_out)
        self.left = False
        """Whether an operator has told this node to own nothing any more, until it is started again."""
        self._stop = asyncio.Event()
        self.standby: Standby | None = None
        """Once the cluster was found."""
        self.chores: Chores | None = None
        self.ownership: Ownership | None = None
        """While this node owns."""

    def stop(self) -> None:
        """Hand over what this node owns, then let `run` return."""
        self._stop.set()
        self.hand_over()

    def reload(self) -> None:
        """Load the rules anew, where this node owns; a standby looks at its files all the time."""
        if self.ownership is not None:
            self.ownership.reload()

    def hand_over(self, to: str = "") -> None:
        """End what this node owns, in good order, and stand by; the named node is to follow."""
        if self.ownership is not None:
            self._voice.hands_over(to)
            self.ownership.stop(to)

    def _carry_out(self, order: str, to: str) -> str:
        """Carry out an operator's order; return what is wrong with it, or ""."""
        if order == "move":
            if self.ownership is None:
                return "does not own the unit"
            if to not in {each.node for each in self.members.alive() if not each.trouble and not each.left}:
                return f"there is no node {to!r} that could own it"
            self.hand_over(to)
        elif order == "forget":
            return self.company.forget(to) if self.ownership is not None else "does not own the unit"
        elif order == "leave":
            self.left = True
            self.hand_over()
        else:
            return f"{order!r} is no order"
        return ""

    async def run(self) -> None:
        """Stand by and own until stopped.

        Raises:
            HubError: this node must not go on; see App.

        """
        async with crew() as group:
            background = [
                group.spawn("nats", self.link.run()),
                group.spawn("members", self.members.run()),
                group.spawn("rules", self._rules.run()),
            ]
            if self._front is not None:
                background.append(group.spawn("http", self._front(self)))
            await self.orders.listen()
            try:
                await self._live()
            finally:
                for task in background:
                    task.cancel()

    async def _live(self) -> None:
        cluster = await self._until_stopped(self._find_cluster())
        if cluster is None:
            return
        replica = await self._until_stopped(self._open(cluster))  # which waits for room where the disk is full
        if replica is None:
            return
        standby = self.standby = Standby(
            link=self.link,
            names=self.names,
            cluster=self._cluster,
            replica=replica,
            members=self.members,
            clock=self._clock,
            rules=self._hash,
            may_claim=lambda: not self.left,
            voice=self._voice,
        )
        chores = self.chores = Chores(self.link, standby, self.members, lambda: self.ownership, self._voice)
        try:
            async with crew() as group:
                beside = [
                    group.spawn("chores", chores.run()),
                    group.spawn("disk", self._give_up_with_a_full_disk(replica)),
                ]
                while not self._stop.is_set():
                    claim = await self._until_stopped(_tidying(standby.until_claimed()))
                    if claim is not None:
                        await self._own(claim, replica)
                for task in beside:
                    task.cancel()
        finally:
            await replica.store.close()

    async def _give_up_with_a_full_disk(self, replica: Replica) -> None:
        """Hand over where this node's copy cannot be written for a lease, and another node could own."""
        failed = False
        while True:
            await asyncio.sleep(self._cluster.lease)
            before, failed = failed, replica.store.failing.is_set()
            others = [each for each in self.members.alive() if each.node != self._cluster.node]
            if before and failed and any(not each.trouble and not each.left for each in others):
                self.hand_over()

    async def _own(self, claim: TakenClaim, replica: Replica) -> None:
        self._voice.owns(claim.log.tip.seq, claim.before.node, claim.unheard)
        owning = self.ownership = Ownership(
            claim=claim,
            replica=replica,
            link=self.link,
            lease=self._cluster.lease,
            path=self._path,
            clock=self._clock,
            rules=self._hash,
            voice=self._voice,
        )
        self._since = self._clock.now()
        self.members.hurry()
        if self._stop.is_set():
            owning.stop()
        try:
            await owning.run(self._make)
        finally:
            self._lost_answers += owning.log.lost_answers
            self.ownership, self._since = None, self._clock.now()
            self.members.hurry()

    async def _find_cluster(self) -> str:
        """Return the id of the cluster, as soon as its streams are there."""
        stream = JetStream(self.link)
        while True:
            await self.link.ready()
            try:
                info = await stream.info(self.names.stream)
            except (LinkError, LogRefused) as error:
                self._voice.waits(str(error))
            else:
                if info is not None:
                    return str(info["config"].get("metadata", {}).get("hub-cluster", "")) or str(info["created"])
                self._voice.waits(f"there is no stream {self.names.stream} {_how_made(self._path)}")
            await asyncio.sleep(LINK_WAIT_SECONDS)

    async def _until_stopped(self, work: Awaitable[T]) -> T | None:
        """Return the result of the work; None where the node is stopped first."""
        task, stopped = asyncio.ensure_future(work), asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            task.cancel()
            stopped.cancel()
            await asyncio.gather(task, stopped, return_exceptions=True)

    # what the HTTP server of the node asks

    @property
    def replica(self) -> Replica | None:
        """This node's copy, once it is open."""
        return self.standby.replica if self.standby is not None else None

    def files(self) -> Files:
        """Return the rules and devices of this node."""
        return self._rules.files[0]

    def owner(self) -> str:
        """Return the node that owns the unit and was heard within a lease; "" where none does."""
        if self.ownership is not None:
            return self._cluster.node
        if self.standby is None or self.standby.follower is None:
            return ""
        owner = self.standby.follower.owner
        return owner.node if self.members.silent(owner.incarnation) < self._cluster.lease else ""

    def why_stale(self) -> str:
        """Return why this node's copy is not fresh; "" where it is."""
        if self.ownership is not None:
            return ""
        if self.standby is None or self.standby.follower is None:
            return "this node has not found its cluster yet"
        if self._voice.trouble:
            return self._voice.trouble
        if not self.standby.follower.current_at:
            return "this node has not read all of the log yet"
        late = Lease.now() - self.standby.follower.current_at
        return f"this node's copy was current {late:.0f} s ago" if late > STALE_SECONDS else ""

    def _hash(self) -> str:
        return self._rules.hash

    def _about(self) -> dict[str, Any]:
        """Return what this node says of itself to the others, once it has looked who they are."""
        self.company.look(left=self.left)
        self._voice.twin(self.members.twin())
        standby, applied, seen = self.standby, Mark(), Mark()
        if standby is not None:
            applied, seen = standby.replica.written, standby.replica.handed
            if standby.follower is not None and self.ownership is None:
                seen = max(seen, standby.follower.seen)
        return {
            "version": __version__,
            "rules": self._rules.hash,
            "applied": applied.seq,
            "applied_time": applied.time,
            "seen": seen.seq,
            "seen_time": seen.time,
            "owns": self.ownership is not None,
            "opening": self.ownership is not None and self.ownership.is_opening,
            "since": self._since,
            "clock": self._clock.now(),
            "left": self.left,
            "trouble": self._voice.trouble or (standby.replica.store.why_failing() if standby is not None else ""),
            "forked": self._voice.forked,
            "refused": self._rules.refused[:BEAT_TEXT_CHARS],
            "disk": self.chores.disk if self.chores is not None else {},
            "address": self._address,
            "known": self.company.known.gone,
        }

    def _log_end(self) -> LogEnd:
        """Return what this node knows of the log and of who owns by it."""
        chores, standby, owner, released = self.chores, self.standby, "", 0.0
        if self.ownership is not None:
            owner = self.members.incarnation
        elif standby is not None and standby.follower is not None:
            owner = standby.follower.owner.incarnation
            released = 0.0 if owner else standby.follower.owner.since
        if chores is None:
            return LogEnd(owner=owner, released=released)
        return LogEnd(Mark(), owner, chores.log_bytes, chores.max_bytes, chores.latest, released)


async def _tidying(standing_by: Awaitable[T]) -> T:
    """Stand by, and tidy up behind an owner before, in a while: now the next one needs this machine's time."""
    loop = asyncio.get_running_loop()
    later = loop.call_later(TIDY_SECONDS, _tidy)
    try:
        found = await standing_by
        if loop.time() < later.when():
            _tidy()  # before there is another state to look through
        return found
    finally:
        later.cancel()


def _how_made(path: Path) -> str:
    """Say how the log is made: where this node has a copy, there was one, and a new one would begin with nothing."""
    if path.exists():
        return f"any more: {path} is of one that was there; see 'A stream that is gone' in docs/cluster.md"
    return "yet; `hub cluster create` makes it, once"


def _tidy() -> None:
    """Let go of what an owner held, and leave little to look through when this node owns the next time.

    The App has frozen what it held, as if it ended with the process: it does not here.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
