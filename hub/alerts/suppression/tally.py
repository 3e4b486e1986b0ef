"""`limit`: how many notifications of one instance went out of late, and how many were held back since the last one."""

from dataclasses import dataclass, replace

from hub.rules.reading.rule_values import Limit

__all__ = ["LimitTally"]


@dataclass(frozen=True, slots=True)
class LimitTally:
    """`sent` are the times of the last notifications, as many as the limit allows; `held` were held back since."""

    sent: tuple[float, ...] = ()
    held: int = 0

    def room_at(self, limit: Limit) -> float:
        """Return from when on one more is allowed."""
        return self.sent[-limit.count] + limit.seconds if len(self.sent) >= limit.count else 0.0

    def told(self, limit: Limit | None, now: float) -> "LimitTally":
        """Return it after a notification: what was held back is told with it."""
        if limit is None:
            return LimitTally()
        return LimitTally((*self.sent, now)[-limit.count :])

    def shifted(self, seconds: float) -> "LimitTally":
        """Return it after the wall clock was set by so many seconds."""
        return replace(self, sent=tuple(at + seconds for at in self.sent))

    def held_back(self) -> "LimitTally":
        """Return it after one more was held back."""
        return replace(self, held=self.held + 1)
