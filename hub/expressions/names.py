"""What the names of an expression stand for: the scope at load, the context at run time (docs/expressions.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from hub.errors import EvaluationError
from hub.expressions.sampled import SAMPLED

__all__ = ["BUILTINS", "EVENT", "HISTORY", "NO_SAMPLES", "Context", "Equality", "Samples", "ScheduleClock", "Scope"]

Samples = Mapping[str, Any]
"""What history functions read: the slots of one instance by their keys."""

BUILTINS = ("payload", "value", "topic", "event", "device", "labels", "now")
EVENT = {"time": "timestamp", "qos": "int", "retain": "bool", "size": "int"}
HISTORY = frozenset(SAMPLED)
"""Functions over the samples of an instance; their names are taken already."""


class _Nothing:
    """Where there are no samples, or no schedules: outside a rule."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __getitem__(self, key: str) -> Any:
        raise EvaluationError(f"there are no {self._what} here")


NO_SAMPLES: Any = _Nothing("samples")
NO_SCHEDULES: Any = _Nothing("schedules")


@dataclass(frozen=True, slots=True)
class Scope:
    """The names an expression sees: `own`, `extra`, `captures`, the built-in ones, `schedules`, fields of the payload.

    In this order. `captures` are those of the topic filter in their order, which is that of the values at run time;
    `extra` are a template's own names (`alertname`, `state`, …), `own` names whose values are known at load. With
    `bindings` there is nothing but those names (see `evaluate`). `history`: it is an expression of a rule, so that
    there are samples.
    """

    captures: tuple[str, ...] = ()
    extra: frozenset[str] = frozenset()
    bindings: frozenset[str] | None = None
    history: bool = False
    schedules: frozenset[str] = frozenset()
    own: tuple[tuple[str, str], ...] = ()


class ScheduleClock(Protocol):
    """A schedule as an expression asks it."""

    def active(self, now: float) -> bool:
        """Tell whether it holds."""
        ...


@dataclass(slots=True)
class Context:
    """What an expression may know of the event beyond payload fields and captures; one object may be used again.

    `time` and `now` are seconds since 1970; `payload_present` says whether the payload was an object, so that `value`
    means its field of that name. `schedules` are asked by name.
    """

    value: Any = None
    topic: str = ""
    time: float = 0.0
    qos: int = 0
    retain: bool = False
    size: int = 0
    device: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, Any] = field(default_factory=dict)
    now: float = 0.0
    payload_present: bool = True
    extra: Mapping[str, Any] = field(default_factory=dict)
    schedules: Mapping[str, ScheduleClock] = NO_SCHEDULES


@dataclass(frozen=True, slots=True)
class Equality:
    """A condition's necessary part: the capture or payload field `name` is exactly `value`. `kind`: which of them.

    The rules' index uses these to leave rules out without evaluating them.
    """

    kind: str
    name: str
    value: str
