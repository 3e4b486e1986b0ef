"""What all decoders agree on: how many values one payload may have, and what becomes of what JSON cannot say."""

from typing import Any

from hub.ingest.payload_reading import Unreadable
from hub.limits import DECODED_ITEMS, PAYLOAD_DEPTH

__all__ = ["ItemBudget", "finite", "name_of", "put", "text_or_bytes", "whole"]

_LEAST, _BEYOND = -(2**63), 2**64
_SHOWN = 64


class ItemBudget:
    """Counts the values of one payload, and how deep they are nested."""

    __slots__ = ("depth", "items")

    def __init__(self) -> None:
        """Begin with nothing read."""
        self.items = DECODED_ITEMS
        self.depth = PAYLOAD_DEPTH

    def enter(self, items: int) -> None:
        """Begin a list or an object of so many values; `depth` goes up again when it ends.

        Raises:
            Unreadable: there are too many, or it is nested too deep.

        """
        self.take(items)
        self.depth -= 1
        if self.depth < 0:
            raise Unreadable(f"nested deeper than {PAYLOAD_DEPTH}")

    def take(self, items: int) -> None:
        """Count values.

        Raises:
            Unreadable: there are too many.

        """
        self.items -= items
        if self.items < 0:
            raise Unreadable(f"more than {DECODED_ITEMS:,} values")


def finite(number: float) -> float | None:
    """Return a number, or None for what is none: JSON has neither an infinity nor NaN."""
    return number if number - number == 0 else None


def whole(number: int) -> float | None:
    """Return an integer exactly up to 64 bits, a longer one as a double; None where it is beyond that, too."""
    if _LEAST <= number < _BEYOND:
        return number
    try:
        return float(number)
    except OverflowError:
        return None


def text_or_bytes(data: bytes) -> str | bytes:
    """Read text; what is not UTF-8 stays bytes: older encoders had one type for both."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def name_of(key: Any) -> str:
    """Return the key of an object as the text by which rules ask for it.

    Raises:
        Unreadable: it is a list or an object.

    """
    kind = key.__class__
    if kind is str:
        return str(key)
    if kind is bytes:
        found = text_or_bytes(key)
        return found if isinstance(found, str) else key.hex()
    if key is None or kind is bool:
        return {None: "null", True: "true", False: "false"}[key]
    if kind is int or kind is float:
        return str(key)
    raise Unreadable("an object has a list or an object for a name")


def put(made: dict[str, Any], key: Any, value: Any) -> None:
    """Enter a value under its name.

    Raises:
        Unreadable: the name is there twice, so a rule could not trust what it would see.

    """
    name = key if key.__class__ is str else name_of(key)
    if name in made:
        raise Unreadable(f"the name {name[:_SHOWN]!r} twice in one object")
    made[name] = value
