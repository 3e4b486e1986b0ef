"""Follows the log of a unit into this node's copy. It is one log where each record names the one before it."""

import asyncio
from typing import NamedTuple

from hub.cluster.log.lease import Lease
from hub.cluster.log.log_record import RecordKind, Tip, decode_changes, part_of, prior_of
from hub.cluster.log.mark import Mark
from hub.cluster.log.replica import Replica
from hub.cluster.log.row_formats import unread
from hub.cluster.log.state_log import LogNames
from hub.cluster.servers.jetstream import JetStream, Stored
from hub.cluster.servers.link import Link
from hub.errors import StoreError, StoreUnusable
from hub.store.changes import Changes

__all__ = [
    "NEVER",
    "Astray",
    "Follower",
    "LogForked",
    "LogOwner",
    "SnapshotNeeded",
    "ahead_of_store",
    "heard_until",
]

NEVER = "never"
"""In Hub-Heard-Until: no owner has heard anybody yet."""


class LogForked(StoreUnusable):
    """What this node's copy holds is not what the log holds: one of them has lost what was acknowledged."""


class SnapshotNeeded(StoreError):
    """The log does not go back to where this node's copy ends: a snapshot has what lies between."""


class Astray(StoreError):
    """A record came that does not stand behind the one before: `begin` finds out whether that is a purge or a fork."""


class LogOwner(NamedTuple):
    """Who has written the last claim; an empty incarnation where the log is released, or nobody ever claimed it."""

    incarnation: str = ""
    since: float = 0.0
    """The store time of the claim."""
    rules: str = ""
    to: str = ""
    """The node to which a release hands the unit over, "" where it may be any."""

    @property
    def node(self) -> str:
        """The node that owns."""
        return self.incarnation.rpartition(".")[0]


