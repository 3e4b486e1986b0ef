"""The values of expressions for which Python has no class; everything else in this package uses them.

int, float, str, bytes, bool, None, list, dict, datetime and timedelta are Python's own.
"""

from datetime import datetime, timedelta
from typing import Any

from hub.errors import EvaluationError

__all__ = [
    "INT_MAX",
    "INT_MIN",
    "TYPES",
    "UINT_MAX",
    "CelType",
    "Optional",
    "UInt",
    "an",
    "kind_of",
    "no_overload",
    "type_of",
]

INT_MIN, INT_MAX, UINT_MAX = -(1 << 63), (1 << 63) - 1, (1 << 64) - 1


class UInt(int):
    """An unsigned 64-bit integer of CEL: `5u`. An int in every other respect."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{int(self)}u"


class CelType:
    """A type as a value, what `type(x)` gives; `str()` of it is CEL's name. There is one object per type."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        """Name it."""
        self.name = name

    def __repr__(self) -> str:
        return self.name

    __str__ = __repr__


class Optional:
    """CEL's optional: a value or none. Index and select go through it, as CEL's optional chaining does."""

    __slots__ = ("present", "value")

    def __init__(self, present: bool = False, value: Any = None) -> None:
        """Hold a value if `present`."""
        self.present, self.value = present, value

    def __repr__(self) -> str:
        return f"optional.of({self.value!r})" if self.present else "optional.none()"

    __hash__ = None  # type: ignore[assignment]


_CLASSES: dict[type, CelType] = {
    int: CelType("int"),
    UInt: CelType("uint"),
    float: CelType("double"),
    bool: CelType("bool"),
    str: CelType("string"),
    bytes: CelType("bytes"),
    type(None): CelType("null_type"),
    list: CelType("list"),
    dict: CelType("map"),
    CelType: CelType("type"),
    datetime: CelType("google.protobuf.Timestamp"),
    timedelta: CelType("google.protobuf.Duration"),
    Optional: CelType("optional_type"),
}
TYPES = {kind.name: kind for kind in _CLASSES.values()}
"""CEL's types by the names that expressions use for them."""


def type_of(value: Any) -> CelType:
    """Return the CEL type of a value."""
    found = _CLASSES.get(value.__class__)
    if found is not None:
        return found
    for base in value.__class__.__mro__:
        if base in _CLASSES:
            return _CLASSES[base]
    return TYPES["map"] if hasattr(value, "keys") else TYPES["list"]


_KINDS = {kind: name for name, kind in TYPES.items()}
_NAMED = {"google.protobuf.Timestamp": "timestamp", "google.protobuf.Duration": "duration"}
_NAMED |= {"null_type": "null", "optional_type": "optional"}


def kind_of(value: Any) -> str:
    """Return the kind by which the compiler knows a constant: its type in the short names of this package."""
    name = _KINDS[type_of(value)]
    return _NAMED.get(name, name)


def an(kind: object) -> str:
    """Return the name of a type with its article, for messages: `an int`, `a string`."""
    name = _SHORT.get(name := str(kind), name)
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"


def no_overload(what: str, *values: Any) -> EvaluationError:
    """Make the error for operands of the wrong types: `no such overload: string + int`."""
    names = [_SHORT.get(name := type_of(value).name, name) for value in values]
    text = f" {what} ".join(names) if len(names) == 2 and not what[0].isalpha() else f"{what}({', '.join(names)})"
    return EvaluationError(f"no such overload: {text}")


_SHORT = {"google.protobuf.Timestamp": "timestamp", "google.protobuf.Duration": "duration", "null_type": "null"}
_SHORT |= {"dyn": "value", "optional_type": "optional"}
