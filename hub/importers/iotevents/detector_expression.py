"""Reads the expressions of AWS IoT Events and writes them in ours.

`$input.Motor.pressure > 70 && currentInput("Motor")` becomes `pressure > 70`. Read after the developer guide's pages
"Expressions" and "Functions"; what only a state machine can answer (timers, variables that change) raises NotSaid.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hub.importers.imported_texts import literal, payload_field

__all__ = [
    "TRUE",
    "DetectorInputs",
    "NotSaid",
    "Term",
    "calls",
    "inputs_of",
    "negated",
    "parse",
    "substituted",
    "written",
]

Term = tuple[Any, ...]
"""("num", text), ("str", text), ("bool", flag), ("input", name, path), ("variable", name), ("call", name, arguments),
("not", node), ("minus", node), or (operator, left, right)."""

TRUE: Term = ("bool", True)
_TOKEN = re.compile(
    r"""\s*(?:(?P<num>[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)|(?P<str>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    r"""|(?P<ref>\$(?:input|variable)(?:\s*\.\s*(?:[A-Za-z_][\w-]*|`[^`]*`)|\[[0-9]+\])+)|(?P<word>[A-Za-z_]\w*)"""
    r"""|(?P<op>&&|\|\||==|!=|<=|>=|[-+*/<>!()~,&|^]))""",
)
_STEP = re.compile(r"\s*\.\s*(?:`([^`]*)`|([A-Za-z_][\w-]*))|\[([0-9]+)\]")
_LEVELS = (("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "/"))
_OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
_BITS = {"|": "bitOr", "&": "bitAnd", "^": "bitXor"}
_DEPTH = 60  # of parentheses; deeper ones are nobody's


class NotSaid(Exception):  # a way out, not an error that leaves this package
    """Our language cannot say this; the message tells the user why."""


def parse(text: str) -> Term:
    """Read an expression.

    Raises:
        NotSaid: it is none.

    """
    reader = _Tokens(text)
    node = reader.binary(0)
    if reader.kind:
        raise NotSaid(f"`{reader.text}` was not expected in it")
    return node


class _Tokens:
    """Reads tokens one by one: `kind` and `text` are those of the present one, both "" at the end."""

    def __init__(self, source: str) -> None:
        self.source, self.place, self.depth = source.strip(), 0, 0
        self.kind = self.text = ""
        self.next()

    def next(self) -> str:
        """Go on to the next token; return the text of the one before."""
        before = self.text
        if self.place >= len(self.source):
            self.kind = self.text = ""
            return before
        found = _TOKEN.match(self.source, self.place)
        if found is None or found.lastgroup is None:
            raise NotSaid(f"it cannot be read at `{self.source[self.place : self.place + 20]}`")
        self.kind, self.text, self.place = found.lastgroup, found[found.lastgroup], found.end()
        return before

    def expect(self, text: str) -> None:
        if self.text != text:
            raise NotSaid(f"`{text}` is missing in it")
        self.next()

    def binary(self, level: int) -> Term:
        if level == len(_LEVELS):
            return self.unary()
        node = self.binary(level + 1)
        while self.kind == "op" and self.text in _LEVELS[level]:
            operator = self.next()
            node = (operator, node, self.binary(level + 1))
        return node

    def unary(self) -> Term:
        self.depth += 1
        if self.depth > _DEPTH:
            raise NotSaid("it is nested too deep")
        try:
            if self.kind == "op" and self.text in ("!", "-", "~"):
                sign = {"!": "not", "-": "minus", "~": "bitnot"}[self.next()]
                return (sign, self.unary()) if sign != "bitnot" else ("call", "bitnot", (self.unary(),))
            return self.primary()
        finally:
            self.depth -= 1

    def primary(self) -> Term:  # noqa: PLR0911 - a kind of token each
        kind, text = self.kind, self.next()
        match kind:
            case "num":
                return ("num", text)
            case "str":
                return ("str", re.sub(r"\\(.)", r"\1", text[1:-1]))
            case "ref":
                return _reference(text)
            case "word" if text in ("true", "false"):
                return ("bool", text == "true")
            case "word" if self.text == "(":
                return ("call", text, tuple(self.arguments()))
            case "word":
                return ("str", text)  # convert(Decimal, …)
        if text != "(":
            raise NotSaid("a value is missing in it")
        node = self.binary(0)
        self.expect(")")
        return node

    def arguments(self) -> Iterator[Term]:
        self.expect("(")
        while self.text != ")":
            yield self.binary(0)
            if self.text != ")":
                self.expect(",")
        self.next()


def _reference(text: str) -> Term:
    """Read `$input.NAME.path[0]` or `$variable.NAME`."""
    kind = "input" if text.startswith("$input") else "variable"
    steps = [name or quoted or int(number) for quoted, name, number in _STEP.findall(text)]
    if not steps or isinstance(steps[0], int) or (kind == "input" and len(steps) < 2):
        raise NotSaid(f"`{text}` names no value")
    return ("input", steps[0], tuple(steps[1:])) if kind == "input" else ("variable", steps[0])


def calls(node: Term, name: str) -> list[Term]:
    """Return the calls of a function within an expression."""
    own = [node] if node[:2] == ("call", name) else []
    return own + [found for part in _parts(node) for found in calls(part, name)]


def inputs_of(node: Term) -> list[str]:
    """Return the names of the inputs that an expression reads or names, in order, some perhaps more than once."""
    if node[0] == "input":
        return [node[1]]
    if node[:2] == ("call", "currentInput"):
        return [part[1] for part in node[2] if part[0] == "str"]
    return [name for part in _parts(node) for name in inputs_of(part)]


def substituted(node: Term, known: Mapping[str, Term]) -> Term:
    """Return the expression with variables of which the value is known in place."""
    match node:
        case ("variable", name):
            return known.get(name, node)
        case ("call", name, arguments):
            return ("call", name, tuple(substituted(each, known) for each in arguments))
        case ("num" | "str" | "bool" | "input", *_):
            return node
    return (node[0], *(substituted(each, known) for each in node[1:]))


def negated(node: Term, *, yes: bool = True) -> Term:
    """Return the opposite in a normal form (`yes`), or only the normal form: two that are equal mean the same."""
    match node:
        case ("not", inner):
            return negated(inner, yes=not yes)
        case ("&&" | "||" as operator, left, right):
            other = operator if not yes else "||" if operator == "&&" else "&&"
            return (other, negated(left, yes=yes), negated(right, yes=yes))
        case ("bool", flag):
            return ("bool", flag != yes)
        case (operator, left, right) if operator in _OPPOSITE:
            if left[0] in ("num", "str", "bool") and right[0] not in ("num", "str", "bool"):
                operator, left, right = _MIRRORED[operator], right, left
            return (_OPPOSITE[operator] if yes else operator, _same(left), _same(right))
    return ("not", node) if yes else node


def _same(node: Term) -> Term:
    """Return a number in one way of writing it: 70 and 70.0 are the same."""
    return ("num", repr(float(node[1]))) if node[0] == "num" else node


def _parts(node: Term) -> list[Term]:
    if node[0] in ("num", "str", "bool", "input", "variable"):
        return []
    if node[0] == "call":
        return list(node[2])
    return [part for part in node[1:] if isinstance(part, tuple)]


@dataclass(frozen=True, slots=True)
class DetectorInputs:
    """The inputs that a detector hears, with the topic of each. A name of a field is ours where there is only one."""

    topics: Mapping[str, str]
    bare: bool = True
    """Whether a field is its name alone, as in a rule; receivers know it as `payload.x`."""

    def field(self, path: tuple[Any, ...]) -> str:
        """Return the expression for a field; of several inputs, its last value counts, whichever message came."""
        first, *rest = path
        told = payload_field(str(first), bare=self.bare) + "".join(_step(step) for step in rest)
        return told if len(self.topics) < 2 else f"last({told})"

    def current(self, name: str) -> str:
        """Return the condition that a message is one of this input."""
        topic = self.topics.get(name, "")
        if len(self.topics) < 2:
            return "true"
        if "+" in topic or "#" in topic or "{" in topic:
            raise NotSaid(f"currentInput({literal(name)}) needs one topic, {topic} is many")
        return f"topic == {literal(topic)}"


def _step(step: Any) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", step) else f"[{literal(step)}]"


def written(node: Term, inputs: DetectorInputs) -> str:  # noqa: PLR0911 - a kind of term each
    """Return an expression in our language.

    Raises:
        NotSaid: it asks for a timer, a variable that changes, or what our language has no word for.

    """
    match node:
        case ("num", text):
            return str(text)
        case ("str", text):
            return literal(text)
        case ("bool", flag):
            return "true" if flag else "false"
        case ("input", _, path):
            return inputs.field(path)
        case ("variable", name):
            raise NotSaid(f"$variable.{name} changes as messages come")
        case ("call", name, arguments):
            return _called(name, arguments, inputs)
        case ("not", inner):
            return f"!{_inner(inner, inputs, 9)}".removeprefix("!!")
        case ("minus", inner):
            return f"-{_inner(inner, inputs, 9)}"
    operator, left, right = node
    if operator in _BITS:
        return f"math.{_BITS[operator]}({written(left, inputs)}, {written(right, inputs)})"
    return _shortened(operator, left, right, inputs)


def _shortened(operator: str, left: Term, right: Term, inputs: DetectorInputs) -> str:
    """Write two parts with the operator between them; `true &&` says nothing and goes."""
    level = _level(operator)
    first, second = _inner(left, inputs, level), _inner(right, inputs, level + 1)
    if operator == "&&" and "true" in (first, second):
        return second if first == "true" else first
    return f"{first} {operator} {second}"


def _inner(node: Term, inputs: DetectorInputs, level: int) -> str:
    text = written(node, inputs)
    own = _level(node[0]) if len(node) == 3 and node[0] not in ("input", "call") else 9
    return f"({text})" if own < level and node[0] not in _BITS else text


def _level(operator: str) -> int:
    return next((level for level, group in enumerate(_LEVELS) if operator in group), 9)


def _called(name: str, arguments: tuple[Term, ...], inputs: DetectorInputs) -> str:
    if name not in _FUNCTIONS:
        raise NotSaid(f"{name}() is asked for")
    count, write = _FUNCTIONS[name]
    if len(arguments) != count:
        raise NotSaid(f"{name}() has {len(arguments)} arguments")
    return write(arguments, inputs)


def _convert(arguments: tuple[Term, ...], inputs: DetectorInputs) -> str:
    kinds = {"decimal": "double", "string": "string", "boolean": "bool"}
    word = kinds.get(str(arguments[0][1]).lower(), "") if arguments[0][0] == "str" else ""
    if not word:
        raise NotSaid("convert() to a type that is not Decimal, String or Boolean")
    return f"{word}({written(arguments[1], inputs)})"


def _undefined(arguments: tuple[Term, ...], inputs: DetectorInputs) -> str:
    if arguments[0][0] != "input" or len(inputs.topics) > 1 or isinstance(arguments[0][2][-1], int):
        raise NotSaid("isUndefined() of what is no field of the only input")
    *before, last = arguments[0][2]
    if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", str(last)):
        raise NotSaid("isUndefined() of a field with such a name")
    return f"!has({''.join(['payload', *(_step(step) for step in before)])}.{last})"


def _trigger(arguments: tuple[Term, ...], _: DetectorInputs) -> str:
    if arguments[0] != ("str", "Message"):
        raise NotSaid('triggerType("Timer") is asked for')
    return "true"


def _method(name: str) -> Callable[[tuple[Term, ...], DetectorInputs], str]:
    return lambda given, inputs: f"{_inner(given[0], inputs, 9)}.{name}({written(given[1], inputs)})"


def _bits(name: str) -> Callable[[tuple[Term, ...], DetectorInputs], str]:
    return lambda given, inputs: f"math.{name}({', '.join(written(each, inputs) for each in given)})"


_FUNCTIONS: dict[str, tuple[int, Callable[[tuple[Term, ...], DetectorInputs], str]]] = {
    "convert": (2, _convert),
    "isUndefined": (1, _undefined),
    "isNull": (1, lambda given, inputs: f"{_inner(given[0], inputs, 6)} == null"),
    "triggerType": (1, _trigger),
    "currentInput": (1, lambda given, inputs: inputs.current(str(given[0][1]))),
    "startsWith": (2, _method("startsWith")),
    "endsWith": (2, _method("endsWith")),
    "contains": (2, _method("contains")),
    "bitor": (2, _bits("bitOr")),
    "bitand": (2, _bits("bitAnd")),
    "bitxor": (2, _bits("bitXor")),
    "bitnot": (1, _bits("bitNot")),
}
"""The functions that we have too: how many arguments each takes, and how it is written."""
