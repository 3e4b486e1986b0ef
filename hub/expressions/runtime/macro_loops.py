"""The loops of the macros: each takes a list or map and a function of the bound names, and charges its steps.

`all` and `exists` absorb errors as `&&` and `||` do.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hub.errors import EvaluationError
from hub.expressions.library.collections import build_map, elements
from hub.expressions.runtime.logic import ERRORS, reason, truth
from hub.expressions.runtime.steps import charge
from hub.expressions.values import Optional, an, type_of

__all__ = ["MACROS", "OPERATIONS"]

Test = Callable[..., Any]


def _arguments(over: Any, both: bool) -> Iterable[tuple[Any, ...]]:
    """Return the values of the names for each turn: (element,) or (index, element); (key,) or (key, value)."""
    if not both:
        return zip(elements(over))
    if isinstance(over, Mapping):
        return list(over.items())
    return enumerate(elements(over))


def _decide(over: Any, both: bool, cost: int, test: Test, decisive: bool) -> bool:
    first = ""
    for names in _arguments(over, both):
        charge(cost)
        try:
            value: Any = test(*names)
            decided = value is decisive
            if decided:
                return decisive
            if value is not True and value is not False:
                truth(value)
        except ERRORS as error:
            first = first or reason(error)
    if first:
        raise EvaluationError(first)
    return not decisive


def macro_all(over: Any, both: bool, cost: int, test: Test) -> bool:
    """Whether it holds for all."""
    return _decide(over, both, cost, test, False)


def macro_exists(over: Any, both: bool, cost: int, test: Test) -> bool:
    """Whether it holds for one or more."""
    return _decide(over, both, cost, test, True)


def macro_exists_one(over: Any, both: bool, cost: int, test: Test) -> bool:
    """Whether it holds for exactly one."""
    count = 0
    for names in _arguments(over, both):
        charge(cost)
        count += truth(test(*names))
    return count == 1


def macro_filter(over: Any, both: bool, cost: int, test: Test) -> list[Any]:
    """Those elements, or keys, for which it holds."""
    result = []
    for names in _arguments(over, both):
        charge(cost)
        if truth(test(*names)):
            result.append(names[0])
    return result


def macro_list(over: Any, both: bool, cost: int, *functions: Test) -> list[Any]:
    """`map` and `transformList`: the results, of those for which the first function holds if there are two."""
    result = []
    for names in _arguments(over, both):
        charge(cost)
        if len(functions) == 1 or truth(functions[0](*names)):
            result.append(functions[-1](*names))
    return result


def macro_map(over: Any, both: bool, cost: int, *functions: Test) -> dict[Any, Any]:
    """`transformMap`: the same keys (or indexes) with other values."""
    result = {}
    for names in _arguments(over, both):
        charge(cost)
        if len(functions) == 1 or truth(functions[0](*names)):
            result[names[0]] = functions[-1](*names)
    return result


def macro_entries(over: Any, both: bool, cost: int, *functions: Test) -> dict[Any, Any]:
    """`transformMapEntry`: the entries of the resulting maps together."""
    pairs: list[Any] = []
    for names in _arguments(over, both):
        charge(cost)
        if len(functions) == 1 or truth(functions[0](*names)):
            entry = functions[-1](*names)
            if not isinstance(entry, Mapping):
                raise EvaluationError(f"transformMapEntry needs a map, not {an(type_of(entry))}")
            for pair in entry.items():
                pairs.extend(pair)
    return build_map(*pairs)


def macro_opt_map(over: Any, _both: bool, _cost: int, function: Test) -> Optional:
    """`optMap`: the function's value of what is there, or none."""
    opened = _optional(over, "optMap")
    return Optional(True, function(opened.value)) if opened.present else opened


def macro_opt_flat_map(over: Any, _both: bool, _cost: int, function: Test) -> Optional:
    """`optFlatMap`: the same, of a function that gives an optional."""
    opened = _optional(over, "optFlatMap")
    return _optional(function(opened.value), "optFlatMap") if opened.present else opened


class Lazy:
    """The value of `cel.bind`, computed when it is first asked for: where it fails and is not used, nothing fails."""

    __slots__ = ("compute", "known", "value")

    def __init__(self, compute: Callable[[], Any]) -> None:
        """Keep how to compute it."""
        self.compute, self.known, self.value = compute, False, None

    def __call__(self) -> Any:
        if not self.known:
            self.value, self.known = self.compute(), True
        return self.value


def _optional(value: Any, what: str) -> Optional:
    if value.__class__ is not Optional:
        raise EvaluationError(f"{what} needs an optional, not {an(type_of(value))}")
    return value


MACROS = {
    "all": ("macro_all", "bool"),
    "exists": ("macro_exists", "bool"),
    "exists_one": ("macro_exists_one", "bool"),
    "filter": ("macro_filter", "list"),
    "map": ("macro_list", "list"),
    "transformList": ("macro_list", "list"),
    "transformMap": ("macro_map", "map"),
    "transformMapEntry": ("macro_entries", "map"),
    "optMap": ("macro_opt_map", "optional"),
    "optFlatMap": ("macro_opt_flat_map", "optional"),
}
"""For each macro the function that does it, and the kind of its result."""
OPERATIONS = ("Lazy", *{function for function, _ in MACROS.values()})
