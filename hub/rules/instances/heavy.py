"""Bounds the large payloads that instances or topics remember: HEAVY_BYTES together, the oldest go first.

The number of instances and topics bounds the small payloads; a few thousand of the largest would be gigabytes.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from hub.limits import HEAVY_BYTES

__all__ = ["Heavy"]

Owner = TypeVar("Owner", bound=Hashable)


class Heavy(Generic[Owner]):
    """The sizes of large payloads, by the instance or topic that remembers each."""

    def __init__(self, let_go: Callable[[Owner], None]) -> None:
        """Begin with none; `let_go` makes an owner forget its payload, unless it remembers another by then."""
        self._let_go = let_go
        self._sizes: OrderedDict[Owner, int] = OrderedDict()
        self.bytes = 0
        """The sum of all sizes."""

    def keep(self, owner: Owner, size: int) -> None:
        """Note that an owner remembers a large payload now."""
        self.bytes += size - self._sizes.pop(owner, 0)
        self._sizes[owner] = size
        while self.bytes > HEAVY_BYTES:
            oldest, gone = self._sizes.popitem(last=False)
            self.bytes -= gone
            self._let_go(oldest)

    def clear(self) -> None:
        """Begin anew, after all owners have dropped their payloads."""
        self._sizes.clear()
        self.bytes = 0
