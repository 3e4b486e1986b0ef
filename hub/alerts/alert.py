"""An alert as the book keeps it and the store holds it.

An alert that is over is kept for ALERT_KEPT_SECONDS, because its `limit` goes on counting what was told of it.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from operator import attrgetter
from typing import Any

import orjson

from hub.alerts.suppression.tally import LimitTally
from hub.alerts.telling.said import NOTHING_SAID, Said
from hub.clock import rfc3339
from hub.contracts.answered import AckBody, AlertBody
from hub.expressions import short_level
from hub.ids import NotificationId
from hub.model import Labels, Phase, Suppressed, Suppressor

__all__ = ["Ack", "Alert", "alert_fingerprint", "changed"]


@dataclass(frozen=True, slots=True)
class Ack:
    """An acknowledgement: who gave it, when (seconds since 1970), until when (None: until the alert resolves)."""

    by: str
    comment: str
    at: float
    until: float | None = None

    def body(self) -> AckBody:
        """Return the acknowledgement as JSON shows it; times as RFC 3339."""
        until = None if self.until is None else rfc3339(self.until)
        return {"by": self.by, "comment": self.comment, "at": rfc3339(self.at), "until": until}


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert: its identity, its state, and what was told of it. Times are seconds since 1970, 0 for none.

    `episode` counts how often it has fired, `version` how often it has changed. Both are parts of ids, so they never go
    back. `said` tells what was said of this episode and to whom. Where a group told of it, `told_in` is the episode id
    of that group's conversation, which knows the rest.
    `unfilled` are the labels whose template had no value: they equal nothing. `event` is what a notification shows of
    the event.
    `held` is what keeps the alert from being told. `hidden` is the time since which a silence does so; it is 0 again
    when somebody was reminded of that.
    `fired` is when it last began to fire. `flaps` counts the firings of an episode in which it flaps, and `calm` is
    when the flapping ends if nothing happens until then. `ended` is when it last ceased to fire, `over` when it became
    inactive.
    """

    alertname: str
    instance: Labels
    episode: int = 0
    version: int = 0
    state: Phase = Phase.INACTIVE
    severity: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    summary: str = ""
    details: str = ""
    reason: str = ""
    since: float = 0.0
    until: float | None = None
    runbook: str = ""
    event: Mapping[str, Any] | None = None
    muted: bool = False
    shadow: bool = False
    held: Suppressed | None = None
    hidden: float = 0.0
    ack: Ack | None = None
    said: Said = NOTHING_SAID
    told_in: str = ""
    unfilled: tuple[str, ...] = ()
    tally: LimitTally = LimitTally()  # noqa: RUF009 - frozen
    fired: float = 0.0
    flaps: int = 0
    calm: float = 0.0
    ended: float = 0.0
    over: float = 0.0

    @property
    def fingerprint(self) -> str:
        """The alert's identity, from alertname and instance: 16 hex digits."""
        return alert_fingerprint(self.alertname, self.instance)

    @property
    def told(self) -> tuple[str, ...]:
        """The receivers that were told of this episode."""
        return self.said.told

    @property
    def open(self) -> bool:
        """Whether its episode goes on: it fires, or flaps and may fire again any moment."""
        return self.state is Phase.FIRING or self.calm > 0.0

    def id(self, step: str) -> str:
        """Return the notification id of a step of the present episode; the same step has the same id after a crash."""
        return str(NotificationId(self.fingerprint, self.episode, step))

    def topic(self, prefix: str) -> str:
        """Return the topic of its retained state: alertname, then the instance's values in the order of `by`."""
        levels = [short_level(self.alertname), *(short_level(value) for _, value in self.instance)]
        return "/".join([prefix, "alerts", *levels])

    def body(self) -> AlertBody:
        """Return the state as JSON, for the retained topic `hub/alerts/…`, the feed and the HTTP API."""
        return {
            "id": self.id(self.state.value),
            "alertname": self.alertname,
            "state": self.state.value,
            "severity": self.severity,
            "labels": self.labels,
            "summary": self.summary,
            "details": self.details,
            "reason": self.reason,
            "since": rfc3339(self.since),
            "until": None if self.until is None else rfc3339(self.until),
            "episode": self.episode,
            "acknowledged": None if self.ack is None else self.ack.body(),
            "held": None if self.held is None else {"stage": self.held.by, "detail": self.held.detail},
            "shadow": self.shadow,
        }

    def dump(self) -> str:
        """Return the alert as JSON for the store.

        An inactive alert keeps only what later episodes need: its counts, its `limit` and when it last fired.
        """
        if self.state is Phase.INACTIVE and not self.calm:
            kept: dict[str, Any] = {"alertname": self.alertname, "instance": self.instance, "episode": self.episode}
            kept |= {"version": self.version, "tally": self.tally, "fired": self.fired, "over": self.over}
            return orjson.dumps(kept).decode()
        return orjson.dumps(self, default=tuple).decode()  # `held` is a Suppressed: it becomes [by, detail]

    @classmethod
    def load(cls, text: str) -> "Alert":
        """Read what `dump` wrote."""
        found = orjson.loads(text)
        found["state"] = Phase(found.get("state", Phase.INACTIVE))
        found["instance"] = tuple((name, value) for name, value in found["instance"])
        found["said"] = Said.load(said) if (said := found.get("said")) else NOTHING_SAID
        found["unfilled"] = tuple(found.get("unfilled", ()))
        held = found.get("held")
        found["held"] = Suppressed(Suppressor(held[0]), held[1]) if held else None
        found["ack"] = Ack(**found["ack"]) if found.get("ack") else None
        tally = found.get("tally") or {"sent": (), "held": 0}
        found["tally"] = LimitTally(tuple(tally["sent"]), tally["held"])
        return cls(**found)


_PUTS: Mapping[str, Callable[[Alert, Any], None]] = {
    each.name: getattr(Alert, each.name).__set__ for each in fields(Alert)
}
_values = attrgetter(*_PUTS)


def changed(alert: Alert, **changes: Any) -> Alert:
    """Return the alert with other values, as dataclasses.replace does but in a quarter of the time.

    A storm of events spends most of its time in the book here.
    """
    made = object.__new__(Alert)
    for put, value in zip(_PUTS.values(), _values(alert), strict=True):
        put(made, value)
    for name, value in changes.items():
        _PUTS[name](made, value)
    return made


@lru_cache(1024)  # a transition asks several times for the same one
def alert_fingerprint(alertname: str, instance: Labels) -> str:
    """Identify an alert by its name and its instance's labels, whatever their order: 16 hex digits."""
    text = orjson.dumps([alertname, *sorted(instance)])
    return hashlib.blake2b(text, digest_size=8).hexdigest()
