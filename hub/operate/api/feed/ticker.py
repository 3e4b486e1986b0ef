"""The figures of the last second, for the feed: rates, latencies, what waits in the outbox, how many alerts fire."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from hub.commands.seams import Mirror
from hub.model import Phase
from hub.operate.figures.figures import Figures
from hub.operate.figures.histogram import Histogram
from hub.store.reader import Depth

__all__ = ["Ticker", "alert_counts", "outbox_counts"]


class Ticker:
    """Remembers the counters of the last look, so that the next one tells what came since."""

    def __init__(self, figures: Figures) -> None:
        """Look at these figures."""
        self._figures = figures
        self._at = 0.0
        self._events = self._sent = 0
        self._processing, self._notifying = figures.processing.copy(), figures.notifying.copy()

    def look(self, now: float) -> dict[str, Any]:
        """Return rates per second and latencies in seconds since the last look; `now` is a monotonic time."""
        figures, seconds = self._figures, max(now - self._at, 1e-3)
        events, sent = figures.generated.total, figures.sent.total
        second = {
            "egr": (events - self._events) / seconds if self._at else 0.0,
            "nsr": (sent - self._sent) / seconds if self._at else 0.0,
            "epl": _quantiles(figures.processing, self._processing),
            "npl": _quantiles(figures.notifying, self._notifying),
            "events": events,
            "notifications": sent,
        }
        self._at, self._events, self._sent = now, events, sent
        self._processing, self._notifying = figures.processing.copy(), figures.notifying.copy()
        return second


def _quantiles(now: Histogram, before: Histogram) -> Mapping[str, float | None]:
    since = now.since(before)
    if not since.count:
        return {"p50": None, "p99": None}
    return {"p50": since.quantile(0.5), "p99": since.quantile(0.99)}


def alert_counts(mirror: Mirror) -> Mapping[str, int]:
    """Count the alerts that fire or are pending; and, of both together, those acknowledged and those held back."""
    counts: Counter[str] = Counter({"firing": 0, "pending": 0, "acknowledged": 0, "held": 0})
    for alert in mirror.alerts.values():
        if alert.state in (Phase.FIRING, Phase.PENDING):
            counts[alert.state.value] += 1
            counts["acknowledged"] += alert.ack is not None
            counts["held"] += alert.held is not None
    return counts


def outbox_counts(depths: Sequence[Depth], now: float) -> Mapping[str, Any]:
    """Add up what waits for all receivers; `oldest_seconds` is the age of the oldest queued one, 0 where none is."""
    queued = [each for each in depths if each.state == "queued"]
    oldest = min((each.oldest for each in queued), default=now)
    return {
        "queued": sum(each.waiting for each in queued),
        "dead": sum(each.waiting for each in depths if each.state == "dead"),
        "oldest_seconds": max(0.0, now - oldest),
    }
