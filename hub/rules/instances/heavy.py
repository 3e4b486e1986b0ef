"""Large payloads that are remembered, of instances or topics: so many bytes together, those of longest ago go first.

Small ones are bounded by the number of those who remember them; a few thousand of the largest would be gigabytes.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from hub.limits import HEAVY_BYTES

__all__ = ["Heavy"]

Owner = TypeVar("Owner", bound=Hashable)


class Heavy(Generic[Owner]):
    """Sizes by owner."""

    def __init__(self, let_go: Callable[[Owner], None]) -> None:
        """Begin with none; `let_go` makes an owner forget its payload, where it has not done so itself."""
        self._let_go = let_go
        self._sizes: OrderedDict[Owner, int] = OrderedDict()
        self.bytes = 0
        """How many there are together."""

    def keep(self, owner: Owner, size: int) -> None:
        """Note that an owner remembers a large payload now."""
        self.bytes += size - self._sizes.pop(owner, 0)
        self._sizes[owner] = size
        while self.bytes > HEAVY_BYTES:
            oldest, gone = self._sizes.popitem(last=False)
            self.bytes -= gone
            self._let_go(oldest)

    def clear(self) -> None:
        """Begin anew: nobody remembers anything."""
        self._sizes.clear()
        self.bytes = 0
