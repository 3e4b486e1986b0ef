"""Defines the samples of a rule's instances: which slots there are, what of each event is kept, and for how long.

Each event of an instance adds its samples once, whichever of them the conditions ask: `&&` leaves no sample out.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, tzinfo
from hashlib import blake2b
from typing import Any

import orjson

from hub.errors import EvaluationError
from hub.expressions import Context, Reading, Slot
from hub.expressions.sampled import DISTINCT, HEAT, HELD, HOURS, LEVEL, LINE, NUMBER, SMOOTH, STATE, VALUE
from hub.limits import HISTORY_IDLE_SECONDS, WINDOW_NUMBER
from hub.model import Event
from hub.rules.named.rule_names import sample_of_its_own
from hub.rules.reading.rule import Rule
from hub.rules.samples.history import History, record
from hub.rules.samples.timed.hours import Hours
from hub.rules.samples.timed.line import TrendLine
from hub.rules.samples.timed.smooth import Smooth
from hub.rules.samples.timed.stepwise import Steps, heat
from hub.rules.samples.trail import Trail, remembered
from hub.rules.samples.windows import Window

__all__ = ["Sampler", "sampler_of"]

Key = tuple[str, ...]


class Sampler:
    """The slots of one rule: makes and feeds the histories of its instances.

    `idle`: after so many seconds without an event, nothing in a history can matter any longer.
    """

    def __init__(
        self,
        readings: Iterable[Reading],
        shown: Sequence[Reading] = (),
        early: Iterable[Reading] = (),
        zone: tzinfo = UTC,
        named: bool = False,
    ) -> None:
        """Take what the rule's conditions and texts ask for; `shown` are the texts' part of it, `early` a pause's.

        `zone` says which hour of the week it is; `named`: the rule's topics have names.
        """
        self._zone = zone
        functions: dict[Slot, list[str]] = {}
        for reading in readings:
            functions.setdefault(reading.slot, []).append(reading.function)
        self._shown = shown
        self._functions = functions
        first = {reading.slot for reading in early}
        run = sample_of_its_own if named else _as_it_is
        feeds = [(s.key, s.seconds > 0, s.field, run(s.run), _KEEPS[s.mode], s in first) for s in functions]
        self._feeds = [each[:5] for each in feeds if not each[5]]
        self._early = [each[:5] for each in feeds if each[5]]
        self.needs_context = any(slot.needs_context for slot in functions)
        self.longest = max(slot.seconds for slot in functions)
        is_bounded = all(slot.mode in _BOUNDED for slot in functions)
        self.idle = self.longest if is_bounded else max(self.longest, HISTORY_IDLE_SECONDS)

    def new(self) -> History:
        """Make the history of an instance that nothing is known of."""
        return History({slot.key: self._slot(slot) for slot in self._functions})

    def _slot(self, slot: Slot) -> Any:
        if slot.mode == HOURS:
            return Hours(slot.seconds, self._zone)
        made = _TIMED.get(slot.mode, Window)
        return made(slot.seconds, self._functions[slot]) if slot.seconds else Trail()

    def feed(self, history: History, event: Event, captures: Key, context: Context | None, early: bool = False) -> None:
        """Take what an event brought; null, and what cannot be computed, is left out.

        What the condition of `pause` looks at is taken `early`, under a pause too; all else only where there is none.

        Of a retained message nobody knows when its values were taken: they count as values (previous, changed, last,
        unchanged), but are no samples of a window.
        """
        at, fields, latest = event.time, event.fields, history.latest
        if at >= latest:
            history.gap = at - latest
            history.latest = latest = at
        elif at < latest - self.longest:
            self.set_back(history, at)
            latest = at
        slots = history.slots
        for key, windowed, field, run, keep in self._early if early else self._feeds:
            if field is not None:
                value = fields.get(field)
            else:
                try:
                    value = run(fields, captures, context)
                except EvaluationError:
                    value = None
            if event.retain and windowed:
                value = None
            elif value.__class__ is not float or keep is not _number or not -WINDOW_NUMBER < value < WINDOW_NUMBER:
                value = keep(value)  # else it would come back as it is: most samples are doubles
            slots[key].hear(at, latest, value)

    def feed_late(
        self, history: History, event: Event, captures: Key, context: Context | None, early: bool = False
    ) -> None:
        """Take what an event brought that a newer one has overtaken: samples of windows, at their place in time.

        The latest value stays what it is, and a sample from before the window is none.
        """
        slots = history.slots
        for key, windowed, field, run, keep in self._early if early else self._feeds:
            if not windowed:
                slots[key].fresh = False
            elif event.time >= history.latest - self.longest and not event.retain:
                try:
                    value = event.fields.get(field) if field is not None else run(event.fields, captures, context)
                except EvaluationError:
                    value = None
                slots[key].hear(event.time, history.latest, keep(value))

    def shown(self, history: History | None) -> Mapping[str, Any] | None:
        """Write down what the rule's texts will ask."""
        return record(history, self._shown) if self._shown and history is not None else None

    def set_back(self, history: History, at: float) -> None:
        """Begin anew at an earlier time: the clock was set back, so no sample would leave before it has caught up."""
        history.latest = at
        for slot in history.slots.values():
            slot.set_back(at)

    def fit(self, history: History) -> None:
        """Go on with an instance's history after a reload: a rule's texts may ask for other slots, or functions."""
        before, history.slots = history.slots, {}
        for slot, functions in self._functions.items():
            mine = before.pop(slot.key, None) or self._slot(slot)
            mine.fit(functions)
            history.slots[slot.key] = mine
        for key, other in before.items():
            history.gone += [(key, number, None) for number in other.chunks()]


