"""Writes operators in Python, with the checks that CEL asks for, and without any where the types are known.

Python orders bools with numbers and CEL does not, so an operand of unknown type is checked for a bool. Python itself
refuses all other values that cannot be compared.
"""

import operator as python

from hub.expressions.compiling.emitter import UNKNOWN, Emitter, GeneratedCode
from hub.expressions.runtime.functions import NUMBERS

__all__ = ["arithmetic", "arithmetic_kind", "comparable", "compare_hint", "comparison", "equality", "sum_hint"]

_ORDER = {"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal"}
_PYTHON = {"<": python.lt, "<=": python.le, ">": python.gt, ">=": python.ge}
_MIRROR = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ARITHMETIC = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "modulo"}
_DIRECT = frozenset(("string", "bytes"))
_EXACT = 1 << 53  # integers below are exact as doubles, so that Python's comparison is CEL's
_SCALARS = NUMBERS | {"string", "bytes", "bool", "timestamp", "duration", "null", "type"}
_SELVES = frozenset(("string", "bytes", "bool", "timestamp", "duration"))


def comparable(left: str, right: str, ordered: bool) -> bool:
    """Say whether values of these kinds can be equal, or be ordered."""
    if "dyn" in (left, right):
        kind = right if left == "dyn" else left
        return not ordered or kind == "dyn" or kind in NUMBERS or kind in _SELVES
    if left in NUMBERS and right in NUMBERS:
        return True
    return left == right and (not ordered or left in _SELVES)


def _exact(left: GeneratedCode, right: GeneratedCode) -> bool:
    """Say whether Python compares two numbers as CEL does."""
    if left.kind == right.kind and left.kind in ("int", "uint", "double"):
        return True
    return any(
        code.kind in NUMBERS and code.constant is not UNKNOWN and abs(code.constant) < _EXACT for code in (left, right)
    )


def comparison(emit: Emitter, operator: str, left: GeneratedCode, right: GeneratedCode) -> GeneratedCode:
    """Write `left < right` and its like."""
    fails = left.fails or right.fails
    numbers = left.kind in NUMBERS and right.kind in NUMBERS and _exact(left, right)
    if numbers or (left.kind == right.kind and left.kind in _DIRECT):
        return GeneratedCode(f"({left.text} {operator} {right.text})", "bool", fails)
    slow = _ORDER[operator]
    if {left.kind, right.kind} == {"dyn", "string"}:
        return GeneratedCode(f"({left.text} {operator} {right.text})", "bool")
    if left.kind == "dyn" and right.kind in NUMBERS and right.atom and _exact(left, right):
        return _with_number(emit, operator, left, right)
    if right.kind == "dyn" and left.kind in NUMBERS and left.atom and _exact(left, right):
        return comparison(emit, _MIRROR[operator], right, left)
    if left.kind in ("dyn", "double") and right.kind in ("dyn", "double"):
        return _both_doubles(emit, operator, slow, left, right, "bool")
    return GeneratedCode(f"{slow}({left.text}, {right.text})", "bool", fails or left.kind != right.kind)


def _with_number(emit: Emitter, operator: str, left: GeneratedCode, right: GeneratedCode) -> GeneratedCode:
    """Write the comparison of an unknown with a number: Python would order a bool as 0 or 1, CEL does not.

    So a bool must be told from a number, but only where the result is one that a bool would give.
    """
    first, again = emit.twice(left)
    as_bools = {_PYTHON[operator](value, right.constant) for value in (0, 1)} if right.constant is not UNKNOWN else {}
    if as_bools == {False}:
        text = f"({first} {operator} {right.text} or {again}.__class__ is bool and unordered({again}))"
    elif as_bools == {True}:
        text = f"({first} {operator} {right.text} and ({again}.__class__ is not bool or unordered({again})))"
    else:
        text = f"({again} {operator} {right.text} if {first}.__class__ is not bool else unordered({again}))"
    return GeneratedCode(text, "bool")


def _both_doubles(
    emit: Emitter, operator: str, slow: str, left: GeneratedCode, right: GeneratedCode, kind: str
) -> GeneratedCode:
    """Write an operator directly where both are doubles, and else as a call."""
    a, again_a = emit.twice(left)
    b, again_b = emit.twice(right)
    test = f"{a}.__class__ is {b}.__class__ is float"
    return GeneratedCode(f"({again_a} {operator} {again_b} if {test} else {slow}({again_a}, {again_b}))", kind)


