"""Finds the Python for each name of an expression, and notes which parts of the event it uses (order: names.py)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, Protocol

from hub.documents.nearest import nearest
from hub.expressions.across import ABSENT
from hub.expressions.compiling.emitter import Emitter, GeneratedCode
from hub.expressions.names import BUILTINS, EVENT, Scope
from hub.expressions.syntax.ast import Has, Name, Select, SyntaxNode
from hub.expressions.syntax.misspelt import misspelt
from hub.expressions.values import TYPES

__all__ = ["Host", "Resolver", "path"]

_CONTEXT = {
    "topic": GeneratedCode("X.topic", "string", False),
    "device": GeneratedCode("X.device", "map", False),
    "labels": GeneratedCode("X.labels", "map", False),
    "now": GeneratedCode("now_of(X)", "timestamp", False),
    "value": GeneratedCode("value_of(X)"),
}
_EVENT = {
    "time": "arrival_of(X)",
    "qos": "X.qos",
    "retain": "X.retain",
    "size": "X.size",
    "text": "text_of(X)",
    "key": "key_of(X)",
    "index": "index_of(X)",
    "payload": "X.whole",
}


def path(node: SyntaxNode) -> str:
    """Return `a.b.c` for a chain of members that begins with a name; `` for anything else."""
    fields: list[str] = []
    while isinstance(node, Select) and not node.optional:
        fields.append(node.field)
        node = node.operand
    return ".".join([node.name, *reversed(fields)]) if isinstance(node, Name) else ""


class Host(Protocol):
    """What the resolver asks of its Compiler."""

    scope: Scope
    emit: Emitter
    types_wanted: bool

    def fail(self, message: str, node: SyntaxNode, hint: str = "") -> NoReturn:
        """Refuse the expression at a node."""
        ...

    def undefined(self, message: str, node: SyntaxNode, hint: str = "") -> GeneratedCode:
        """Refuse it, or write code that fails."""
        ...


class Resolver:
    """Resolves the names of one expression and notes which it uses."""

    def __init__(self, compiler: Host) -> None:
        """Resolve names for a compiler, in its scope."""
        self.compiler, self.scope, self.emit = compiler, compiler.scope, compiler.emit
        self.variables: dict[str, GeneratedCode] = {}
        self.fields: set[str] = set()
        self.captures: set[str] = set()
        self.schedules: set[str] = set()
        self.asks_event = False
        """Whether it asks the context for more than schedules and samples."""
        self.asks_latest = False
        """Whether it asks for the latest message of a name."""
        self.asks_surroundings = False
        """Whether it asks for more than the event: the device, the labels, or a template's own names."""
        self.asks_message = False
        """Whether it looks at the payload or the captures, and not only at samples of them."""
        self.asks_absent = False
        """Whether it asks if a member is stale."""
        self.event_members: set[str] = set()
        """The members of `event` that it names."""
        self.readings: dict[Any, None] = {}
        """The calls of history functions, each once."""
        self.asked: dict[str, Any] = {}
        """The same, by the text of the call."""

    @property
    def needs_context(self) -> bool:
        """Whether it asks the context for anything but samples."""
        return self.asks_event or bool(self.schedules)

    @contextmanager
    def bound(self, names: list[str]) -> Iterator[list[str]]:
        """Bind variables of a macro; yields the Python names they have within."""
        before = self.variables
        self.variables = before.copy()
        python = [self.emit.temporary() for _ in names]
        for name, variable in zip(names, python, strict=True):
            self.variables[name] = GeneratedCode(variable, "dyn", False, atom=True)
        yield python
        self.variables = before

    @contextmanager
    def standing_for(self, name: str, code: GeneratedCode) -> Iterator[None]:
        """Bind a variable to code that is written already (`cel.bind`)."""
        before = self.variables
        self.variables = before | {name: code}
        yield
        self.variables = before

    def plain_field(self, node: SyntaxNode) -> str | None:
        """Return the name of a payload's field, if the expression is only that; else None."""
        if len(self.fields) != 1 or self.captures or self.needs_context:
            return None
        (field,) = self.fields
        if isinstance(node, Name):
            return field
        return field if isinstance(node, Select) and not node.optional and path(node) == f"payload.{field}" else None

    def hiding(self, node: SyntaxNode) -> str:
        """Return a hint where a capture hides the name that was meant: `device.x` beside a capture {device}."""
        hidden = {*BUILTINS, *self.scope.schedules}
        if not isinstance(node, Name) or node.name not in self.scope.captures or node.name not in hidden:
            return ""
        what = "the device of the registry" if node.name == "device" else f"the hub's own {node.name!r}"
        what = what if node.name in BUILTINS else f"the schedule {node.name!r}"
        return f"the capture {{{node.name}}} hides {what}; give the capture another name to reach it"

    def captured(self, nodes: list[SyntaxNode]) -> str:
        """Return a hint where a capture is compared with a number: perhaps the payload's field was meant."""
        for node in nodes:
            if isinstance(node, Name) and node.name in self.scope.captures and node.name not in self.variables:
                return (
                    f"{{{node.name}}} is a level of the topic, hence text: write the number in quotes, or"
                    f" double({node.name}); the payload's field is payload.{node.name}"
                )
        return ""

    def meant(self, nodes: list[SyntaxNode]) -> str:
        """Return a hint where the whole `device`, or a schedule, is compared: the payload's field was meant, likely."""
        for node in nodes:
            if not isinstance(node, Name) or node.name in self.scope.captures or node.name in self.variables:
                continue
            if node.name in ("device", "labels"):
                return f"{node.name!r} is a map of the hub's own; the payload's field is payload.{node.name}"
            if node.name in self.scope.schedules:
                return f"{node.name!r} is a schedule, true or false; the payload's field is payload.{node.name}"
        return ""

    def doubted(self, node: SyntaxNode) -> str:
        """Return the schedule that was meant by a name which stands as a condition and is nearly a schedule's name."""
        if not isinstance(node, Name) or node.name in self.scope.captures or self.local(node):
            return ""
        return "" if node.name not in self.fields else misspelt(node.name, self.scope.schedules)

    def local(self, node: SyntaxNode) -> bool:
        """Say whether a chain of members begins with a variable of a macro."""
        while isinstance(node, Select):
            node = node.operand
        return isinstance(node, Name) and node.name in self.variables and not node.rooted

    def name(self, node: Name) -> GeneratedCode:
        """Write a bare name."""
        name, scope = node.name, self.scope
        if name in self.variables and not node.rooted:
            return self.variables[name]
        if scope.bindings is not None:
            return self.binding(name, node)
        found = self.given(name, node)
        return found or (self.compiler.types_wanted and self.type_name(name)) or self.field(name)

    def given(self, name: str, node: Name) -> GeneratedCode | None:
        """Write a name that goes before the payload's fields; None where the name is a field."""
        scope = self.scope
        if name in (own := dict(scope.own)):
            return self.emit.constant(own[name], "string")
        if name in scope.extra:
            self.asks_event = self.asks_surroundings = True
            return GeneratedCode(f"X.extra[{self.emit.constant(name, 'string').text}]")
        if name in scope.captures:
            self.captures.add(name)
            self.asks_message = True
            return GeneratedCode(f"C[{scope.captures.index(name)}]", "string", False)
        return self._beside_captures(name, node)

    def _beside_captures(self, name: str, node: Name) -> GeneratedCode | None:
        """Write a name of a topic, a built-in name or a schedule."""
        scope = self.scope
        if name in scope.latest:
            self.asks_event = self.asks_latest = True
            return GeneratedCode(f"X.latest[{self.emit.constant(name, 'string').text}]")
        if name in BUILTINS:
            return self.builtin(name, node)
        if name == ABSENT and (scope.across or scope.absent is not None):
            return self.absence(node)
        if name in scope.schedules:
            self.schedules.add(name)
            return GeneratedCode(f"X.schedules[{self.emit.constant(name, 'string').text}].active(X.now)", "bool", False)
        return None

    def absence(self, node: Name) -> GeneratedCode:
        """Write `absent`, which is known for each of the two ways in which a member's expression is compiled."""
        if self.scope.absent is None:
            hint = "count(absent) > 0, names(absent); a field of the payload is payload.absent"
            self.compiler.fail("'absent' is about one member, so it stands in a function across them", node, hint)
        self.asks_absent = True
        return self.emit.constant(self.scope.absent, "bool")

    def binding(self, name: str, node: SyntaxNode) -> GeneratedCode:
        """Write a bare name where there are bindings only."""
        if name in (self.scope.bindings or ()):
            return self.field(name)
        return self.type_name(name) or self.compiler.undefined(f"undeclared name {name!r}", node)

    def type_name(self, name: str) -> GeneratedCode | None:
        """Write a type, if it is one's name."""
        return self.emit.constant(TYPES[name], "type") if name in TYPES else None

    def builtin(self, name: str, node: SyntaxNode) -> GeneratedCode:
        """Write one of the built-in names."""
        if name == "payload":
            self.asks_message = True
            return GeneratedCode("F", "map", False, atom=True)
        if name == "event":
            self.compiler.fail("event has members", node, f"event.{', event.'.join(EVENT)}")
        self.asks_event = True
        if name in ("device", "labels"):
            self.asks_surroundings = True
        return _CONTEXT[name]

    def field(self, name: str) -> GeneratedCode:
        """Write a field of the payload."""
        self.fields.add(name)
        self.asks_message = True
        return GeneratedCode(f"F[{self.emit.constant(name, 'string').text}]")

    def member(self, node: Select) -> GeneratedCode | None:
        """Write a chain of members that is one name (`payload.x`); None where it is a member of a value."""
        if self.local(node):
            return None
        dotted, bindings = path(node), self.scope.bindings
        if bindings is not None and dotted in bindings:
            return self.field(dotted)
        if dotted in TYPES and (bindings is not None or self.compiler.types_wanted):
            return self.type_name(dotted)
        return None if bindings is not None else self.of_builtin(node)

    def of_builtin(self, node: Select) -> GeneratedCode | None:
        """Write `payload.x` and `event.x`."""
        owner = node.operand.name if isinstance(node.operand, Name) and not node.optional else ""
        if owner not in ("payload", "event") or owner in self.scope.extra or owner in self.scope.captures:
            return None
        return self.field(node.field) if owner == "payload" else self.of_event(node.field, node)

    def of_event(self, field: str, node: SyntaxNode) -> GeneratedCode:
        """Write `event.time` and its like."""
        if field not in EVENT:
            near = nearest(field, EVENT)
            hint = f"did you mean {near!r}?" if near else f"event.{', event.'.join(EVENT)}"
            self.compiler.fail(f"event has no member {field!r}", node, hint)
        self.asks_event = True
        self.event_members.add(field)
        return GeneratedCode(_EVENT[field], EVENT[field], EVENT[field] == "dyn")

    def has(self, node: Has) -> GeneratedCode | None:
        """Write `has(payload.x)`; None where it asks a value."""
        owner = node.operand
        if not isinstance(owner, Name) or owner.name != "payload" or self.local(owner):
            return None
        if self.scope.bindings is not None or {"payload"} & {*self.scope.extra, *self.scope.captures}:
            return None
        self.fields.add(node.field)
        self.asks_message = True
        return GeneratedCode(f"({self.emit.constant(node.field, 'string').text} in F)", "bool", False)
