"""Up to which time the hub has heard all that was sent to it: timers may speak only up to that time.

A timer says that something did not come. That is true only where nothing waits unheard: at the broker while we were
away, in the inbox behind a commit that hangs or behind a backlog, in the socket of a process that stood still.
"""

__all__ = ["Hearing"]


class Hearing:
    """Times in seconds since 1970, positions as the session counts them."""

    def __init__(self) -> None:
        """Begin without having heard anything."""
        self.taken = 0
        """The position up to which all deliveries are evaluated."""
        self.quiet_since: float | None = None
        """Since when nobody could be heard, None while everybody can. This time counts as nobody's absence."""
        self._drained_at: int | None = None
        self._stalled = False
        self._mark: tuple[int, float] | None = None
        """A position and a time: all that came by that time has at most this position. Set while some is unheard."""
        self._proven = False
        """Whether the broker has confirmed the mark. If not, a stall that began before its time makes it void."""

    def began(self, since: float) -> None:
        """Begin with a gap: nobody was heard since the earlier process last was alive."""
        self.quiet_since = since

    def lost(self, since: float) -> None:
        """Hear that the connection was lost at `since`: nobody is heard until `drained`."""
        self._drained_at = self._mark = None
        self._stalled = False
        self._quiet(since)

    def stalled(self, since: float, *, deaf: bool) -> None:
        """Hear that since then deliveries may wait that we do not see, until `drained`.

        A mark of an earlier time stays valid. So timers speak also on a disk that is always slow, where one stall
        follows the other. `deaf`: nobody could be heard meanwhile, so the time counts as nobody's absence.
        """
        self._stalled = True
        if self._mark is not None and not self._proven and self._mark[1] >= since:
            self._mark = None
        if deaf:
            self._quiet(since)

    def drained(self, position: int, now: float, *, again: bool = False) -> None:
        """Hear that all that was sent by `now` is here, up to this position; `again`: it answers our own question."""
        if not again or self._drained_at is None:  # the first answer of a connection is the one that counts
            self._drained_at = position
        self._stalled = False
        if self._mark is None:
            self._mark, self._proven = (position, now), True

    @property
    def is_drained(self) -> bool:
        """Whether all that the broker held at the last (re)connect is evaluated."""
        return self._drained_at is not None and self.taken >= self._drained_at

    def by(self, received: int, now: float) -> float | None:
        """Return the time up to which timers may speak: all that came by then is evaluated. None: they must wait.

        `received` is the position of the last delivery that came. It may fall when a connection ends, because the
        broker sends again what was not acknowledged; nobody waits for that here.
        """
        if not self.is_drained:
            return None  # what the broker kept for us may contain the very message that a timer misses
        mark = self._mark
        if mark is not None and self.taken < min(mark[0], received):
            return None  # something that came by the mark's time is not evaluated yet
        self._mark, self._proven = None, False
        if not self._stalled:
            if self.taken >= received:
                return now  # nothing waits anywhere
            self._mark = (received, now)  # a backlog: speak up to now once it is evaluated, however much follows
        return None if mark is None else mark[1]

    @property
    def waits(self) -> bool:
        """Whether `by` would still return None: what had come when it was last asked is not all evaluated."""
        if not self.is_drained:
            return True
        return self._stalled if self._mark is None else self.taken < self._mark[0]

    def _quiet(self, since: float) -> None:
        if self.quiet_since is None:
            self.quiet_since = since

    def take_gap(self, now: float) -> float | None:
        """Return for how many seconds nobody could be heard, and end the gap; None where there is none."""
        if self.quiet_since is None:
            return None
        gap, self.quiet_since = max(0.0, now - self.quiet_since), None
        return gap

    def shift(self, seconds: float) -> None:
        """Move all times by `seconds`: the wall clock was set by so much."""
        if self.quiet_since is not None:
            self.quiet_since += seconds
        if self._mark is not None:
            self._mark = (self._mark[0], self._mark[1] + seconds)
