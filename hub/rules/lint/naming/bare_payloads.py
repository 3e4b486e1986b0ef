"""Finds texts that no bare payload can be: `false` is read as the bool, so `value == "false"` is never true."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from hub.documents.document import Node
from hub.errors import Problem
from hub.expressions import Program
from hub.expressions.syntax.ast import Comprehension, ListOf, Literal, Name, Operation
from hub.expressions.syntax.ast import SyntaxNode as Expression
from hub.expressions.syntax.parser import parse
from hub.expressions.templates.template import Filler
from hub.ingest.decode import Undecodable, decode
from hub.ingest.payload_reading import read_payload
from hub.model import Delivery
from hub.rules.lint.naming.homonyms import written_texts
from hub.rules.reading.rule import Rule

__all__ = ["bare_payloads"]

_KINDS = {bool: "a bool", int: "a number", float: "a number", type(None): "null", list: "a list"}


class _Compared(NamedTuple):
    """`value == "text"`: the literal, and the operator."""

    literal: Literal
    operator: str


def bare_payloads(rule: Rule, node: Node) -> Iterator[Problem]:
    """Find comparisons of `value` with a text that no payload is ever read as."""
    if rule.decode is not None and rule.decode.last is not read_payload:
        return  # text is text in CBOR and its like
    for program, item in _programs(rule, node):
        if program.fields - {"value"} or {"value"} & {*rule.captures, *program.scope.extra}:
            continue  # the payload has fields, so it is not bare
        found = list(_compared(parse(program.text)))
        beside = [each.literal.value for each in found]
        for literal, operator in found:
            read = _read(literal.value) if isinstance(literal.value, str) else literal.value
            if isinstance(read, dict) or _same(read, literal.value) or any(_same(read, each) for each in beside):
                continue
            start = item.text.find(program.text)
            yield _problem(literal.value, operator, read, item, None if start < 0 else start + literal.at)


def _problem(text: str, operator: str, read: Any, item: Node, offset: int | None) -> Problem:
    written = orjson.dumps(text).decode()
    kind = f"the text {orjson.dumps(read).decode()}" if isinstance(read, str) else _KINDS[type(read)]
    never = "is always true for it" if operator == "!=" else "is never true for it"
    comparison = f"value in [{written}]" if operator == "in" else f"value {operator} {written}"
    what = "an empty payload" if not text.strip() else f"a payload {text}"
    instead = orjson.dumps(read).decode() if not isinstance(read, list) else ""
    better = f"value in [{instead}]" if operator == "in" else f"value {operator} {instead}"
    hint = f"write {better}; where objects come, payload.value is their field" if instead else ""
    return item.problem(f"{what} is {kind} here, so {comparison} {never}", hint, offset=offset)


def _programs(rule: Rule, node: Node) -> Iterator[tuple[Program, Node]]:
    for key in ("when", "clear", "pause", "mute"):
        found = getattr(rule, key)
        program = getattr(found, "condition", None) if key in ("pause", "mute") else found
        if isinstance(program, Program):
            yield program, node.value[key]
    for _, item, template in written_texts(rule, node):
        yield from ((part.program, item) for part in template.parts if isinstance(part, Filler))


def _compared(root: Expression) -> Iterator[_Compared]:
    """Yield the texts that `value` is compared with, in the order in which they are written."""
    waiting = [root]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Comprehension) and "value" in each.variables:
            continue
        waiting += reversed(each.below())
        if not isinstance(each, Operation) or each.operator not in ("==", "!=", "in"):
            continue
        left, right = each.operands
        if isinstance(left, Literal) and each.operator != "in":
            left, right = right, left
        if not isinstance(left, Name) or left.name != "value":
            continue
        items = [item.value for item in right.items] if isinstance(right, ListOf) else [right]
        yield from (_Compared(item, each.operator) for item in items if isinstance(item, Literal))


def _read(text: str) -> Any:
    """Return the value that the hub reads from a text as payload; the text itself where it is refused."""
    try:
        read = decode(Delivery("", text.encode()), 0.0)
    except UnicodeEncodeError:
        return text
    return text if isinstance(read, Undecodable) else read.value


def _same(one: Any, other: Any) -> bool:
    return one.__class__ is other.__class__ and bool(one == other)
