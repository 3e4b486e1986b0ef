"""How each kind of row is shown: its columns, cells and colour, and the text that a filter searches. Pure.

A text that the hub sends may come from a device, so each one passes `shown`, which makes control characters visible.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from hub.operate.figures.summary import seconds_shown
from hub.operate.live.live_model import Model, seconds_of
from hub.printable import shown, shown_labels

__all__ = ["ALERTS", "ATTEMPTS", "DEVICES", "EVENTS", "RECEIVERS", "RULES", "Column", "PaneKind", "age", "found_by"]

Item = Mapping[str, Any]
Cells = Sequence[str]
_SEVERITIES = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
_PHASES = ("firing", "pending", "resolved")
_RANKS = ("critical", "warning", "info")
_HAYSTACK = 500  # characters that a filter looks at: a long payload must not slow down typing


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, its width in characters, and its share of the width that is left over.

    The column is left out where the whole table is narrower than `least`.
    """

    title: str
    width: int
    share: int = 0
    least: int = 0


@dataclass(frozen=True, slots=True)
class PaneKind:
    """One table: `items` returns its rows in order, `key` what tells a row from the others, `cells` a row's texts.

    `style` is the row's colour for Rich, `search` the text that a filter searches, `detail` the line below the tables,
    `nothing` what stands there when there are no rows.
    """

    columns: Sequence[Column]
    items: Callable[[Model], Iterable[Item]]
    key: Callable[[Item], str]
    cells: Callable[[Item, float], Cells]
    style: Callable[[Item], str]
    search: Callable[[Item], str]
    detail: Callable[[Item], str]
    nothing: str
    keep: bool = True
    """Whether a cursor on the first row follows its item. In a stream it does not: it stays on the newest."""


def age(since: object, now: float) -> str:
    """Return how long ago a time was: `12s`, `5m`, `3h`, `2d`; "" where `since` is no time."""
    at = seconds_of(since)
    if not at:
        return ""
    seconds = max(0, int(now - at))
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size or (seconds >= size and unit != "m"):
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def found_by(kind: PaneKind, item: Item, words: Sequence[str]) -> bool:
    """Tell whether the text that the filter searches holds each of the words, which are in lower case."""
    if not words:
        return True
    text = kind.search(item)[:_HAYSTACK].lower()
    return all(word in text for word in words)


def _text(value: object) -> str:
    return "" if value is None else shown(value, 300)


def _rank(ranks: Sequence[str], value: object) -> int:
    return ranks.index(str(value)) if value in ranks else len(ranks)


# alerts


def _alerts(model: Model) -> list[Item]:
    """Sort the alerts: firing ones first, then by severity, then the youngest first."""
    return sorted(model.alerts.values(), key=_alert_order)


def _alert_order(alert: Item) -> tuple[int, int, float, str]:
    youngest = -seconds_of(alert.get("since"))
    return _rank(_PHASES, alert["state"]), _rank(_RANKS, alert.get("severity")), youngest, str(alert.get("fingerprint"))


def _alert_cells(alert: Item, now: float) -> Cells:
    seen, held = alert.get("acknowledged") or {}, alert.get("held") or {}
    by = _text(seen.get("by")) or (f"({_text(held.get('stage'))})" if held else "")
    since = alert.get("until") if alert["state"] == "resolved" else alert.get("since")
    labels = shown_labels(alert.get("labels") or {})
    words = (alert["state"], age(since, now), _text(alert.get("severity")), _text(alert.get("alertname")))
    return (*words, labels, by, _text(alert.get("summary")))


def _alert_style(alert: Item) -> str:
    if alert["state"] == "firing" and not alert.get("acknowledged"):
        return _SEVERITIES.get(str(alert.get("severity")), "")
    return {"resolved": "green dim", "pending": "dim"}.get(str(alert["state"]), "dim")


def _alert_search(alert: Item) -> str:
    seen = (alert.get("acknowledged") or {}).get("by", "")
    named = f"alertname={alert.get('alertname')} severity={alert.get('severity')} {alert['state']} {seen}"
    return f"{named} {shown_labels(alert.get('labels') or {})} {alert.get('summary')}"


