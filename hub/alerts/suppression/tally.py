"""`limit`: when the latest notifications of one instance went out, and how many were held back since the last one."""

from dataclasses import dataclass, replace

from hub.rules.reading.rule_values import Limit

__all__ = ["LimitTally"]


@dataclass(frozen=True, slots=True)
class LimitTally:
    """A count, as a value.

    `sent` are the times of the latest notifications, in seconds since 1970, as many as the limit allows. `held` counts
    those that were held back since the last one of them.
    """

    sent: tuple[float, ...] = ()
    held: int = 0

    def room_at(self, limit: Limit) -> float:
        """Return the time from which one more may be told; 0 where one may at once."""
        return self.sent[-limit.count] + limit.seconds if len(self.sent) >= limit.count else 0.0

    def told(self, limit: Limit | None, now: float) -> "LimitTally":
        """Return the count after a notification, which has told how many were held back; empty without a limit."""
        if limit is None:
            return LimitTally()
        return LimitTally((*self.sent, now)[-limit.count :])

    def shifted(self, seconds: float) -> "LimitTally":
        """Return the count with its times moved by `seconds`, by which somebody has set the wall clock."""
        return replace(self, sent=tuple(at + seconds for at in self.sent))

    def held_back(self) -> "LimitTally":
        """Return the count after one more was held back."""
        return replace(self, held=self.held + 1)
