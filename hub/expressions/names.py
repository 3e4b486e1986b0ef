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
EVENT = {
    "time": "timestamp",
    "qos": "int",
    "retain": "bool",
    "size": "int",
    "text": "string",
    "key": "string",
    "index": "int",
    "payload": "dyn",
}
HISTORY = frozenset(SAMPLED)
"""Functions over the samples of an instance; their names are taken already."""


class _Nothing:
    """Stands for samples, or schedules, where there are none: outside a rule."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __getitem__(self, key: str) -> Any:
        raise EvaluationError(f"there are no {self._what} here")


NO_SAMPLES: Any = _Nothing("samples")
NO_SCHEDULES: Any = _Nothing("schedules")
NO_LATEST: Any = _Nothing("latest messages")


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that an expression sees.

    They are looked up in this order: `own`, `extra`, `captures`, `latest`, the built-in names, `schedules`, fields of
    the payload. `captures` are in the order of the topic filter, in which their values come at run time; `extra` are a
    template's own names (`alertname`, `state`, …), `own` are names whose values are known at load, `latest` those of a
    rule's topics, which stand for the latest message of each. With `bindings`, there are only those names (see
    `evaluate`). `history`: it is an expression of a rule, so there are samples. `across`: its instances have members;
    in what is evaluated for one of these, `absent` is the value of that name.
    """

    captures: tuple[str, ...] = ()
    extra: frozenset[str] = frozenset()
    bindings: frozenset[str] | None = None
    history: bool = False
    schedules: frozenset[str] = frozenset()
    own: tuple[tuple[str, str], ...] = ()
    latest: tuple[str, ...] = ()
    across: bool = False
    absent: bool | None = None


class ScheduleClock(Protocol):
    """What an expression asks of a schedule."""

    def active(self, now: float) -> bool:
        """Tell whether it holds."""
        ...


@dataclass(slots=True)
class Context:
    """What an expression may know of the event beyond payload fields and captures; one object may be used again.

    `time` and `now` are seconds since 1970; `payload_present` says whether the payload was an object, so that `value`
    means its field of that name. `whole` and `raw` are the payload of the message that came, `key` and `index` the
    place of an element in it (None where the message is no element). `schedules` and `latest` are asked by name.
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
    latest: Any = NO_LATEST
    whole: Any = None
    raw: bytes = b""
    key: str | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Equality:
    """A part without which a condition is false: the capture or payload field (`kind`) `name` is exactly `value`.

    The rules' index uses these to leave out rules without evaluating them.
    """

    kind: str
    name: str
    value: str
