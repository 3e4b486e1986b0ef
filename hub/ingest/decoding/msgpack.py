"""MessagePack becomes a value. It is read here, because a bound must hold before what breaks it is there.

A timestamp (extension -1) becomes seconds since 1970; any other extension is its bytes.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any

from hub.ingest.decoding.plain_values import ItemBudget, finite, put, text_or_bytes
from hub.ingest.payload_reading import Unreadable

__all__ = ["read_msgpack"]

_NUMBERS: dict[int, tuple[Callable[[bytes], tuple[Any, ...]], int]] = {
    0xC8 + number + 2: (struct.Struct(f">{letter}").unpack, struct.calcsize(f">{letter}"))
    for number, letter in enumerate("fdBHIQbhiq")
}
"""First byte → how a number behind it is read, and its length: float 32 (0xca) to int 64 (0xd3)."""
_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
_TIMESTAMP = 0xFF


def read_msgpack(data: bytes) -> Any:
    """Return the value of one MessagePack item; NULs behind it are ignored.

    Raises:
        Unreadable: it is broken, or beyond what a payload may have.

    """
    reader = _Reader(data)
    value = reader.item()
    if data[reader.at :].strip(b"\0"):
        raise Unreadable(f"{len(data) - reader.at} bytes follow the end of the MessagePack")
    return value


class _Reader:
    __slots__ = ("_budget", "_size", "at", "data")

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self._size = data, 0, len(data)
        self._budget = ItemBudget()

    def item(self) -> Any:
        """Read the item at hand: its first byte says what it is."""
        if self.at >= self._size:
            raise self._short()
        first = self.data[self.at]
        self.at += 1
        if first < 0x80:
            return first
        if first >= 0xE0:
            return first - 0x100
        if first < 0x90:
            return self.pairs(first & 15)
        if first < 0xA0:
            return self.items(first & 15)
        if first < 0xC0:
            return text_or_bytes(self.raw(first & 31))
        return self._longer(first)

    def _longer(self, first: int) -> Any:
        number = _NUMBERS.get(first)
        if number is not None:
            unpack, size = number
            value = unpack(self.raw(size))[0]
            return finite(value) if first < 0xCC else value
        if first in _CONSTANTS:
            return _CONSTANTS[first]
        if 0xD4 <= first <= 0xD8:
            return self.extension(1 << (first - 0xD4))
        return self._long(first)

    def _long(self, first: int) -> Any:
        """Read what has its length behind the first byte: of 1, 2 or 4 bytes."""
        found = _LONG.get(first)
        if found is None:
            raise Unreadable(f"broken MessagePack: 0x{first:02x} at byte {self.at - 1} means nothing")
        read, size = found
        return read(self, int.from_bytes(self.raw(size), "big"))

    def text(self, size: int) -> str | bytes:
        return text_or_bytes(self.raw(size))

    def raw(self, size: int) -> bytes:
        end = self.at + size
        if end > self._size:
            raise self._short()
        found = self.data[self.at : end]
        self.at = end
        return found

    def _short(self) -> Unreadable:
        return Unreadable(f"broken MessagePack: it ends after {self._size} bytes, and more belong to it")

    def items(self, size: int) -> list[Any]:
        self._open(size)
        item = self.item
        made = [item() for _ in range(size)]
        self._budget.depth += 1
        return made

    def pairs(self, size: int) -> dict[str, Any]:
        self._open(size)
        item, made = self.item, dict[str, Any]()
        for _ in range(size):
            put(made, item(), item())
        self._budget.depth += 1
        return made

    def _open(self, size: int) -> None:
        if size > self._size:  # each item has a byte: no need to begin
            raise self._short()
        self._budget.enter(size)

    def extension(self, size: int) -> Any:
        kind = self.raw(1)[0]
        data = self.raw(size)
        return _timestamp(data) if kind == _TIMESTAMP and size in (4, 8, 12) else data


def _timestamp(data: bytes) -> float:
    """Return the seconds of a timestamp of 32, 64 or 96 bits; the latter two have nanoseconds."""
    if len(data) == 4:
        return int.from_bytes(data, "big")
    if len(data) == 8:
        both = int.from_bytes(data, "big")
        nanoseconds, seconds = both >> 34, both & 0x3_FFFF_FFFF
    else:
        nanoseconds, seconds = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:], "big", signed=True)
    return seconds + nanoseconds / 1e9 if nanoseconds else seconds


_LONG: Mapping[int, tuple[Callable[[_Reader, int], Any], int]] = {
    **{0xD9 + power: (_Reader.text, 1 << power) for power in range(3)},
    **{0xC4 + power: (_Reader.raw, 1 << power) for power in range(3)},
    **{0xDC + power: (_Reader.items, 2 << power) for power in range(2)},
    **{0xDE + power: (_Reader.pairs, 2 << power) for power in range(2)},
    **{0xC7 + power: (_Reader.extension, 1 << power) for power in range(3)},
}
"""First byte → what follows, and of how many bytes its length is."""
