"""Whose turn it is at one receiver: order per alert, concurrency, rate, breaker, waits, and how much is in memory.

Plain state under a passed-in clock; the dispatcher starts what `take` gives and reports each with `finish` or `again`.
Of each alert one notification, the head, is ready, under way or waiting for its next attempt; the alert's later ones
stand behind it and hold back nobody else.
"""

import heapq
from collections import deque
from collections.abc import Collection, Sequence
from math import inf

from hub.clock import Clock
from hub.limits import FALLBACK_LOOK_SECONDS, LANE_FETCH, LANE_QUEUE, RECEIVER_CONCURRENCY, RETRY_AFTER_SECONDS
from hub.notify.breaker import Breaker, Circuit
from hub.notify.episode import is_end
from hub.notify.outbox import Queued
from hub.notify.pace import Pace
from hub.notify.superseding import Elsewhere, obsolete

__all__ = ["Lane"]


class Lane:
    """The notifications of one receiver that are in memory.

    `cursor` is the highest row that has been in memory; rows come in order, so what is not above it is known. `behind`
    tells that the outbox holds rows above it that are not in memory. `superseded` are those that the lane let go of,
    for the dispatcher to take. With `patience` (seconds) what waits for longer comes out of `expired`.
    """

    __slots__ = (
        "_aging",
        "_born",
        "_ends",
        "_lines",
        "_look_at",
        "_void",
        "behind",
        "breaker",
        "busy",
        "clock",
        "concurrency",
        "cursor",
        "elsewhere",
        "held",
        "missed",
        "pace",
        "patience",
        "ready",
        "room",
        "superseded",
        "waiting",
    )

    def __init__(
        self, clock: Clock, concurrency: int = RECEIVER_CONCURRENCY, cursor: int = 0, room: int = LANE_QUEUE
    ) -> None:
        """Begin empty and behind: what the outbox holds above `cursor` is still to be read."""
        self.clock, self.concurrency, self.room = clock, concurrency, room
        self.cursor = self.missed = cursor
        self.behind = True
        self.held = 0
        self.busy: set[int] = set()  # rows under way
        self.ready: deque[Queued] = deque()
        self.waiting: list[tuple[float, int, Queued]] = []  # a heap: monotonic time, row
        self.breaker = Breaker()
        self.pace: Pace | None = None
        self.patience: float | None = None
        self.superseded: list[Queued] = []
        self.elsewhere: dict[str, Elsewhere] = {}
        self._lines: dict[str, Queued | deque[Queued]] = {}  # by alert: its head, or the head and who is behind it
        self._ends: set[str] = set()  # alerts in whose line a resolved one stands
        self._void: set[int] = set()  # rows taken out that `ready`, `waiting` or a page being read still have
        self._aging: dict[int, str] = {}  # with patience: the alert of each row held, in row order
        self._look_at = -inf
        self._born: dict[int, float] = {}  # of each row held: when it was made, by the clock that never steps

    def age(self, queued: Queued) -> float:
        """Return for how many seconds a notification that is held has been waiting, whatever was done to the clock."""
        return self.clock.monotonic() - self._born[queued.row]

    def offer(self, queued: Queued) -> None:
        """Take a row that has just been committed, or leave it to the outbox where there is no room."""
        if queued.row <= self.cursor:
            return
        if self.behind or self.held >= self.room:
            self.behind = True
            self.missed = queued.row
        else:
            self._add(queued)

    def wants(self) -> int:
        """Return how many rows to read from the outbox now; 0 while there is nothing to read or too little room."""
        return min(LANE_FETCH, self.room - self.held) if self.behind and self.held <= self.room // 2 else 0

    def load(self, rows: Sequence[Queued], limit: int, missed: int) -> None:
        """Take rows read from the outbox above the cursor; `limit` asked for, `missed` as it was when asking.

        Fewer than asked for means that nothing of what was committed before asking is left.
        """
        for queued in rows:
            if queued.row in self._void:
                self._void.discard(queued.row)
            elif queued.row > self.cursor:
                self._add(queued)
        if len(rows) < limit:
            self.cursor = max(self.cursor, missed)
            self.behind = self.missed > self.cursor

    def take(self) -> Queued | None:
        """Return a notification to try now, or None; each one is answered by `finish` or `again`."""
        if self.waiting:
            self._ripen()
        if not self.ready or len(self.busy) >= self.concurrency:
            return None
        limited = self.pace is not None or self.breaker.state is not Circuit.CLOSED
        if limited and self._opens() > self.clock.monotonic():
            return None
        if self._void or self._ends:
            self._skip()
            if not self.ready:
                return None
        queued = self.ready.popleft()
        self.busy.add(queued.row)
        if limited:
            self._count(queued)
        return queued

    def _skip(self) -> None:
        """Bring one to the front whose turn it is: it was not taken out, and is still to be sent."""
        while self.ready:
            queued = self.ready[0]
            if queued.row in self._void:
                self._void.discard(self.ready.popleft().row)
            elif queued.notification.order not in self._ends or not self._supersede(queued.notification.order):
                return

    def _opens(self) -> float:
        """Return the monotonic time from which on rate and breaker let an attempt begin."""
        return max(self.breaker.opens(), -inf if self.pace is None else self.pace.opens())

    def _count(self, queued: Queued) -> None:
        self.breaker.began(queued.row)
        if self.pace is not None:
            self.pace.began(self.clock.monotonic())

    def finish(self, queued: Queued) -> None:
        """Let go of a notification that is delivered or dead; the next of its alert has its turn."""
        self.busy.remove(queued.row)
        self.held -= 1
        self._born.pop(queued.row, None)
        if self._aging:
            self._aging.pop(queued.row, None)
        self._leave(queued.notification.order)

    def again(self, queued: Queued) -> None:
        """Keep a notification for another attempt at its `next_at`."""
        self.busy.remove(queued.row)
        order = queued.notification.order
        line = self._lines[order]
        if isinstance(line, Queued):
            self._lines[order] = queued
        else:
            line[0] = queued
        self._place(queued)
        if self._aging:
            self._watch(queued)
        if order in self._ends:
            self._supersede(order)

    def withdraw(self, row: int, order: str) -> Queued | None:
        """Take a row of this alert out; None where it is under way or not here, and then it will not come either."""
        if row > self.cursor:
            self._void.add(row)
            return None
        line = self._lines.get(order)
        members = () if line is None else (line,) if isinstance(line, Queued) else line
        place = next((place for place, each in enumerate(members) if each.row == row), None)
        if place is None or row in self.busy:
            return None
        gone = members[place]
        self.held -= 1
        self._aging.pop(row, None)
        self._born.pop(row, None)
        if place == 0:
            self._void.add(row)
            self._leave(order)
        elif isinstance(line, deque):
            del line[place]
        return gone

    def set_patience(self, seconds: float | None) -> None:
        """Let what waits longer than this come out of `expired`; None: nothing does."""
        if seconds != self.patience:
            self.patience, self._look_at = seconds, -inf
            held = [] if seconds is None else sorted(self._members(), key=lambda queued: queued.row)
            self._aging = {queued.row: queued.notification.order for queued in held}

    def expired(self) -> list[Queued]:
        """Take out what has waited for longer than `patience`; what is under way is left to its end."""
        if self.patience is None or not self._aging or self.clock.monotonic() < self._look_at:
            return []
        gone = []
        wait = inf
        for row, order in list(self._aging.items()):
            if row in self.busy:
                continue
            queued = self._find(row, order)
            wait = self.patience - self.age(queued)
            if wait > 0:
                break
            self.withdraw(row, order)
            gone.append(queued)
            wait = inf
        self._look_at = self.clock.monotonic() + max(wait, FALLBACK_LOOK_SECONDS)
        return gone

    def due(self) -> float | None:
        """Return the monotonic time at which there may be something to do; None where nobody waits."""
        at = self.waiting[0][0] if self.waiting else inf
        if self.ready and (self.pace is not None or self.breaker.state is not Circuit.CLOSED):
            at = min(at, self._opens())
        if self._aging:
            at = min(at, max(self._look_at, self.clock.monotonic()))
        return None if at == inf else at

    def empty(self) -> bool:
        """Tell whether nothing is in memory, nothing under way, and nothing left in the outbox."""
        return not self.held and not self.behind

    def standing(self, ignored: Collection[str]) -> tuple[int, float]:
        """Return how many wait here and when the oldest arose (0: none); those of these alertnames do not count."""
        waiting = [
            each.notification.created
            for each in self._members()
            if each.notification.body.get("alertname") not in ignored
        ]
        return len(waiting), min(waiting, default=0.0)

    def clear(self) -> list[Queued]:
        """Empty it of all that is not under way, and return that in row order."""
        members = self._members()
        self._lines = {each.notification.order: each for each in members if each.row in self.busy}
        self.ready.clear()
        self.waiting.clear()
        self._aging.clear()
        self._born = {row: born for row, born in self._born.items() if row in self.busy}
        self._ends.clear()
        self._void = {row for row in self._void if row > self.cursor}
        self.held = len(self.busy)
        return sorted((each for each in members if each.row not in self.busy), key=lambda queued: queued.row)

    def reached(self, mark: str) -> None:
        """Hear that this receiver has got something of an episode whose firing message also went elsewhere."""
        found = self.elsewhere.get(mark)
        if found is not None:
            self.elsewhere[mark] = Elsewhere(found.to, perhaps=True)

    def _find(self, row: int, order: str) -> Queued:
        line = self._lines[order]
        return line if isinstance(line, Queued) else next(each for each in line if each.row == row)

    def _add(self, queued: Queued) -> None:
        self.cursor = queued.row
        self.held += 1
        # what was made in the future was so before somebody set the clock back
        age = max(0.0, self.clock.now() - queued.notification.created)
        self._born[queued.row] = self.clock.monotonic() - age
        order = queued.notification.order
        if self.patience is not None:
            self._aging[queued.row] = order
            self._watch(queued)
        line = self._lines.get(order)
        if line is None:
            self._lines[order] = queued
            self._place(queued)
        elif isinstance(line, Queued):
            self._lines[order] = deque((line, queued))
        else:
            line.append(queued)
        if is_end(queued.notification):
            self._ends.add(order)
            self._supersede(order)

    def _watch(self, queued: Queued) -> None:
        """Look at what waits when this one has waited for long enough."""
        left = (self.patience or 0.0) - self.age(queued)
        self._look_at = min(self._look_at, self.clock.monotonic() + max(left, 0.0))

    def _members(self) -> list[Queued]:
        lines = self._lines.values()
        return [each for line in lines for each in ((line,) if isinstance(line, Queued) else line)]

    def _leave(self, order: str) -> None:
        """Take the head out of its alert's line; the next one becomes the head."""
        line = self._lines[order]
        if isinstance(line, Queued) or len(line) == 1:
            del self._lines[order]
            self._ends.discard(order)
            return
        line.popleft()
        self._place(line[0])

    def _supersede(self, order: str) -> bool:
        """Let go of what need not be sent of an alert that has resolved; tell whether there was anything."""
        line = self._lines[order]
        stale = obsolete((line,) if isinstance(line, Queued) else tuple(line), self.busy, self.elsewhere, self.age)
        for queued in reversed(stale):  # so that none of them becomes the head
            self.withdraw(queued.row, order)
        self.superseded += stale
        return bool(stale)

    def _place(self, queued: Queued) -> None:
        """Make it the head of its alert: ready, or waiting.

        Waits run on the clock that never steps, and no longer than any wait can be: a stepped wall clock delays nobody.
        """
        wait = queued.next_at - self.clock.now() if queued.next_at else 0.0
        if wait > 0:
            heapq.heappush(self.waiting, (self.clock.monotonic() + min(wait, RETRY_AFTER_SECONDS), queued.row, queued))
        else:
            self.ready.append(queued)

    def _ripen(self) -> None:
        now = self.clock.monotonic()
        while self.waiting and self.waiting[0][0] <= now:
            self.ready.append(heapq.heappop(self.waiting)[2])
