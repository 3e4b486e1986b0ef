"""The last values of one expression in one instance: previous(x), changed(x), last(x), unchanged(x)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import orjson

from hub.errors import EvaluationError, NotYet
from hub.expressions.sampled import TRAIL, methods_missing
from hub.limits import SAMPLE_BYTES

__all__ = ["Trail", "remembered"]


class Trail:
    """The latest value and the one before it; `fresh` says whether the event at hand brought one.

    `since` is when the value became what it is, `end` when the instance was last heard.
    """

    __slots__ = ("before", "end", "fresh", "known", "since", "value")

    def __init__(self) -> None:
        """Begin with nothing known."""
        self.value: Any = None
        self.before: Any = None
        self.known = 0
        self.since = self.end = 0.0
        self.fresh = False

    def hear(self, at: float, end: float, value: Any) -> None:
        """Take the value that an event brought, None where it brought none; `end` is the instance's latest time."""
        self.end = end
        self.fresh = value is not None
        if value is None:
            return
        if not self.known or different(value, self.value):
            self.since = at
        self.before, self.value = self.value, value
        if self.known < 2:
            self.known += 1

    def previous(self) -> Any:
        """The value before the one that this event brought."""
        self._need(2)
        return self.before

    def changed(self) -> bool:
        """Whether the value that this event brought is another than the one before it."""
        self._need(2)
        return different(self.value, self.before)

    def last(self) -> Any:
        """The latest value, whichever event brought it."""
        if not self.known:
            raise EvaluationError(NotYet("no value yet"))
        return self.value

    def has_last(self) -> bool:
        """Whether there is a latest value: `last(x, otherwise)`."""
        return self.known > 0

    def unchanged(self) -> timedelta:
        """How long the latest value has been what it is."""
        if not self.known:
            raise EvaluationError(NotYet("no value yet"))
        return timedelta(seconds=max(0.0, self.end - self.since))

    def _need(self, known: int) -> None:
        if not self.fresh:
            raise EvaluationError("this event brings no value of it")
        if self.known < known:
            raise EvaluationError(NotYet("no value before this one yet"))

    def move(self, now: float, lag: float) -> None:
        """Follow the clock: the last values stay as they are."""

    def set_back(self, at: float) -> None:
        """Follow a clock that was set back."""
        self.since = self.end = at

    def fit(self, functions: Iterable[str]) -> None:
        """Prepare for these functions: there is nothing to do, a trail answers all of its functions."""

    def chunks(self) -> Iterable[int]:
        """Return the numbers of its chunks in the store: it has none."""
        return ()

    def dump(self) -> list[Any]:
        """Write it for the store."""
        return [self.known, self.value, self.before, self.since, self.end, self.fresh]

    def load(self, state: Sequence[Any], _chunks: Mapping[int, str], _end: float, /) -> None:
        """Read what `dump` wrote; it has no chunks, and needs no end."""
        self.known, self.value, self.before, self.since, self.end, self.fresh = state


if missing := methods_missing(Trail, TRAIL):
    raise NotImplementedError(f"a trail has no method for {', '.join(missing)}")


def different(one: Any, other: Any) -> bool:
    """Tell whether two remembered values differ: true is not 1, but 1 is 1.0."""
    return bool(one != other) or (one.__class__ is bool) is not (other.__class__ is bool)


def remembered(value: Any) -> Any:
    """Return what is kept of a value; None where it is null, no JSON (a timestamp), or longer than SAMPLE_BYTES."""
    kind = value.__class__
    if kind is bool:
        return value
    if kind is float:
        return value if value - value == 0.0 else None  # not infinite, not NaN
    if isinstance(value, int):
        return int(value)
    if not isinstance(value, str | list | dict):
        return None
    try:
        text = orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS)
    except (TypeError, RecursionError):
        return None
    return orjson.loads(text) if len(text) <= SAMPLE_BYTES else None
