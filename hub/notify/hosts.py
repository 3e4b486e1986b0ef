"""Circuits for each host, of a receiver whose host an event chooses: one device's host holds back that host alone.

Only hosts that fail are remembered, and of those so many; the one that has failed longest ago is forgotten first, which
costs it a few attempts more.
"""

from bisect import bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from math import inf

from hub.limits import BREAKER_SECONDS, HOST_CIRCUITS
from hub.model import Notification
from hub.notify.breaker import Breaker
from hub.notify.outbox import Queued

__all__ = ["HostOf", "Hosts"]

HostOf = Callable[[Notification], str]


class Hosts:
    """What a lane knows of the hosts that its notifications name; a notification that names none counts for nobody."""

    __slots__ = ("_circuits", "host_of")

    def __init__(self, host_of: HostOf) -> None:
        """Know none that fails."""
        self.host_of = host_of
        self._circuits: OrderedDict[str, Breaker] = OrderedDict()

    def opens(self, notification: Notification, now: float) -> float:
        """Return the monotonic time from which on an attempt may begin; soon, while another one probes its host."""
        breaker = self._circuit(notification)
        if breaker is None:
            return -inf
        opens = breaker.opens()
        return now + BREAKER_SECONDS[0] if opens == inf else opens

    def began(self, row: int, notification: Notification) -> None:
        """Hear of an attempt that begins."""
        breaker = self._circuit(notification)
        if breaker is not None:
            breaker.began(row)

    def failed(self, row: int, notification: Notification, now: float, asked: float | None) -> None:
        """Hear of a failure; `asked` is the wait, in seconds, that the host asked for, with what comes next too."""
        host = self.host_of(notification)
        if not host:
            return
        breaker = self._circuits.setdefault(host, Breaker())
        self._circuits.move_to_end(host)
        if len(self._circuits) > HOST_CIRCUITS:
            self._circuits.popitem(last=False)
        breaker.failed(row, notification.order, now, asked or 0.0)
        if asked:
            breaker.hold(now, asked)

    def worked(self, notification: Notification) -> None:
        """Hear that its host has answered."""
        if self._circuits:
            self._circuits.pop(self.host_of(notification), None)

    def surplus(self, waiting: Iterable[Queued], most: int) -> set[int]:
        """Return the rows of what waits for hosts that fail beyond `most`: the oldest of the hosts that have the most.

        So nobody fills the memory of a receiver with what can go nowhere, and keeps out what can.
        """
        rows: defaultdict[str, list[int]] = defaultdict(list)
        for each in waiting:
            host = self.host_of(each.notification)
            if each.attempts or host in self._circuits:
                rows[host].append(each.row)
        if sum(map(len, rows.values())) <= most:
            return set()
        each_may = bisect_right(
            range(1, most + 1), most, key=lambda cap: sum(min(len(own), cap) for own in rows.values())
        )
        return {row for own in rows.values() for row in sorted(own)[: max(len(own) - each_may, 0)]}

    def _circuit(self, notification: Notification) -> Breaker | None:
        # where no host fails, which is almost always, no URL is filled in for this
        return self._circuits.get(self.host_of(notification)) if self._circuits else None
