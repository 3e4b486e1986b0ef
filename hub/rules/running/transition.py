"""What the engine hands to the alert book: an instance of a rule changed its phase, or an event rule spoke."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from hub.expressions import Context
from hub.expressions.templates.format import plain
from hub.limits import VALUE_CHARS
from hub.model import Event, Labels, Phase, Reason
from hub.rules.intake.element import Element
from hub.rules.reading.rule import Rule

__all__ = ["Transition", "Unheard", "fill", "make_context", "shortened"]


class Unheard(NamedTuple):
    """An absent instance: since when it says nothing, in seconds since 1970, and whether it was `ever` heard."""

    since: float
    ever: bool


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of phase, with all that its texts need.

    `instance` are the labels that identify the alert. `event` is the event that caused it; for a timer it is the
    instance's last event, None where there never was one. `serial` counts what an event rule has said, this included.
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
    """The schedules that the texts name, by name."""
    values: Sequence[tuple[str, Any]] = ()
    """The parts of the condition as they are written, each with its value, or the EvaluationError in its place."""
    latest: Mapping[str, Any] | None = None
    """What the names of the rule's topics meant at that moment, where these are a map."""
    unheard: Unheard | None = None
    """The absence that this transition is about, its end included; None where it is about the condition."""
    until: float | None = None
    """When an episode was over that began and ended in what came late; None: this is no such episode."""


def make_context(
    event: Event | None,
    device: Mapping[str, Any],
    labels: Mapping[str, str],
    now: float,
    extra: Mapping[str, Any],
    schedules: Mapping[str, Any] | None = None,
) -> Context:
    """Make the context in which an expression runs: all it may ask beside payload fields and captures."""
    context = Context()
    context.now, context.device, context.labels, context.extra = now, device, labels, extra
    if schedules is not None:
        context.schedules = schedules
    if event is not None:
        fill(context, event)
    return context


def fill(context: Context, event: Event) -> None:
    """Let a context be about this event; what it has beside the event stays."""
    context.value, context.topic, context.time = event.value, event.topic, event.time
    context.qos, context.retain = event.qos, event.retain
    context.payload_present = isinstance(event.value, dict)
    if isinstance(event, Element):
        message = event.message
        context.key, context.index, context.whole, context.raw = event.key, event.index, message.value, message.raw
    else:
        context.key, context.index, context.whole, context.raw = None, None, event.value, event.raw
    context.size = len(context.raw)


def shortened(value: Any) -> Any:
    """Return a value as a transition keeps it: numbers, true, false, null unchanged, all else as text, cut to size."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return int(value)
    text = plain(value)
    return text if len(text) <= VALUE_CHARS else text[: VALUE_CHARS - 1] + "…"
