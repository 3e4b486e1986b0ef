"""A notification as text: JSON for programs, and what mail and chat say to people where the user gave no template."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from hub.clock import PEOPLE
from hub.limits import TEMPLATE_BYTES
from hub.printable import one_line

__all__ = ["as_json", "details", "links", "message", "summary", "table", "title"]

_LINKS = 3  # as many as the summary of a group has alerts


def title(body: Mapping[str, Any]) -> str:
    """Return one line: `[firing] FreezerTooWarm: 7 at a is -9.0 °C`."""
    head = f"[{body.get('state', '')}] {body.get('alertname', '')}"
    said = body.get("summary")
    return one_line(f"{head}: {said}" if said else head)


def summary(body: Mapping[str, Any]) -> str:
    """Return the summary alone, as one line; the title where there is none."""
    return one_line(str(body.get("summary") or ""), TEMPLATE_BYTES) or title(body)


def message(body: Mapping[str, Any]) -> str:
    """Return all that a person needs, most important first; the summary is not among it (it is the title)."""
    rows = [*table(body), ("Runbook", one_line(str(body["runbook"])))] if body.get("runbook") else table(body)
    lines = "\n".join(f"{name}: {value}" for name, value in rows)
    said = details(body)
    acknowledge = [f"Acknowledge {note}: {url}" if note else f"Acknowledge: {url}" for note, url in links(body)]
    return "\n".join([f"{said}\n\n{lines}" if said else lines, *acknowledge])


def details(body: Mapping[str, Any]) -> str:
    """Return the details, which may have several lines."""
    return "\n".join(one_line(line, TEMPLATE_BYTES) for line in str(body.get("details") or "").splitlines())


def table(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what there is to know beside summary and details: names and values, of one line each."""
    labels = body.get("labels") or {}
    event = body.get("event") or {}
    rows = [
        ("State", _state(body)),
        ("Severity", body.get("severity")),
        *((name, value) for name, value in labels.items() if name not in ("alertname", "severity")),
        ("Topic", event.get("topic")),
    ]
    return [(name, one_line(str(value))) for name, value in rows if value]


def links(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the links that acknowledge, each with what it is for; of a group those of the alerts its summary names."""
    if body.get("ack_url"):
        return [("", str(body["ack_url"]))]
    linked = [each for each in body.get("alerts") or () if each.get("ack_url")][:_LINKS]
    return [(one_line(str(each.get("summary") or each["id"])), str(each["ack_url"])) for each in linked]


def _state(body: Mapping[str, Any]) -> str:
    state, since, until = body.get("state"), body.get("since"), body.get("until")
    if state == "firing":
        return f"firing since {PEOPLE.told(str(since))}"
    if state == "resolved":
        return f"resolved at {PEOPLE.told(str(until))}, was firing since {PEOPLE.told(str(since))}"
    return str(state)


def as_json(body: Mapping[str, Any] | Sequence[Any]) -> bytes:
    """Return the notification as JSON, as users see it; whatever is no JSON value becomes text."""
    return orjson.dumps(body, default=_plain, option=orjson.OPT_NON_STR_KEYS)


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)
