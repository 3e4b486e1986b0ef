"""Finds what an import has left to be written by hand: its comments in a file, and its signs in a rule."""

import re
from collections.abc import Iterator

from hub.documents.document import Node
from hub.errors import Problem
from hub.rules.reading.rule import Rule

__all__ = ["left_out", "unfinished", "waits"]

_TODO = "TODO"  # in what earlier versions have imported
_SIGNS = {_TODO, "not-carried-over"}
_COMMENT = re.compile(r"^([ \t]*)# (disabled, )?not carried over: (.*(?:\n[ \t]*#   .*)*)$", re.MULTILINE)
_OFF = "write it, then take `enabled: false` and this comment away"
_ON = "write it by hand where it is wanted, then take this comment away"


def unfinished(rule: Rule, node: Node) -> Iterator[Problem]:
    """Find each sign; it is a note, because an imported file must load before the user has finished it."""
    places = {key: _TODO for key in ("when", "clear") if _asks(getattr(rule, key))}
    levels = {level for pattern in rule.patterns for level in pattern.filter.split("/")}
    for sign in _SIGNS & levels:
        if sign == _TODO or rule.enabled:  # where it is disabled, a comment says so
            places["topic"] = sign
    for key, sign in places.items():
        state = "says nothing until then" if rule.enabled else "is disabled until then"
        message = f"{key!r} of rule {rule.name!r} is still to be written: {sign}"
        yield node.key_problem(key, message, f"an import has left it; the rule {state}").as_note()


def left_out(document: Node) -> Iterator[Problem]:
    """Find the comments in which an import says what it has not carried over; each may be left out on purpose."""
    if "not carried over: " not in document.source:
        return
    for found in _COMMENT.finditer(document.source):
        line, column = document.source.count("\n", 0, found.start()) + 1, len(found[1]) + 1
        said = re.sub(r"\n[ \t]*# +", " ", found[3])
        message = f"an import has {'disabled a rule and ' if found[2] else ''}left something out: {said}"
        yield Problem(document.path, line, column, message, _OFF if found[2] else _ON).as_note()


def waits(rule: Rule) -> bool:
    """Tell whether a rule is written, but disabled until somebody knows its condition."""
    return not rule.enabled and rule.when is not None and rule.when.text == "false"


def _asks(program: object) -> bool:
    return _TODO in getattr(program, "fields", ())
