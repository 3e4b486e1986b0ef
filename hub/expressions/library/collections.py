"""Lists and maps: index, membership, size."""

from collections.abc import Mapping
from typing import Any

from hub.errors import EvaluationError
from hub.expressions.library.comparison import equal, lookup
from hub.expressions.runtime.functions import cel
from hub.expressions.runtime.steps import charge
from hub.expressions.values import Optional, UInt, an, no_overload, type_of

__all__ = ["OPERATIONS", "element", "elements"]

OPERATIONS = ("element", "optional_element", "member", "has_field", "build_map", "entry", "field")

_MISSING = object()
_KEYS = frozenset((str, int, UInt, bool))


def element(container: Any, key: Any) -> Any:
    """`container[key]`."""
    if container.__class__ is list:
        return _item(container, key)
    if isinstance(container, Mapping):
        found = lookup(container, key, _MISSING)
        if found is _MISSING:
            raise EvaluationError(f"no such key: {key!r}")
        return found
    if container.__class__ is Optional:
        return through(container, key)
    raise EvaluationError(f"{an(type_of(container))} has no elements")


def through(container: Optional, key: Any) -> Optional:
    """Index an optional: none stays none."""
    return optional_element(container.value, key) if container.present else container


def optional_element(container: Any, key: Any) -> Optional:
    """`container[?key]`: an optional of the element, or none where it is not there."""
    if container.__class__ is Optional:
        return through(container, key)
    if isinstance(container, Mapping):
        found = lookup(container, key, _MISSING)
        return Optional() if found is _MISSING else Optional(True, found)
    if container.__class__ is list:
        try:
            return Optional(True, _item(container, key))
        except IndexError:
            return Optional()
    raise EvaluationError(f"{an(type_of(container))} has no elements")


def _item(items: list[Any], key: Any) -> Any:
    kind = key.__class__
    if kind not in (int, UInt, float) or (kind is float and not key.is_integer()):
        raise no_overload("[]", items, key)
    if not 0 <= key < len(items):
        raise IndexError(f"index {key} out of range")
    return items[int(key)]


def field(container: Any, name: str) -> Any:
    """`container.name`."""
    if isinstance(container, Mapping):
        return container[name]
    if container.__class__ is Optional:
        return through(container, name)
    raise EvaluationError(f"{an(type_of(container))} has no fields")


def has_field(container: Any, name: str) -> bool:
    """`has(container.name)`."""
    if isinstance(container, Mapping):
        return name in container
    if container.__class__ is Optional:
        return through(container, name).present
    raise EvaluationError(f"{an(type_of(container))} has no fields")


def member(value: Any, container: Any) -> bool:
    """`value in container`."""
    if container.__class__ is list:
        charge(len(container))
        if value.__class__ is str:
            return value in container
        return any(equal(value, item) for item in container)
    if isinstance(container, Mapping) and (value.__class__ in _KEYS or value.__class__ is float):
        return lookup(container, value, _MISSING) is not _MISSING
    raise no_overload("in", value, container)


def elements(container: Any) -> Any:
    """Return what a macro goes through: a list's elements, a map's keys."""
    if container.__class__ is list:
        return container
    if isinstance(container, Mapping):
        return list(container)
    raise EvaluationError(f"{an(type_of(container))} has no elements to go through")


class _Entry:
    """A value of a map literal that is written `?key: optional`."""

    __slots__ = ("optional",)

    def __init__(self, optional: Optional) -> None:
        self.optional = optional


def entry(value: Any) -> _Entry:
    """Mark an optional entry of a map literal."""
    if value.__class__ is not Optional:
        raise no_overload("?", value)
    return _Entry(value)


def build_map(*pairs: Any) -> dict[Any, Any]:
    """`{key: value, …}`, from keys and values by turns."""
    result: dict[Any, Any] = {}
    for key, value in zip(pairs[::2], pairs[1::2], strict=True):
        if key.__class__ not in _KEYS:
            raise EvaluationError(f"{an(type_of(key))} cannot be the key of a map")
        if value.__class__ is _Entry:
            if not value.optional.present:
                continue
            value = value.optional.value  # noqa: PLW2901 - opened
        if key in result:
            raise EvaluationError(f"key {key!r} stands twice")
        result[key] = value
    return result


@cel(
    "size(string) -> int",
    "size(bytes) -> int",
    "size(list) -> int",
    "size(map) -> int",
    "(string).size() -> int",
    "(bytes).size() -> int",
    "(list).size() -> int",
    "(map).size() -> int",
)
def size(value: Any) -> int:
    """How many characters, bytes, elements or keys."""
    if value.__class__ in (str, bytes, list, dict) or isinstance(value, Mapping):
        return len(value)
    raise no_overload("size", value)
