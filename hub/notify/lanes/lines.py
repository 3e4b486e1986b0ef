"""Who stands where at one receiver: a line for each alert; who is ready, who waits since when, who need not be sent.

Plain state under a passed-in clock; lane.py decides whether the one in front may go. The head of an alert's line is
ready, under way, or waiting for its next attempt; the later ones stand behind it and delay no other alert.
"""

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from math import inf

from hub.clock import Clock
from hub.limits import FALLBACK_LOOK_SECONDS, RETRY_AFTER_SECONDS
from hub.notify.lanes.episode import is_end, is_firing, is_group
from hub.notify.lanes.superseding import Elsewhere, Gone, pass_over
from hub.notify.outbox_port import Queued

__all__ = ["Lines"]


class Lines:
    """The notifications of one receiver that are in memory, `held` of them, each in the line of its alert.

    `superseded` are those that need not be sent, for the dispatcher to take. With `patience` (seconds), `expired`
    returns what has waited for longer.
    """

    __slots__ = (
        "_aging",
        "_born",
        "_lines",
        "_look",
        "_look_at",
        "_void",
        "busy",
        "clock",
        "elsewhere",
        "held",
        "patience",
        "ready",
        "superseded",
        "waiting",
    )

    def __init__(self, clock: Clock) -> None:
        """Begin empty."""
        self.clock = clock
        self.held = 0
        self.busy: set[int] = set()  # rows under way
        self.ready: deque[Queued] = deque()
        self.waiting: list[tuple[float, int, Queued]] = []  # a heap: monotonic time, row
        self.patience: float | None = None
        self.superseded: list[Gone] = []
        self.elsewhere: dict[str, Elsewhere] = {}
        self._lines: dict[str, Queued | deque[Queued]] = {}  # by alert: its head, or the head and who is behind it
        self._look: set[str] = set()  # alerts in whose line something may not have to be sent
        self._void: set[int] = set()  # places taken out that `ready`, `waiting` or a page being read still have
        self._aging: dict[int, str] = {}  # with patience: the alert of each place held, in row order
        self._look_at = -inf
        # of each row held, and of each place: when it was made, by the clock that never steps
        self._born: dict[int, float] = {}

    # who stands where

    def line(self, order: str) -> Sequence[Queued]:
        """Return those of an alert, the head first."""
        line = self._lines.get(order, ())
        return (line,) if isinstance(line, Queued) else line

    def members(self) -> list[Queued]:
        """Return all that are held."""
        lines = self._lines.values()
        return [each for line in lines for each in ((line,) if isinstance(line, Queued) else line)]

    def add(self, queued: Queued) -> None:
        """Take in the newest row."""
        self.held += 1
        self._hold(queued)
        notification, order = queued.notification, queued.notification.order
        line = self._lines.get(order)
        if line is None:
            self._lines[order] = queued
            self._have_turn(queued)
            if not self.elsewhere or not is_end(notification):
                return
        elif isinstance(line, Queued):
            self._lines[order] = deque((line, queued))
        else:
            line.append(queued)
        if is_firing(notification) or is_end(notification) or is_group(notification):
            self._look.add(order)
            self._supersede(order)

    def finish(self, queued: Queued) -> None:
        """Take out the head of an alert, which is delivered or dead; the next of its alert has its turn."""
        self.busy.remove(queued.row)
        self.held -= 1
        self._born.pop(queued.row, None)
        if queued.place:
            self._born.pop(queued.place, None)
        if self._aging:
            self._aging.pop(_place(queued), None)
        order = queued.notification.order
        line = self._lines[order]
        if isinstance(line, Queued) or len(line) == 1:
            del self._lines[order]
            self._look.discard(order)
            return
        line.popleft()
        self._have_turn(line[0])

    def again(self, queued: Queued) -> None:
        """Keep the head of an alert for another attempt at its `next_at`."""
        self.busy.remove(queued.row)
        order = queued.notification.order
        line = self._lines[order]
        if isinstance(line, Queued):
            self._lines[order] = queued
        else:
            line[0] = queued
        self._have_turn(queued)
        if self._aging:
            self._watch(queued)
        if order in self._look:
            self._supersede(order)

    def front(self) -> Queued | None:
        """Bring one to the front of `ready` that was not taken out and is still to be sent, and return it."""
        while self.ready:
            queued = self.ready[0]
            if _place(queued) in self._void:
                self._void.discard(_place(queued))
                self.ready.popleft()
            elif queued.notification.order not in self._look:
                return queued
            elif not self._supersede(queued.notification.order):
                head = self.line(queued.notification.order)[0]  # it may stand for what had this turn
                if head.next_at <= queued.next_at:
                    self.ready[0] = head
                    return head
                # it failed before the restart for what it stands for as well, and must still wait
                self.ready.popleft()
                self._have_turn(head)
        return None

    @property
    def unsure(self) -> bool:
        """Whether `front` has to look before the first of `ready` may be sent."""
        return bool(self._void or self._look)

    def ripen(self) -> None:
        """Make those ready whose wait is over."""
        now = self.clock.monotonic()
        while self.waiting and self.waiting[0][0] <= now:
            self.ready.append(heapq.heappop(self.waiting)[2])

    # what is taken out

    def sending(self, row: int, order: str) -> bool:
        """Tell whether a row of this alert is under way, by itself or as a part of what is."""
        if row in self.busy:
            return True
        return any(part.row == row for each in self.line(order) if each.row in self.busy for part in each.parts)

    def withdraw(self, row: int, order: str) -> Queued | None:
        """Take out a row of this alert; None where it is under way or not here."""
        if any(each.parts for each in self.line(order)):
            self._unfold(order)
        line = self.line(order)
        gone = next((each for each in line if each.row == row), None)
        if gone is not None and row not in self.busy:
            self._take_out(gone)
        else:
            gone = None
        if order in self._look and order in self._lines:
            self._supersede(order)
        return gone

    def ban(self, row: int) -> None:
        """Note that a row is taken out which is not here yet: a page that is being read may still hold it."""
        self._void.add(row)

    def banned(self, row: int) -> bool:
        """Tell of a row that comes whether it was taken out before, once."""
        if row in self._void:
            self._void.discard(row)
            return True
        return False

    def _unfold(self, order: str) -> None:
        """Put the parts of a group's message back into the line, in its place; what is under way stays whole.

        Somebody drops one of the parts: the others must still be sent.
        """
        line: list[Queued] = []
        for each in self.line(order):
            parts = each.parts if each.parts and each.row not in self.busy else (each,)
            first = replace(parts[0], place=_place(each), next_at=each.next_at, before=each.before + each.attempts)
            line += (each,) if len(parts) == 1 else (replace(first, perhaps=each.perhaps), *parts[1:])
            for part in parts[:-1]:
                self._hold(part)
        if self._aging:
            self._aging = dict(sorted(self._aging.items()))
        self.stand(order, line)

    def stand(self, order: str, line: Sequence[Queued]) -> None:
        """Make these an alert's line from now on. One that stands in the place of the old head takes over its turn."""
        before = tuple(self.line(order))
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
                self._have_turn(line[0])

    def _take_out(self, queued: Queued) -> None:
        order = queued.notification.order
        self.stand(order, [each for each in self.line(order) if each.row != queued.row])

    def _supersede(self, order: str) -> bool:
        """Take out what need not be sent of an alert; tell whether there was anything."""
        passed = pass_over(self.line(order), self.busy, self.elsewhere, self.waited)
        if passed is None:
            return False
        self.superseded += passed.gone
        self.stand(order, passed.line)
        return True

    def clear(self, cursor: int) -> list[Queued]:
        """Take out and return all that is not under way, in row order; parts of a group's message come one by one.

        Rows up to `cursor` have come, so none of them needs to be kept out any more.
        """
        members = self.members()
        self._lines = {each.notification.order: each for each in members if each.row in self.busy}
        stays = {row for each in self._lines.values() if isinstance(each, Queued) for row in (each.row, each.place)}
        self.ready.clear()
        self.waiting.clear()
        self._aging.clear()
        self._born = {row: born for row, born in self._born.items() if row in stays}
        self._look.clear()
        self._void = {row for row in self._void if row > cursor}
        self.held = len(self.busy)
        left = [part for each in members if each.row not in self.busy for part in (each.parts or (each,))]
        return sorted(left, key=lambda queued: queued.row)

    def reached(self, episode: str) -> None:
        """Note that this receiver has got something of an episode whose firing message went to its fallback."""
        found = self.elsewhere.get(episode)
        if found is not None:
            self.elsewhere[episode] = Elsewhere(found.to, perhaps=True)

    # since when each waits

    def age(self, queued: Queued) -> float:
        """Return for how many seconds a notification has been waiting, by the monotonic clock."""
        return self.clock.monotonic() - self._born[queued.row]

    def waited(self, queued: Queued) -> float:
        """Return for how many seconds the oldest notification that this one stands for has been waiting."""
        return self.clock.monotonic() - self._born[_place(queued)]

    def set_patience(self, seconds: float | None) -> None:
        """Let `expired` return what waits for longer than this; None: nothing."""
        if seconds != self.patience:
            self.patience, self._look_at = seconds, -inf
            held = [] if seconds is None else sorted(self.members(), key=_place)
            self._aging = {_place(queued): queued.notification.order for queued in held}

    def expired(self) -> list[Queued]:
        """Take out and return what has waited for longer than `patience`; what is under way is left to its end."""
        if self.patience is None or not self._aging or self.clock.monotonic() < self._look_at:
            return []
        gone = []
        wait = inf
        for place, order in list(self._aging.items()):
            queued = next(each for each in self.line(order) if _place(each) == place)
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

    def due(self) -> float:
        """Return the monotonic time at which a wait ends or `expired` has to look; inf where there is neither."""
        at = self.waiting[0][0] if self.waiting else inf
        return min(at, max(self._look_at, self.clock.monotonic())) if self._aging else at

    def _hold(self, queued: Queued) -> None:
        """Begin to count how long it waits."""
        # a creation in the future means that somebody has set the clock back since: it is as old as now
        age = max(0.0, self.clock.now() - queued.notification.created)
        self._born[queued.row] = self.clock.monotonic() - age if queued.born is None else queued.born
        if self.patience is not None:
            self._aging[_place(queued)] = queued.notification.order
            self._watch(queued)

    def _watch(self, queued: Queued) -> None:
        """Have `expired` look again when this one has waited for long enough."""
        left = (self.patience or 0.0) - self.waited(queued)
        self._look_at = min(self._look_at, self.clock.monotonic() + max(left, 0.0))

    def _have_turn(self, queued: Queued) -> None:
        """Make a notification the head of its alert: ready, or waiting for its next attempt.

        Waits run on the monotonic clock and are at most RETRY_AFTER_SECONDS: a wall clock that somebody sets delays
        nobody.
        """
        wait = queued.next_at - self.clock.now() if queued.next_at else 0.0
        if wait > 0:
            heapq.heappush(self.waiting, (self.clock.monotonic() + min(wait, RETRY_AFTER_SECONDS), queued.row, queued))
        else:
            self.ready.append(queued)


def _place(queued: Queued) -> int:
    """Return the row of the oldest notification that this one stands for; its own where it stands for none."""
    return queued.place or queued.row
