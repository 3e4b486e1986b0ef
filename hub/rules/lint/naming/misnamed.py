"""Finds names that were meant as something else: `ON`, `True`, `soil-moisture`, a schedule that does not exist.

Any bare name is a field of the payload, so all of these load. A field that a test or a device of the registry sends is
left alone.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hub.devices.registry import Registry
from hub.documents.document import Node
from hub.documents.nearest import nearest
from hub.errors import Problem
from hub.expressions import Program, Template
from hub.expressions.syntax.ast import Item, ListOf, Name, Operation, Select
from hub.expressions.syntax.ast import SyntaxNode as Expression
from hub.expressions.syntax.parser import parse
from hub.expressions.templates.template import Filler
from hub.printable import first_odd, odd
from hub.rules.reading.loader import RuleSet
from hub.rules.reading.rule import Rule

__all__ = ["MisnamedWords"]

_CONSTANTS = {
    **dict.fromkeys(("True", "TRUE"), "true"),
    **dict.fromkeys(("False", "FALSE"), "false"),
    **dict.fromkeys(("None", "NULL", "Null", "nil", "undefined"), "null"),
}
_STATES = frozenset(
    """on off open opened closed online offline yes no idle running stopped detected locked unlocked home not_home
    unknown unavailable""".split()  # noqa: SIM905 - a list of words
)
_FOREIGN = {
    "value_json": "Home Assistant's name for the payload",
    "payload_json": "Home Assistant's name for the payload",
    "trigger": "Home Assistant's name for what came",
    "msg": "Node-RED's name for what came",
}
_STRING = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")
_DASHED = re.compile(r"(?<![\w.\])-])(?:payload\.)?([A-Za-z_]\w*(?:-\w+)+)(?![\w.(\[-])")
_JINJA = re.compile(r"(?<!\{)\{\{-?\s*([A-Za-z_][\w.]*)(\s*\||\s*-?\}\}|\s*[(\[][^{}]*\}\})")
_CONDITIONS = ("when", "clear", "pause", "mute")
_TEXTS = ("summary", "details", "runbook")


@dataclass(slots=True)
class MisnamedWords:
    """Looks at the words of each rule; `known` are the fields that devices or tests surely send."""

    known: frozenset[str] = frozenset()

    @classmethod
    def of(cls, found: RuleSet, registry: Registry) -> "MisnamedWords":
        """Take as known the fields that the tests and the devices of the registry send."""
        known = {name for node in found.tests for name in _sent(node)}
        for fleet in registry.fleets("#"):
            known |= set(fleet.payload.fields) if fleet.payload is not None else set()
        return cls(frozenset(known))

    def findings(self, rule: Rule, node: Node) -> Iterator[Problem]:
        """Find words that are read as names of fields, and texts with double braces."""
        for key, program in _conditions(rule):
            place = node.value[key]
            yield from self._names(place, program.text, program, 0)
            yield from _unseen(place, key)
        for template, place in _texts(rule, node):
            for part in template.parts:
                if isinstance(part, Filler):
                    at = place.text.find(part.program.text)
                    yield from self._names(place, part.program.text, part.program, max(at, 0))
            yield from _jinja(place, rule)
        for place in _topics(node):
            yield from _unseen(place, "topic")

    def gates(self, rule: Rule, node: Node, schedules: Mapping[str, object]) -> Iterator[Problem]:
        """Find a `pause` or `mute` that is a single name, but not the name of a schedule."""
        for key in ("pause", "mute"):
            gate = getattr(rule, key)
            condition = None if gate is None else gate.condition
            name = "" if condition is None else condition.text.strip().lstrip("! ")
            if condition is None or name not in condition.fields or name in self.known:
                continue
            if name in _CONSTANTS or name.lower() in ("yes", "no"):
                continue  # told as a trap
            near = nearest(name, schedules)
            meant = f"did you mean {near!r}?" if near else "write it under schedules"
            message = f"there is no schedule {name!r}: it is here the name of a payload field"
            yield node.value[key].problem(message, f"{meant}; for the field, payload.{name}")

    def _names(self, place: Node, text: str, program: Program, begin: int) -> Iterator[Problem]:
        fields = program.fields - self.known
        if not fields:
            return
        for name, at in _constants(text, fields):
            message = f"{name!r} is here the name of a payload field"
            if place.text.strip() != name:  # traps tells of it where it stands alone
                yield place.problem(
                    message, f"write {_CONSTANTS[name]}; for the field, payload.{name}", offset=begin + at
                )
        for name, at in _states(text, fields):
            message = f"{name!r} is here the name of a payload field"
            yield place.problem(message, f'text is quoted: "{name}"; for the field, payload.{name}', offset=begin + at)
        for name, at in self._dashed(text, program):
            message = f"{name!r} is here a subtraction"
            hint = f'for the field of that name, payload["{name}"]; for the difference, blanks around the -'
            yield place.problem(message, hint, offset=begin + at).as_note()  # it may be one
        for name, at in _members(text, fields):
            message = f"{name!r} is {_FOREIGN[name]}; here it is a payload field"
            yield place.problem(message, "fields stand by their bare names, or as payload.x", offset=begin + at)

    def _dashed(self, text: str, program: Program) -> Iterator[tuple[str, int]]:
        """Yield names with a dash inside, of which not every part is a field that surely comes."""
        for found in _DASHED.finditer(_masked(text)):
            parts = [part for part in found[1].split("-") if not part[0].isdigit()]
            are_fields = all(part in program.fields for part in parts) and len(parts) > 1
            if are_fields and not self.known.issuperset(parts):
                yield found[1], found.start()


def _conditions(rule: Rule) -> Iterator[tuple[str, Program]]:
    for key in _CONDITIONS:
        found = getattr(rule, key)
        program = found if found is None or isinstance(found, Program) else found.condition
        if program is not None:
            yield key, program


def _texts(rule: Rule, node: Node) -> Iterator[tuple[Template, Node]]:
    """Yield the texts that are written in the rule itself."""
    for key in _TEXTS:
        template, place = getattr(rule.texts, key), node.value.get(key)
        if template is not None and place is not None and isinstance(place.value, str):
            yield template, place
    labels = node.value.get("labels")
    written = labels.value if labels is not None and isinstance(labels.value, dict) else {}
    for key, template in rule.texts.labels:
        if key in written and isinstance(written[key].value, str):
            yield template, written[key]


def _topics(node: Node) -> list[Node]:
    topic = node.value["topic"]
    return topic.value if isinstance(topic.value, list) else [topic]


def _sent(test: Node) -> Iterator[str]:
    """Yield the names of all members of what a test sends."""
    send = test.value.get("send") if isinstance(test.value, dict) else None
    waiting = [] if send is None else [send]
    while waiting:
        each = waiting.pop()
        if isinstance(each.value, dict):
            yield from each.value
            waiting += each.value.values()
        elif isinstance(each.value, list):
            waiting += each.value


def _masked(text: str) -> str:
    return _STRING.sub(lambda found: "'" + "_" * (len(found[0]) - 2) + "'", text)


def _nodes(text: str) -> Iterator[Expression]:
    waiting: list[Expression] = [parse(text)]
    while waiting:
        each = waiting.pop()
        yield each
        waiting += each.below()


def _constants(text: str, fields: frozenset[str]) -> Iterator[tuple[str, int]]:
    for each in _nodes(text):
        if isinstance(each, Name) and each.name in _CONSTANTS and each.name in fields:
            yield each.name, each.at


def _states(text: str, fields: frozenset[str]) -> Iterator[tuple[str, int]]:
    """Yield words for a state that stand in a comparison or in a list."""
    for each in _nodes(text):
        if not isinstance(each, Operation) or each.operator not in ("==", "!=", "in") or len(each.operands) != 2:
            continue
        right = each.operands[1]
        inside = [item.value if isinstance(item, Item) else item for item in right.below()]
        for name in inside if isinstance(right, ListOf) else [right]:
            if isinstance(name, Name) and name.name in fields and name.name.casefold() in _STATES:
                yield name.name, name.at


def _members(text: str, fields: frozenset[str]) -> Iterator[tuple[str, int]]:
    for each in _nodes(text):
        owner = each.operand if isinstance(each, Select) else None
        if isinstance(owner, Name) and owner.name in _FOREIGN and owner.name in fields:
            yield owner.name, owner.at


def _jinja(place: Node, rule: Rule) -> Iterator[Problem]:
    """Find double braces, which show as one brace, around something that was surely meant to be filled in.

    Blanks, a filter or a call inside, as in Jinja, are a sign of that, and so is a name that the rule knows.
    """
    known = {*rule.captures, *(rule.when.fields if rule.when is not None else ()), "value", "payload"}
    for found in _JINJA.finditer(place.text):
        if found[1].split(".")[0] not in known and not found[0].startswith(("{{ ", "{{-")) and found[2] == "}}":
            continue
        name = "" if found[2].lstrip()[:1] in "([" else found[1].removeprefix("value_json.")
        message = "double braces are shown as one brace, and nothing is filled in"
        yield place.problem(message, f"write {{{name or 'the name of a field'}}}, not Jinja", offset=found.start())


def _unseen(place: Node, key: str) -> Iterator[Problem]:
    at = first_odd(place.text)
    if at >= 0:
        called, remedy = odd(place.text[at])
        yield place.problem(f"{key!r} holds {called}", remedy, offset=at)
