"""CBOR (RFC 8949) becomes a value. It is read here, because a bound must hold before what breaks it is there.

Tags are left out, and what they stand before counts: a time is its text or its seconds, as JSON would have it. Bignums
and decimal fractions become numbers. References inside of a payload (tags 25, 28, 29, 256) are refused: with them a few
bytes can mean any number of values, or a circle.
"""

import struct
from typing import Any

from hub.ingest.decoding.plain_values import ItemBudget, finite, put, text_or_bytes, whole
from hub.ingest.payload_reading import Unreadable

__all__ = ["read_cbor"]

_FLOATS = {
    25: (struct.Struct(">e").unpack, 2),
    26: (struct.Struct(">f").unpack, 4),
    27: (struct.Struct(">d").unpack, 8),
}
_BREAK = object()
_REFERENCES = frozenset({25, 28, 29, 256})
_BIGNUM_BYTES = 128  # a double ends at 2¹⁰²⁴


def read_cbor(data: bytes) -> Any:
    """Return the value of one CBOR item; NULs behind it are ignored.

    Raises:
        Unreadable: it is broken, or beyond what a payload may have.

    """
    reader = _Reader(data)
    value = reader.item()
    if data[reader.at :].strip(b"\0"):
        raise Unreadable(f"{len(data) - reader.at} bytes follow the end of the CBOR")
    return value


class _Reader:
    __slots__ = ("_budget", "_size", "at", "data")

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self._size = data, 0, len(data)
        self._budget = ItemBudget()

    def item(self) -> Any:
        """Read the item at hand (RFC 8949, 3): three bits for its type, five for its argument or the length of it."""
        value = self._any()
        if value is _BREAK:
            raise Unreadable("broken CBOR: an end where nothing was open")
        return value

    def _any(self) -> Any:
        if self.at >= self._size:
            raise self._short()
        first = self.data[self.at]
        self.at += 1
        major, info = first >> 5, first & 31
        if major == 7:
            return self._simple(info)
        if info == 31:
            return self._endless(major)
        argument = info if info < 24 else self._argument(info)
        if major == 0:
            return argument
        if major == 3:
            return text_or_bytes(self._bytes(argument))
        return self._rarer(major, argument) if major < 4 else self._inner(major, argument)

    def _rarer(self, major: int, argument: int) -> Any:
        return whole(-1 - argument) if major == 1 else self._bytes(argument)

    def _inner(self, major: int, argument: int) -> Any:
        if major == 4:
            return self._list(argument)
        return self._map(argument) if major == 5 else self._tagged(argument)

    def _argument(self, info: int) -> int:
        if info > 27:
            raise Unreadable(f"broken CBOR: a length of the kind {info} at byte {self.at - 1}")
        return int.from_bytes(self._bytes(1 << (info - 24)), "big")

    def _bytes(self, size: int) -> bytes:
        end = self.at + size
        if end > self._size:
            raise self._short()
        found = self.data[self.at : end]
        self.at = end
        return found

    def _short(self) -> Unreadable:
        return Unreadable(f"broken CBOR: it ends after {self._size} bytes, and more belong to it")

    def _list(self, size: int) -> list[Any]:
        self._open(size)
        item = self.item
        made = [item() for _ in range(size)]
        self._budget.depth += 1
        return made

    def _map(self, size: int) -> dict[str, Any]:
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

    def _simple(self, info: int) -> Any:
        if info in _FLOATS:
            unpack, size = _FLOATS[info]
            return finite(unpack(self._bytes(size))[0])
        if info == 31:
            return _BREAK
        if info > 24:
            raise Unreadable(f"broken CBOR: a value of the kind {info} at byte {self.at - 1}")
        if info == 24:
            self._bytes(1)
        # null, undefined, and what nobody has given a meaning
        return info == 21 if info in (20, 21) else None

    def _endless(self, major: int) -> Any:
        """Read what has no length and ends with a break (RFC 8949, 3.2)."""
        if major in (2, 3):
            joined = b"".join(self._chunks(major))
            return joined if major == 2 else text_or_bytes(joined)
        if major not in (4, 5):
            raise Unreadable(f"broken CBOR: no length at byte {self.at - 1}")
        self._budget.enter(0)
        made: Any = [] if major == 4 else {}
        while (found := self._any()) is not _BREAK:
            self._budget.take(1)
            if major == 4:
                made.append(found)
            else:
                put(made, found, self.item())
        self._budget.depth += 1
        return made

    def _chunks(self, major: int) -> list[bytes]:
        found: list[bytes] = []
        while True:
            first = self._bytes(1)[0]
            if first == 0xFF:
                return found
            info = first & 31
            if first >> 5 != major or info == 31:
                raise Unreadable("broken CBOR: a text in pieces has a piece of another kind")
            self._budget.take(1)
            found.append(self._bytes(info if info < 24 else self._argument(info)))

    def _tagged(self, tag: int) -> Any:
        if tag in _REFERENCES:
            raise Unreadable(f"a reference to another part of the payload (CBOR tag {tag})")
        self._budget.enter(1)
        value = self._number(tag) if tag in (2, 3, 4, 5) else self.item()
        self._budget.depth += 1
        return value

    def _number(self, tag: int) -> Any:
        """Read a bignum, or a fraction: [exponent, mantissa] (RFC 8949, 3.4.3 and 3.4.4)."""
        value = self.item()
        if tag in (2, 3):
            if not isinstance(value, bytes):
                raise Unreadable("broken CBOR: a bignum that is no bytes")
            if len(value) > _BIGNUM_BYTES:
                return None
            number = int.from_bytes(value, "big")
            return whole(number if tag == 2 else -1 - number)
        if type(value) is not list or len(value) != 2 or type(value[0]) not in (int, float):
            raise Unreadable("broken CBOR: a fraction is an exponent and a mantissa")
        exponent, mantissa = int(value[0]), value[1]
        if mantissa is None or type(mantissa) not in (int, float):
            return None
        return _scaled(mantissa, exponent, 10 if tag == 4 else 2)


def _scaled(mantissa: float, exponent: int, base: int) -> float | None:
    """Return mantissa · base^exponent as a double, None where that is beyond one; an exponent may be any number."""
    bounded = max(-2500, min(2500, exponent))  # what 64 bits of mantissa could still bring back into a double
    if base == 10:
        return finite(float(f"{mantissa!r}e{bounded}")) if type(mantissa) is int else _product(mantissa, 10.0, bounded)
    return _product(float(mantissa), 2.0, bounded)


def _product(mantissa: float, base: float, exponent: int) -> float | None:
    half = exponent // 2  # in two steps: one of them alone may be beyond a double
    try:
        return finite(mantissa * base**half * base ** (exponent - half))
    except OverflowError:
        return None
