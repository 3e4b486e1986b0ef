"""What keeps the log short: a standby stores a snapshot when one is due, and the owner cuts the log behind it.

A log that is full takes no claim either: then any node cuts it. A cut takes only what a snapshot has.
"""

import asyncio
import time
from collections.abc import Callable, Mapping

import orjson

from hub.cluster.log.log_record import RecordKind
from hub.cluster.log.snapshots import Manifest
from hub.cluster.members import Members
from hub.cluster.ownership import Ownership
from hub.cluster.servers.jetstream import JetStream, LogFull, LogGone, LogRefused
from hub.cluster.servers.link import Link, LinkError
from hub.cluster.standby import Standby
from hub.cluster.voice import Voice
from hub.errors import StoreError, StoreFenced
from hub.limits import LOG_FULL_SHARE, SNAPSHOT_LOG_BYTES, SNAPSHOT_LOOK_SECONDS, SNAPSHOT_SECONDS
from hub.selfwatch.watcher import free_of

__all__ = ["Chores"]


class Chores:
    """Looks every SNAPSHOT_LOOK_SECONDS. `ownership` returns what this node owns, None while it stands by."""

    def __init__(
        self, link: Link, standby: Standby, members: Members, ownership: Callable[[], Ownership | None], voice: Voice
    ) -> None:
        """Begin to do nothing yet."""
        self._stream, self._standby, self._members, self._voice = JetStream(link), standby, members, voice
        self._ownership = ownership
        self._cut = 0
        self.log_bytes: int | None = None
        """How large the log is on each server; None until it was looked at."""
        self.max_bytes = 0
        """How large it may be."""
        self.latest: Manifest | None = None
        """The newest snapshot."""
        self.disk: Mapping[str, float] = {}
        """What is free where this node's copy lies."""

    async def run(self) -> None:
        """Do what is due until cancelled; what cannot be done now is tried again at the next look."""
        while True:
            self.disk = await asyncio.to_thread(free_of, self._standby.replica.store.path.parent)
            try:
                await self.look()
            except (LogGone, LogFull, StoreError) as error:
                if not isinstance(error, StoreFenced):
                    self._voice.keeps_no_snapshot(str(error))
            except (LinkError, LogRefused):
                pass  # an election, another node that was quicker, or no connection, which is told
            else:
                self._voice.keeps_no_snapshot("")
            await asyncio.sleep(SNAPSHOT_LOOK_SECONDS)

    async def look(self) -> None:
        """Do what is due now.

        Raises:
            LinkError, LogRefused, StoreError: it cannot be done.

        """
        latest = self.latest = await self._standby.snapshots.latest()
        if await self._is_due(latest) and self._is_mine():
            latest = self.latest = await self._standby.snapshots.put(self._standby.replica, self._members.node)
            self._voice.tell("log", f"the snapshot at record {latest.seq} was made: {latest.bytes / 1e6:.1f} MB")
        owning = self._ownership()
        if latest is not None and latest.seq > self._cut and (owning is not None or self._is_nearly_full):
            await self._shorten(owning, latest)

    @property
    def _is_nearly_full(self) -> bool:
        """Whether the log has so little room that nobody might be able to claim, and to cut it as the owner."""
        return self.max_bytes > 0 and (self.log_bytes or 0) > LOG_FULL_SHARE * self.max_bytes

    async def _is_due(self, latest: Manifest | None) -> bool:
        """Tell whether the log is long for what it holds, or the last snapshot old."""
        info = await self._stream.info(self._standby.names.stream)
        if info is None:
            return False
        used, self.max_bytes = int(info["state"]["bytes"]), int(info["config"]["max_bytes"])
        self.log_bytes = used
        long = max(SNAPSHOT_LOG_BYTES, 2 * (latest.bytes if latest is not None else 0))
        if self.max_bytes > 0:
            long = min(long, self.max_bytes // 2)  # where a snapshot is large for the room that the log has
        if used > long:
            return latest is None or latest.seq < self._standby.replica.tip.seq
        made = latest.made if latest is not None else 0.0
        return time.time() - made > SNAPSHOT_SECONDS and self._standby.replica.tip.seq > (latest.seq if latest else 0)

    def _is_mine(self) -> bool:
        """Tell whether this node makes the snapshot: the first standby by name, the owner where there is none."""
        standbys = [each.incarnation for each in self._members.alive() if not each.owns and not each.trouble]
        return (standbys or [self._members.incarnation])[0] == self._members.incarnation

    async def _shorten(self, owning: Ownership | None, latest: Manifest) -> None:
        """Cut the log where the snapshot begins; a node that lives and is further behind still finds its records.

        The record that says so comes behind the cut: a log that is full takes none before.
        """
        behind = [each.applied for each in self._members.alive() if not each.trouble]
        # this node's own, too: a snapshot of another log, which is longer, must not cut all of this one
        below = min([latest.seq, self._standby.replica.written.seq, *behind])
        names = self._standby.names
        gone = await self._stream.purge(names.stream, names.subject, below)
        if owning is not None:
            await owning.store.note(RecordKind.SNAPSHOT, orjson.dumps(latest._asdict()))
        self._cut = latest.seq if below == latest.seq else self._cut
        if gone:
            text = f"the log was cut below record {below}: {gone:,} records, which the snapshot of {latest.node} has"
            self._voice.tell("log", text)
