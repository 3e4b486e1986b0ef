"""Whose turn it is at one receiver: order per alert, the concurrency limit, waits, and how much is held in memory.

Plain state under a passed-in clock; the dispatcher starts what `take` gives and reports each with `finish` or `again`.
Of each alert one notification, the head, is ready, under way or waiting for its next attempt; the alert's later ones
stand behind it and hold back nobody else.
"""

import heapq
from collections import deque
from collections.abc import Sequence

from hub.clock import Clock
from hub.limits import LANE_FETCH, LANE_QUEUE, RECEIVER_CONCURRENCY, RETRY_AFTER_SECONDS
from hub.notify.outbox import Queued

__all__ = ["Lane"]


class Lane:
    """The notifications of one receiver that are in memory.

    `cursor` is the highest row that has been in memory; rows come in order, so what is not above it is known. `behind`
    tells that the outbox holds rows above it that are not in memory.
    """

    __slots__ = (
        "behind",
        "clock",
        "concurrency",
        "cursor",
        "followers",
        "held",
        "missed",
        "ready",
        "room",
        "under_way",
        "waiting",
    )

    def __init__(
        self, clock: Clock, concurrency: int = RECEIVER_CONCURRENCY, cursor: int = 0, room: int = LANE_QUEUE
    ) -> None:
        """Begin empty and behind: what the outbox holds above `cursor` is still to be read."""
        self.clock, self.concurrency, self.room = clock, concurrency, room
        self.cursor = self.missed = cursor
        self.behind = True
        self.held = self.under_way = 0
        self.ready: deque[Queued] = deque()
        self.waiting: list[tuple[float, int, Queued]] = []  # a heap: monotonic time, row
        self.followers: dict[str, deque[Queued] | None] = {}  # by alert with a head; None: nobody behind it

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
            if queued.row > self.cursor:
                self._add(queued)
        if len(rows) < limit:
            self.cursor = max(self.cursor, missed)
            self.behind = self.missed > self.cursor

    def take(self) -> Queued | None:
        """Return a notification to try now, or None; each one is answered by `finish` or `again`."""
        if self.waiting:
            self._ripen()
        if not self.ready or self.under_way >= self.concurrency:
            return None
        self.under_way += 1
        return self.ready.popleft()

    def finish(self, queued: Queued) -> None:
        """Let go of a notification that is delivered or dead; the next of its alert has its turn."""
        self.under_way -= 1
        self.held -= 1
        order = queued.notification.order
        behind = self.followers[order]
        if behind:
            self._place(behind.popleft())
        else:
            del self.followers[order]

    def again(self, queued: Queued) -> None:
        """Keep a notification for another attempt at its `next_at`."""
        self.under_way -= 1
        self._place(queued)

    def due(self) -> float | None:
        """Return the monotonic time at which the next wait ends; None where nobody waits."""
        return self.waiting[0][0] if self.waiting else None

    def empty(self) -> bool:
        """Tell whether nothing is in memory, nothing under way, and nothing left in the outbox."""
        return not self.held and not self.behind

    def clear(self) -> list[Queued]:
        """Empty it of all that is not under way, and return that in row order."""
        heads = [*self.ready, *(queued for _, _, queued in self.waiting)]
        rest = heads + [queued for behind in self.followers.values() for queued in behind or ()]
        self.followers = dict.fromkeys(self.followers)
        for queued in heads:
            del self.followers[queued.notification.order]
        self.ready.clear()
        self.waiting.clear()
        self.held = self.under_way
        return sorted(rest, key=lambda queued: queued.row)

    def _add(self, queued: Queued) -> None:
        self.cursor = queued.row
        self.held += 1
        order = queued.notification.order
        if order not in self.followers:
            self.followers[order] = None
            self._place(queued)
            return
        behind = self.followers[order]
        if behind is None:
            behind = self.followers[order] = deque()
        behind.append(queued)

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
