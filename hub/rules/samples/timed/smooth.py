"""A value smoothed over time, ewma(x, 10m): one number, however many samples came."""

from collections.abc import Iterable, Mapping, Sequence
from math import expm1, inf
from typing import Any

from hub.errors import EvaluationError, NotYet
from hub.expressions.sampled import SMOOTH, methods_missing
from hub.rules.samples.timed.clock_watch import Watch

__all__ = ["Smooth"]


class Smooth:
    """The exponentially weighted mean: a sample that comes `t` after the one before weighs 1 - exp(-t / seconds).

    `at` is the time of the last sample; one that is older than it is left out, because nothing remembers what it would
    have changed.
    """

    __slots__ = ("at", "known", "seconds", "value")

    def __init__(self, seconds: float, _functions: Iterable[str] = ()) -> None:
        """Begin with nothing known."""
        self.seconds = seconds
        self.value = self.at = 0.0
        self.known = False

    def hear(self, at: float, _end: float, value: float | None) -> None:
        """Take a sample, if any."""
        if value is None:
            return
        if not self.known:
            self.known, self.value, self.at = True, value, at
        elif at >= self.at:
            self.value -= expm1((self.at - at) / self.seconds) * (value - self.value)
            self.at = at

    def ewma(self) -> float:
        """The smoothed value."""
        if not self.known:
            raise EvaluationError(NotYet("no sample yet"))
        return self.value

    def fit(self, functions: Iterable[str]) -> None:
        """Prepare for these functions: there is nothing to do."""

    def move(self, now: float, lag: float) -> None:
        """Follow the clock: the value changes with samples only."""

    def turn(self, _watches: Iterable[Watch], _pace: float = 0.0) -> float:
        """Return that the clock need never look."""
        return inf

    def set_back(self, at: float) -> None:
        """Follow a clock that was set back: the value stays, and the next sample is of its time."""
        self.at = min(self.at, at)

    # the store

    def chunks(self) -> Iterable[int]:
        """Return the numbers of its chunks in the store: it has none."""
        return ()

    def dump(self) -> tuple[list[Any], list[Any]]:
        """Write it for the store."""
        return [self.known, self.value, self.at], []

    def load(self, state: Sequence[Any], _chunks: Mapping[int, str], _end: float, /) -> None:
        """Read what `dump` wrote."""
        self.known, self.value, self.at = state


if missing := methods_missing(Smooth, SMOOTH):
    raise NotImplementedError(f"a smoothed value has no method for {', '.join(missing)}")
