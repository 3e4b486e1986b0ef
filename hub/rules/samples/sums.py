"""The sum of a window's samples, exact however many came and went: nothing drifts, nothing cancels out."""

from math import fsum

__all__ = ["PARTS", "ExactSum"]

PARTS = 12  # floats; more make `value` slower, fewer `compress` more frequent


class ExactSum:
    """A sum to which numbers are added, and from which they are taken away, without any error.

    It is kept as a few floats whose exact sum it is. `fsum` rounds that once, so `value()` is what `fsum` gives for
    the numbers that are in the sum now, to the last bit, and the same after a restart.
    """

    __slots__ = ("parts",)

    def __init__(self) -> None:
        """Begin with nothing."""
        self.parts: list[float] = []

    def add(self, number: float) -> None:
        """Add a finite number; its negative takes it away."""
        self.parts.append(number)
        if len(self.parts) > PARTS:
            self.compress()

    def value(self) -> float:
        """Return the sum, rounded once."""
        return fsum(self.parts)

    def compress(self) -> None:
        """Write it as few floats: the sum rounded, the rest of it rounded, and so on until there is no rest."""
        rest, made = self.parts, list[float]()
        while high := fsum(rest):
            made.append(high)
            rest.append(-high)
        self.parts = made
