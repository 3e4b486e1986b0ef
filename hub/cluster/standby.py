"""What a node does while another one owns: it follows the log, looks whether the owner lives, and claims.

    following -> claiming -> (ownership.py)

A wrong suspicion costs a hand-over, never data: the log takes a claim only from a node that has all of it.
"""

import asyncio
import contextlib
from collections.abc import Callable
from math import inf
from typing import NamedTuple

from hub.clock import Clock
from hub.cluster.log.follower import (
    NEVER,
    Astray,
    Follower,
    LogForked,
    LogOwner,
    SnapshotNeeded,
    ahead_of_store,
    heard_until,
)
from hub.cluster.log.lease import Lease
from hub.cluster.log.log_record import RecordKind
from hub.cluster.log.replica import Replica
from hub.cluster.log.row_formats import our_formats, unread
from hub.cluster.log.snapshots import Snapshots
from hub.cluster.log.state_log import LogNames, StateLog
from hub.cluster.members import Members
from hub.cluster.servers.jetstream import JetStream, LogFull, LogRefused
from hub.cluster.servers.link import Link, LinkError
from hub.cluster.voice import Voice
from hub.errors import StoreDamaged, StoreError, StoreUnusable
from hub.limits import (
    CLAIM_LOOK_SECONDS,
    CLOCKS_APART_SECONDS,
    HAND_OVER_SECONDS,
    LINK_WAIT_SECONDS,
    LOG_AGAIN_SECONDS,
    LOG_SHORTER_SECONDS,
    OPENING_SECONDS,
    OVERDUE_SECONDS,
    RANK_SECONDS,
)
from hub.settings.cluster_settings import ClusterSettings
from hub.spine.timers import wait
from hub.store.changes import Changes

__all__ = ["Standby", "TakenClaim"]


class TakenClaim(NamedTuple):
    """A claim that the log has taken."""

    log: StateLog
    """To go on with."""
    unheard: float | None
    """For how many seconds before it no device was heard; None where nobody ever owned the unit."""
    began: float
    """When it was sent, by `Lease.now`."""
    stored: float
    """When the servers stored it."""
    before: LogOwner = LogOwner()
    """Who owned before."""
    ahead: float | None = None
    """By how much the clock behind the state's times is ahead of the store's; None where there is no state."""
    step: float = 0.0
    """By how much this node's clock is ahead of that one."""


