"""The instances of a rule in the order in which they were heard: the first ones leave where there are too many.

Instances that are pending, fire, or wait for the end of a pause stand in line like all others. When the turn of such an
instance comes, it is passed over, and its next message puts it back. So the line is never searched, however long it is.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from hub.limits import HISTORY_FORGOTTEN, HISTORY_INSTANCES

__all__ = ["Line"]

Key = tuple[str, ...]


class Line:
    """The keys of instances; the one whose last message is the oldest stands first."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        """Begin with these, in this order."""
        self._keys: OrderedDict[Key, None] = OrderedDict.fromkeys(keys)

    def __len__(self) -> int:
        return len(self._keys)

    def heard(self, key: Key) -> bool:
        """Move an instance to the end of the line; tell whether it stood in line before."""
        try:
            self._keys.move_to_end(key)
        except KeyError:
            self._keys[key] = None
            return False
        return True

    def drop(self, key: Key) -> None:
        """Take an instance out of the line: it was forgotten."""
        self._keys.pop(key, None)

    def take(self) -> Iterator[Key]:
        """Take the first HISTORY_FORGOTTEN keys where there are more than HISTORY_INSTANCES; else none."""
        if len(self._keys) > HISTORY_INSTANCES:
            for _ in range(HISTORY_FORGOTTEN):
                if self._keys:
                    yield self._keys.popitem(last=False)[0]
