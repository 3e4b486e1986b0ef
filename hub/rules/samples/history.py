"""The samples of one instance: the values of each slot of its rule (an expression, perhaps with a window).

Conditions read them directly. Texts are rendered later, so `record` keeps at the transition the answers that they need.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from math import inf
from typing import Any, Protocol

from hub.errors import EvaluationError
from hub.expressions import Reading
from hub.rules.samples.trail import Trail
from hub.rules.samples.windows import Row

__all__ = ["History", "SampleRow", "Slotted", "record"]

SampleRow = tuple[str, int, str | None]
"""A chunk of a window for the store: slot, number, JSON or None (gone)."""


_LAG = ""
"""The key of the lag among the slots in the store: a hub that does not know it takes it for a slot that is gone."""


class History:
    """What one instance has seen, by the keys of the rule's slots.

    `latest` is the time of the newest message, `gap` how long before it the one before came. `lag` is how far the
    instance's own time is behind the hub's clock, in seconds; at `owed` the clock judges what a message without a value
    left open, else inf (both: moving.py).
    """

    __slots__ = ("gap", "gone", "lag", "latest", "owed", "slots")

    def __init__(self, slots: dict[str, Any]) -> None:
        """Begin with nothing seen."""
        self.latest = self.lag = 0.0
        self.gap = self.owed = inf
        self.slots = slots
        self.gone: list[SampleRow] = []
        """Rows for the next commit: chunks that are new, or that are gone with their slot."""

    def dump(self) -> list[Any]:
        """Return what stands in the instance's row: of a window only the tail that is in no chunk yet."""
        rows: dict[str, Sequence[Row]] = {}
        state: dict[str, Any] = {}
        for key, slot in self.slots.items():
            if isinstance(slot, Trail):
                state[key] = slot.dump()
            else:
                state[key], rows[key] = slot.dump()
        if self.lag:
            state[_LAG] = self.lag
        self.gone += [(key, number, text) for key, found in rows.items() for number, text in found]
        return [self.latest, state]

    def load(self, state: Sequence[Any], chunks: Mapping[str, Mapping[int, str]]) -> None:
        """Bring in what was stored; the chunks of slots that the rule no longer has will be deleted."""
        self.latest, stored = state
        self.lag = stored.get(_LAG, 0.0)
        for key, mine in self.slots.items():
            if key in stored:
                mine.load(stored[key], chunks.get(key, {}), self.latest)
        self.gone = [(key, number, None) for key in chunks.keys() - self.slots.keys() for number in chunks[key]]

    def take_rows(self) -> list[SampleRow]:
        """Take the chunks that are new or gone since the last call; `dump` finds them."""
        rows, self.gone = self.gone, []
        return rows


class Slotted(Protocol):
    """What texts look at: samples, or members."""

    @property
    def slots(self) -> Mapping[str, Any]:
        """What answers, by the keys of the rule's slots."""
        ...


class _Said:
    """Recorded answers of one slot, read like the slot itself."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, tuple[float, ...]], Any] = {}

    def __getattr__(self, function: str) -> Callable[..., Any]:
        return partial(self._answer, function)

    def _answer(self, function: str, *arguments: float) -> Any:
        answer = self.answers[function, arguments]
        if isinstance(answer, EvaluationError):
            raise EvaluationError(answer.args[0])
        return answer


def record(history: "Slotted", readings: Iterable[Reading]) -> Mapping[str, Any]:
    """Write down what texts will ask: by then the instance has seen more."""
    said: dict[str, _Said] = {}
    for slot, function, arguments in readings:
        try:
            answer = getattr(history.slots[slot.key], function)(*arguments)
        except EvaluationError as error:
            answer = error.with_traceback(None)
        said.setdefault(slot.key, _Said()).answers[function, arguments] = answer
    return said