def equality(emit: Emitter, operator: str, left: GeneratedCode, right: GeneratedCode) -> GeneratedCode:
    """Write `left == right` or `!=`."""
    if left.constant is not UNKNOWN and right.constant is UNKNOWN:
        left, right = right, left
    fails = left.fails or right.fails
    if right.constant is True or right.constant is False or right.constant is None:
        sign = "is" if operator == "==" else "is not"
        return GeneratedCode(f"({left.text} {sign} {right.constant})", "bool", fails)
    if right.kind == "string" or (right.kind in NUMBERS and left.kind in NUMBERS and _exact(left, right)):
        return GeneratedCode(f"({left.text} {operator} {right.text})", "bool", fails)
    if right.kind in NUMBERS and right.constant is not UNKNOWN and _exact(left, right):
        if right.constant not in (0, 1):
            return GeneratedCode(f"({left.text} {operator} {right.text})", "bool", fails)
        first, again = emit.twice(left)
        one = "True" if right.constant == 1 else "False"
        join, sign = ("and", "is not") if operator == "==" else ("or", "is")
        return GeneratedCode(f"({first} {operator} {right.text} {join} {again} {sign} {one})", "bool", fails)
    name = "equal" if operator == "==" else "unequal"
    emit.costly = emit.costly or not ({left.kind, right.kind} & _SCALARS)
    return GeneratedCode(f"{name}({left.text}, {right.text})", "bool", fails)


def arithmetic_kind(operator: str, left: str, right: str) -> str:
    """Return the kind of `left + right` and its like; `` where there is none."""
    if left in NUMBERS and right in NUMBERS:
        if operator == "%":
            return left if left == right and left != "double" else "" if "double" in (left, right) else "number"
        if left == right:
            return left
        return "" if "uint" in (left, right) else "double" if "double" in (left, right) else "number"
    if "dyn" in (left, right):
        return _half_known(operator, right if left == "dyn" else left)
    return _SUMS.get((operator, left, right), "")


_SUMS = {("+", kind, kind): kind for kind in ("string", "bytes", "list", "duration")}
_SUMS |= {("+", "timestamp", "duration"): "timestamp", ("+", "duration", "timestamp"): "timestamp"}
_SUMS |= {("-", "timestamp", "duration"): "timestamp", ("-", "timestamp", "timestamp"): "duration"}
_SUMS |= {("-", "duration", "duration"): "duration"}


def _half_known(operator: str, known: str) -> str:
    """Return the kind where one side is known (or none is): `dyn` if it may come to something."""
    if known == "dyn":
        return "dyn"
    if known in NUMBERS:
        return "" if operator == "%" and known == "double" else "double" if known == "double" else "number"
    results = {result for (sign, *kinds), result in _SUMS.items() if sign == operator and known in kinds}
    return results.pop() if len(results) == 1 else "dyn" if results else ""


def arithmetic(emit: Emitter, operator: str, left: GeneratedCode, right: GeneratedCode, kind: str) -> GeneratedCode:
    """Write `left + right` and its like."""
    slow = _ARITHMETIC[operator]
    emit.costly = emit.costly or (operator == "+" and kind not in NUMBERS)
    fails = left.fails or right.fails
    safe = operator in "+-*" or (operator == "/" and right.constant not in (UNKNOWN, 0.0))
    if left.kind == right.kind == "double" and safe:
        return GeneratedCode(f"({left.text} {operator} {right.text})", "double", fails)
    unknown, known = (left, right) if left.kind == "dyn" else (right, left)
    if (unknown.kind, known.kind) == ("dyn", "double") and safe and known.atom:
        first, again = emit.twice(unknown)
        a, b = (again, right.text) if unknown is left else (left.text, again)
        return GeneratedCode(f"({a} {operator} {b} if {first}.__class__ is float else {slow}({a}, {b}))", kind)
    if left.kind in ("dyn", "double") and right.kind in ("dyn", "double") and safe:
        return _both_doubles(emit, operator, slow, left, right, kind)
    return GeneratedCode(f"{slow}({left.text}, {right.text})", kind)


def compare_hint(left: str, right: str) -> str:
    """Return what to write where values of these kinds cannot be compared; empty where that is not clear."""
    kinds = {left, right}
    if "string" in kinds and kinds & NUMBERS:
        return 'write text in quotes: "5", or convert: double(x)'
    if "duration" in kinds and kinds & NUMBERS:
        return "write a duration with its unit: 90s, 5m"
    if "timestamp" in kinds:
        return "a timestamp is compared with a timestamp: timestamp(x)"
    return ""


def sum_hint(left: str, right: str) -> str:
    """Return what to write where values of these kinds cannot be added; empty where that is not clear."""
    if "string" in (left, right):
        return "convert with string(x) or double(x)"
    return "write a duration with its unit: 90s, 5m" if {left, right} & {"timestamp", "duration"} else ""
