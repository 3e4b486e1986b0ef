"""A notification as text for people: what mail and chat say where the user gave no template."""

from collections.abc import Mapping
from typing import Any

__all__ = ["message", "title"]


def title(body: Mapping[str, Any]) -> str:
    """Return one line: `[firing] FreezerTooWarm: 7 at a is -9.0 °C`."""
    summary = body.get("summary") or ""
    head = f"[{body.get('state', '')}] {body.get('alertname', '')}"
    return f"{head}: {summary}" if summary else head


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
    table = "\n".join(f"{name}: {value}" for name, value in lines if value)
    details = body.get("details")
    return f"{details}\n\n{table}" if details else table


def _state(body: Mapping[str, Any]) -> str:
    state, since, until = body.get("state"), body.get("since"), body.get("until")
    if state == "firing":
        return f"firing since {since}"
    if state == "resolved":
        return f"resolved at {until}, was firing since {since}"
    return str(state)
