"""`packed`: bytes as a C struct has them, by a format of Python's `struct`; each value gets a name."""

import struct
from collections.abc import Callable, Sequence
from typing import Any

from hub.ingest.decoding.plain_values import finite
from hub.ingest.payload_reading import Unreadable
from hub.limits import PACKED_BYTES

__all__ = ["packed_reader", "packed_struct", "values_in"]

_ORDERS = "<>!"


def packed_struct(text: str) -> struct.Struct:
    """Compile a format, which must begin with the order of its bytes: else its lengths would be those of this machine.

    Raises:
        ValueError: it is none; says what is wrong, then what to do, apart by a semicolon.

    """
    if text[:1] not in _ORDERS or not text:
        raise ValueError("it does not say the order of its bytes; begin it with < (little endian) or > (big endian)")
    try:
        made = struct.Struct(text)
    except (struct.error, ValueError) as error:
        why = str(error) if text.isascii() else "it has letters that are none of a format"
        raise ValueError(f"{why}; B is a byte, h and H are 2 bytes, i and I 4, q and Q 8, f and d floats") from None
    if not 0 < made.size <= PACKED_BYTES:
        raise ValueError(f"it has {made.size:,} bytes; from 1 to {PACKED_BYTES:,} can be read")
    return made


def values_in(made: struct.Struct) -> int:
    """Return how many values a format has."""
    return len(made.unpack(bytes(made.size)))


def packed_reader(made: struct.Struct, names: Sequence[str]) -> Callable[[bytes], dict[str, Any]]:
    """Return what reads a payload of a format; there is a name for each of its values."""
    size, unpack = made.size, made.unpack

    def read(data: bytes) -> dict[str, Any]:
        if len(data) != size:
            raise Unreadable(f"{len(data)} bytes; the packed format has {size}")
        values = unpack(data)
        return {
            name: finite(value) if value.__class__ is float else value
            for name, value in zip(names, values, strict=True)
        }

    return read