class Follower:
    """Applies record after record."""

    def __init__(self, link: Link, names: LogNames, replica: Replica) -> None:
        """Begin behind the replica's tip."""
        self._link, self._names, self.replica = link, names, replica
        self._stream = JetStream(link)
        self._parts: list[bytes] = []
        self.end = replica.tip
        """The last record that came, be it only a part of a commit: behind it a claim is written."""
        self.owner = LogOwner()
        self.owner_changed = asyncio.Event()
        """Set when another one owns than before; who waits for it clears it."""
        self.last: Stored | None = None
        """The last record that was applied or seen, for its time."""
        self.owner_seen = 0.0
        """When this node saw that, by `Lease.now`."""
        self.is_current = False
        """Whether all that the log had a moment ago was applied."""
        self.current_at = 0.0
        """When that was, by `Lease.now`; 0 for never."""
        self.seen = Mark()
        """The last record that the log was seen to have."""

    async def begin(self) -> None:
        """Look whether the copy belongs to this log, and who owns the unit.

        Raises:
            LogForked, SnapshotNeeded: the copy cannot be continued.
            LogRefused, LinkError: the log cannot be read.

        """
        names, tip = self._names, self.replica.tip
        self.end, self._parts, self.is_current = tip, [], False
        last = await self._stream.last(names.stream, names.subject)
        self.seen = Mark(last.seq, last.time) if last is not None else Mark()
        if self.seen.seq < tip.seq:
            raise LogForked(_forked(names, f"this node's copy has record {tip.seq}, the log ends with {self.seen.seq}"))
        if last is None:
            self.is_current = True
            return
        begin = await self._stream.first(names.stream, names.subject, max(1, tip.seq))
        if begin is None:
            raise LogForked(_forked(names, f"record {tip.seq} is gone, and none is behind it"))
        if begin.seq == tip.seq:
            if Tip.of(begin) != tip:
                raise LogForked(_forked(names, f"record {tip.seq} is another one than this node's copy has"))
            self.replica.stands(begin.time)
        elif prior_of(begin) != tip.chain:
            raise SnapshotNeeded(f"the log begins with record {begin.seq}, this node's copy ends with {tip.seq}")
        await self._look_behind(tip)
        self._note(last)

    async def _look_behind(self, end: Tip) -> None:
        """Look whether the log is one chain from the copy's end up to the next whole commit.

        The parts of a commit are applied together, so a copy never ends between two of them: a chain that is broken
        there would else be met each time, and never be seen from the copy's end.

        Raises:
            LogForked: it is not.

        """
        names = self._names
        while (follows := await self._stream.first(names.stream, names.subject, end.seq + 1)) is not None:
            if prior_of(follows) != end.chain:
                raise LogForked(_forked(names, f"record {follows.seq} does not stand behind record {end.seq}"))
            part, parts = part_of(follows)
            if part == parts:
                return
            end = Tip.of(follows)

    def _note(self, record: Stored) -> None:
        """Learn from a record who owns the unit."""
        kind, headers = record.headers.get("Hub-Kind", ""), record.headers
        self.last, before = record, self.owner
        if kind == RecordKind.RELEASE:
            self.owner = LogOwner("", record.time, headers.get("Hub-Rules", ""), headers.get("Hub-To", ""))
        elif self.owner.incarnation != headers.get("Hub-Owner", "") or kind == RecordKind.CLAIM:
            self.owner = LogOwner(headers.get("Hub-Owner", ""), record.time, headers.get("Hub-Rules", ""))
        if self.owner != before:
            self.owner_seen = Lease.now()
            self.owner_changed.set()

    async def run(self) -> None:
        """Follow until cancelled.

        Raises:
            Astray: begin again.
            StoreUnusable: the log cannot be followed.
            LinkError, LogRefused: it cannot be read now; begin again.

        """
        stream = self._stream.follow(self._names.stream, self._names.subject, self.replica.tip.seq + 1)
        async for record in stream:
            if record is None:
                self.is_current, self.current_at = True, Lease.now()
            else:
                await self.take(record)

    async def take(self, record: Stored) -> None:
        """Apply one record, or keep a part of it until the last is there.

        Raises:
            Astray: it does not stand behind the one before.
            StoreUnusable: it cannot be read.

        """
        await self.replica.room()  # nothing waits below: a follower that is stopped has taken a record wholly or not
        part, parts = part_of(record)
        if prior_of(record) != self.end.chain:
            raise Astray(f"record {record.seq} does not stand behind record {self.end.seq}")
        if record.headers.get("Hub-Kind") == RecordKind.CLAIM:
            _check_rows(record)
        if record.headers.get("Hub-Kind") == RecordKind.IMPORT:
            raise SnapshotNeeded(f"another state was imported with record {record.seq}")
        self.seen = max(self.seen, Mark(record.seq + record.pending, record.time))
        self.end = Tip.of(record)
        if part == 1:
            self._parts = []  # of an owner that died between two parts: what came of them was never said to be durable
        self._parts.append(record.data)
        self._note(record)
        if part < parts:
            return
        body, self._parts = b"".join(self._parts), []
        self.replica.apply(_changes(record, body), self.end, record.time)


def _changes(record: Stored, body: bytes) -> Changes:
    kind = record.headers.get("Hub-Kind", "")
    return decode_changes(body) if kind in (RecordKind.DELTA, RecordKind.CLAIM) else Changes()


def heard_until(record: Stored) -> float | None:
    """Return up to when the devices could be heard, as the store's clock counts, by the log's last record.

    None where no owner has heard anybody yet: the broker has no session of the unit then, and none was lost.
    """
    if until := record.headers.get("Hub-Heard-Until"):
        return None if until == NEVER else float(until)
    return record.time - float(record.headers.get("Hub-Quiet", "0"))


def ahead_of_store(record: Stored) -> float | None:
    """Return by how much the clock behind the state's times is ahead of the store's, by the log's last record."""
    if ahead := record.headers.get("Hub-Ahead"):
        return float(ahead)
    clock = record.headers.get("Hub-Clock")
    return None if clock is None else float(clock) - record.time


def _check_rows(record: Stored) -> None:
    """Look whether this hub reads the rows of who writes from this claim on.

    Raises:
        StoreUnusable: a newer hub writes them.

    """
    if newer := unread(record.headers.get("Hub-Formats", "")):
        version = record.headers.get("Hub-Version", "")
        raise StoreUnusable(
            f"hub {version} writes the log from record {record.seq} on, and this one does not read its rows ({newer});"
            " install that version here: until then this node changes nothing and owns nothing"
        )


def _forked(names: LogNames, what: str) -> str:
    return (
        f"the log {names.subject} and this node's copy disagree: {what}. One of them has lost what was acknowledged;"
        " see HubLogForked in docs/cluster.md"
    )
