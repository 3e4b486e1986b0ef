"""Defines what a rule with `across` keeps of each member: makes its instances' crowds, and what a message adds."""

from collections.abc import Iterable, Mapping, Sequence
from math import nan
from typing import Any

from hub.errors import EvaluationError
from hub.expressions import Context, Reading, Slot
from hub.expressions.across import MEMBER_NUMBER
from hub.limits import WINDOW_NUMBER
from hub.model import Event
from hub.rules.members.crowd import Crowd, Tallied
from hub.rules.reading.rule import Rule
from hub.rules.samples.history import record

__all__ = ["Census", "census_of"]

Key = tuple[str, ...]


class Census:
    """The expressions of one rule that look across members."""

    def __init__(self, readings: Iterable[Reading], shown: Sequence[Reading] = ()) -> None:
        """Take what the rule's conditions and texts ask for; `shown` are the texts' part of it."""
        functions: dict[Slot, list[str]] = {}
        for reading in readings:
            functions.setdefault(reading.slot, []).append(reading.function)
        self._shown = shown
        self._slots = list(functions)
        self._made = {s.key: (s.mode == MEMBER_NUMBER, each, s.gone is not None) for s, each in functions.items()}
        self.needs_context = any(slot.needs_context for slot in functions)

    def new(self) -> Crowd:
        """Make the crowd of an instance of which nobody is known."""
        return Crowd(self._made)

    def values(self, event: Event, captures: Key, context: Context | None) -> list[Tallied]:
        """Return what a message says of its member; nan where an expression has no value."""
        made: list[Tallied] = []
        fields = event.fields
        for slot in self._slots:
            if slot.mode == MEMBER_NUMBER:
                value = (
                    fields.get(slot.field) if slot.field is not None else _value(slot.run, fields, captures, context)
                )
                fresh = _number(value)
                gone = nan if slot.gone is None else _number(_value(slot.gone, fields, captures, context))
            else:
                fresh = _held(_value(slot.run, fields, captures, context))
                gone = nan if slot.gone is None else _held(_value(slot.gone, fields, captures, context))
            made.append((slot.key, fresh, gone))
        return made

    def unheard(self, event: Event, captures: Key, context: Context | None) -> list[Tallied]:
        """Return what is known of a member that was never heard: what asks no message, and whether it is absent."""
        asked = {slot.key for slot in self._slots if not slot.asks_message or slot.gone is not None}
        return [each for each in self.values(event, captures, context) if each[0] in asked]

    def shown(self, crowd: Crowd) -> Mapping[str, Any] | None:
        """Write down what the rule's texts will ask."""
        return record(crowd, self._shown) if self._shown else None


def _value(run: Any, fields: Mapping[str, Any], captures: Key, context: Context | None) -> Any:
    try:
        return run(fields, captures, context)
    except EvaluationError:
        return None


def _number(value: Any) -> float:
    """Keep a number as a double; nothing else is one, and nothing so large that a sum could overflow."""
    if value.__class__ is bool or not isinstance(value, int | float):
        return nan
    return float(value) if -WINDOW_NUMBER < value < WINDOW_NUMBER else nan


def _held(value: Any) -> float:
    """Keep whether a condition holds."""
    return 1.0 if value is True else 0.0 if value is False else nan


def census_of(rule: Rule) -> Census | None:
    """Return what a rule keeps of its members, if it has `across`."""
    return Census(rule.readings, rule.texts.readings) if rule.across else None
