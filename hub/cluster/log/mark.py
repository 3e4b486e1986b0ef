"""How far somebody is in a log, and how far that is behind another place of it, in records and in seconds.

Seconds are those between the times at which the servers stored the two records: one clock, whichever nodes compare.
"""

from typing import NamedTuple

__all__ = ["Mark", "behind"]


class Mark(NamedTuple):
    """A record and when it was stored, seconds since 1970; a time of 0 where nobody knows."""

    seq: int = 0
    time: float = 0.0


def behind(applied: Mark, seen: Mark) -> tuple[int, float]:
    """Return by how many records and seconds `applied` is behind `seen`; 0 s where a time is not known."""
    if applied.seq >= seen.seq:
        return 0, 0.0
    seconds = seen.time - applied.time if applied.time and seen.time else 0.0
    return seen.seq - applied.seq, round(max(0.0, seconds), 3)
