"""A notification as text: JSON for programs, and what mail and chat say to people where the user gave no template."""

from collections.abc import Mapping
from typing import Any

import orjson

from hub.limits import TEMPLATE_BYTES
from hub.notify.redact import one_line

__all__ = ["as_json", "message", "summary", "title"]

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
    labels = body.get("labels") or {}
    event = body.get("event") or {}
    lines = [
        ("State", _state(body)),
        ("Severity", body.get("severity")),
        *((name, value) for name, value in labels.items() if name not in ("alertname", "severity")),
        ("Topic", event.get("topic")),
        ("Runbook", body.get("runbook")),
    ]
    table = "\n".join(f"{name}: {one_line(str(value))}" for name, value in lines if value)
    details = "\n".join(one_line(line, TEMPLATE_BYTES) for line in str(body.get("details") or "").splitlines())
    said = f"{details}\n\n{table}" if details else table
    return "\n".join([said, *_links(body)])


def _links(body: Mapping[str, Any]) -> list[str]:
    """Return the links that acknowledge; of a group those of the alerts that its summary names."""
    if body.get("ack_url"):
        return [f"Acknowledge: {body['ack_url']}"]
    linked = [each for each in body.get("alerts") or () if each.get("ack_url")][:_LINKS]
    return [f"Acknowledge {one_line(str(each.get('summary') or each['id']))}: {each['ack_url']}" for each in linked]


def _state(body: Mapping[str, Any]) -> str:
    state, since, until = body.get("state"), body.get("since"), body.get("until")
    if state == "firing":
        return f"firing since {since}"
    if state == "resolved":
        return f"resolved at {until}, was firing since {since}"
    return str(state)


def as_json(body: Mapping[str, Any]) -> bytes:
    """Return the notification as JSON, as users see it; whatever is no JSON value becomes text."""
    return orjson.dumps(body, default=_plain, option=orjson.OPT_NON_STR_KEYS)


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)
