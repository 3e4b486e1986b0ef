"""Whether an attempt may begin at one receiver: concurrency, rate, breaker, hosts; and how much is in memory.

Plain state under a passed-in clock. The dispatcher starts what `take` returns and reports it with `finish` or `again`.
Who stands where, and what need not be sent any more, is in lines.py.
"""

import heapq
from collections import deque
from collections.abc import Collection, Sequence
from math import inf

from hub.clock import Clock
from hub.limits import (
    ALLOWANCE_LEAST_SECONDS,
    HOST_CROWD_SECONDS,
    LANE_FETCH,
    LANE_QUEUE,
    RECEIVER_CONCURRENCY,
    RETRY_AFTER_SECONDS,
)
from hub.notify.lanes.allowance import Allowance
from hub.notify.lanes.breaker import Breaker, Circuit
from hub.notify.lanes.hosts import Hosts
from hub.notify.lanes.lines import Lines
from hub.notify.lanes.pace import Pace
from hub.notify.outbox_port import Queued

__all__ = ["Lane"]


class Lane:
    """The notifications of one receiver that are in memory, in their `lines`, and what lets them out.

    `cursor` is the highest row that has been in memory. Rows come in order, so all rows up to it are known. `behind`
    tells that the outbox holds rows above it that are not in memory.
    """

    __slots__ = (
        "_crowd_at",
        "_parked",
        "_strangers",
        "allowance",
        "behind",
        "breaker",
        "clock",
        "concurrency",
        "cursor",
        "hosts",
        "lines",
        "missed",
        "pace",
        "room",
    )

    def __init__(
        self, clock: Clock, concurrency: int = RECEIVER_CONCURRENCY, cursor: int = 0, room: int = LANE_QUEUE
    ) -> None:
        """Begin empty and behind: what the outbox holds above `cursor` is still to be read."""
        self.clock, self.concurrency, self.room = clock, concurrency, room
        self.cursor = self.missed = cursor
        self.behind = True
        self.lines = Lines(clock)
        self.breaker = Breaker()
        self.hosts: Hosts | None = None  # of a receiver whose host an event names; then in the breaker's place
        self.pace: Pace | None = None
        self.allowance: Allowance | None = None  # of a receiver that asked to wait, until it is calm
        self._crowd_at = -inf
        self._strangers: set[int] = set()  # rows under way to hosts that never answered
        self._parked: deque[Queued] = deque()  # whose turn it was, for such hosts, while those had all they may have

    # what is in memory

    def offer(self, queued: Queued) -> None:
        """Take a row that has just been committed, or leave it to the outbox where there is no room."""
        if queued.row <= self.cursor:
            return  # `load` has brought it already
        if self.behind or self.lines.held >= self.room:
            self.behind = True
            self.missed = queued.row
        else:
            self._add(queued)

    def wants(self) -> int:
        """Return how many rows to read from the outbox now; 0 while there is nothing to read or too little room."""
        held = self.lines.held
        return min(LANE_FETCH, self.room - held) if self.behind and held <= self.room // 2 else 0

    def load(self, rows: Sequence[Queued], limit: int, missed: int) -> None:
        """Take rows that were read from the outbox above the cursor.

        `limit` is how many were asked for, `missed` is as it was at that time. Fewer rows than asked for mean that the
        outbox has no more from before that time.
        """
        for queued in rows:
            if not self.lines.banned(queued.row) and queued.row > self.cursor:
                self._add(queued)
        if len(rows) < limit:
            self.cursor = max(self.cursor, missed)
            self.behind = self.missed > self.cursor

    def _add(self, queued: Queued) -> None:
        self.cursor = queued.row
        self.lines.add(queued)

    def empty(self) -> bool:
        """Tell whether nothing is in memory, nothing under way, and nothing left in the outbox."""
        return not self.lines.held and not self.behind

    def standing(self, ignored: Collection[str]) -> tuple[int, float]:
        """Return how many wait here and when the oldest arose (seconds since 1970, 0: none).

        Those of the `ignored` alertnames do not count.
        """
        waiting = [
            each.notification.created if not each.place else self.clock.now() - self.lines.waited(each)
            for each in self.lines.members()
            if each.notification.body.get("alertname") not in ignored
        ]
        return len(waiting), min(waiting, default=0.0)

    def withdraw(self, row: int, order: str) -> Queued | None:
        """Take out a row of this alert; None where it is under way or not here.

        A row that is not here yet will not come either.
        """
        if row > self.cursor:
            self.lines.ban(row)
            return None
        return self.lines.withdraw(row, order)

    def clear(self) -> list[Queued]:
        """Take out and return all that is not under way (see Lines.clear)."""
        self._parked.clear()
        return self.lines.clear(self.cursor)

    # whose attempt may begin

    def take(self) -> Queued | None:
        """Return a notification to try now, or None; the caller answers each with `finish` or `again`."""
        lines = self.lines
        if lines.waiting:
            lines.ripen()
        if not (lines.ready or self._parked) or len(lines.busy) >= self.concurrency:
            return None
        limited = self.pace is not None or self.allowance is not None or self.breaker.state is not Circuit.CLOSED
        if limited and self._opens() > self.clock.monotonic():
            return None
        if lines.unsure or self._parked or self.hosts is not None:
            self._choose()
            if not lines.ready:
                return None
        queued = lines.ready.popleft()
        lines.busy.add(queued.row)
        if limited:
            self._count(queued)
        if self.hosts is not None:
            if self.hosts.is_stranger(queued.notification):
                self._strangers.add(queued.row)
            self.hosts.began(queued.row, queued.notification)
        return queued

    def finish(self, queued: Queued) -> None:
        """Take out a notification that is delivered or dead; the next of its alert has its turn."""
        self._strangers.discard(queued.row)
        self.lines.finish(queued)

    def again(self, queued: Queued) -> None:
        """Keep a notification for another attempt at its `next_at`."""
        self._strangers.discard(queued.row)
        self.lines.again(queued)

    def hold_back(self, seconds: float) -> None:
        """Send nothing for so many seconds, because the receiver asked for it; afterwards at the rate that it takes."""
        now, seconds = self.clock.monotonic(), min(max(seconds, ALLOWANCE_LEAST_SECONDS), RETRY_AFTER_SECONDS)
        if self.allowance is None:
            self.allowance = Allowance(now, seconds)
        else:
            self.allowance.refused(now, seconds)

    def due(self) -> float | None:
        """Return the monotonic time at which there may be something to do; None where nobody waits."""
        lines, at = self.lines, self.lines.due()
        if lines.ready and len(lines.busy) < self.concurrency and (opens := self._opens()) > -inf:
            at = min(at, opens)  # with as many under way as may be, no time helps: the end of one of them wakes it
        return None if at == inf else at

    def _opens(self) -> float:
        """Return the monotonic time from which rate, allowance and breaker let an attempt begin."""
        opens = self.breaker.opens()
        if self.pace is not None:
            opens = max(opens, self.pace.opens())
        if self.allowance is not None:
            if self.allowance.calm(self.clock.monotonic()):
                self.allowance = None
            else:
                opens = max(opens, self.allowance.opens())
        return opens

    def _count(self, queued: Queued) -> None:
        self.breaker.began(queued.row)
        if self.pace is not None:
            self.pace.began(self.clock.monotonic())
        if self.allowance is not None:
            self.allowance.began(self.clock.monotonic())

    # hosts that events name

    def _choose(self) -> None:
        """Bring a notification to the front of `ready` whose turn it is.

        Those that are parked go first, as soon as strangers (see hosts.py) may have an attempt again.
        """
        ready, unparked = self.lines.ready, True
        while unparked:
            unparked = bool(self._parked) and not self._full()
            if unparked:
                ready.appendleft(self._parked.popleft())
            self._skip()
            unparked = unparked and not ready

    def _skip(self) -> None:
        """Bring one to the front that is still to be sent, and whose host does not rest."""
        queued = self.lines.front()
        while queued is not None and self._host_waits(queued):
            queued = self.lines.front()

    def _full(self) -> bool:
        """Tell whether strangers have all the attempts that they may have: half, because each may hang."""
        return self.hosts is not None and len(self._strangers) >= max(1, self.concurrency // 2)

    def _host_waits(self, queued: Queued) -> bool:
        """Take the one in front out of `ready` where its host rests or is a stranger too many; tell whether it was.

        So it holds up no other host.
        """
        if self.hosts is None:
            return False
        lines, now = self.lines, self.clock.monotonic()
        opens = self.hosts.opens(queued.notification, now)
        if opens <= now:
            if not (self._full() and self.hosts.is_stranger(queued.notification)):
                return False
            self._parked.append(lines.ready.popleft())
            return True
        heapq.heappush(lines.waiting, (opens, queued.row, lines.ready.popleft()))
        return True

    def crowded(self) -> list[Queued]:
        """Take out and return what waits for hosts that fail, where so much does that it keeps out what can be sent."""
        now, lines = self.clock.monotonic(), self.lines
        if self.hosts is None or now < self._crowd_at:
            return []
        if lines.held <= self.room // 2:
            self.hosts.calm()
            return []
        self._crowd_at = now + HOST_CROWD_SECONDS
        members = (each for each in lines.members() if each.row not in lines.busy)
        surplus = self.hosts.surplus(members, self.room // 4, now)
        gone: list[Queued] = []
        for order in dict.fromkeys(each.notification.order for each in lines.members() if each.row in surplus):
            line = lines.line(order)
            gone += [each for each in line if each.row in surplus]
            lines.stand(order, [each for each in line if each.row not in surplus])
        return gone
