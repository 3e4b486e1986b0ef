"""Findings that only the settings as a whole show: files that nobody reads, a hub that can tell nobody of its faults.

Both are notes of `hub check` and warnings of `hub doctor`; findings of single rules and receivers are in rules.lint.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from hub.config import Settings
from hub.documents.listing import list_yaml
from hub.errors import Problem
from hub.limits import STRAY_BYTES
from hub.rules.reading.loader import RuleSet

__all__ = ["deaf", "strays"]

# how a rule file or a fleet begins, or a part of it, also as JSON
_OURS = re.compile(rb"""^[{\s]*["']?(?:rules|receivers|defaults|schedules|tests|fleet)["']?[ \t]*:""", re.MULTILINE)


def strays(paths: Sequence[Path]) -> list[Problem]:
    """Find files below these folders that look like rules or fleets and are not read: their names end otherwise."""
    return [
        Problem(str(path), 0, 0, f"is not read: {_why(path.name)}", "rename it, or let it lie elsewhere").as_note()
        for path in list_yaml(paths).strays
        if _looks_like_ours(path)
    ]


def _why(name: str) -> str:
    if name.startswith("."):
        return "its name begins with a dot"
    return "it does not end with .yaml or .yml"


def _looks_like_ours(path: Path) -> bool:
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe must not make us wait
    except OSError:
        return False
    try:
        return _OURS.search(os.read(number, STRAY_BYTES)) is not None
    except OSError:
        return False
    finally:
        os.close(number)


def deaf(settings: Settings, found: RuleSet) -> list[Problem]:
    """Find that the hub's own alerts, such as one about a failing receiver, reach nobody, though a receiver exists."""
    mine = [found.rules[name] for name in sorted(found.shipped) if name in found.rules]
    if not mine or not found.receivers or settings.self_watch.notify is not None:
        return []  # the user has decided, even with an empty list
    if any(rule.notify for rule in mine):
        return []
    message = f"nobody is told of the hub's own alerts, such as {mine[0].name}: 'self_watch' has no receiver"
    hint = "name one in `self_watch: {notify: […]}`, or in `defaults` of a rule file without rules"
    return [Problem(str(settings.path), 0, 0, message, hint).as_note()]
