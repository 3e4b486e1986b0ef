"""The functions that expressions may call, a file per family; nothing else of Python is within their reach."""

from hub.errors import EvaluationError
from hub.expressions.library import (
    arithmetic,
    collections,
    comparison,
    conversions,
    logic,
    macros,
    places,
    steps,
    strings,
)
from hub.expressions.library.registry import FUNCTIONS, Function, Signature

__all__ = ["FUNCTIONS", "GLOBALS", "Function", "Signature"]

GLOBALS: dict[str, object] = {
    "__builtins__": {},
    "float": float,
    "str": str,
    "dict": dict,
    "EvaluationError": EvaluationError,
}
"""The whole world of a compiled expression: the names that the compiler writes into its source."""

for _module in (arithmetic, collections, comparison, conversions, logic, macros, places, steps, strings):
    GLOBALS |= {name: getattr(_module, name) for name in _module.OPERATIONS}
GLOBALS |= {function.symbol: function.call for function in FUNCTIONS.values()}
