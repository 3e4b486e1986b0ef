"""Which message of an instance is newer, by its device's own times (`timestamp`), and when that clock was set back.

An older message undoes nothing. But a device whose clock was set back (summer time has ended, a clock was corrected)
would be ignored until its clock has caught up. Such a device is known by its pace: its own time passes as fast as ours,
while the messages that a gateway has kept come in a burst.
"""

import enum
from dataclasses import dataclass

from hub.limits import SET_BACK_DEVICES, SET_BACK_MESSAGES, SET_BACK_SECONDS

__all__ = ["DeviceOrder", "Order"]

Key = tuple[str, ...]
_PACE = (0.5, 2.0)


class DeviceOrder(enum.Enum):
    """Where a message stands among those of its instance."""

    NEWER = enum.auto()
    OLDER = enum.auto()
    SET_BACK = enum.auto()
    """It is older, and the device's clock was set back: from now on it counts."""


@dataclass(slots=True)
class _Run:
    """Older messages, each later than the one before: when the first came, its own time, and that of the last."""

    began: float
    at: float
    last: float
    count: int = 1


class Order:
    """The runs of late messages, by instance; SET_BACK_DEVICES at most."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._behind: dict[Key, _Run] = {}

    def place(self, key: Key, latest: float, at: float, now: float) -> DeviceOrder:
        """Place a message that says `at`, where the latest of its instance said `latest`; it has come `now`."""
        if at >= latest:
            self._behind.pop(key, None)
            return DeviceOrder.NEWER
        run = self._behind.get(key)
        if run is None or at <= run.last:
            self._begin(key, at, now)
            return DeviceOrder.OLDER
        run.last, run.count = at, run.count + 1
        took = now - run.began
        goes_on = _PACE[0] * took <= at - run.at <= _PACE[1] * took
        if run.count < SET_BACK_MESSAGES or took < SET_BACK_SECONDS or not goes_on:
            return DeviceOrder.OLDER
        del self._behind[key]
        return DeviceOrder.SET_BACK

    def _begin(self, key: Key, at: float, now: float) -> None:
        if len(self._behind) >= SET_BACK_DEVICES:
            del self._behind[next(iter(self._behind))]
        self._behind[key] = _Run(now, at, at)
