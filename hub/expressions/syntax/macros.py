"""The macros of CEL: calls that bind names, recognised by the parser by name and number of arguments."""

from typing import Any

from hub.errors import CompileError
from hub.expressions.syntax.ast import Bind, Comprehension, Has, Name, Select, SyntaxNode
from hub.expressions.syntax.lexer import Token

__all__ = ["expand"]

Expanded = tuple[type[SyntaxNode], list[SyntaxNode], tuple[Any, ...]]

# macro → for each number of arguments that it takes: how many of them are variables
_COMPREHENSIONS: dict[str, dict[int, int]] = {
    "all": {2: 1, 3: 2},
    "exists": {2: 1, 3: 2},
    "exists_one": {2: 1, 3: 2},
    "existsOne": {2: 1, 3: 2},
    "map": {2: 1, 3: 1},
    "filter": {2: 1},
    "transformList": {3: 2, 4: 2},
    "transformMap": {3: 2, 4: 2},
    "transformMapEntry": {3: 2, 4: 2},
    "optMap": {2: 1},
    "optFlatMap": {2: 1},
}


def expand(name: Token, target: SyntaxNode | None, arguments: list[SyntaxNode], text: str) -> Expanded | None:
    """Return the node that a macro call stands for (class, nodes below, fields), or None where it is a plain call.

    Raises:
        CompileError: a macro is used wrongly.

    """
    if target is None:
        return _has(name, arguments, text) if name.text == "has" else None
    if name.text == "bind" and isinstance(target, Name) and target.name == "cel" and len(arguments) == 3:
        variable = _variable(arguments[0], text)
        return Bind, arguments[1:], (variable, arguments[1], arguments[2])
    count = _COMPREHENSIONS.get(name.text, {}).get(len(arguments))
    if count is None:
        return None
    variables = [_variable(argument, text) for argument in arguments[:count]]
    if len(set(variables)) < len(variables):
        raise CompileError(f"variable {variables[0]!r} stands twice", arguments[1].at, text, "give it another name")
    bodies = arguments[count:]
    macro = "exists_one" if name.text == "existsOne" else name.text
    return Comprehension, [target, *bodies], (macro, target, variables, bodies)


def _has(name: Token, arguments: list[SyntaxNode], text: str) -> Expanded:
    if len(arguments) != 1:
        raise CompileError("has() takes one member", name.at, text, "write has(payload.x)")
    argument = arguments[0]
    if not isinstance(argument, Select) or argument.optional:
        word = argument.name if isinstance(argument, Name) else "x"
        raise CompileError("has() asks for a member of something", argument.at, text, f"write has(payload.{word})")
    return Has, [argument.operand], (argument.operand, argument.field)


def _variable(node: SyntaxNode, text: str) -> str:
    if isinstance(node, Name) and not node.rooted:
        return node.name
    raise CompileError("a variable's name is expected here", node.at, text, "as in items.exists(x, x > 1)")
