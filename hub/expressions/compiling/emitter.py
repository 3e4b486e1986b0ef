"""Collects the generated Python of one expression: its constants, its temporaries, its source.

Nothing of a user's text is ever part of the source: names of fields, strings, numbers and patterns are constants, and
constants are default arguments K0, K1, … So expressions of the same shape share their compiled code.
"""

import functools
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hub.errors import CompileError
from hub.expressions.library import GLOBALS
from hub.expressions.names import NO_SAMPLES
from hub.limits import EXPRESSION_STEPS

__all__ = ["UNKNOWN", "Emitter", "GeneratedCode"]

UNKNOWN: Any = object()


@dataclass(slots=True)
class GeneratedCode:
    """A piece of Python that computes a value.

    `kind`: its static type, or `dyn`; `fails`: it can raise; `constant`: its value, if known at load; `atom`: it is a
    local name, so it may be written twice.
    """

    text: str
    kind: str = "dyn"
    fails: bool = True
    constant: Any = UNKNOWN
    atom: bool = False


class Emitter:
    """Collects what one function needs beside its source."""

    def __init__(self, *, again: bool = False) -> None:
        """Begin with nothing. `again`: it is the second function, which uses what the first left of the budget."""
        self.again = again
        self.constants: list[Any] = []
        self._known: dict[Any, str] = {}
        self._temporaries = 0
        self.costly = False

    def constant(self, value: Any, kind: str) -> GeneratedCode:
        """Return a constant as code."""
        key = (value.__class__, repr(value)) if isinstance(value, (str, int, float, bytes)) else id(value)
        if key not in self._known:
            self._known[key] = f"K{len(self.constants)}"
            self.constants.append(value)
        return GeneratedCode(self._known[key], kind, False, value, True)

    def temporary(self) -> str:
        """Return a fresh local name."""
        self._temporaries += 1
        return f"t{self._temporaries}"

    def twice(self, code: GeneratedCode) -> tuple[str, str]:
        """Return the code that computes the value and keeps it, and the code that reads it again."""
        if code.atom:
            return code.text, code.text
        name = self.temporary()
        return f"({name} := {code.text})", name

    def function(self, result: str, fallback: list[Any] | None, fails: bool) -> Callable[..., Any]:
        """Make the function that returns `result`.

        Where an operand fails, the function raises; with `fallback`, it returns what the function in that list returns.
        """
        if not fails:
            return self._made(f"  return {result}\n")
        if fallback is None:
            handler = "  except RAW_ERRORS as e:\n    raise failure(e) from None\n"
            return self._made(f"  try:\n    return {result}\n{handler}")
        again = self.constant(fallback, "dyn").text
        return self._made(f"  try:\n    return {result}\n  except ERRORS:\n    return {again}[0](F, C, X, S)\n")

    def chain(self, operands: list[GeneratedCode], decisive: bool) -> Callable[..., Any]:
        """Make the function of a chain of `&&` or `||` in which every operand is guarded."""
        sign = "" if decisive else "not "
        body = "  e = None\n"
        for operand in operands:
            body += f"  try:\n    if {sign}{operand.text}: return {decisive}\n"
            body += "  except ERRORS as x: e = e or reason(x)\n"
        return self._made(f"{body}  if e: raise EvaluationError(e)\n  return {not decisive}\n")

    def _made(self, body: str) -> Callable[..., Any]:
        start = f"  STEPS.left = {EXPRESSION_STEPS}\n" if self.costly and not self.again else ""
        parameters = "".join(f", K{number}=0" for number in range(len(self.constants)))
        code = _compiled(f"def run(F, C, X, S=0{parameters}):\n{start}{body}")
        return types.FunctionType(code, GLOBALS, "run", (NO_SAMPLES, *self.constants))


@functools.lru_cache(maxsize=4096)
def _compiled(source: str) -> types.CodeType:
    try:
        module = compile(source, "<expression>", "exec", dont_inherit=True)
    except (SyntaxError, RecursionError, MemoryError, ValueError):
        raise CompileError("nested too deep", 0, "", "split the rule") from None
    return next(constant for constant in module.co_consts if isinstance(constant, types.CodeType))
