"""Tokens to a tree: the grammar of the CEL specification (langdef.md, Syntax), macros included.

Nesting is counted both in the source (brackets) and in the tree (long chains of operators), so neither this parser nor
whatever walks the tree afterwards comes near Python's recursion limit.
"""

from datetime import timedelta
from typing import Any, NoReturn

from hub.errors import CompileError
from hub.expressions.syntax.ast import (
    Call,
    Conditional,
    Index,
    Item,
    ListOf,
    Literal,
    Logic,
    MapEntry,
    MapOf,
    Name,
    Operation,
    Select,
    SyntaxNode,
)
from hub.expressions.syntax.lexer import RESERVED, Token, tokenize
from hub.expressions.syntax.macros import expand
from hub.expressions.values import INT_MAX
from hub.limits import EXPRESSION_DEPTH

__all__ = ["parse"]

_BINDING = {"||": 1, "&&": 2, "*": 5, "/": 5, "%": 5, "+": 4, "-": 4}
_BINDING |= dict.fromkeys(("<", "<=", ">", ">=", "==", "!=", "in"), 3)


def parse(text: str) -> SyntaxNode:
    """Parse a whole text.

    Raises:
        CompileError: with the offset where the text stops being an expression.

    """
    parser = _Parser(text)
    if parser.token.kind == "end":
        raise CompileError("the expression is empty", 0, text)
    node = parser.expression()
    if parser.token.kind != "end":
        parser.unexpected("an operator or the end")
    return node


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.next = 1
        self.token = self.tokens[0]
        self.nesting = 0

    # moving on

    def advance(self) -> Token:
        token = self.token
        if token.kind != "end":
            self.token = self.tokens[self.next]
            self.next += 1
        return token

    def accept(self, *kinds: str) -> Token | None:
        return self.advance() if self.token.kind in kinds else None

    def expect(self, kind: str, wanted: str) -> Token:
        return self.advance() if self.token.kind == kind else self.unexpected(wanted)

    def unexpected(self, wanted: str) -> NoReturn:
        token = self.token
        if token.kind == "end":
            raise CompileError(f"the expression ends where {wanted} is expected", token.at, self.text)
        hint = {"name": "write && for and, || for or, ! for not"}.get(token.kind, "")
        hint = hint if token.text.lower() in ("and", "or", "not") else ""
        raise CompileError(f"{token.text!r} where {wanted} is expected", token.at, self.text, hint)

    def fail(self, message: str, at: int, hint: str = "") -> NoReturn:
        raise CompileError(message, at, self.text, hint)

    # building

    def make(self, kind: type[Any], at: int, below: list[SyntaxNode], *parts: Any) -> Any:
        """Make a node over `below`; a tree that grows too deep is refused here."""
        depth = max([node.depth for node in below], default=0)
        depth += kind not in (Item, MapEntry)  # which are parts of their list or map
        if depth > EXPRESSION_DEPTH:
            self.fail(f"nested deeper than {EXPRESSION_DEPTH}", at, "split the rule, or shorten the chain")
        return kind(at, depth, *parts)

    # the grammar

    def expression(self) -> SyntaxNode:
        self.nesting += 1
        if self.nesting > EXPRESSION_DEPTH:
            self.fail(f"nested deeper than {EXPRESSION_DEPTH}", self.token.at)
        node = self.binary(1)
        if mark := self.accept("?"):
            then = self.binary(1)
            self.expect(":", "':' of the condition")
            other = self.expression()
            node = self.make(Conditional, mark.at, [node, then, other], node, then, other)
        self.nesting -= 1
        return node

    def binary(self, least: int) -> SyntaxNode:
        """Read operators that bind at least this much, by precedence climbing."""
        left = self.unary()
        while True:
            operator = self.token.text if self.token.kind != "quoted" else ""
            binding = 0 if self.token.kind == "literal" else _BINDING.get(operator, 0)
            if binding < least or binding == 0:
                return left
            mark = self.advance()
            right = self.binary(binding + 1)
            if binding > 2:
                left = self.make(Operation, mark.at, [left, right], operator, [left, right])
            elif isinstance(left, Logic) and left.operator == operator and left.open:
                left.operands.append(right)
                left.depth = max(left.depth, right.depth + 1)
            else:
                left = self.make(Logic, mark.at, [left, right], operator, [left, right])
                left.open = True

    def unary(self) -> SyntaxNode:
        marks: list[Token] = []
        while mark := self.accept("!" if not marks else marks[0].kind, "-" if not marks else marks[0].kind):
            marks.append(mark)
        if len(marks) > EXPRESSION_DEPTH:
            self.fail(f"nested deeper than {EXPRESSION_DEPTH}", marks[0].at)
        if marks and marks[0].kind == "-" and self.token.kind == "literal" and self.negative(marks[-1]):
            marks.pop()
        node = self.member()
        for mark in reversed(marks):
            node = self.make(Operation, mark.at, [node], mark.kind, [node])
        return node

    def negative(self, mark: Token) -> bool:
        """Make the next token negative, if it is a number: only so can the smallest int be written."""
        value = self.token.value
        if value.__class__ not in (int, float, timedelta):
            return False
        self.token = Token("literal", self.token.text, mark.at, -value)
        return True

    def member(self) -> SyntaxNode:
        node = self.primary()
        while mark := self.accept(".", ".?", "[", "[?"):
            if mark.kind in ("[", "[?"):
                key = self.expression()
                self.expect("]", "']'")
                node = self.make(Index, mark.at, [node, key], node, key, mark.kind == "[?")
                continue
            name = self.member_name()
            if self.token.kind == "(" and name.kind == "name" and mark.kind == ".":
                node = self.call(name, node)
            else:
                node = self.make(Select, name.at, [node], node, name.text, mark.kind == ".?")
        return node

    def member_name(self) -> Token:
        if self.token.kind != "quoted" and self.token.text in ("true", "false", "null", "in"):
            self.fail(f"{self.token.text!r} is no name", self.token.at, f'write payload["{self.token.text}"]')
        return self.accept("name", "quoted") or self.unexpected("the name of a member")

    def primary(self) -> SyntaxNode:
        token = self.advance()
        if token.kind == "literal":
            return self.literal(token)
        if token.kind in ("name", "."):
            return self.name(token)
        if token.kind == "(":
            node = self.expression()
            self.expect(")", "')'")
            if isinstance(node, Logic):
                node.open = False
            return node
        if token.kind in ("[", "[?"):
            return self.list_literal(token)
        if token.kind == "{":
            return self.map_literal(token)
        self.token = token
        return self.no_value()

    def no_value(self) -> NoReturn:
        if self.token.kind == "quoted":
            hint = f"write payload.`{self.token.text}`"
            self.fail("a name in backticks must be a member", self.token.at, hint)
        self.unexpected("a value")

    def literal(self, token: Token) -> SyntaxNode:
        if token.value.__class__ is int and token.value > INT_MAX:
            self.fail("the number does not fit into 64 bits", token.at, "write a double: 1e30")
        return Literal(token.at, 1, token.value)

    def name(self, token: Token) -> SyntaxNode:
        rooted = token.kind == "."
        if rooted:
            token = self.expect("name", "a name")
        if token.text == "in":
            self.fail("'in' where a value is expected", token.at, 'of a payload: payload["in"]')
        if self.token.kind == "(":
            return self.call(token, None)
        if token.text in RESERVED:
            hint = f"of a payload: payload.{token.text}"
            self.fail(f"{token.text!r} is a reserved word of the language", token.at, hint)
        if self.token.kind == "{":
            self.fail("messages are not part of this language", self.token.at, "a map is written {'key': value}")
        return Name(token.at, 1, token.text, rooted)

    def call(self, name: Token, target: SyntaxNode | None) -> SyntaxNode:
        self.expect("(", "'('")
        arguments = self.sequence(")")
        if (expanded := expand(name, target, arguments, self.text)) is not None:
            kind, below, parts = expanded
            return self.make(kind, name.at, below, *parts)  # type: ignore[no-any-return]
        below = [*arguments, target] if target is not None else arguments
        return self.make(Call, name.at, below, name.text, target, arguments)  # type: ignore[no-any-return]

    def sequence(self, closing: str) -> list[SyntaxNode]:
        """Read expressions to the closing bracket; a list may end in a comma."""
        items: list[SyntaxNode] = []
        while not self.accept(closing):
            items.append(self.expression())
            if not self.accept(",") and self.token.kind != closing:
                self.unexpected(f"',' or '{closing}'")
        return items

    def list_literal(self, opening: Token) -> SyntaxNode:
        items: list[SyntaxNode] = []
        optional = opening.kind == "[?"
        while optional or not self.accept("]"):
            optional = bool(self.accept("?")) or optional
            value = self.expression()
            items.append(self.make(Item, value.at, [value], value, optional))
            optional = False
            if not self.accept(",") and self.token.kind != "]":
                self.unexpected("',' or ']'")
        return self.make(ListOf, opening.at, items, items)  # type: ignore[no-any-return]

    def map_literal(self, opening: Token) -> SyntaxNode:
        entries: list[SyntaxNode] = []
        while not self.accept("}"):
            optional = bool(self.accept("?"))
            key = self.expression()
            self.expect(":", "':' between key and value")
            value = self.expression()
            entries.append(self.make(MapEntry, key.at, [key, value], key, value, optional))
            if not self.accept(",") and self.token.kind != "}":
                self.unexpected("',' or '}'")
        return self.make(MapOf, opening.at, entries, entries)  # type: ignore[no-any-return]
