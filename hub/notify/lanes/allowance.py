"""What a receiver takes that has said "not so fast" (Retry-After): nothing for so long, then a rate that is learned.

As in congestion control: after a refusal at most as fast as it took before, while it works gently faster. Plain state;
times are of the clock that never steps.
"""

from math import inf

from hub.limits import ALLOWANCE_CALM_SECONDS, ALLOWANCE_GAIN

__all__ = ["Allowance"]


class Allowance:
    """Begins with the first refusal. `rate` is in attempts a second, `until` when the receiver may be asked again."""

    __slots__ = ("_begun", "_cycle", "_gain", "_grown", "_taken", "rate", "until")

    def __init__(self, now: float, asked: float) -> None:
        """Hear of a refusal that asked to wait so many seconds; nothing is known yet of what it takes."""
        self.rate = 1 / asked  # the rate that the receiver itself names
        self.until = now + asked
        self._cycle = self._grown = now  # when the last refusal was, and when `rate` last grew
        self._begun = -inf
        self._taken = 0  # since the last refusal
        self._gain = ALLOWANCE_GAIN[0]  # by how much `rate` grows in a second

    def opens(self) -> float:
        """Return the time from which on the next attempt may begin: one at a time, evenly."""
        return max(self.until, self._begun + 1 / self.rate)

    def began(self, now: float) -> None:
        """Hear of an attempt that begins."""
        self._cycle += max(0.0, now - self.opens())  # nothing was to be sent: that says nothing of what it takes
        self._begun = now

    def worked(self, now: float) -> None:
        """Hear that it took one."""
        self._taken += 1
        # by the second, or it would outrun a fast service between two answers
        self.rate *= 1 + self._gain * min(1.0, now - self._grown)
        self._grown = now

    def refused(self, now: float, asked: float) -> None:
        """Hear of a refusal; one that comes while it waits was under way before and tells nothing new."""
        if now >= self.until:
            # what it took from one refusal to the end of this wait is what it takes, wherever its limit lies
            took = self._taken / (now + asked - self._cycle)
            self.rate = min(self.rate, took or max(self.rate / 2, 0.5 / asked))
            self._gain = ALLOWANCE_GAIN[1 if took else 0]  # it took nothing: so nothing is known of it
            self._cycle = self._grown = now
            self._taken = 0
        self.until = max(self.until, now + asked)

    def calm(self, now: float) -> bool:
        """Tell whether it may be forgotten: nothing was to be sent for long enough."""
        return now - max(self.until, self._begun) >= max(ALLOWANCE_CALM_SECONDS, 2 / self.rate)
