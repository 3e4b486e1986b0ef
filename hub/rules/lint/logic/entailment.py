"""Whether one condition is true (or false) for sure wherever another one is.

That it is never the opposite says little where the second may have no value, for want of a field. Here each way
in which the first comes about must bring the second about, by what has a value in that way.
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
    """Tell whether the other condition comes to what it should wherever the one does; nothing is said of very many."""
    (first, wish), (second, same) = one, other
    # with other names known at load the same words may mean something else: severity in 'when' and in 'pause'
    if first.text == second.text and first.scope.own == second.scope.own and wish is same:
        return True
    given, wanted = clauses(one), clauses(other)
    if given is None or wanted is None or len(given) * len(wanted) > MOST:
        return False
    return all(_brings(clause, wanted) for clause in given)


def _brings(clause: Clause, ways: list[Clause]) -> bool:
    """Tell whether one of the ways holds wherever the clause does: no value is left for which none does."""
    known = [way for way in ways if all(_has_value(clause, atom) for atom in way)]
    if prod(map(len, known)) > MOST:
        return False
    against = [[_against(atom) for atom in way] for way in known]
    return not any(possible(clause.union(*choice)) for choice in product(*against))


def _has_value(clause: Clause, atom: Atom) -> bool:
    """Tell whether what an atom says is true or false wherever the clause holds, and never an error."""
    beside = [each for each in clause if each.subject == atom.subject]
    return bool(beside) and (atom.operator not in ORDERS or any(_compares(each, atom) for each in beside))


def _compares(beside: Atom, atom: Atom) -> bool:
    """Tell whether an atom says that its subject is such a thing as another one compares with its constant."""
    if beside.operator not in ORDERS and (beside.operator == "!=" or _is_difference(beside)):
        return False
    return all(each.kind == atom.constants[0].kind for each in beside.constants)


def _is_difference(atom: Atom) -> bool:
    """Tell whether it compares two expressions: equal they may be without any order between them."""
    return isinstance(atom.subject, tuple) and atom.subject[:1] == ("difference",)


def _against(atom: Atom) -> Clause:
    """Return what holds where an atom is false."""
    if atom.operator == "in":
        return frozenset(Atom(atom.subject, "!=", (each,)) for each in atom.constants)
    return frozenset({Atom(atom.subject, _OPPOSITE[atom.operator], atom.constants)})
