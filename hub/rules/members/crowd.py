"""The members of one instance: who they are, since when each says nothing, and the tallies over all of them.

Everything stands in columns, a row for each member. Those that are not stale are linked in the order in which they were
heard, so the one that goes stale next is the first of them.
"""

from array import array
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

import orjson

from hub.rules.members.tallies import HeldTally, Named, NumberTally, Tally

__all__ = ["Crowd", "Member", "Tallied"]

Member = tuple[str, ...]
"""The values of what `across` names."""
Tallied = tuple[str, float, float]
"""The key of a tally, and a member's value in it: while it is heard, and when it is stale."""
_NONE = -1


class Crowd(Named):
    """All members of one instance. `slots` are the tallies by key, as conditions read them."""

    __slots__ = ("_ahead", "_behind", "_free", "_heard", "_names", "_seen", "_stale", "first", "last", "rows", "slots")

    def __init__(self, slots: Mapping[str, tuple[bool, Sequence[str], bool]]) -> None:
        """Begin with nobody; `slots`: by key, whether it is about numbers, its functions, whether it asks `absent`."""
        self.rows: dict[str | Member, int] = {}
        self._names: list[str | Member | None] = []
        self._seen = array("d")
        self._ahead, self._behind = array("i"), array("i")
        self._stale, self._heard = bytearray(), bytearray()
        self._free: list[int] = []
        self.first = self.last = _NONE
        self.size = self.fresh = 0
        self.slots: dict[str, Tally] = {key: self._tally(*slot) for key, slot in slots.items()}

    def _tally(self, numbers: bool, functions: Sequence[str], asks_absent: bool) -> Tally:
        if numbers:
            return NumberTally(functions, asks_absent=asks_absent)
        return HeldTally(functions, self, asks_absent=asks_absent)

    # who they are

    def name(self, row: int) -> str:
        """Return the name of a member: its values, with / between them."""
        member = self._names[row]
        return member if isinstance(member, str) else "/".join(member or ())

    def row(self, member: Member) -> int | None:
        """Return the row of a member, None where it is unknown."""
        return self.rows.get(member[0] if len(member) == 1 else member)

    def member(self, row: int) -> Member:
        """Return the member of a row."""
        member = self._names[row]
        return (member,) if isinstance(member, str) else member or ()

    def members(self) -> list[Member]:
        """Return all of them."""
        return [(member,) if isinstance(member, str) else member for member in self.rows]

    def join(self, member: Member, now: float) -> int:
        """Make a member known, as if it was heard now; return its row."""
        known = member[0] if len(member) == 1 else member
        row = self._free.pop() if self._free else self._grow()
        self.rows[known], self._names[row] = row, known
        self._seen[row] = now
        self._stale[row] = self._heard[row] = 0
        self._append(row)
        self.size += 1
        self.fresh += 1
        return row

    def _grow(self) -> int:
        self._names.append(None)
        self._seen.append(0.0)
        self._ahead.append(_NONE)
        self._behind.append(_NONE)
        self._stale.append(0)
        self._heard.append(0)
        for tally in self.slots.values():
            tally.grow()
        return len(self._names) - 1

    def drop(self, member: Member) -> bool:
        """Forget a member; tell whether there was one."""
        row = self.row(member)
        if row is None:
            return False
        stale = bool(self._stale[row])
        for tally in self.slots.values():
            tally.drop(row, stale=stale)
        if not stale:
            self._unlink(row)
            self.fresh -= 1
        self.size -= 1
        del self.rows[member[0] if len(member) == 1 else member]
        self._names[row] = None
        self._free.append(row)
        return True

    # what they say

    def hear(self, row: int, values: Sequence[Tallied], now: float, *, lives: bool, heard: bool = True) -> None:
        """Take what a member's message brought; `lives`: it is a sign of life."""
        if lives:
            self._seen[row] = now
            if self._stale[row]:
                self._return(row)
            elif row != self.last:
                self._unlink(row)
                self._append(row)
        if heard:
            self._heard[row] = 1
        stale = bool(self._stale[row])
        for key, fresh, gone in values:
            self.slots[key].put(row, fresh, gone, stale=stale)

    def is_stale(self, row: int) -> bool:
        """Tell whether a member is stale."""
        return bool(self._stale[row])

    def was_heard(self, row: int) -> bool:
        """Tell whether a member has ever sent a message: else only the registry knows it."""
        return bool(self._heard[row])

    def seen(self, row: int) -> float:
        """Return when a member was last heard, in seconds since 1970."""
        return self._seen[row]

    def due(self, stale: float) -> float:
        """Return when the next member goes stale, which is `stale` seconds after it was heard; inf for never."""
        return inf if self.first == _NONE else self._seen[self.first] + stale

    def expire(self, stale: float, now: float) -> list[int]:
        """Let those go stale that are due; return their rows."""
        found = []
        while self.first != _NONE and self._seen[self.first] + stale <= now:
            row = self.first
            self._unlink(row)
            self._stale[row] = 1
            self.fresh -= 1
            for tally in self.slots.values():
                tally.turn(row, stale=True)
            found.append(row)
        return found

    def _return(self, row: int) -> None:
        self._stale[row] = 0
        self.fresh += 1
        self._append(row)
        for tally in self.slots.values():
            tally.turn(row, stale=False)

    def push(self, seconds: float, latest: float) -> None:
        """Take all that are not stale as heard `seconds` later, but not after `latest`."""
        row = self.first
        while row != _NONE:
            self._seen[row] = min(self._seen[row] + seconds, latest)
            row = self._behind[row]

    def _append(self, row: int) -> None:
        self._ahead[row], self._behind[row] = self.last, _NONE
        if self.last == _NONE:
            self.first = row
        else:
            self._behind[self.last] = row
        self.last = row

    def _unlink(self, row: int) -> None:
        ahead, behind = self._ahead[row], self._behind[row]
        if ahead == _NONE:
            self.first = behind
        else:
            self._behind[ahead] = behind
        if behind == _NONE:
            self.last = ahead
        else:
            self._ahead[behind] = ahead

    # the store

    def dump(self, member: Member) -> str | None:
        """Write a member for the store; None where it is forgotten."""
        row = self.row(member)
        if row is None:
            return None
        stale = bool(self._stale[row])
        values = {key: tally.stored(row, stale=stale) for key, tally in self.slots.items()}
        return orjson.dumps([self._seen[row], int(stale), self._heard[row], values]).decode()

    def load(self, member: Member, state: Sequence[Any]) -> None:
        """Take what `dump` wrote; members come in the order in which they were heard."""
        seen, stale, heard, values = state
        row = self.join(member, seen)
        self._heard[row] = heard
        if stale:
            self._unlink(row)
            self._stale[row] = 1
            self.fresh -= 1
        for key, kept in values.items():
            if key in self.slots:
                self.slots[key].load(row, kept, stale=bool(stale))

    def carry(self, before: "Crowd") -> list[str]:
        """Take over the members from before a reload; return the keys of the tallies that are new."""
        states = {member: before.dump(member) for member in before.members()}
        for member, text in sorted(states.items(), key=lambda each: before.seen(before.row(each[0]) or 0)):
            self.load(member, orjson.loads(text or ""))
        return [key for key in self.slots if key not in before.slots]
