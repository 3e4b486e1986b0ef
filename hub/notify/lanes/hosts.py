"""Circuits for each host, of a receiver whose host an event chooses: one device's host holds back that host alone.

Of the hosts that fail so many are remembered; the one that has failed longest ago is forgotten first, which costs it a
few attempts more. Of those that have answered, too: a device that names ever new hosts, each of which hangs, has no
circuit that opens, so what goes to hosts that never answered gets but a part of the attempts (see lane.py).
"""

from bisect import bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from math import inf

from hub.limits import BREAKER_SECONDS, HOST_CIRCUITS, HOST_STRANGERS_SECONDS
from hub.model import Notification
from hub.notify.lanes.breaker import Breaker
from hub.notify.outbox_port import Queued

__all__ = ["HostOf", "Hosts"]

HostOf = Callable[[Notification], str]


class Hosts:
    """What a lane knows of the hosts that its notifications name; a notification that names none counts for nobody."""

    __slots__ = ("_circuits", "_crowded", "_proven", "host_of")

    def __init__(self, host_of: HostOf) -> None:
        """Know none that fails."""
        self.host_of = host_of
        self._circuits: OrderedDict[str, Breaker] = OrderedDict()
        self._proven: OrderedDict[str, None] = OrderedDict()
        self._crowded = inf  # since when, by the monotonic clock

    def is_stranger(self, notification: Notification) -> bool:
        """Tell whether its host has not answered since it failed, or ever."""
        host = self.host_of(notification)
        return bool(host) and host not in self._proven

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
        self._proven.pop(host, None)
        breaker = self._circuits.setdefault(host, Breaker())
        self._circuits.move_to_end(host)
        if len(self._circuits) > HOST_CIRCUITS:
            self._circuits.popitem(last=False)
        breaker.failed(row, notification.order, now, asked or 0.0)
        if asked:
            breaker.hold(now, asked)

    def worked(self, notification: Notification) -> None:
        """Hear that its host has answered, or that there is none."""
        if self._circuits:
            self._circuits.pop(self.host_of(notification), None)

    def delivered(self, notification: Notification) -> None:
        """Hear that its host has taken it: no stranger any more, until it fails."""
        host = self.host_of(notification)
        if host:
            self._proven[host] = None
            self._proven.move_to_end(host)
            if len(self._proven) > HOST_CIRCUITS:
                self._proven.popitem(last=False)

    def calm(self) -> None:
        """Hear that not much waits."""
        self._crowded = inf

    def surplus(self, waiting: Iterable[Queued], most: int, now: float) -> set[int]:
        """Return the rows of what waits for hosts that fail beyond `most`: the oldest of the hosts that have the most.

        So nobody fills the memory of a receiver with what can go nowhere, and keeps out what can. What was not tried
        yet, for a host that never answered, counts where it has been much for HOST_STRANGERS_SECONDS: after a start no
        host has answered, and those that do are soon known.
        """
        self._crowded = min(self._crowded, now)
        strangers = now - self._crowded >= HOST_STRANGERS_SECONDS
        rows: defaultdict[str, list[int]] = defaultdict(list)
        for each in waiting:
            host = self.host_of(each.notification)
            if each.attempts or host in self._circuits or (strangers and host and host not in self._proven):
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
