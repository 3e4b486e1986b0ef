"""Decides whether one condition is surely true (or false) wherever another one is.

It is not enough that the second never is the opposite: it may have no value, because a field is missing. So each way in
which the first becomes true must make the second true, with only the values that exist in that way.
"""

from itertools import product
from math import prod

from hub.expressions import Program
from hub.rules.lint.logic.atoms import ORDERS, Atom, Clause, possible
from hub.rules.lint.logic.truth import MOST, clauses

__all__ = ["entails"]

_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_Wanted = tuple[Program, bool]


def entails(one: _Wanted, other: _Wanted) -> bool:
    """Tell whether `other` has the wanted value wherever `one` has; False where there are too many ways to look at."""
    (first, wish), (second, same) = one, other
    # with other names known at load the same words may mean something else: severity in 'when' and in 'pause'
    if first.text == second.text and first.scope.own == second.scope.own and wish is same:
        return True
    given, wanted = clauses(one), clauses(other)
    if given is None or wanted is None or len(given) * len(wanted) > MOST:
        return False
    return all(_brings(clause, wanted) for clause in given)


def _brings(clause: Clause, ways: list[Clause]) -> bool:
    """Tell whether one of the ways is true wherever the clause is: no value is left for which none is."""
    known = [way for way in ways if all(_has_value(clause, atom) for atom in way)]
    if prod(map(len, known)) > MOST:
        return False
    against = [[_against(atom) for atom in way] for way in known]
    return not any(possible(clause.union(*choice)) for choice in product(*against))


def _has_value(clause: Clause, atom: Atom) -> bool:
    """Tell whether an atom is true or false wherever the clause is true, and never an error."""
    beside = [each for each in clause if each.subject == atom.subject]
    return bool(beside) and (atom.operator not in ORDERS or any(_compares(each, atom) for each in beside))


def _compares(beside: Atom, atom: Atom) -> bool:
    """Tell whether an atom shows that its subject has the kind of value that another atom compares."""
    if beside.operator not in ORDERS and (beside.operator == "!=" or _is_difference(beside)):
        return False
    return all(each.kind == atom.constants[0].kind for each in beside.constants)


def _is_difference(atom: Atom) -> bool:
    """Tell whether an atom compares two expressions: these may be equal without having an order."""
    return isinstance(atom.subject, tuple) and atom.subject[:1] == ("difference",)


def _against(atom: Atom) -> Clause:
    """Return the atom that is true where this one is false."""
    if atom.operator == "in":
        return frozenset(Atom(atom.subject, "!=", (each,)) for each in atom.constants)
    return frozenset({Atom(atom.subject, _OPPOSITE[atom.operator], atom.constants)})