def _alert_detail(alert: Item) -> str:
    seen, held = alert.get("acknowledged"), alert.get("held")
    parts = [_text(alert.get("summary")) or _text(alert.get("alertname"))]
    if seen:
        comment = f": {_text(seen.get('comment'))}" if seen.get("comment") else ""
        parts.append(f"acknowledged by {_text(seen.get('by'))}{comment}")
    if held:
        parts.append(f"held back by {_text(held.get('stage'))} {_text(held.get('detail'))}")
    if alert.get("shadow"):
        parts.append("a shadow rule: nobody is told")
    return " · ".join(parts)


ALERTS = PaneKind(
    (
        Column("state", 8),
        Column("age", 4),
        Column("severity", 8),
        Column("alert", 16, 1),
        Column("labels", 12, 3),
        Column("acknowledged", 12),
        Column("summary", 20, 4, least=120),
    ),
    _alerts,
    lambda item: str(item.get("fingerprint")),
    _alert_cells,
    _alert_style,
    _alert_search,
    _alert_detail,
    "no alerts: nothing is the matter",
)


# the event stream


def _event_cells(event: Item, now: float) -> Cells:
    skipped = event.get("skipped") or 0
    marks = f"{event.get('qos', '')}{'R' if event.get('retain') else ''}"
    return (
        age(event.get("time"), now),
        _text(event.get("topic")),
        marks,
        _payload(event),
        f"+{skipped:,}" * bool(skipped),
    )


def _payload(event: Item) -> str:
    payload = event.get("payload")
    return shown(payload if isinstance(payload, str) else _json(payload), 1200)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


EVENTS = PaneKind(
    (
        Column("age", 4),
        Column("topic", 24, 2),
        Column("qos", 3),
        Column("payload", 20, 4),
        Column("not shown", 9),
    ),
    lambda model: reversed(model.events),
    lambda item: str(item["number"]),
    _event_cells,
    lambda item: "dim" if item.get("retain") else "",
    lambda item: f"{item.get('topic')} {_payload(item)}",
    lambda item: f"{_text(item.get('topic'))} {_payload(item)}",
    "no event has come since this view was opened",
    keep=False,
)


# rules


def _rule_cells(rule: Item, _now: float) -> Cells:
    cost = rule.get("cost_microseconds")
    names = ("instances", "pending", "firing", "matches", "errors")
    counts = [_count(rule.get(name)) for name in names]
    words = _text(rule.get("name")) + (" (shadow)" if rule.get("shadow") else "") + _off(rule)
    return words, *counts, "" if cost is None else f"{cost:.1f}", _text(rule.get("when"))


def _off(rule: Item) -> str:
    return "" if rule.get("enabled", True) else " (off)"


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else ""


def _rule_detail(rule: Item) -> str:
    topics = " ".join(_text(topic) for topic in rule.get("topics") or ())
    where = f"{_text(rule.get('file'))}:{rule.get('line')}"
    last = f" · last error: {_text(rule.get('last_error'))}" if rule.get("last_error") else ""
    return f"{topics} when {_text(rule.get('when')) or 'always'} · {where}{last}"


RULES = PaneKind(
    (
        Column("rule", 18, 3),
        Column("instances", 9),
        Column("pending", 7),
        Column("firing", 6),
        Column("matches", 9),
        Column("errors", 6),
        Column("µs", 6),
        Column("when", 20, 4, least=100),
    ),
    lambda model: model.rules,
    lambda item: str(item.get("name")),
    _rule_cells,
    lambda item: "yellow" if item.get("errors") else "" if item.get("firing") else "dim",
    lambda item: (
        f"{item.get('name')} {item.get('kind')} {item.get('topics')} {item.get('when')} {item.get('severity')}"
    ),
    _rule_detail,
    "no rules",
)


# devices


def _device_cells(device: Item, now: float) -> Cells:
    interval = device.get("interval_seconds")
    every = "" if not interval else seconds_shown(interval)
    known = "registered" if device.get("registered") else ""
    seen = age(device.get("last_seen"), now) or "never"
    return _text(device.get("device")), seen, every, _text(device.get("presence")), known


