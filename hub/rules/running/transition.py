"""What the engine hands to the alert book: an instance of a rule changed its phase, or an event rule spoke."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from hub.expressions import Context
from hub.expressions.templates.format import plain
from hub.limits import VALUE_CHARS
from hub.model import Event, Labels, Phase, Reason
from hub.rules.reading.rule import Rule

__all__ = ["Transition", "Unheard", "make_context", "shortened"]


class Unheard(NamedTuple):
    """An instance that says nothing: since when, in seconds since 1970, and whether it ever said anything."""

    since: float
    ever: bool


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of phase, with all that its texts need.

    `instance` are the labels that identify the alert; `event` is the one that caused it, for a timer the instance's
    last, None where there never was one. `serial` counts what an event rule has said, this one included.
    """

    rule: Rule
    instance: Labels
    phase: Phase
    before: Phase
    reason: Reason
    at: float
    since: float
    """When the instance became pending or firing; for `resolved`, when it had begun to fire."""
    event: Event | None
    captures: tuple[str, ...]
    device: Mapping[str, Any]
    serial: int = 0
    history: Mapping[str, Any] | None = None
    """What the texts' history functions gave at that moment."""
    muted: bool = False
    """Whether the rule's `mute` holds for this instance."""
    schedules: Mapping[str, Any] | None = None
    """The schedules that texts ask, by name."""
    values: Sequence[tuple[str, Any]] = ()
    """The parts of the condition as they were written, and what each came to; an EvaluationError where it had none."""
    unheard: Unheard | None = None
    """Of whose silence this tells, also that it is over; None where it is the condition's matter."""


def make_context(
    event: Event | None,
    device: Mapping[str, Any],
    labels: Mapping[str, str],
    now: float,
    extra: Mapping[str, Any],
    schedules: Mapping[str, Any] | None = None,
) -> Context:
    """Make what an expression sees beside payload and captures."""
    context = Context()
    context.now, context.device, context.labels, context.extra = now, device, labels, extra
    if schedules is not None:
        context.schedules = schedules
    if event is not None:
        context.value, context.topic, context.time = event.value, event.topic, event.time
        context.qos, context.retain, context.size = event.qos, event.retain, len(event.raw)
        context.payload_present = isinstance(event.value, dict)
    return context


def shortened(value: Any) -> Any:
    """Return a value as a transition keeps it: a number, true, false or null as it is, all else as text that is cut."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return int(value)
    text = plain(value)
    return text if len(text) <= VALUE_CHARS else text[: VALUE_CHARS - 1] + "…"
