"""When to try again and when to give up: decisions as values, without a clock, a sleep or a random number of their own.

The back-off is exponential, capped, with full jitter (the wait is anything from nothing to the back-off). No attempt
begins before the time that the receiver asked for.
"""

from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from hub.limits import DELIVERY_AGE_SECONDS, RETRY_AFTER_SECONDS, RETRY_SECONDS
from hub.model import Rejected, Retry

__all__ = ["Again", "GiveUp", "RetryPolicy", "Verdict", "parse_retry_after"]


@dataclass(frozen=True, slots=True)
class Again:
    """Try again `after` seconds from now."""

    after: float
    reason: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Make it a dead letter, for this reason."""

    reason: str


Verdict = Again | GiveUp


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patient the hub is with a receiver; all in seconds."""

    first: float = RETRY_SECONDS[0]
    longest: float = RETRY_SECONDS[1]
    asked: float = RETRY_AFTER_SECONDS
    age: float = DELIVERY_AGE_SECONDS
    attempts: int = 0
    """The most attempts; 0: as many as the age leaves time for."""

    def decide(self, outcome: Retry | Rejected, attempts: int, age: float, jitter: float, before: int = 0) -> Verdict:
        """Decide after attempt `attempts` (from 1) at a notification `age` seconds old; `jitter` is in [0, 1).

        `before` counts the attempts at older messages that this one stands for: the back-off goes on from there, but
        `attempts` counts anew, because this message itself was not tried.
        """
        if isinstance(outcome, Rejected):
            return GiveUp(outcome.reason)
        if age >= self.age:
            return GiveUp(f"given up after {attempts} attempts, too old by now; last: {outcome.reason}")
        if self.attempts and attempts >= self.attempts:
            return GiveUp(f"given up after {attempts} attempt{'s' if attempts > 1 else ''}; last: {outcome.reason}")
        backoff = min(self.longest, self.first * 2.0 ** min(attempts + before - 1, 64))
        asked = min(max(outcome.after or 0.0, 0.0), self.asked)
        return Again(max(asked, jitter * backoff), outcome.reason)


def parse_retry_after(text: str, now: float) -> float | None:
    """Read a Retry-After header (RFC 9110, 10.2.3), seconds or a date; return seconds from `now`, None for neither."""
    text = text.strip()
    if text.isascii() and text.isdecimal():
        return float(text[:12])
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)
