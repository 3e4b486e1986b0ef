"""Circuits per host, for a receiver whose host an event chooses: a host that fails holds back nobody but itself.

HOST_CIRCUITS hosts that fail are remembered; the one that failed longest ago is forgotten first, which costs it only a
few attempts more. As many are remembered that have answered. A device could name ever new hosts, each of which hangs,
and no circuit would open. So hosts that never answered ("strangers") get only a part of the attempts (see lane.py).
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
"""Returns the host of a notification; "" where it names none that can be used."""


class Hosts:
    """What a lane knows of the hosts of its notifications. A notification without a host counts for none."""

    __slots__ = ("_circuits", "_crowded", "_proven", "host_of")

    def __init__(self, host_of: HostOf) -> None:
        """Begin without a host that fails."""
        self.host_of = host_of
        self._circuits: OrderedDict[str, Breaker] = OrderedDict()
        self._proven: OrderedDict[str, None] = OrderedDict()
        self._crowded = inf  # since when, by the monotonic clock

    def is_stranger(self, notification: Notification) -> bool:
        """Tell whether the host has not answered since it failed, or has never answered."""
        host = self.host_of(notification)
        return bool(host) and host not in self._proven

    def opens(self, notification: Notification, now: float) -> float:
        """Return the monotonic time from which an attempt may begin; a moment from now while a probe is under way."""
        breaker = self._circuit(notification)
        if breaker is None:
            return -inf
        opens = breaker.opens()
        return now + BREAKER_SECONDS[0] if opens == inf else opens

    def began(self, row: int, notification: Notification) -> None:
        """Note that an attempt begins."""
        breaker = self._circuit(notification)
        if breaker is not None:
            breaker.began(row)

    def failed(self, row: int, notification: Notification, now: float, asked: float | None) -> None:
        """Note a failure; `asked` is for how many seconds the host asked to be left alone, None where it did not."""
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
        """Note that the host has answered, if only to refuse, or that there is certainly no such host."""
        if self._circuits:
            self._circuits.pop(self.host_of(notification), None)

    def delivered(self, notification: Notification) -> None:
        """Note that the host has taken a notification: it is no stranger until it fails."""
        host = self.host_of(notification)
        if host:
            self._proven[host] = None
            self._proven.move_to_end(host)
            if len(self._proven) > HOST_CIRCUITS:
                self._proven.popitem(last=False)

    def calm(self) -> None:
        """Note that the lane is not crowded now."""
        self._crowded = inf

    def surplus(self, waiting: Iterable[Queued], most: int, now: float) -> set[int]:
        """Return the rows to give up: all beyond `most` that wait for failing hosts, oldest first, largest host first.

        So nobody can fill a receiver's memory with what goes nowhere and keep out what can be sent. What was not tried
        yet and waits for a stranger counts only after the lane was crowded for HOST_STRANGERS_SECONDS: after a start
        every host is a stranger, and those that answer are known soon.
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
        # mostly no host fails, and then no URL is rendered only to look it up
        return self._circuits.get(self.host_of(notification)) if self._circuits else None
