"""Finds values that YAML reads as something else than was meant, without an error."""

import re
from collections.abc import Iterator

from hub.documents.document import Node
from hub.errors import Problem
from hub.rules.reading.rule import Rule
from hub.rules.reading.rule_values import Gate

__all__ = ["traps"]

_TRUTHS = {"yes": "true", "true": "true", "no": "false", "false": "false"}
_CUT_OFF = re.compile(r"[ \t]+#\{")
_TEXTS = ("summary", "details", "runbook", "topic", "by", "notify")


def traps(rule: Rule, node: Node) -> Iterator[Problem]:
    """Find conditions that are a name by mistake, and texts that end where a comment begins."""
    for key in ("when", "clear", "pause", "mute"):
        item, found = node.value.get(key), getattr(rule, key)
        program = found.condition if isinstance(found, Gate) else found
        if program is None or item.text not in program.fields:
            continue  # a schedule may be called so
        if item.text not in ("true", "false") and (meant := _TRUTHS.get(item.text.lower())):
            message = f"{item.text!r} is here the name of a payload field"
            yield item.problem(message, f"write {meant}; for the field, payload.{item.text}")
    for key in _TEXTS:
        yield from _cut_off(key, node.value.get(key))
    labels = node.value.get("labels")
    for name, item in labels.value.items() if labels is not None and isinstance(labels.value, dict) else ():
        yield from _cut_off(name, item)


def _cut_off(key: str, item: Node | None) -> Iterator[Problem]:
    if item is None or item.style or not item.source:
        return
    end = item.start + len(item.text)
    if item.source[item.start : end] == item.text and _CUT_OFF.match(item.source, end):
        message = f"{key!r} ends before the #: YAML takes what follows for a comment"
        yield item.problem(message, "quote the whole text")
