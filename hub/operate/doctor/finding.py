"""One finding of the doctor: how grave it is, what was found, and what to do about it."""

import enum
from dataclasses import dataclass

__all__ = ["Finding", "Level", "bad", "good", "unknown", "warning"]


class Level(enum.StrEnum):
    """How grave a finding is: `bad` loses events or notifications, `warning` may lose or delay them."""

    GOOD = "good"
    UNKNOWN = "unknown"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked; `remedy` is empty if nothing is to be done."""

    level: Level
    subject: str
    text: str
    remedy: str = ""


def good(subject: str, text: str) -> Finding:
    """Return a finding: this is as it should be."""
    return Finding(Level.GOOD, subject, text)


def unknown(subject: str, text: str, remedy: str = "") -> Finding:
    """Return a finding: this could not be checked."""
    return Finding(Level.UNKNOWN, subject, text, remedy)


def warning(subject: str, text: str, remedy: str) -> Finding:
    """Return a finding: events or notifications may be lost or late."""
    return Finding(Level.WARNING, subject, text, remedy)


def bad(subject: str, text: str, remedy: str) -> Finding:
    """Return a finding: events or notifications are lost."""
    return Finding(Level.BAD, subject, text, remedy)
