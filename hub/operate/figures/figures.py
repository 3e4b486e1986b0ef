"""The four usual figures (EGR, EPL, NSR, NPL), counted while the pipeline runs.

The summary at the end of a run, /metrics and the live feed read them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from hub.model import OWN, Delivered, Event, Notification, Outcome, Phase, Retry
from hub.observer import Observer
from hub.operate.figures.histogram import Histogram, RatePerSecond
from hub.operate.figures.summary import Figure, Latency, Summary

__all__ = ["Figures"]


class Figures(Observer):
    """Counts what observers hear. A batch of events costs the same whatever its length."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.generated = RatePerSecond()
        """EGR: events that were evaluated."""
        self.processing = Histogram()
        """EPL: from the arrival of an event until everything it caused is on disk; one value for each event."""
        self.sent = RatePerSecond()
        """NSR: notifications that a receiver has taken."""
        self.notifying = Histogram()
        """NPL: from the cause of a notification until a receiver has taken it."""
        self.storing = Histogram()
        """Commits: from the hand-over to the store until they were on disk."""
        self.alerts: Counter[str] = Counter()
        """Changes of alerts, by the state that they went to."""
        self.counts: Counter[str] = Counter()
        """All other counts, each by a word of its own."""

    def events(self, events: Sequence[Event], now: float) -> None:
        """Count a batch that was evaluated; `now` is in seconds since 1970."""
        self.generated.add(len(events), now)

    def committed(self, count: int, latency: float) -> None:
        """Count a batch, each of its events with the latency of the oldest one: none took longer."""
        self.processing.add(latency, count)

    def stored(self, seconds: float) -> None:
        """Count a commit that took so many seconds."""
        self.storing.add(seconds)

    def decode_error(self, topic: str, head: bytes, reason: str) -> None:
        """Count a message that could not be read."""
        self.counts["undecoded"] += 1

    def duplicates(self, count: int) -> None:
        """Count redeliveries, which are not evaluated again."""
        self.counts["duplicates"] += count

    def rule_error(self, rule: str, topic: str, message: str) -> None:
        """Count an event for which a condition had no value."""
        self.counts["rule_errors"] += 1

    def alert(self, body: Mapping[str, Any]) -> None:
        """Count an alert by its new state."""
        if "desk" not in body:  # an acknowledgement or a silence changes the alert, but not its state
            self.alerts[str(body.get("state"))] += 1

    def queued(self, notification: Notification) -> None:
        """Count a notification; the hub's own published state is none."""
        self.counts["queued"] += notification.receiver != OWN

    def delivery(self, notification: Notification, outcome: Outcome, attempt: int, now: float) -> None:
        """Count an attempt, and where it succeeded the latency. The hub's own published state is counted apart."""
        if notification.receiver == OWN:
            self.counts["published"] += isinstance(outcome, Delivered)
            return
        if isinstance(outcome, Delivered):
            self.sent.add(1, now)
            self.notifying.add(now - notification.created)
            self.counts[f"sent_{notification.body.get('state')}"] += 1
        elif isinstance(outcome, Retry):
            self.counts["failed_attempts"] += 1
            self.counts["delayed"] += attempt == 1

    def dead(self, notification: Notification, reason: str) -> None:
        """Count a notification that was given up."""
        self.counts["dead"] += 1

    def session(self, kind: str, detail: str) -> None:
        """Count a change of the broker's session, by its kind."""
        self.counts[f"session_{kind}"] += 1

    def trouble(self, what: str, message: str) -> None:
        """Count a line of the log that begins with `trouble`."""
        self.counts["troubles"] += 1

    def summary(self) -> Summary:
        """Return all counts as they are now, to be printed or written as JSON."""
        counts = self.counts
        return Summary(
            egr=_figure(self.generated),
            epl=_latency(self.processing),
            nsr=_figure(self.sent),
            npl=_latency(self.notifying),
            fired=self.alerts[Phase.FIRING],
            resolved=self.alerts[Phase.RESOLVED],
            sent_firing=counts[f"sent_{Phase.FIRING}"],
            sent_resolved=counts[f"sent_{Phase.RESOLVED}"],
            sent_event=counts[f"sent_{Phase.EVENT}"],
            queued=counts["queued"],
            delayed=counts["delayed"],
            failed_attempts=counts["failed_attempts"],
            dead=counts["dead"],
            undecoded=counts["undecoded"],
            rule_errors=counts["rule_errors"],
            duplicates=counts["duplicates"],
            reconnects=max(counts["session_connected"] - 1, 0),
            sessions_lost=counts["session_session_lost"],
            troubles=counts["troubles"],
        )


def _figure(rate: RatePerSecond) -> Figure:
    return Figure(rate.total, rate.mean(), rate.best())


def _latency(histogram: Histogram) -> Latency:
    return Latency(histogram.quantile(0.5), histogram.quantile(0.99), histogram.longest)
