"""By which time all that was sent to us is heard: a timer may only speak by that time.

A timer says that something did not come. That is true only where nothing that came waits unheard: with the broker while
we were away, in the inbox behind a commit that hangs or a backlog, in the socket of a process that stood still.
"""

__all__ = ["Hearing"]


class Hearing:
    """Times in seconds since 1970, positions as the session counts them."""

    def __init__(self) -> None:
        """Begin without having heard anything."""
        self.quiet_since: float | None = None
        """Since when nobody could be heard, None where everybody can be; for so long nobody was silent."""
        self._drained_at: int | None = None
        self._mark: tuple[int, float] | None = None
        """What had come by a time, and was not all heard then."""

    @property
    def doubtful(self) -> bool:
        """Whether it is not known what has come: a connection, or an answer of the broker, is awaited."""
        return self._drained_at is None

    def began(self, since: float) -> None:
        """Begin with a gap: nobody was heard since the hub was last alive."""
        self.quiet_since = since

    def lost(self, since: float) -> None:
        """Hear that something may come or wait since then that we do not see, until `drained`."""
        self._drained_at = self._mark = None
        if self.quiet_since is None:
            self.quiet_since = since

    def drained(self, position: int) -> None:
        """Hear that all which was to come is here, up to this position."""
        self._drained_at = position

    def is_drained(self, taken: int) -> bool:
        """Tell whether all is evaluated that the broker held at the last (re)connect, or after the last stall."""
        return self._drained_at is not None and taken >= self._drained_at

    def by(self, taken: int, received: int, now: float) -> float | None:
        """Return the time up to which timers may speak, where all is evaluated that came by then; else None.

        `taken` is the position up to which all is evaluated, `received` that of the last that came.
        """
        if not self.is_drained(taken):
            return None
        mark = self._mark
        self._mark = None if taken >= received else (received, now)
        if self._mark is None:
            return now
        if mark is None:
            return None
        if taken < min(mark[0], received):  # what came may be taken back: a lost connection brings it again
            self._mark = mark
            return None
        return mark[1]

    def waits(self, taken: int) -> bool:
        """Tell whether `by` would still say no, because what had come when it was last asked is not evaluated yet."""
        return not self.is_drained(taken) or (self._mark is not None and taken < self._mark[0])

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
