"""The level of a notification: its severity, as far as channels can show it, and `resolved` for an end."""

from collections.abc import Mapping
from typing import Any

from hub.model import Phase

__all__ = ["LEVELS", "level_of"]

LEVELS = ("critical", "warning", "info", "resolved")


def level_of(body: Mapping[str, Any]) -> str:
    """Return which of LEVELS a notification is: the end of an alert is no longer critical, however grave it was."""
    if body.get("state") == Phase.RESOLVED:
        return "resolved"
    severity = str(body.get("severity"))
    return severity if severity in LEVELS[:-1] else "info"
