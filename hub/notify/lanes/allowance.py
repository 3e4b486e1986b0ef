"""How fast to send to a receiver that has asked to wait (Retry-After): not at all for so long, then at a learned rate.

It works as congestion control does: after a refusal not faster than the receiver took before, and a little faster with
each success. Plain state; times are of the monotonic clock.
"""

from math import inf

from hub.limits import ALLOWANCE_CALM_SECONDS, ALLOWANCE_GAIN

__all__ = ["Allowance"]


class Allowance:
    """What was learned since the first refusal.

    `rate` is in attempts per second, `until` is when the receiver may be asked again.
    """

    __slots__ = ("_begun", "_cycle", "_gain", "_grown", "_taken", "rate", "until")

    def __init__(self, now: float, asked: float) -> None:
        """Begin with a refusal that asked to wait `asked` seconds; what the receiver takes is not known yet."""
        self.rate = 1 / asked  # the rate that the receiver itself names
        self.until = now + asked
        self._cycle = self._grown = now  # when the last refusal was, and when `rate` last grew
        self._begun = -inf
        self._taken = 0  # since the last refusal
        self._gain = ALLOWANCE_GAIN[0]  # by how much `rate` grows in a second

    def opens(self) -> float:
        """Return when the next attempt may begin; attempts are spread evenly."""
        return max(self.until, self._begun + 1 / self.rate)

    def began(self, now: float) -> None:
        """Note that an attempt begins; the lane calls it."""
        self._cycle += max(0.0, now - self.opens())  # time in which nothing was to be sent measures nothing
        self._begun = now

    def worked(self, now: float) -> None:
        """Note that the receiver took a notification: the rate grows."""
        self._taken += 1
        # it grows by time and not by success, or it would outrun a fast service between two answers
        self.rate *= 1 + self._gain * min(1.0, now - self._grown)
        self._grown = now

    def refused(self, now: float, asked: float) -> None:
        """Note a refusal that asked to wait `asked` seconds.

        One that comes during a wait belongs to an attempt from before and says nothing new of the rate.
        """
        if now >= self.until:
            # what it took between the last refusal and the end of this wait is what its limit allows, whatever that is
            took = self._taken / (now + asked - self._cycle)
            self.rate = min(self.rate, took or max(self.rate / 2, 0.5 / asked))
            self._gain = ALLOWANCE_GAIN[1 if took else 0]  # where it took nothing, its limit is still unknown
            self._cycle = self._grown = now
            self._taken = 0
        self.until = max(self.until, now + asked)

    def calm(self, now: float) -> bool:
        """Tell whether the lane may forget what was learned: nothing was to be sent for long enough."""
        return now - max(self.until, self._begun) >= max(ALLOWANCE_CALM_SECONDS, 2 / self.rate)
