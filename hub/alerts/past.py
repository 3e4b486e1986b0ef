"""The alerts that are over and known still, in the order in which they leave: by age, and where there are too many."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping

from hub.alerts.alert import Alert
from hub.limits import ALERT_KEPT_SECONDS, ALERTS_KEPT
from hub.model import Phase

__all__ = ["Past"]


class Past:
    """Marks of inactive alerts, those that are over longest first; `alerts` are all there are."""

    def __init__(self, alerts: Mapping[str, Alert]) -> None:
        """Begin with none."""
        self._alerts = alerts
        self._line: OrderedDict[str, None] = OrderedDict()

    def note(self, fingerprint: str, alert: Alert) -> None:
        """Let an alert stand in line if it is over, and leave the line if it is not."""
        if alert.state is Phase.INACTIVE and not alert.calm:
            self._line.setdefault(fingerprint)
        else:
            self._line.pop(fingerprint, None)

    def drop(self, fingerprint: str) -> None:
        """Forget an alert that is known no more."""
        self._line.pop(fingerprint, None)

    def sort(self) -> None:
        """Put all in line in the order of time: they came in any other."""
        self._line = OrderedDict.fromkeys(sorted(self._line, key=lambda fingerprint: self._alerts[fingerprint].over))

    def next_due(self) -> float | None:
        """Return when the first of them leaves."""
        fingerprint = next(iter(self._line), None)
        if fingerprint is None:
            return None
        return self._alerts[fingerprint].over + (ALERT_KEPT_SECONDS if len(self._line) <= ALERTS_KEPT else 0.0)

    def take_due(self, now: float) -> Iterator[tuple[str, bool]]:
        """Take those that leave now, each with whether its time has come; else there are too many."""
        while (due := self.next_due()) is not None and due <= now:
            fingerprint, _ = self._line.popitem(last=False)
            yield fingerprint, self._alerts[fingerprint].over + ALERT_KEPT_SECONDS <= now
