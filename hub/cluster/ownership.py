"""What a node does while it owns the unit: it runs an App over the replicated store, and gives the unit back."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from math import inf
from pathlib import Path
from typing import Any, Protocol

from hub.clock import Clock
from hub.cluster.log.follower import NEVER
from hub.cluster.log.lease import Lease
from hub.cluster.log.log_downtime import LogDowntime
from hub.cluster.log.log_record import RecordKind
from hub.cluster.log.replica import Replica
from hub.cluster.log.replicated_store import ReplicatedStore
from hub.cluster.log.state_log import StateLog
from hub.cluster.servers.jetstream import JetStream, LogRefused
from hub.cluster.servers.link import Link, LinkError
from hub.cluster.standby import TakenClaim
from hub.cluster.voice import Voice
from hub.errors import HubError, SessionTakenOver, StoreFenced
from hub.limits import BEAT_SECONDS, LINK_WAIT_SECONDS
from hub.node.opening import Opened, Opening, opened
from hub.store.changes import Changes

__all__ = ["Ownership", "Work"]


class Work(Protocol):
    """What an owner runs: the App."""

    async def run(self) -> None:
        """Work until stopped."""
        ...

    def stop(self) -> None:
        """Drain, then let `run` return."""
        ...

    def reload(self) -> None:
        """Load the rules anew."""
        ...


class Ownership:
    """One time of owning, from a claim to its end. `path` names the file in messages, `rules` is as in Standby."""

    def __init__(
        self,
        *,
        claim: TakenClaim,
        replica: Replica,
        link: Link,
        lease: float,
        path: Path,
        clock: Clock,
        rules: Callable[[], str],
        voice: Voice,
    ) -> None:
        """Begin to write behind the claim; `lease` is in seconds."""
        self._log, self._replica, self._path, self._clock = claim.log, replica, path, clock
        self._stream, self._seconds, self._rules, self._voice = JetStream(link), lease, rules, voice
        # others count from a beat, which may be as much older than the last record that was sent
        self._lease = Lease(lease - BEAT_SECONDS, self._touch)
        self._lease.renew(claim.began)
        link.lost = self._lease.end
        self._downtime, self._ahead = LogDowntime(claim.unheard, clock.now(), claim.step), claim.ahead
        self._store_time = claim.stored - clock.monotonic()
        self.store = ReplicatedStore(claim.log, replica, self._lease, self._headers, self._stored)
        claim.log.failing = self._failing
        self._work: Work | None = None
        self._stopped = False
        self.to = ""
        """The node that is to follow, "" where it may be any."""

    @property
    def log(self) -> StateLog:
        """What is written."""
        return self._log

    @property
    def is_opening(self) -> bool:
        """Whether the state is still read in: the first commit is the hub's keys, the next comes when it works."""
        return self.store.commits < 2

    def stop(self, to: str = "") -> None:
        """End it in good order; the named node is to follow."""
        self._stopped, self.to = True, to
        if self._work is not None:
            self._work.stop()

    def reload(self) -> None:
        """Load the rules anew."""
        if self._work is not None:
            self._work.reload()

    async def run(self, make: Callable[[Opening], Work]) -> None:
        """Run what `make` makes, until it is stopped, or another node owns the unit; then release it.

        Raises:
            HubError: what the work ends with, where another node would end with it, too.

        """
        work = self._work = make(self._open)
        if self._stopped:
            work.stop()
        try:
            await work.run()
        except StoreFenced as fenced:
            self._voice.lost(str(fenced))
            return
        except SessionTakenOver as lost:
            if not await self._is_followed():
                await self._release()
                raise
            self._voice.lost(str(lost))
            return
        except HubError:
            await self._release()
            raise
        finally:
            self._work = None
            with contextlib.suppress(HubError):
                await self.store.close()
        await self._release()

    async def _open(self, _trouble: Any, _say: Any, stop: asyncio.Event) -> Opened | None:
        found = await opened(self.store, self._path, stop)
        if found is None:
            return None
        return found._replace(downtime=lambda _: self._downtime, may_begin=self._lease.holds)

    async def _is_followed(self) -> bool:
        """Tell whether another node has claimed the unit, or does within a lease: then it has our session, too.

        While the log cannot be read nobody knows, and nothing is lost by waiting: this node owns nothing any more that
        it could write, and tells nobody.
        """
        end = inf
        while Lease.now() < end and not self._stopped:
            try:
                last = await self._stream.last(self._log.names.stream, self._log.names.subject)
            except (LinkError, LogRefused):
                end = inf
            else:
                if last is not None and last.headers.get("Hub-Owner") != self._log.owner:
                    return True
                end = min(end, Lease.now() + self._seconds)
            await asyncio.sleep(LINK_WAIT_SECONDS)
        return self._stopped

    async def _release(self) -> None:
        """Say in the log that the unit is free; bounded, as the next owner finds out without it, too."""
        headers = {**self._headers(), **({"Hub-To": self.to} if self.to else {})}
        with contextlib.suppress(HubError, TimeoutError):
            async with asyncio.timeout(self._log.patience):
                tip = await self._log.append(RecordKind.RELEASE, headers=headers)
                self._replica.apply(Changes(), tip, self._stored())
                self._voice.released(tip.seq, self.to)

    def _stored(self) -> float:
        """Return what the clock of the log's servers says now, by what it said at the claim."""
        return self._clock.monotonic() + self._store_time

    def _headers(self) -> Mapping[str, str]:
        """Return what every record says of its writer: its rules, and for how long it has heard nobody."""
        quiet, found = self._downtime.quiet_since, {"Hub-Rules": self._rules()}
        if self._downtime.never:
            found["Hub-Heard-Until"] = NEVER
        elif quiet is not None:
            found["Hub-Quiet"] = f"{max(0.0, self._clock.now() - quiet):.3f}"
        if self._ahead is not None and not self._downtime.moved:
            found["Hub-Ahead"] = repr(self._ahead)
        return found

    def _touch(self) -> None:
        self.store.touch()

    def _failing(self, why: str) -> None:
        self.store.failed(why)
        self._voice.cannot_write(why)
