"""The instances of a rule in the order in which they were heard: who is kept for what was, and leaves for lack of room.

An instance that is pending, fires, or waits for the end of a pause stands in line like all others, because each message
moves one to its end; it is passed over when its turn comes, and comes back with its next message. So nothing is ever
searched, however many there are and whatever they do.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from hub.limits import HISTORY_FORGOTTEN, HISTORY_INSTANCES

__all__ = ["Line"]

Key = tuple[str, ...]


class Line:
    """Keys, the one that was silent longest first."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        """Begin with these, in this order."""
        self._keys: OrderedDict[Key, None] = OrderedDict.fromkeys(keys)

    def __len__(self) -> int:
        return len(self._keys)

    def heard(self, key: Key) -> bool:
        """Let an instance stand at the end; tell whether it stood in line."""
        try:
            self._keys.move_to_end(key)
        except KeyError:
            self._keys[key] = None
            return False
        return True

    def drop(self, key: Key) -> None:
        """Let an instance leave that is no more."""
        self._keys.pop(key, None)

    def take(self) -> Iterator[Key]:
        """Take the first few where there are more than there may be; else nobody."""
        if len(self._keys) > HISTORY_INSTANCES:
            for _ in range(HISTORY_FORGOTTEN):
                if self._keys:
                    yield self._keys.popitem(last=False)[0]
