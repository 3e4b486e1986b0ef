"""What the trace knows of an alert, in order: what happened, what was suppressed, who was told, each attempt."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from hub.clock import PEOPLE, rfc3339
from hub.contracts.answered import WhyBody
from hub.documents.duration import format_duration
from hub.errors import Code, RequestError
from hub.fields import did_you_mean
from hub.ids import fingerprint_in, parsed
from hub.limits import WHY_ALERTS, WHY_ENTRIES
from hub.store.changes import TraceRow
from hub.store.reader import Reader
from hub.why.readings import value_text

__all__ = ["ToldAlert", "as_body", "of_body", "read", "sentence", "tell"]


@dataclass(frozen=True, slots=True)
class ToldAlert:
    """One alert of which the trace knows something; `state` is its row in the book, None for an event rule."""

    fingerprint: str
    rule: str
    labels: Mapping[str, str]
    state: Mapping[str, Any] | None
    entries: Sequence[TraceRow]


def read(reader: Reader, name: str, labels: Mapping[str, str], in_force: Iterable[str] = ()) -> list[ToldAlert]:
    """Return the alerts of a rule with these labels, or those that a notification tells of; WHY_ALERTS at most.

    `name` is a rule's name or a notification's id. Alerts of a rule come latest first, those of a group's message in
    its order. `in_force` names the rules of a hub that runs: the store knows them only from its first commit on.

    Raises:
        RequestError: the trace knows none.

    """
    fingerprint = fingerprint_in(name)
    fingerprints = reader.members(name, 100 * WHY_ALERTS) if _of_group(name) else []  # a look at all of the trace
    if not fingerprints:
        fingerprints = [fingerprint] if reader.trace(fingerprint, 1) else reader.traced(name, 100 * WHY_ALERTS)
    found: list[ToldAlert] = []
    for each in fingerprints:
        one = _told(reader, each)
        # the fingerprint of a group has only deliveries, which each of its alerts tells of as well
        is_group = fingerprints != [each] and not reader.is_alert(each)
        if not is_group and all(one.labels.get(key) == value for key, value in labels.items()):
            found.append(one)
            if len(found) == WHY_ALERTS:
                break
    if not found:
        _fail(reader, name, labels, in_force)
    return found


def _of_group(name: str) -> bool:
    found = parsed(name)
    return found is not None and found.of_group  # else it is the name of a rule


def _fail(reader: Reader, name: str, labels: Mapping[str, str], in_force: Iterable[str]) -> None:
    known = sorted({*reader.rules(), *in_force})
    if name not in known:
        hint = did_you_mean(name, known)
        raise RequestError(f"nothing is known of an alert {name!r}" + (f" ({hint})" if hint else ""), Code.MISSING)
    what = ", ".join(f"{key}={value}" for key, value in labels.items())
    raise RequestError(
        f"nothing has happened to {name}{f' with {what}' if what else ''} that the trace still knows;"
        f" `hub why-not {name}` tells why",
        Code.MISSING,
    )


def _told(reader: Reader, fingerprint: str) -> ToldAlert:
    entries = reader.trace(fingerprint, WHY_ENTRIES)
    groups = [entry[4] for entry in entries if entry[1] == "notified" and fingerprint_in(entry[4]) != fingerprint]
    if groups:
        entries = reader.trace_with(fingerprint, WHY_ENTRIES, groups)
    state = reader.alert(fingerprint)
    labels: dict[str, str] = {}
    for entry in entries:
        labels |= orjson.loads(entry[5]).get("labels") or {}
    return ToldAlert(fingerprint, entries[-1][3], labels, state, entries)


def as_body(told: ToldAlert) -> WhyBody:
    """Return the alert's trace as JSON, for scripts and for a hub that is asked from elsewhere."""
    return {
        "alertname": told.rule,
        "fingerprint": told.fingerprint,
        "labels": told.labels,
        "state": told.state.get("state") if told.state else None,
        "trace": [
            {"time": rfc3339(at), "kind": kind, "notification": identity or None, **orjson.loads(text)}
            for at, kind, _, _, identity, text in told.entries
        ],
    }


def of_body(body: Mapping[str, Any]) -> ToldAlert:
    """Read what `as_body` wrote, as the answer of a hub elsewhere."""
    entries = []
    for each in body["trace"]:
        data = {key: value for key, value in each.items() if key not in ("time", "kind", "notification")}
        at, named = datetime.fromisoformat(each["time"]).timestamp(), each["notification"] or ""
        entries.append((at, each["kind"], body["fingerprint"], body["alertname"], named, orjson.dumps(data).decode()))
    state = {"state": body["state"]} if body.get("state") else None
    return ToldAlert(body["fingerprint"], body["alertname"], body["labels"], state, entries)


def tell(told: ToldAlert) -> list[str]:
    """Return the trace as sentences, one for each entry, the time first."""
    return [f"{PEOPLE.told(entry[0])}  {sentence(entry)}" for entry in told.entries]


def sentence(entry: TraceRow) -> str:
    """Return an entry in words, without its time."""
    at, kind, _, _, identity, text = entry
    data = orjson.loads(text)
    teller = _TELLERS.get(kind)
    return f"{kind} {identity}".strip() if teller is None else teller(_Noted(at, identity, data))


class _Noted(NamedTuple):
    """An entry of the trace: when, of which notification, and what else is known."""

    at: float
    notification: str
    data: Mapping[str, Any]


def _transition(entry: _Noted) -> str:
    at, data = entry.at, entry.data
    phase, reason = data["phase"], data.get("reason", "")
    since = data.get("since")
    lasted = f" after {format_duration(at - since)}" if phase == "firing" and since and at - since >= 1 else ""
    text = f"{phase}{lasted}: {reason}" if reason else str(phase)
    values = data.get("values") or []
    if values:
        text += "; " + ", ".join(f"{part} was {value_text(value)}" for part, value in values)
    event = data.get("event")
    return f"{text}; by {event['topic']} {event['payload']}" if event else text


def _held(entry: _Noted) -> str:
    data = entry.data
    detail = data.get("detail")
    return f"held back: {data['stage']}" + (f" ({detail})" if detail else "")


def _released(entry: _Noted) -> str:
    data = entry.data
    return f"no longer held back by {data['stage']}" if data.get("stage") else "no longer held back"


def _notified(entry: _Noted) -> str:
    identity, data = entry.notification, entry.data
    receivers = ", ".join(data.get("receivers") or ()) or "nobody"
    return f"told to {receivers} ({data.get('step', '')}, {identity})"


def _delivery(entry: _Noted) -> str:
    identity, data = entry.notification, entry.data
    attempt = f", attempt {data['attempt']}" if data.get("attempt") else ""
    text = f"{data['receiver']}: {data['outcome']}{attempt}"
    return f"{text}: {data['reason']} ({identity})" if data.get("reason") else f"{text} ({identity})"


def _command(entry: _Noted) -> str:
    data = entry.data
    comment = f": {data['comment']}" if data.get("comment") else ""
    return f"{data.get('command', 'command')} by {data.get('by', 'somebody')}{comment}"


_TELLERS = {
    "transition": _transition,
    "held": _held,
    "released": _released,
    "notified": _notified,
    "delivery": _delivery,
    "command": _command,
}