def _as_it_is(run: Any) -> Any:
    return run


def _number(value: Any) -> float | None:
    """Keep a number as a double; nothing else is a sample, and nothing so large that a sum could overflow."""
    if value.__class__ is not float:
        if value.__class__ is bool or not isinstance(value, int):
            return None
        return float(value) if -WINDOW_NUMBER < value < WINDOW_NUMBER else None
    return value if -WINDOW_NUMBER < value < WINDOW_NUMBER else None


def _held(value: Any) -> float | None:
    """Keep that there was a value, or that a condition held."""
    return None if value is None or value is False else 1.0


def _state(value: Any) -> float | None:
    """Keep whether a condition holds."""
    return float(value) if value.__class__ is bool else None


def _heat(value: Any) -> float | None:
    """Keep what a temperature does to goods."""
    number = _number(value)
    return None if number is None else heat(number)


def _token(value: Any) -> float | None:
    """Keep what tells one value from another: a number itself, of all else 52 bits of a hash beyond all numbers."""
    if value.__class__ is float or value.__class__ is int:
        return _number(value)
    kept = remembered(value)
    if kept is None:
        return None
    mark = blake2b(orjson.dumps(kept, option=orjson.OPT_SORT_KEYS), digest_size=8).digest()
    return -WINDOW_NUMBER * (1.0 + int.from_bytes(mark) / (1 << 64))


def sampler_of(rule: Rule, local: tzinfo = UTC) -> Sampler | None:
    """Return a rule's sampler, if it looks at samples; `local` is the zone of a rule that names none."""
    condition = None if rule.pause is None else rule.pause.condition
    early = () if condition is None else condition.history
    if not rule.readings or rule.across:
        return None
    return Sampler(rule.readings, rule.texts.readings, early, rule.tz or local, bool(rule.names))


_KEEPS: dict[str, Callable[[Any], Any]] = {
    "number": _number,
    "held": _held,
    "value": _token,
    "distinct": _token,
    "trail": remembered,
    STATE: _state,
    LEVEL: _number,
    HEAT: _heat,
    LINE: _number,
    SMOOTH: _number,
    HOURS: _number,
}
_TIMED: Mapping[str, Callable[[float, Iterable[str]], Any]] = {
    STATE: Steps,
    LEVEL: Steps,
    HEAT: Steps,
    LINE: TrendLine,
    SMOOTH: Smooth,
}
_BOUNDED = frozenset((NUMBER, HELD, VALUE, DISTINCT, LINE))
"""The modes in which nothing matters any longer when the window has passed."""
