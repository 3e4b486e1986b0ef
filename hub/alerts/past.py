"""Inactive alerts that are still known, in the order in which the register forgets them.

They leave by age, or earlier where there are too many.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping

from hub.alerts.alert import Alert
from hub.limits import ALERT_KEPT_SECONDS, ALERTS_KEPT
from hub.model import Phase

__all__ = ["Past"]


class Past:
    """Fingerprints of inactive alerts; the one that has been over for longest is first."""

    def __init__(self, alerts: Mapping[str, Alert]) -> None:
        """Begin with an empty line; `alerts` are all alerts of the register, and stay its own."""
        self._alerts = alerts
        self._line: OrderedDict[str, None] = OrderedDict()

    def note(self, fingerprint: str, alert: Alert) -> None:
        """Put an alert into the line if it is over, take it out of the line if it is not."""
        if alert.state is Phase.INACTIVE and not alert.calm:  # one that flaps may fire again any moment
            self._line.setdefault(fingerprint)
        else:
            self._line.pop(fingerprint, None)

    def drop(self, fingerprint: str) -> None:
        """Take an alert out that the register has forgotten."""
        self._line.pop(fingerprint, None)

    def sort(self) -> None:
        """Sort the line by time; called once after a start, because rows are restored in any order."""
        self._line = OrderedDict.fromkeys(sorted(self._line, key=lambda fingerprint: self._alerts[fingerprint].over))

    def next_due(self) -> float | None:
        """Return when the first alert of the line leaves: at once where there are too many; None for an empty line."""
        fingerprint = next(iter(self._line), None)
        if fingerprint is None:
            return None
        return self._alerts[fingerprint].over + (ALERT_KEPT_SECONDS if len(self._line) <= ALERTS_KEPT else 0.0)

    def take_due(self, now: float) -> Iterator[tuple[str, bool]]:
        """Yield the fingerprints that leave now, each with whether its age is reached; False: there are too many."""
        while (due := self.next_due()) is not None and due <= now:
            fingerprint, _ = self._line.popitem(last=False)
            yield fingerprint, self._alerts[fingerprint].over + ALERT_KEPT_SECONDS <= now
