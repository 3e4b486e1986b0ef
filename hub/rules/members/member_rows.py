"""The stored rows of members, one each, so that a message writes no more than its own member's."""

from collections.abc import Iterable
from typing import Any

import orjson

from hub.rules.members.crowd import Crowd, Member
from hub.store.keeper import Keeper, Rows

__all__ = ["MemberRows"]

Key = tuple[str, ...]
Whose = tuple[str, Key]
"""Rule and instance."""


class MemberRows(Keeper):
    """Collects which members changed; at a start, holds the stored ones until their instances are there."""

    kind = "member"

    def __init__(self) -> None:
        """Begin with nothing to write."""
        self._changed: dict[tuple[str, Key, Member], Crowd | None] = {}
        self._stored: dict[Whose, list[tuple[Member, list[Any]]]] = {}
        self.total = 0
        """How many members there are in all instances."""

    def touch(self, rule: str, key: Key, member: Member, crowd: Crowd) -> None:
        """Let a member be written with the next commit."""
        self._changed[rule, key, member] = crowd

    def forget(self, rule: str, key: Key, members: Iterable[Member]) -> None:
        """Let the rows of members go."""
        for member in members:
            self._changed[rule, key, member] = None
            self.total -= 1

    def restore(self, rows: Rows) -> None:
        """Put the rows aside for `claim`."""
        self._stored = {}
        for text, state in rows:
            rule, key, member = orjson.loads(text)
            self._stored.setdefault((rule, tuple(key)), []).append((tuple(member), orjson.loads(state)))

    def claim(self, rule: str, key: Key, crowd: Crowd) -> None:
        """Fill the members of an instance with those that were stored."""
        for member, state in sorted(self._stored.pop((rule, key), ()), key=lambda each: float(each[1][0])):
            crowd.load(member, state)
            self.total += 1

    def settle(self) -> None:
        """Let the rows go that no instance has claimed."""
        for (rule, key), found in self._stored.items():
            self._changed.update({(rule, key, member): None for member, _ in found})
        self._stored = {}

    def take_rows(self) -> Rows:
        """Hand out the rows that changed since the last call."""
        changed, self._changed = self._changed, {}
        return [
            (orjson.dumps(whose).decode(), None if crowd is None else crowd.dump(whose[2]))
            for whose, crowd in changed.items()
        ]
