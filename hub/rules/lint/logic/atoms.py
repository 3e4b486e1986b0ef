"""Atoms: what one comparison says of an expression's value, and whether several of them can be true of one value."""

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any, NamedTuple

__all__ = ["ORDERS", "Atom", "Clause", "KnownValue", "constant", "examples", "possible"]

_TOLD: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ORDERS = tuple(_TOLD)


class KnownValue(NamedTuple):
    """A constant; constants of different kinds are never equal, those of one kind have an order."""

    kind: str
    value: Any


@dataclass(frozen=True, slots=True)
class Atom:
    """`subject operator constant`; `in` has several constants. `subject` is the same for the same expression."""

    subject: object
    operator: str
    constants: tuple[KnownValue, ...]


Clause = frozenset[Atom]
"""Atoms that all hold."""


def constant(value: object) -> KnownValue | None:
    """Return the constant of a literal; None for a kind of value that this module does not reason about."""
    if isinstance(value, bool):
        return KnownValue("bool", value)
    if isinstance(value, (int, float)):
        return KnownValue("number", value)
    if isinstance(value, str):
        return KnownValue("string", value)
    if isinstance(value, timedelta):
        return KnownValue("duration", value.total_seconds())
    return KnownValue("null", None) if value is None else None


def possible(clause: Clause) -> bool:
    """Tell whether there can be values for which all atoms are true."""
    return all(_possible(atoms) for atoms in by_subject(clause).values())


def by_subject(clause: Clause) -> dict[object, list[Atom]]:
    """Return the atoms by their subject."""
    found: dict[object, list[Atom]] = {}
    for atom in clause:
        found.setdefault(atom.subject, []).append(atom)
    return found


def examples(atoms: Iterable[Atom]) -> list[float]:
    """Return a number for which atoms that only order numbers are true; empty where there is no such number."""
    atoms = list(atoms)
    bounds = sorted(atom.constants[0].value for atom in atoms)
    middles = [(low + high) / 2 for low, high in pairwise(bounds)]
    tried = [*middles, *bounds, bounds[0] - 1, bounds[-1] + 1]
    return [value for value in tried if all(_holds(atom, KnownValue("number", value)) for atom in atoms)][:1]


def _possible(atoms: list[Atom]) -> bool:
    chosen = [atom for atom in atoms if atom.operator in ("==", "in")]
    if chosen:
        return any(all(_holds(atom, value) for atom in atoms) for value in chosen[0].constants)
    ordered = [atom for atom in atoms if atom.operator in _TOLD]
    if len({atom.constants[0].kind for atom in ordered}) > 1:
        return False
    return _room(ordered, [atom.constants[0] for atom in atoms if atom.operator == "!="])


def _room(ordered: list[Atom], excluded: list[KnownValue]) -> bool:
    """Tell whether there is something between the bounds."""
    above = [atom for atom in ordered if atom.operator in (">", ">=")]
    below = [atom for atom in ordered if atom.operator in ("<", "<=")]
    if not above or not below:
        return True
    low = max(atom.constants[0] for atom in above)
    high = min(atom.constants[0] for atom in below)
    if low != high:
        return low < high
    return low not in excluded and all(_holds(atom, low) for atom in ordered)


def _holds(atom: Atom, value: KnownValue) -> bool:
    if atom.operator in ("==", "in"):
        return value in atom.constants
    if atom.operator == "!=":
        return value not in atom.constants
    bound = atom.constants[0]
    return bound.kind == value.kind and _TOLD[atom.operator](value.value, bound.value)