def _device_detail(device: Item) -> str:
    attributes = device.get("attributes") or {}
    return f"{_text(device.get('device'))} {shown_labels(attributes)}"


_PRESENCES = {"online": "", "late": "yellow", "silent": "bold red", "gone": "bold red"}


DEVICES = PaneKind(
    (
        Column("device", 30, 1),
        Column("last seen", 9),
        Column("interval", 8),
        Column("presence", 8),
        Column("registry", 10),
    ),
    lambda model: model.devices,
    lambda item: str(item.get("device")),
    _device_cells,
    lambda item: _PRESENCES.get(str(item.get("presence")), ""),
    lambda item: f"{item.get('device')} {item.get('presence')} {shown_labels(item.get('attributes') or {})}",
    _device_detail,
    "no device was heard, and none is registered",
)


# deliveries


def _receiver_cells(receiver: Item, now: float) -> Cells:
    counts = (_count(receiver.get("queued")), _count(receiver.get("dead")))
    words = (_text(receiver.get(name)) for name in ("name", "kind"))
    return (
        *words,
        _receiver_state(receiver),
        *counts,
        age(receiver.get("last_delivered"), now),
        _text(receiver.get("last_error")),
    )


def _receiver_state(receiver: Item) -> str:
    """Say whether the receiver works. An open circuit is named as such: the hub waits before it tries again."""
    circuit = _text(receiver.get("circuit"))
    return circuit if circuit != "closed" else _STATES.get(str(receiver.get("state")), circuit)


_STATES = {"works": "works", "fails": "fails", "untried": "not tried"}


RECEIVERS = PaneKind(
    (
        Column("receiver", 12, 1),
        Column("kind", 8),
        Column("state", 9),
        Column("queued", 6),
        Column("dead", 6),
        Column("last sent", 9),
        Column("last error", 10, 3),
    ),
    lambda model: model.receivers,
    lambda item: str(item.get("name")),
    _receiver_cells,
    lambda item: "bold red" if item.get("dead") or item.get("circuit") != "closed" else "",
    lambda item: f"{item.get('name')} {item.get('kind')} {_receiver_state(item)}",
    lambda item: f"{_text(item.get('name'))}: {_text(item.get('last_error')) or 'no error'}",
    "no receivers",
)


def _attempt_cells(attempt: Item, now: float) -> Cells:
    kind = attempt["type"]
    outcome = str(attempt.get("outcome") if kind == "delivery" else kind)
    seconds = attempt.get("seconds")
    took = seconds_shown(seconds) if isinstance(seconds, float | int) and outcome == "delivered" else ""
    words = (_text(attempt.get(name)) for name in ("receiver", "alertname", "state"))
    return age(attempt.get("time"), now), *words, _text(outcome), took, _why(attempt)


def _why(attempt: Item) -> str:
    to = f"to {_text(attempt.get('to'))} " if attempt.get("to") else ""
    by = f"by {_text(attempt.get('by'))} " if attempt.get("by") else ""
    tried = attempt.get("attempt") or 1
    again = f"attempt {tried}: " if tried > 1 else ""
    return f"{to}{by}{again}{_text(attempt.get('reason'))}".strip()


def _attempt_style(attempt: Item) -> str:
    if attempt["type"] == "dead" or attempt.get("outcome") == "rejected":
        return "bold red"
    return "yellow" if attempt.get("outcome") == "retry" or attempt["type"] == "fallback" else ""


ATTEMPTS = PaneKind(
    (
        Column("age", 4),
        Column("receiver", 10, 1),
        Column("alert", 14, 2),
        Column("says", 8),
        Column("outcome", 10),
        Column("took", 7),
        Column("why", 8, 3),
    ),
    lambda model: reversed(model.attempts),
    lambda item: str(item["number"]),
    _attempt_cells,
    _attempt_style,
    lambda item: (
        f"{item.get('receiver')} {item.get('alertname')} {item.get('state')} {item.get('outcome')} {item['type']}"
    ),
    lambda item: f"{_text(item.get('notification'))} {_why(item)}",
    "nothing was sent since this view was opened",
    keep=False,
)
