"""The functions that expressions may call, a file per family; nothing else of Python is within their reach."""

from typing import Any

from hub.errors import EvaluationError
from hub.expressions.library import (
    arithmetic,
    calendar,
    collections,
    comparison,
    conversions,
    encoders,
    formatting,
    geo,
    math,
    optionals,
    regex,
    strings,
)
from hub.expressions.runtime import logic, macro_loops, places, steps
from hub.expressions.runtime.functions import FUNCTIONS, Function, Signature

__all__ = ["FUNCTIONS", "GLOBALS", "Function", "Signature"]

GLOBALS: dict[str, object] = {
    "__builtins__": {},
    "bool": bool,
    "float": float,
    "str": str,
    "dict": dict,
    "EvaluationError": EvaluationError,
}
"""The whole world of a compiled expression: the names that the compiler writes into its source."""

_FAMILIES: tuple[Any, ...] = (arithmetic, calendar, collections, comparison, conversions, encoders, formatting, logic)
_FAMILIES += (geo, macro_loops, math, optionals, places, regex, steps, strings)
for _family in _FAMILIES:
    GLOBALS |= {name: getattr(_family, name) for name in _family.OPERATIONS}
GLOBALS |= {function.symbol: function.call for function in FUNCTIONS.values()}
