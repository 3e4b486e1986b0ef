"""Whose turn it is at one receiver: order per alert, concurrency, rate, breaker, waits, and how much is in memory.

Plain state under a passed-in clock. The dispatcher starts what `take` returns and reports it with `finish` or `again`.
Each alert has a line. Its head is ready, under way, or waiting for its next attempt; the later ones stand behind it and
delay no other alert.
"""

import heapq
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import replace
from math import inf

from hub.clock import Clock
from hub.limits import (
    ALLOWANCE_LEAST_SECONDS,
    FALLBACK_LOOK_SECONDS,
    HOST_CROWD_SECONDS,
    LANE_FETCH,
    LANE_QUEUE,
    RECEIVER_CONCURRENCY,
    RETRY_AFTER_SECONDS,
)
from hub.notify.lanes.allowance import Allowance
from hub.notify.lanes.breaker import Breaker, Circuit
from hub.notify.lanes.episode import is_end, is_firing, is_group
from hub.notify.lanes.hosts import Hosts
from hub.notify.lanes.pace import Pace
from hub.notify.lanes.superseding import Elsewhere, Gone, pass_over
from hub.notify.outbox_port import Queued

__all__ = ["Lane"]


class Lane:
    """The notifications of one receiver that are in memory.

    `cursor` is the highest row that has been in memory. Rows come in order, so all rows up to it are known. `behind`
    tells that the outbox holds rows above it that are not in memory. `superseded` are those that need not be sent, for
    the dispatcher to take. With `patience` (seconds), `expired` returns what has waited for longer.
    """

    __slots__ = (
        "_aging",
        "_born",
        "_crowd_at",
        "_lines",
        "_look",
        "_look_at",
        "_parked",
        "_strangers",
        "_void",
        "allowance",
        "behind",
        "breaker",
        "busy",
        "clock",
        "concurrency",
        "cursor",
        "elsewhere",
        "held",
        "hosts",
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
        self.hosts: Hosts | None = None  # of a receiver whose host an event names; then in the breaker's place
        self.pace: Pace | None = None
        self.allowance: Allowance | None = None  # of a receiver that asked to wait, until it is calm
        self.patience: float | None = None
        self.superseded: list[Gone] = []
        self.elsewhere: dict[str, Elsewhere] = {}
        self._lines: dict[str, Queued | deque[Queued]] = {}  # by alert: its head, or the head and who is behind it
        self._look: set[str] = set()  # alerts in whose line something may not have to be sent
        self._void: set[int] = set()  # places taken out that `ready`, `waiting` or a page being read still have
        self._aging: dict[int, str] = {}  # with patience: the alert of each place held, in row order
        self._look_at = self._crowd_at = -inf
        self._strangers: set[int] = set()  # rows under way to hosts that never answered
        self._parked: deque[Queued] = deque()  # whose turn it was, for such hosts, while those had all they may have
        # of each row held, and of each place: when it was made, by the clock that never steps
        self._born: dict[int, float] = {}

    def age(self, queued: Queued) -> float:
        """Return for how many seconds a notification has been waiting, by the monotonic clock."""
        return self.clock.monotonic() - self._born[queued.row]

    def waited(self, queued: Queued) -> float:
        """Return for how many seconds the oldest notification that this one stands for has been waiting."""
        return self.clock.monotonic() - self._born[_place(queued)]

    def offer(self, queued: Queued) -> None:
        """Take a row that has just been committed, or leave it to the outbox where there is no room."""
        if queued.row <= self.cursor:
            return  # `load` has brought it already
        if self.behind or self.held >= self.room:
            self.behind = True
            self.missed = queued.row
        else:
            self._add(queued)

    def wants(self) -> int:
        """Return how many rows to read from the outbox now; 0 while there is nothing to read or too little room."""
        return min(LANE_FETCH, self.room - self.held) if self.behind and self.held <= self.room // 2 else 0

    def load(self, rows: Sequence[Queued], limit: int, missed: int) -> None:
        """Take rows that were read from the outbox above the cursor.

        `limit` is how many were asked for, `missed` is as it was at that time. Fewer rows than asked for mean that the
        outbox has no more from before that time.
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
        """Return a notification to try now, or None; the caller answers each with `finish` or `again`."""
        if self.waiting:
            self._ripen()
        if not (self.ready or self._parked) or len(self.busy) >= self.concurrency:
            return None
        limited = self.pace is not None or self.allowance is not None or self.breaker.state is not Circuit.CLOSED
        if limited and self._opens() > self.clock.monotonic():
            return None
        if self._void or self._look or self._parked or self.hosts is not None:
            self._choose()
            if not self.ready:
                return None
        queued = self.ready.popleft()
        self.busy.add(queued.row)
        if limited:
            self._count(queued)
        if self.hosts is not None:
            if self.hosts.is_stranger(queued.notification):
                self._strangers.add(queued.row)
            self.hosts.began(queued.row, queued.notification)
        return queued

    def _choose(self) -> None:
        """Bring a notification to the front of `ready` whose turn it is.

        Those that are parked go first, as soon as strangers (see hosts.py) may have an attempt again.
        """
        unparked = True
        while unparked:
            unparked = bool(self._parked) and not self._full()
            if unparked:
                self.ready.appendleft(self._parked.popleft())
            self._skip()
            unparked = unparked and not self.ready

    def _full(self) -> bool:
        """Tell whether strangers have all the attempts that they may have: half, because each may hang."""
        return self.hosts is not None and len(self._strangers) >= max(1, self.concurrency // 2)

    def _skip(self) -> None:
        """Bring one to the front that was not taken out and is still to be sent, and whose host does not rest."""
        while self.ready:
            queued = self.ready[0]
            if _place(queued) in self._void:
                self._void.discard(_place(queued))
                self.ready.popleft()
            elif queued.notification.order not in self._look:
                if not self._host_waits():
                    return
            elif not self._supersede(queued.notification.order):
                self.ready[0] = self._line(queued.notification.order)[0]  # it may stand for what had this turn
                if not self._host_waits():
                    return

    def _host_waits(self) -> bool:
        """Take the one in front out of `ready` where its host rests or is a stranger too many; tell whether it was.

        So it holds up no other host.
        """
        if self.hosts is None:
            return False
        now = self.clock.monotonic()
        opens = self.hosts.opens(self.ready[0].notification, now)
        if opens <= now:
            if not (self._full() and self.hosts.is_stranger(self.ready[0].notification)):
                return False
            self._parked.append(self.ready.popleft())
            return True
        queued = self.ready.popleft()
        heapq.heappush(self.waiting, (opens, queued.row, queued))
        return True

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

    def hold_back(self, seconds: float) -> None:
        """Send nothing for so many seconds, because the receiver asked for it; afterwards at the rate that it takes."""
        now, seconds = self.clock.monotonic(), min(max(seconds, ALLOWANCE_LEAST_SECONDS), RETRY_AFTER_SECONDS)
        if self.allowance is None:
            self.allowance = Allowance(now, seconds)
        else:
            self.allowance.refused(now, seconds)

    def finish(self, queued: Queued) -> None:
        """Take out a notification that is delivered or dead; the next of its alert has its turn."""
        self.busy.remove(queued.row)
        self._strangers.discard(queued.row)
        self.held -= 1
        self._born.pop(queued.row, None)
        if queued.place:
            self._born.pop(queued.place, None)
        if self._aging:
            self._aging.pop(_place(queued), None)
        self._leave(queued.notification.order)

    def again(self, queued: Queued) -> None:
        """Keep a notification for another attempt at its `next_at`."""
        self.busy.remove(queued.row)
        self._strangers.discard(queued.row)
        order = queued.notification.order
        line = self._lines[order]
        if isinstance(line, Queued):
            self._lines[order] = queued
        else:
            line[0] = queued
        self._place(queued)
        if self._aging:
            self._watch(queued)
        if order in self._look:
            self._supersede(order)

    def sending(self, row: int, order: str) -> bool:
        """Tell whether a row of this alert is under way, by itself or as a part of what is."""
        if row in self.busy:
            return True
        return any(part.row == row for each in self._line(order) if each.row in self.busy for part in each.parts)

    def withdraw(self, row: int, order: str) -> Queued | None:
        """Take out a row of this alert; None where it is under way or not here.

        A row that is not here yet will not come either.
        """
        if row > self.cursor:
            self._void.add(row)  # a page that is being read may still hold it
            return None
        if any(each.parts for each in self._line(order)):
            self._unfold(order)
        line = self._line(order)
        gone = next((each for each in line if each.row == row), None)
        if gone is not None and row not in self.busy:
            self._take_out(gone)
        else:
            gone = None
        if order in self._look and order in self._lines:
            self._supersede(order)
        return gone

    def _unfold(self, order: str) -> None:
        """Put the parts of a group's message back into the line, in its place; what is under way stays whole.

        Somebody drops one of the parts: the others must still be sent.
        """
        line: list[Queued] = []
        for each in self._line(order):
            parts = each.parts if each.parts and each.row not in self.busy else (each,)
            first = replace(parts[0], place=_place(each), next_at=each.next_at, before=each.before + each.attempts)
            line += (each,) if len(parts) == 1 else (replace(first, perhaps=each.perhaps), *parts[1:])
            for part in parts[:-1]:
                self._hold(part)
        if self._aging:
            self._aging = dict(sorted(self._aging.items()))
        self._stand(order, line)

    def set_patience(self, seconds: float | None) -> None:
        """Let `expired` return what waits for longer than this; None: nothing."""
        if seconds != self.patience:
            self.patience, self._look_at = seconds, -inf
            held = [] if seconds is None else sorted(self._members(), key=_place)
            self._aging = {_place(queued): queued.notification.order for queued in held}

    def expired(self) -> list[Queued]:
        """Take out and return what has waited for longer than `patience`; what is under way is left to its end."""
        if self.patience is None or not self._aging or self.clock.monotonic() < self._look_at:
            return []
        gone = []
        wait = inf
        for place, order in list(self._aging.items()):
            queued = next(each for each in self._line(order) if _place(each) == place)
            if queued.row in self.busy:
                continue
            wait = self.patience - self.waited(queued)
            if wait > 0:
                break
            self._take_out(queued)
            gone.append(queued)
            wait = inf
        self._look_at = self.clock.monotonic() + max(wait, FALLBACK_LOOK_SECONDS)
        return gone

    def crowded(self) -> list[Queued]:
        """Take out and return what waits for hosts that fail, where so much does that it keeps out what can be sent."""
        now = self.clock.monotonic()
        if self.hosts is None or now < self._crowd_at:
            return []
        if self.held <= self.room // 2:
            self.hosts.calm()
            return []
        self._crowd_at = now + HOST_CROWD_SECONDS
        members = (each for each in self._members() if each.row not in self.busy)
        surplus = self.hosts.surplus(members, self.room // 4, now)
        gone: list[Queued] = []
        for order in dict.fromkeys(each.notification.order for each in self._members() if each.row in surplus):
            line = self._line(order)
            gone += [each for each in line if each.row in surplus]
            self._stand(order, [each for each in line if each.row not in surplus])
        return gone

    def due(self) -> float | None:
        """Return the monotonic time at which there may be something to do; None where nobody waits."""
        at = self.waiting[0][0] if self.waiting else inf
        if self.ready and len(self.busy) < self.concurrency and (opens := self._opens()) > -inf:
            at = min(at, opens)  # with as many under way as may be, no time helps: the end of one of them wakes it
        if self._aging:
            at = min(at, max(self._look_at, self.clock.monotonic()))
        return None if at == inf else at

    def empty(self) -> bool:
        """Tell whether nothing is in memory, nothing under way, and nothing left in the outbox."""
        return not self.held and not self.behind

    def standing(self, ignored: Collection[str]) -> tuple[int, float]:
        """Return how many wait here and when the oldest arose (seconds since 1970, 0: none).

        Those of the `ignored` alertnames do not count.
        """
        waiting = [
            each.notification.created if not each.place else self.clock.now() - self.waited(each)
            for each in self._members()
            if each.notification.body.get("alertname") not in ignored
        ]
        return len(waiting), min(waiting, default=0.0)

    def clear(self) -> list[Queued]:
        """Take out and return all that is not under way, in row order; parts of a group's message come one by one."""
        members = self._members()
        self._lines = {each.notification.order: each for each in members if each.row in self.busy}
        stays = {row for each in self._lines.values() if isinstance(each, Queued) for row in (each.row, each.place)}
        self.ready.clear()
        self._parked.clear()
        self.waiting.clear()
        self._aging.clear()
        self._born = {row: born for row, born in self._born.items() if row in stays}
        self._look.clear()
        self._void = {row for row in self._void if row > self.cursor}
        self.held = len(self.busy)
        left = [part for each in members if each.row not in self.busy for part in (each.parts or (each,))]
        return sorted(left, key=lambda queued: queued.row)

    def reached(self, episode: str) -> None:
        """Note that this receiver has got something of an episode whose firing message went to its fallback."""
        found = self.elsewhere.get(episode)
        if found is not None:
            self.elsewhere[episode] = Elsewhere(found.to, perhaps=True)

    def _line(self, order: str) -> Sequence[Queued]:
        line = self._lines.get(order, ())
        return (line,) if isinstance(line, Queued) else line

    def _hold(self, queued: Queued) -> None:
        """Begin to count how long it waits."""
        # a creation in the future means that somebody has set the clock back since: it is as old as now
        age = max(0.0, self.clock.now() - queued.notification.created)
        self._born[queued.row] = self.clock.monotonic() - age if queued.born is None else queued.born
        if self.patience is not None:
            self._aging[_place(queued)] = queued.notification.order
            self._watch(queued)

    def _add(self, queued: Queued) -> None:
        self.cursor = queued.row
        self.held += 1
        self._hold(queued)
        notification, order = queued.notification, queued.notification.order
        line = self._lines.get(order)
        if line is None:
            self._lines[order] = queued
            self._place(queued)
            if not self.elsewhere or not is_end(notification):
                return
        elif isinstance(line, Queued):
            self._lines[order] = deque((line, queued))
        else:
            line.append(queued)
        if is_firing(notification) or is_end(notification) or is_group(notification):
            self._look.add(order)
            self._supersede(order)

    def _watch(self, queued: Queued) -> None:
        """Have `expired` look again when this one has waited for long enough."""
        left = (self.patience or 0.0) - self.waited(queued)
        self._look_at = min(self._look_at, self.clock.monotonic() + max(left, 0.0))

    def _members(self) -> list[Queued]:
        lines = self._lines.values()
        return [each for line in lines for each in ((line,) if isinstance(line, Queued) else line)]

    def _leave(self, order: str) -> None:
        """Take the head out of its alert's line; the next one becomes the head."""
        line = self._lines[order]
        if isinstance(line, Queued) or len(line) == 1:
            del self._lines[order]
            self._look.discard(order)
            return
        line.popleft()
        self._place(line[0])

    def _supersede(self, order: str) -> bool:
        """Take out what need not be sent of an alert; tell whether there was anything."""
        passed = pass_over(self._line(order), self.busy, self.elsewhere, self.waited)
        if passed is None:
            return False
        self.superseded += passed.gone
        self._stand(order, passed.line)
        return True

    def _take_out(self, queued: Queued) -> None:
        order = queued.notification.order
        self._stand(order, [each for each in self._line(order) if each.row != queued.row])

    def _stand(self, order: str, line: Sequence[Queued]) -> None:
        """Make these an alert's line from now on. One that stands in the place of the old head takes over its turn."""
        before = tuple(self._line(order))
        self.held += len(line) - len(before)
        places = {_place(each) for each in line}
        rows = places.union(each.row for each in line)
        for each in before:
            for row in (each.row, _place(each)):
                if row not in rows:
                    self._born.pop(row, None)
            if _place(each) not in places:
                self._aging.pop(_place(each), None)
        if line:
            self._lines[order] = line[0] if len(line) == 1 else deque(line)
        else:
            del self._lines[order]
            self._look.discard(order)
        if not line or _place(line[0]) != _place(before[0]):
            self._void.add(_place(before[0]))
            if line:
                self._place(line[0])

    def _place(self, queued: Queued) -> None:
        """Make a notification the head of its alert: ready, or waiting for its next attempt.

        Waits run on the monotonic clock and are at most RETRY_AFTER_SECONDS: a wall clock that somebody sets delays
        nobody.
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


def _place(queued: Queued) -> int:
    """Return the row of the oldest notification that this one stands for; its own where it stands for none."""
    return queued.place or queued.row
