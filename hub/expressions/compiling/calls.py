"""Calls of functions and methods: finds the function, checks the arguments, and writes the Python that calls it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Protocol

from hub.documents.nearest import nearest
from hub.expressions.across import ACROSS
from hub.expressions.compiling.emitter import UNKNOWN, GeneratedCode
from hub.expressions.compiling.history_calls import history
from hub.expressions.compiling.member_calls import member_call
from hub.expressions.compiling.resolver import Host, Resolver, path
from hub.expressions.library import FUNCTIONS, Function, arithmetic, collections, comparison
from hub.expressions.library.arithmetic import negate
from hub.expressions.library.collections import build_map
from hub.expressions.library.regex import capture_pattern, pattern
from hub.expressions.names import HISTORY
from hub.expressions.runtime.logic import invert
from hub.expressions.syntax.ast import Call, SyntaxNode
from hub.expressions.syntax.foreign import function_of_others
from hub.expressions.values import an

__all__ = ["BINARY", "build_map", "call", "invert", "negate"]


class CallCompiler(Host, Protocol):
    """What a call asks of the compiler in which it stands."""

    lenient: bool
    text: str
    names: Resolver

    def alone(self, node: SyntaxNode, absent: bool | None = None) -> tuple[Callable[..., Any], str, Resolver]:
        """Compile a node as an expression of its own."""
        ...

    def code(self, node: SyntaxNode) -> GeneratedCode:
        """Write a node."""
        ...

    def branch(self) -> AbstractContextManager[None]:
        """Forget after the block what was computed in it."""
        ...

    def fold(self, code: GeneratedCode, operands: list[GeneratedCode], function: Callable[..., Any]) -> GeneratedCode:
        """Compute it now, if that can be."""
        ...


BINARY = {
    "+": arithmetic.add,
    "-": arithmetic.subtract,
    "*": arithmetic.multiply,
    "/": arithmetic.divide,
    "%": arithmetic.modulo,
    "==": comparison.equal,
    "!=": comparison.unequal,
    "<": comparison.less,
    "<=": comparison.less_equal,
    ">": comparison.greater,
    ">=": comparison.greater_equal,
    "in": collections.member,
}


def call(compiler: CallCompiler, node: Call) -> GeneratedCode:
    """Write a call."""
    if node.target is None and compiler.scope.history and (node.function in HISTORY or node.function in ACROSS):
        if compiler.scope.across:
            return member_call(compiler, node)
        if node.function in HISTORY:
            return history(compiler, node)
    function, has_receiver = _find(compiler, node)
    if function is None:
        return _unknown(compiler, node)
    nodes = [node.target, *node.arguments] if has_receiver and node.target else node.arguments
    codes = [compiler.code(argument) for argument in nodes]
    kinds = [code.kind for code in codes]
    fitting = function.fitting(kinds)
    if not fitting and not compiler.lenient:
        _refuse(compiler, node, function, kinds, has_receiver)
    if function.name == "dyn" and len(codes) == 1:
        return replace(codes[0], kind="dyn")
    results = {signature.result for signature in fitting}
    kind = results.pop() if len(results) == 1 else "dyn"
    compiler.emit.costly = compiler.emit.costly or function.costly
    if function.name.startswith("regex.") and len(codes) > 1:
        codes[1] = _compiled_pattern(compiler, node, codes[1])
    code = GeneratedCode(f"{function.symbol}({', '.join(code.text for code in codes)})", kind)
    if function.name in (".matches", "matches") and len(codes) == 2:
        return _matches(compiler, node, codes, code)
    return compiler.fold(code, codes, function.call)


def _find(compiler: CallCompiler, node: Call) -> tuple[Function | None, bool]:
    if node.target is None:
        return FUNCTIONS.get(node.function), False
    owner = path(node.target)
    if owner and not compiler.names.local(node.target) and f"{owner}.{node.function}" in FUNCTIONS:
        return FUNCTIONS[f"{owner}.{node.function}"], False
    return FUNCTIONS.get(f".{node.function}"), True


def _unknown(compiler: CallCompiler, node: Call) -> GeneratedCode:
    name = node.function
    if node.target is None:
        if name in HISTORY and not compiler.lenient:
            hint = "it looks at the samples of a rule's instance, so it stands in a rule's conditions and texts"
            compiler.fail(f"{name}() has no samples here", node, hint)
        if name in ACROSS and not compiler.lenient:
            hint = f"the key `across` names the members, and then it is {ACROSS[name].form}"
            compiler.fail(f"{name}() looks across the members of an instance, and there are none", node, hint)
        if f".{name}" in FUNCTIONS:
            return compiler.undefined(f"unknown function {name!r}", node, f"it is a method: x.{name}(…)")
        known = [key for key in FUNCTIONS if key[0] != "."] + ["has"]
    else:
        owner = path(node.target)
        if name in FUNCTIONS and not owner:
            return compiler.undefined(f"unknown method {name!r}", node, f"it is a function: {name}(x)")
        inside = [key for key in FUNCTIONS if key.startswith(f"{owner}.")] if owner else []
        if inside:
            near = nearest(f"{owner}.{name}", inside)
            hint = f"did you mean {near!r}?" if near else f"there are {', '.join(sorted(inside))}"
            return compiler.undefined(f"unknown function '{owner}.{name}'", node, hint)
        known = [key[1:] for key in FUNCTIONS if key[0] == "."]
        known += ["all", "exists", "exists_one", "map", "filter", "transformList", "transformMap"]
    near = nearest(name, known)
    what = "function" if node.target is None else "method"
    meant = function_of_others(name) if node.target is None else ""
    return compiler.undefined(f"unknown {what} {name!r}", node, meant or (f"did you mean {near!r}?" if near else ""))


def _refuse(compiler: CallCompiler, node: Call, function: Function, kinds: list[str], has_receiver: bool) -> None:
    counts = {len(signature.arguments) for signature in function.signatures}
    given = kinds[1:] if has_receiver else kinds
    name = function.name.lstrip(".")
    if len(kinds) not in counts and not any(signature.more for signature in function.signatures):
        message = f"{name}() does not take {len(given)} argument{'' if len(given) == 1 else 's'}"
    elif has_receiver and kinds[0] != "dyn":
        message = f"{an(kinds[0])} has no method {name}({', '.join(given)})"
    else:
        message = f"{name}() does not take ({', '.join(given)})"
    compiler.fail(message, node, f"it is {' or '.join(function.doc)}")


def _compiled_pattern(compiler: CallCompiler, node: Call, code: GeneratedCode) -> GeneratedCode:
    """Compile the pattern of `regex.extract` and its like, if it is known at load, or refuse it."""
    if code.constant.__class__ is not str:
        return code
    try:
        compiled = capture_pattern(code.constant)
    except ValueError as error:
        message = f"not a regular expression: {error}"
        return compiler.undefined(message, node, "the syntax is RE2's: no back-references, no look-around")
    if compiled.groups > 1 and node.function != "replace" and not compiler.lenient:
        message = f"regex.{node.function}() takes a pattern with at most one group ( )"
        compiler.fail(message, node.arguments[1], "a group that is for grouping alone is (?: )")
    return compiler.emit.constant(compiled, "dyn")


def _matches(compiler: CallCompiler, node: Call, codes: list[GeneratedCode], code: GeneratedCode) -> GeneratedCode:
    """Compile a pattern that is known at load, or refuse it."""
    text = codes[1].constant
    if text is UNKNOWN or text.__class__ is not str:
        return code
    try:
        compiled = pattern(text)
    except ValueError as error:
        message = f"not a regular expression: {error}"
        return compiler.undefined(message, node, "the syntax is RE2's: no back-references, no look-around")
    constant = compiler.emit.constant(compiled, "dyn")
    folded = compiler.fold(code, codes, FUNCTIONS[".matches"].call)
    return (
        folded if folded is not code else GeneratedCode(f"matches_compiled({codes[0].text}, {constant.text})", "bool")
    )
