"""What a rule costs: now and then its condition is timed with a message that came. Events do not pay for that."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from time import perf_counter

from hub.commands.seams import Ask
from hub.errors import EvaluationError
from hub.ingest.decode import decode_again
from hub.limits import COST_RULES, COST_SECONDS

__all__ = ["Costs"]

_AGAIN = 3  # how often a condition is timed: the first run pays for cold caches
_LONG_SECONDS = 1e-4  # a condition that takes so long is timed once
_FOLLOWS = 0.2  # how much a new time counts in the smoothed cost


class Costs:
    """Times the rules of a few topics each second, one topic after the other; `timer` is a clock in seconds."""

    def __init__(self, timer: Callable[[], float] = perf_counter) -> None:
        """Begin with nothing known."""
        self._timer = timer
        self._seconds: dict[str, float] = {}
        self._turn: Iterator[tuple[str, bytes, float]] = iter(())

    def microseconds(self, rule: str) -> float | None:
        """Return the cost of one evaluation of a rule's condition; None where no message of its topics has come."""
        seconds = self._seconds.get(rule)
        return None if seconds is None else round(seconds * 1e6, 2)

    def look(self, ask: Ask, now: float) -> None:
        """Time at most COST_RULES conditions, within COST_SECONDS; forget rules that are gone."""
        self._seconds = {name: value for name, value in self._seconds.items() if ask.counts(name) is not None}
        end, left = self._timer() + COST_SECONDS, COST_RULES
        for topic, raw, at in self._topics(ask):
            event = decode_again(topic, raw, at)
            for name, rehearse in ask.rehearsals(event, now):
                self._take(name, self._time(rehearse))
                left -= 1
                if left <= 0 or self._timer() >= end:
                    return

    def _topics(self, ask: Ask) -> Iterator[tuple[str, bytes, float]]:
        """Yield the topics that the last look did not reach, then all topics once."""
        yield from self._turn
        self._turn = iter(list(ask.last_messages()))
        yield from self._turn

    def _time(self, rehearse: Callable[[], None]) -> float:
        """Return the shortest of a few runs, in seconds."""
        best = 1e9
        for _ in range(_AGAIN):
            begun = self._timer()
            with suppress(EvaluationError):  # a condition without a value costs time, too; rule_error tells of it
                rehearse()
            best = min(best, self._timer() - begun)
            if best > _LONG_SECONDS:
                break
        return best

    def _take(self, name: str, seconds: float) -> None:
        before = self._seconds.get(name, seconds)
        self._seconds[name] = before + _FOLLOWS * (seconds - before)
