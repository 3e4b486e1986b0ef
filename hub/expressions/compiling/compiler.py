"""Compiles the tree of an expression to one Python expression, and that to a function.

One expression can become two functions. The first evaluates as Python would: `a && b` is `a and b`, and any error
leaves it. Where CEL would absorb an error (`&&`, `||`), the second function is made at the first error; it guards every
operand. Without an error both return the same, so the second costs nothing until it is needed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NoReturn

from hub.errors import CompileError
from hub.expressions.compiling import calls, operators
from hub.expressions.compiling.emitter import UNKNOWN, Emitter, GeneratedCode
from hub.expressions.compiling.resolver import Resolver
from hub.expressions.compiling.sharing import shared, size
from hub.expressions.library import GLOBALS
from hub.expressions.names import Scope
from hub.expressions.runtime.functions import NUMBERS
from hub.expressions.runtime.logic import ERRORS
from hub.expressions.runtime.macro_loops import MACROS
from hub.expressions.runtime.steps import start
from hub.expressions.syntax.ast import (
    Bind,
    Call,
    Comprehension,
    Conditional,
    Has,
    Index,
    ListOf,
    Literal,
    Logic,
    MapOf,
    Name,
    Operation,
    Select,
    SyntaxNode,
)
from hub.expressions.values import an, kind_of

__all__ = ["Compiler"]

_ORDERS = ("<", "<=", ">", ">=")
_DEEP = 16  # beyond this many levels Python's own bound on nesting may be met


class Compiler:
    """Compiles one tree for one scope. `strict` makes the second of the two functions."""

    def __init__(self, root: SyntaxNode, text: str, scope: Scope, *, strict: bool = False) -> None:
        """Take the tree and the names it may use."""
        self.root, self.text, self.scope, self.strict = root, text, scope, strict
        self.lenient = scope.bindings is not None
        self.emit = Emitter(again=strict)
        self.names = Resolver(self)
        self.shared: dict[SyntaxNode, int] = shared(root)
        self.ready: dict[int, GeneratedCode] = {}
        self.absorbs = False
        self.types_wanted = False

    def compile(self, condition: bool) -> tuple[Callable[..., Any], str]:
        """Return the function and the kind of its result."""
        root = self.root
        if self.strict and isinstance(root, Logic):
            operands = [self._operand(operand, root.operator) for operand in root.operands]
            return self.emit.chain(operands, root.operator == "||"), "bool"
        code = self.code(root)
        if condition:
            if code.kind not in ("bool", "dyn"):
                message = f"a condition must be true or false, and this is {an(code.kind)}"
                self.fail(message, root, self.names.hiding(root))
            self._doubt(root)
            code = self.as_bool(code)
        fallback = self._later(condition) if self.absorbs and not self.strict else None
        return self.emit.function(code.text, fallback, code.fails), code.kind

    def together(self, conditions: list[bool], separately: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
        """Return one function for a list of expressions; where one fails, it returns what `separately` returns."""
        roots = [item.value for item in self.root.items] if isinstance(self.root, ListOf) else []
        codes = [self.code(root) for root in roots]
        texts = [(self.as_bool(code) if bare else code).text for code, bare in zip(codes, conditions, strict=True)]
        return self.emit.function(f"[{', '.join(texts)}]", [separately], fails=True)

    def alone(self, node: SyntaxNode, absent: bool | None = None) -> tuple[Callable[..., Any], str, Resolver]:
        """Compile a node as a separate expression, in which a text's own names mean fields of the payload.

        `absent` is what that name stands for, where it is about a member of an instance.
        Return the function, the kind of its value, and the resolver with the names that it uses.
        """
        scope = replace(self.scope, extra=frozenset(), own=(), history=False, across=False, absent=absent)
        inner = Compiler(node, self.text, scope)
        run, kind = inner.compile(condition=False)
        return run, kind, inner.names

    def _later(self, condition: bool) -> list[Callable[..., Any]]:
        """Return a list of one: the strict function, or what makes it at its first call.

        It is made now where the tree is deep: Python might refuse it, which must be told at load.
        """
        place: list[Callable[..., Any]] = []

        def strict() -> Callable[..., Any]:
            return Compiler(self.root, self.text, self.scope, strict=True).compile(condition)[0]

        def make(*arguments: Any) -> Any:
            place[0] = strict()
            return place[0](*arguments)

        place.append(strict() if self.root.depth > _DEEP else make)
        return place

    def fail(self, message: str, node: SyntaxNode, hint: str = "") -> NoReturn:
        """Refuse the expression at a node."""
        raise CompileError(message, node.at, self.text, hint)

    def undefined(self, message: str, node: SyntaxNode, hint: str = "") -> GeneratedCode:
        """Refuse an unknown name or member at a node; for `evaluate`, write code that fails at run time."""
        if not self.lenient:
            self.fail(message, node, hint)
        return GeneratedCode(f"undefined({self.emit.constant(message, 'string').text})")

    # the walk

    def code(self, node: SyntaxNode) -> GeneratedCode:
        """Write the code of a node; a part with the same meaning that is computed already is used again."""
        number = self.shared.get(node)
        if number is not None and number in self.ready:
            return self.ready[number]
        before = self.ready.copy() if self.shared else {}
        code = getattr(self, "_" + node.__class__.__name__.lower())(node)
        if code.constant is not UNKNOWN or code.text.startswith("undefined("):
            self.ready = before  # what was written for its parts has been dropped
        if number is None or code.atom:
            return code  # type: ignore[no-any-return]
        first, again = self.emit.twice(code)
        self.ready[number] = GeneratedCode(again, code.kind, False, UNKNOWN, True)
        return GeneratedCode(first, code.kind, code.fails)

    @contextmanager
    def branch(self) -> Iterator[None]:
        """Forget after the block what was computed in it: at run time, the branch may not have been taken."""
        before = self.ready.copy()
        yield
        self.ready = before

    def as_bool(self, code: GeneratedCode) -> GeneratedCode:
        """Write that a value must be a bool."""
        return code if code.kind == "bool" else GeneratedCode(f"truth({code.text})", "bool")

    def _doubt(self, node: SyntaxNode) -> None:
        """Refuse a name that stands as a condition and is clearly a misspelt name of a schedule."""
        if self.scope.schedules and (meant := self.names.doubted(node)):
            name = node.name if isinstance(node, Name) else ""
            hint = f"did you mean {meant!r}? a field of the payload is payload.{name}"
            self.fail(f"there is no schedule {name!r}", node, hint)

    def fold(self, code: GeneratedCode, operands: list[GeneratedCode], function: Callable[..., Any]) -> GeneratedCode:
        """Compute the value now, if all operands are constants and it has one; else return the code as it is."""
        values = [operand.constant for operand in operands]
        if not operands or any(value is UNKNOWN for value in values):
            return code
        start()
        try:
            value = function(*values)
        except ERRORS:
            return code
        return self.emit.constant(value, kind_of(value))

    def _literal(self, node: Literal) -> GeneratedCode:
        return self.emit.constant(node.value, kind_of(node.value))

    def _name(self, node: Name) -> GeneratedCode:
        return self.names.name(node)

    def _select(self, node: Select) -> GeneratedCode:
        found = self.names.member(node)
        if found is not None:
            return found
        operand = self.code(node.operand)
        field = self.emit.constant(node.field, "string")
        if node.optional:
            return GeneratedCode(f"optional_element({operand.text}, {field.text})", "optional")
        if operand.kind not in ("map", "dyn", "optional"):
            message = f"{an(operand.kind)} has no member {node.field!r}"
            return self.undefined(message, node, self.names.hiding(node.operand))
        if operand.kind in ("dyn", "optional"):
            first, again = self.emit.twice(operand)
            return GeneratedCode(
                f"({again}[{field.text}] if {first}.__class__ is dict else field({again}, {field.text}))"
            )
        return GeneratedCode(f"{operand.text}[{field.text}]")

    def _has(self, node: Has) -> GeneratedCode:
        found = self.names.has(node)
        if found is not None:
            return found
        operand = self.code(node.operand)
        if operand.kind not in ("map", "dyn", "optional"):
            message = f"{an(operand.kind)} has no member {node.field!r}"
            return self.undefined(message, node, self.names.hiding(node.operand))
        field = self.emit.constant(node.field, "string")
        return GeneratedCode(f"has_field({operand.text}, {field.text})", "bool")

    def _index(self, node: Index) -> GeneratedCode:
        operand, key = self.code(node.operand), self.code(node.key)
        if operand.kind not in ("map", "list", "dyn", "optional"):
            return self.undefined(f"{an(operand.kind)} has no elements", node, self.names.hiding(node.operand))
        if operand.kind == "list" and key.kind not in (*NUMBERS, "dyn"):
            return self.undefined(f"the index of a list is a number, not {an(key.kind)}", node)
        name = "optional_element" if node.optional else "element"
        code = GeneratedCode(f"{name}({operand.text}, {key.text})", "optional" if node.optional else "dyn")
        return self.fold(code, [operand, key], GLOBALS[name])  # type: ignore[arg-type]

    def _operation(self, node: Operation) -> GeneratedCode:
        if len(node.operands) == 1:
            return self._unary(node)
        left_node, right_node = node.operands
        if node.operator in _ORDERS and not self.lenient:
            self._check_chain(node, left_node)
        self.types_wanted = node.operator in ("==", "!=", "in") and self._tells_type(node)
        left = self.code(left_node)
        right = self.code(right_node)
        self.types_wanted = False
        return self.fold(self._binary(node, left, right), [left, right], calls.BINARY[node.operator])

    def _check_chain(self, node: Operation, left: SyntaxNode) -> None:
        """Refuse `a < x < b`: it would order the outcome of the first comparison."""
        if isinstance(left, Operation) and left.operator in _ORDERS and len(left.operands) == 2:
            middle = self.text[left.at + len(left.operator) : node.at].strip(" ()")
            hint = f"compare twice: … {left.operator} {middle} && {middle} {node.operator} …"
            self.fail("a comparison cannot be compared", node, hint)

    def _tells_type(self, node: Operation) -> bool:
        """Say whether an operand is `type(…)`, so that `int` beside it is the type and not a field."""
        return any(isinstance(n, Call) and n.target is None and n.function == "type" for n in node.operands)

    def _binary(self, node: Operation, left: GeneratedCode, right: GeneratedCode) -> GeneratedCode:
        operator = node.operator
        if operator == "in":
            return self._in(node, left, right)
        if operator in ("==", "!="):
            if not self.lenient and not operators.comparable(left.kind, right.kind, ordered=False):
                message = f"{an(left.kind)} never equals {an(right.kind)}"
                self.fail(message, node, self._compare_hint(node, left, right))
            return operators.equality(self.emit, operator, left, right)
        if operator in ("<", "<=", ">", ">="):
            if not self.lenient and not operators.comparable(left.kind, right.kind, ordered=True):
                message = f"{an(left.kind)} cannot be compared with {an(right.kind)}"
                self.fail(message, node, self._compare_hint(node, left, right))
            return operators.comparison(self.emit, operator, left, right)
        kind = operators.arithmetic_kind(operator, left.kind, right.kind)
        if not kind:
            if not self.lenient:
                self.fail(
                    f"there is no {left.kind} {operator} {right.kind}", node, operators.sum_hint(left.kind, right.kind)
                )
            kind = "dyn"
        return operators.arithmetic(self.emit, operator, left, right, kind)

    def _compare_hint(self, node: Operation, left: GeneratedCode, right: GeneratedCode) -> str:
        captured = self.names.captured(node.operands) if {left.kind, right.kind} & NUMBERS else ""
        return captured or self.names.meant(node.operands) or operators.compare_hint(left.kind, right.kind)

    def _in(self, node: Operation, left: GeneratedCode, right: GeneratedCode) -> GeneratedCode:
        if right.kind not in ("list", "map", "dyn"):
            return self.undefined(f"{an(right.kind)} has no members", node, "for strings write text.contains(part)")
        items = right.constant
        if items.__class__ is list and right.kind == "list" and not self.lenient:
            kinds = {kind_of(item) for item in items}
            if not any(operators.comparable(left.kind, kind, ordered=False) for kind in kinds or {"dyn"}):
                message = f"{an(left.kind)} is never in a list of {' and '.join(sorted(kinds))}"
                self.fail(message, node, operators.compare_hint(left.kind, kinds.pop()))
        if items.__class__ is list and all(item.__class__ is str for item in items):
            words = self.emit.constant(frozenset(items), "dyn")
            first, again = self.emit.twice(left)
            text = f"({again} in {words.text} if {first}.__class__ is str else False)"
            return GeneratedCode(text, "bool", left.fails)
        self.emit.costly = True
        return GeneratedCode(f"member({left.text}, {right.text})", "bool")

    def _unary(self, node: Operation) -> GeneratedCode:
        operand = self.code(node.operands[0])
        if node.operator == "!":
            self._doubt(node.operands[0])
            if operand.kind == "bool":
                return self.fold(GeneratedCode(f"(not {operand.text})", "bool", operand.fails), [operand], calls.invert)
            if operand.kind != "dyn":
                return self.undefined(f"! needs true or false, not {an(operand.kind)}", node)
            return GeneratedCode(f"invert({operand.text})", "bool")
        if operand.kind not in (*NUMBERS, "dyn") or operand.kind == "uint":
            return self.undefined(f"there is no - of {an(operand.kind)}", node)
        return self.fold(GeneratedCode(f"negate({operand.text})", operand.kind), [operand], calls.negate)

    def _logic(self, node: Logic) -> GeneratedCode:
        codes = []
        before: dict[int, GeneratedCode] = {}
        for number, operand in enumerate(node.operands):
            before = self.ready.copy() if number == 1 else before
            code = self._operand(operand, node.operator)
            codes.append(code)
        self.ready = before
        decisive = node.operator == "||"
        known = [code for code in codes if code.constant is not UNKNOWN]
        if any(code.constant is decisive for code in known):
            return self.emit.constant(decisive, "bool")
        codes = [code for code in codes if code.constant is not (not decisive)]
        if not codes:
            return self.emit.constant(not decisive, "bool")
        if len(codes) == 1:
            return codes[0]
        fails = any(code.fails for code in codes)
        self.absorbs = self.absorbs or any(code.fails for code in codes[:-1])
        if self.strict and fails:
            name = "disjunction" if decisive else "conjunction"
            return GeneratedCode(f"{name}({', '.join('lambda: ' + code.text for code in codes)})", "bool")
        join = " or " if decisive else " and "
        return GeneratedCode(f"({join.join(code.text for code in codes)})", "bool", fails)

    def _operand(self, node: SyntaxNode, operator: str) -> GeneratedCode:
        if self.strict:
            with self.branch():
                code = self.code(node)
        else:
            code = self.code(node)
        if code.kind not in ("bool", "dyn") and not self.lenient:
            message = f"{operator} needs true or false on both sides, not {an(code.kind)}"
            self.fail(message, node, self.names.hiding(node))
        self._doubt(node)
        return self.as_bool(code)

    def _conditional(self, node: Conditional) -> GeneratedCode:
        test = self.code(node.test)
        if test.kind not in ("bool", "dyn") and not self.lenient:
            self.fail(f"? needs true or false before it, not {an(test.kind)}", node)
        self._doubt(node.test)
        test = self.as_bool(test)
        if test.constant in (True, False):
            return self.code(node.then if test.constant else node.other)
        with self.branch():
            then = self.code(node.then)
        with self.branch():
            other = self.code(node.other)
        kind = then.kind if then.kind == other.kind else "number" if {then.kind, other.kind} <= NUMBERS else "dyn"
        fails = test.fails or then.fails or other.fails
        return GeneratedCode(f"({then.text} if {test.text} else {other.text})", kind, fails)

    def _listof(self, node: ListOf) -> GeneratedCode:
        codes = [self.code(item.value) for item in node.items]
        if any(item.optional for item in node.items):
            pairs = zip(codes, node.items, strict=True)
            parts = [f"*present({code.text})" if item.optional else code.text for code, item in pairs]
            return GeneratedCode(f"[{', '.join(parts)}]", "list")
        code = GeneratedCode(f"[{', '.join(code.text for code in codes)}]", "list", any(code.fails for code in codes))
        return self.fold(code, codes, lambda *values: list(values))

    def _mapof(self, node: MapOf) -> GeneratedCode:
        parts: list[GeneratedCode] = []
        for entry in node.entries:
            key = self.code(entry.key)
            value = self.code(entry.value)
            if key.kind in ("double", "null", "list", "map", "bytes") and not self.lenient:
                self.fail(f"{an(key.kind)} cannot be the key of a map", entry)
            parts += [key, GeneratedCode(f"entry({value.text})") if entry.optional else value]
        code = GeneratedCode(f"build_map({', '.join(part.text for part in parts)})", "map")
        return code if any(entry.optional for entry in node.entries) else self.fold(code, parts, calls.build_map)

    def _call(self, node: Call) -> GeneratedCode:
        return calls.call(self, node)

    def _comprehension(self, node: Comprehension) -> GeneratedCode:
        over = self.code(node.over)
        wanted = ("optional",) if node.macro.startswith("opt") else ("list", "map")
        if over.kind not in (*wanted, "dyn"):
            return self.undefined(f"{node.macro} goes through a {' or a '.join(wanted)}, not {an(over.kind)}", node)
        function, kind = MACROS[node.macro]
        self.emit.costly = True
        with self.branch(), self.names.bound(node.variables) as variables:
            bodies = []
            for body in node.bodies:
                with self.branch():
                    bodies.append(f"lambda {', '.join(variables)}: {self.code(body).text}")
        cost = 1 + sum(size(body) for body in node.bodies)
        both = len(node.variables) == 2
        return GeneratedCode(f"{function}({over.text}, {both}, {cost}, {', '.join(bodies)})", kind)

    def _bind(self, node: Bind) -> GeneratedCode:
        with self.branch():
            value = self.code(node.value)
        if value.atom:
            with self.names.standing_for(node.variable, value):
                return self.code(node.body)
        with self.branch(), self.names.bound([node.variable]) as (name,):
            variable = (
                GeneratedCode(f"{name}()", value.kind)
                if value.fails
                else GeneratedCode(name, value.kind, False, UNKNOWN, True)
            )
            with self.names.standing_for(node.variable, variable):
                body = self.code(node.body)
        computed = f"Lazy(lambda: {value.text})" if value.fails else value.text
        return GeneratedCode(f"(lambda {name}: {body.text})({computed})", body.kind, body.fails)