class Standby:
    """Follows into one replica. `rules` returns the hash of this node's rules, `may_claim` whether it may own."""

    def __init__(
        self,
        *,
        link: Link,
        names: LogNames,
        cluster: ClusterSettings,
        replica: Replica,
        members: Members,
        clock: Clock,
        rules: Callable[[], str],
        may_claim: Callable[[], bool],
        voice: Voice,
    ) -> None:
        """Follow nothing yet."""
        self._link, self.names, self._cluster, self.replica = link, names, cluster, replica
        self._members, self._clock, self._rules, self._voice = members, clock, rules, voice
        self._may_claim = may_claim
        self._stream, self.snapshots = JetStream(link), Snapshots(link, names)
        self._no_claim = ""
        self._forked_since = inf
        """Since when the log and the copy seem to disagree, by `Lease.now`; infinite while they agree."""
        self._stuck = -1
        """The record behind which one stands that this node does not read; -1 while there is none."""
        self.follower: Follower | None = None
        """What follows now, or did before this node owned."""

    async def until_claimed(self) -> TakenClaim:
        """Follow the log until this node has claimed the unit."""
        while True:
            await self._link.ready()
            follower = self.follower = Follower(self._link, self.names, self.replica)
            try:
                await follower.begin()
                self._forked_since = inf
                self._say_who_is_followed(follower)
                return await self._follow(follower)
            except SnapshotNeeded as error:
                await self._catch_up(str(error))
            except StoreDamaged:
                raise  # of this node's file: the next start sets it aside and begins anew
            except LogForked as error:
                await self._doubt(error)
            except StoreUnusable as error:
                self._stuck = self.replica.tip.seq
                self._voice.cannot_follow(str(error))
                await asyncio.sleep(HAND_OVER_SECONDS)
            except Astray:
                await asyncio.sleep(LINK_WAIT_SECONDS)
            except (LinkError, LogRefused) as error:
                self._voice.waits(str(error))
                await asyncio.sleep(LINK_WAIT_SECONDS)

    def _say_who_is_followed(self, follower: Follower) -> None:
        """Say it, unless the next record is the one that this node could not read: it would not follow for long."""
        if self.replica.tip.seq != self._stuck:
            self._voice.follows(follower.end.seq, follower.owner.node)

    async def _doubt(self, fork: LogForked) -> None:
        """Say that the log and the copy disagree once that has stood for a while, by the word of who leads the log.

        A server that was frozen, or is cut off, still answers as the leader that it was, and has less than the log.
        """
        self._forked_since = min(self._forked_since, Lease.now())
        if Lease.now() - self._forked_since >= LOG_SHORTER_SECONDS:
            with contextlib.suppress(LinkError, LogRefused):  # nobody leads the log: nobody knows
                if await self._stream.is_led(self.names.stream):
                    self._voice.cannot_follow(str(fork), forked=True)
        await asyncio.sleep(LOG_AGAIN_SECONDS)

    async def _catch_up(self, why: str) -> None:
        """Take the newest snapshot, where it has more than this node's copy."""
        path = self.replica.store.path
        aside = path.with_name(f"{path.name}.fetched")
        try:
            manifest = await self.snapshots.latest()
            if manifest is None or manifest.seq <= self.replica.tip.seq:
                self._voice.cannot_follow(
                    f"{why}, and no snapshot has more; was `hub cluster import` cut off? do it again"
                )
                await asyncio.sleep(HAND_OVER_SECONDS)
                return
            if newer := unread(manifest.formats):
                raise StoreUnusable(
                    f"hub {manifest.version} has made it, and this one does not read its rows ({newer}); install that"
                    " version here"
                )
            await self.snapshots.get(manifest, aside)
            await self.replica.take(aside)
        except (LinkError, LogRefused, StoreError) as error:
            self._voice.cannot_follow(f"{why}; the snapshot cannot be taken: {error}")
            await asyncio.sleep(HAND_OVER_SECONDS)
        else:
            self._voice.tell("log", f"{why}: the snapshot of node {manifest.node} at record {manifest.seq} was taken")
        finally:
            await asyncio.to_thread(aside.unlink, missing_ok=True)  # the half of one would keep a full disk full

    async def _follow(self, follower: Follower) -> TakenClaim:
        following = asyncio.create_task(follower.run(), name="follow")
        claiming = asyncio.create_task(self._claim_when_free(follower), name="claim")
        try:
            await asyncio.wait({following, claiming}, return_when=asyncio.FIRST_COMPLETED)
            if claiming.done():
                return claiming.result()
            following.result()
            raise LinkError("the log was not followed further")
        finally:
            for task in (following, claiming):
                task.cancel()
            await asyncio.gather(following, claiming, return_exceptions=True)

    async def _claim_when_free(self, follower: Follower) -> TakenClaim:
        """Return the claim, once the owner is gone and this node is the first to say so."""
        while True:
            await wait(follower.owner_changed, CLAIM_LOOK_SECONDS)  # a unit that is released is claimed at once
            follower.owner_changed.clear()
            owner = follower.owner
            self._say_who_is_followed(follower)
            if self.replica.store.failing.is_set():
                continue  # its disk is full: it could not keep what it would own
            if not (self._may_claim() and self._link.connected and self._members.hears and follower.is_current):
                continue  # who is cut off hears nobody, and must not take its own silence for the owner's
            if not await self._is_free(follower):
                continue
            await asyncio.sleep(self._rank(follower) * RANK_SECONDS)
            if follower.owner != owner or not self._is_still_free(owner):
                continue  # another was first, or the owner is back
            if (claim := await self._claim(follower)) is not None:
                return claim

    async def _is_free(self, follower: Follower) -> bool:
        """Tell whether the unit may be claimed: it was released, or its owner is silent for a lease, or gone.

        An owner that reads the state in can say nothing meanwhile, and whoever followed it then would take as long:
        with a large state nobody would ever get through.
        """
        owner = follower.owner
        if owner.incarnation in ("", self._members.incarnation):
            mine = owner.to in ("", self._cluster.node)
            return mine or Lease.now() - follower.owner_seen > HAND_OVER_SECONDS
        silent = self._members.silent(owner.incarnation)
        if silent < OVERDUE_SECONDS:
            return False
        patience = OPENING_SECONDS if owner.incarnation in self._members.opening else self._cluster.lease
        return silent > patience or await self._members.is_gone(owner.incarnation)

    def _is_still_free(self, owner: LogOwner) -> bool:
        """Tell whether the owner has said nothing while this node waited for its turn."""
        if owner.incarnation in ("", self._members.incarnation):
            return True
        return self._members.silent(owner.incarnation) >= OVERDUE_SECONDS

    def _rank(self, follower: Follower) -> int:
        """Return how many candidates come before this node: those that have more of the log, then by name."""
        if follower.owner.to == self._cluster.node:
            return 0  # the others wait for this node
        mine = (-follower.end.seq, self._cluster.node, self._members.incarnation)
        others = [each for each in self._members.alive() if each.incarnation != self._members.incarnation]
        return sum(
            (-each.applied, each.node, each.incarnation) < mine for each in others if not each.trouble and not each.left
        )

    async def _claim(self, follower: Follower) -> TakenClaim | None:
        """Write a claim behind all that this node has; None where it was not taken."""
        end = follower.end
        await self.replica.settled()  # before the claim: an owner whose file lacks what the log has must not begin
        if follower.end != end:
            return None
        before, owner, incarnation = follower.last, follower.owner, self._members.incarnation
        log = StateLog(self._link, self.names, incarnation, end, self._clock.now)
        headers = {"Hub-Rules": self._rules(), "Hub-Formats": our_formats()}
        ahead = None if before is None else ahead_of_store(before)
        heard = None if before is None else heard_until(before)
        headers["Hub-Heard-Until"] = NEVER if heard is None else repr(heard)
        if ahead is not None:
            headers["Hub-Ahead"] = repr(ahead)
        began, now = Lease.now(), self._clock.now()
        try:
            tip = await log.try_once(RecordKind.CLAIM, headers)
            later = self._clock.now()
            written = await self._stream.last(self.names.stream, self.names.subject)
        except LogFull as full:
            self._refused(str(full))
            return None
        except (LogRefused, LinkError):
            return None  # another was first, or nobody knows: the log will show it
        self._refused("")
        if written is None or written.seq != tip.seq:
            return None
        if self.replica.tip.seq < tip.seq:
            self.replica.apply(Changes(), tip, written.time)
        unheard = None if heard is None else written.time - heard
        step = _step(ahead, now - written.time, later - written.time)
        return TakenClaim(log, unheard, began, written.time, owner, ahead, step)

    def _refused(self, why: str) -> None:
        """Say once why the log takes no claim."""
        if why and why != self._no_claim:
            self._voice.waits(why)
        self._no_claim = why


def _step(before: float | None, least: float, most: float) -> float:
    """Return by how much this node's clock differs from the one before, where that is more than a record's way.

    This node's clock is ahead of the store's by a time between `least` and `most`: the claim was stored at a moment
    between its sending and its answer, which may lie seconds apart on a busy machine.
    """
    step = 0.0 if before is None else min(max(before, least), most) - before
    return step if abs(step) >= CLOCKS_APART_SECONDS else 0.0
