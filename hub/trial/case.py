"""A test of rules as it is written: what is sent and done when, what is expected. Times are seconds from its start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from hub.alerts.matchers import Matcher
from hub.documents.document import Node

__all__ = ["Case", "Deed", "Expectation", "TrialMessage"]


@dataclass(frozen=True, slots=True)
class TrialMessage:
    """A message, or one that comes again `every` so often, `count` times, on several topics."""

    at: float
    topics: tuple[str, ...]
    payload: Any
    retain: bool = False
    every: float = 0.0
    count: int = 1
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that somebody does: ack, unack, silence, unsilence, set, restart, reload."""

    at: float
    kind: str
    matchers: tuple[Matcher, ...] = ()
    by: str = "test"
    lasting: float | None = None
    device: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    node: Node | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must be so at a time; a field that is None is not looked at.

    `notified` are all receivers that were told since the last expectation about the same rule and labels that asked
    about notifications; `not_notified` is what kept everybody from being told since then.
    """

    at: float
    rule: str
    alert: bool
    labels: Mapping[str, str]
    node: Node = field(repr=False)
    state: str | None = None
    acknowledged: bool | None = None
    notified: tuple[str, ...] | None = None
    not_notified: str | None = None
    text: str | None = None
    times: int | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One test; `start` in seconds since 1970, `zone` that of its start."""

    name: str
    start: float
    zone: tzinfo
    messages: Sequence[TrialMessage]
    deeds: Sequence[Deed]
    expectations: Sequence[Expectation]
    node: Node = field(repr=False)
