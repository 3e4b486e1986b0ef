"""By which time all that was sent to us is heard: a timer may only speak by that time.

A timer says that something did not come. That is true only where nothing that came waits unheard: with the broker while
we were away, in the inbox behind a commit that hangs or a backlog, in the socket of a process that stood still.
"""

__all__ = ["Hearing"]


class Hearing:
    """Times in seconds since 1970, positions as the session counts them."""

    def __init__(self) -> None:
        """Begin without having heard anything."""
        self.taken = 0
        """Position up to which all that came is evaluated."""
        self.quiet_since: float | None = None
        """Since when nobody could be heard, None where everybody can be; for so long nobody was silent."""
        self._drained_at: int | None = None
        self._stalled = False
        self._mark: tuple[int, float] | None = None
        """What had come by a time, and was not all heard then."""
        self._proven = False
        """Whether the broker has said so of the mark: else a stall that had begun by its time makes it void."""

    def began(self, since: float) -> None:
        """Begin with a gap: nobody was heard since the hub was last alive."""
        self.quiet_since = since

    def lost(self, since: float) -> None:
        """Hear that the connection is gone since then: nobody is heard until `drained`."""
        self._drained_at = self._mark = None
        self._stalled = False
        self._quiet(since)

    def stalled(self, since: float, *, deaf: bool) -> None:
        """Hear that since then something may wait that we do not see, until `drained`.

        What had come by an earlier time is known still: on a disk that is always slow one stall follows the other, and
        timers speak all the same. `deaf`: nobody could be heard meanwhile, so nobody was silent.
        """
        self._stalled = True
        if self._mark is not None and not self._proven and self._mark[1] >= since:
            self._mark = None
        if deaf:
            self._quiet(since)

    def drained(self, position: int, now: float, *, again: bool = False) -> None:
        """Hear that all which was sent by now is here, up to this position; `again` where only we have asked."""
        if not again or self._drained_at is None:
            self._drained_at = position
        self._stalled = False
        if self._mark is None:
            self._mark, self._proven = (position, now), True

    @property
    def is_drained(self) -> bool:
        """Whether all is evaluated that the broker held at the last (re)connect."""
        return self._drained_at is not None and self.taken >= self._drained_at

    def by(self, received: int, now: float) -> float | None:
        """Return the time up to which timers may speak, where all is evaluated that came by then; else None.

        `received` is the position of the last that came.
        """
        if not self.is_drained:
            return None
        mark = self._mark
        if mark is not None and self.taken < min(mark[0], received):
            return None  # what came may be taken back, then it is not waited for: a lost connection brings it again
        self._mark, self._proven = None, False
        if not self._stalled:
            if self.taken >= received:
                return now
            self._mark = (received, now)
        return None if mark is None else mark[1]

    @property
    def waits(self) -> bool:
        """Whether `by` would still say no, because what had come when it was last asked is not evaluated yet."""
        if not self.is_drained:
            return True
        return self._stalled if self._mark is None else self.taken < self._mark[0]

    def _quiet(self, since: float) -> None:
        if self.quiet_since is None:
            self.quiet_since = since

    def take_gap(self, now: float) -> float | None:
        """Return for how long nobody could be heard, once; None where there was no gap."""
        if self.quiet_since is None:
            return None
        gap, self.quiet_since = max(0.0, now - self.quiet_since), None
        return gap

    def shift(self, seconds: float) -> None:
        """Move all times: the wall clock was set by so many seconds."""
        if self.quiet_since is not None:
            self.quiet_since += seconds
        if self._mark is not None:
            self._mark = (self._mark[0], self._mark[1] + seconds)
