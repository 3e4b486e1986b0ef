"""Compares rules with the registry: timers shorter than a device's interval, names that no device has."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hub.devices.fleet import Fleet
from hub.devices.registry import Registry
from hub.documents.document import Node
from hub.documents.duration import format_duration
from hub.errors import Problem
from hub.expressions.names import BUILTINS
from hub.expressions.syntax.ast import Has, Name, Select
from hub.expressions.syntax.ast import SyntaxNode as Expression
from hub.expressions.syntax.parser import parse
from hub.fields import did_you_mean
from hub.rules.reading.rule import Rule

__all__ = ["Devices"]

_CONDITIONS = ("when", "clear")


@dataclass(slots=True)
class Devices:
    """The registry, and what its fleets send and are; asked again for each rule."""

    registry: Registry
    attributes: dict[str, frozenset[str]] = field(default_factory=dict)

    def findings(self, rule: Rule, node: Node) -> Iterator[Problem]:
        """Find what does not fit the devices of the registry that the rule hears."""
        heard = [self.registry.fleets(pattern.filter) for pattern in rule.patterns]
        if not all(heard):
            return  # devices that the registry does not know may send there too
        fleets = {fleet.name: fleet for each in heard for fleet in each}
        yield from _timers(rule, node, fleets.values())
        yield from self._names(rule, node, fleets.values())

    def _names(self, rule: Rule, node: Node, fleets: Iterable[Fleet]) -> Iterator[Problem]:
        """Find misspelt fields and attributes: what no device has, while it has one of nearly that name."""
        sent = _fields(fleets)
        known = frozenset().union(*(self._attributes(fleet) for fleet in fleets))
        for key in _CONDITIONS:
            program = getattr(rule, key)
            if program is None:
                continue
            place = node.value[key]
            fields, attributes = _asked(parse(program.text), rule.captures)
            for name in sorted(fields & program.fields) if sent else ():
                yield from _missing(place, name, sent, f"sends a field {name!r}")
            for name in sorted(attributes):
                yield from _missing(place, name, known, f"has an attribute {name!r}")

    def _attributes(self, fleet: Fleet) -> frozenset[str]:
        if fleet.name not in self.attributes:
            self.attributes[fleet.name] = frozenset(name for device in fleet.devices for name in device.attributes)
        return self.attributes[fleet.name]


def _missing(place: Node, name: str, known: frozenset[str], what: str) -> Iterator[Problem]:
    near = "" if name in known else did_you_mean(name, known)
    if near:
        found = re.search(rf"\b{name}\b", place.text)
        message = f"no device of the registry that matches {what}"
        yield place.problem(message, near, offset=found.start() if found else None)


def _fields(fleets: Iterable[Fleet]) -> frozenset[str]:
    """Return what is sent; nothing where that is not known of all."""
    names: set[str] = set()
    for fleet in fleets:
        if fleet.payload is None or fleet.payload.bare:
            return frozenset()
        names |= {name for name in fleet.payload.fields if not name.startswith("_")}
    return frozenset(names)


def _asked(root: Expression, captures: Iterable[str]) -> tuple[set[str], set[str]]:
    """Return the fields and attributes that an expression needs; those that it asks `has` about are not needed."""
    fields, attributes, guarded = set[str](), set[str](), set[str]()
    found = {"device": attributes, "payload": fields}
    waiting = [root]
    while waiting:
        each = waiting.pop()
        waiting += each.below()
        if isinstance(each, Has) or (isinstance(each, Select) and each.optional):
            guarded.add(each.field)
        elif isinstance(each, Name) and each.name not in BUILTINS:
            fields.add(each.name)
        elif isinstance(each, Select) and isinstance(each.operand, Name):
            owner = "" if each.operand.name in captures else each.operand.name
            found.get(owner, set()).add(each.field)
    return fields - guarded, attributes - guarded


def _timers(rule: Rule, node: Node, fleets: Iterable[Fleet]) -> Iterator[Problem]:
    """Find timers that are shorter than the time between two messages, where each device is an instance."""
    if not _one_device_each(rule) or rule.timestamp is not None:
        return
    paced = [(fleet, fleet.interval) for fleet in fleets if fleet.interval is not None]
    slow = [(fleet, every) for fleet, every in paced if 0 < rule.hold < every - fleet.pace.jitter]
    if slow and len(slow) == len(list(fleets)):
        fleet, every = min(slow, key=lambda each: each[1])
        between = f"the {format_duration(every)} between two messages of the fleet {fleet.name!r}"
        hint = f"{format_duration(every)} at least, or no 'for'"
        message = f"'for: {format_duration(rule.hold)}' is shorter than {between}: one message decides"
        yield node.value["for"].problem(message, hint)
    for fleet, every in paced if rule.absent is not None and not rule.learns else ():
        if rule.absent is not None and rule.absent <= every:
            between = f"the {format_duration(every)} between two messages of the fleet {fleet.name!r}"
            message = f"'absent: {format_duration(rule.absent)}' is not longer than {between}: it fires between them"
            hint = f"some intervals, such as {format_duration(3 * every)}, or auto"
            yield node.value["absent"].problem(message, hint)
            return


def _one_device_each(rule: Rule) -> bool:
    """Tell whether each instance hears one topic only."""
    if len(rule.patterns) != 1 or not set(rule.captures) <= set(rule.by):
        return False
    levels = rule.patterns[0].filter.split("/")
    return all(place in rule.patterns[0].levels for place, level in enumerate(levels) if level in ("+", "#"))
