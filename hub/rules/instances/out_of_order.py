"""What messages that come out of order say of the past: the life of a condition over a list of them, sorted by time.

Pure functions of the rule's times, a mark (how it stood before the first message), and the messages. The order in which
the messages came makes no difference, so any permutation of an upload gives the same history. All times are the
device's own.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hub.model import Phase

__all__ = ["INACTIVE", "Episode", "Judged", "PastPhase", "Spans", "lived", "placed"]

NEVER = 0.0
_INACTIVE, _PENDING, _FIRING = Phase.INACTIVE, Phase.PENDING, Phase.FIRING


class Judged(NamedTuple):
    """A message: its time, what `when` and `clear` say of it (None: no value), its topic and payload for texts."""

    time: float
    holds: bool | None
    ends: bool | None
    topic: str
    raw: bytes


class PastPhase(NamedTuple):
    """How a condition stands: since when it holds (`begun`), fires, and since when its end holds; or NEVER."""

    phase: Phase
    begun: float = NEVER
    fired: float = NEVER
    clearing: float = NEVER


class Episode(NamedTuple):
    """A time in which the alert would have fired: since when the condition held, since when it fired, until when."""

    begun: float
    fired: float
    until: float


class Spans(NamedTuple):
    """The times of a rule: `for`, `clear_for`, and whether it has a `clear`."""

    hold: float
    clear_hold: float
    has_clear: bool


INACTIVE = PastPhase(_INACTIVE)


def placed(messages: list[Judged], message: Judged) -> int:
    """Put a message in its place, behind those of the same time; return the place."""
    place = bisect_right(messages, message.time, key=lambda each: each.time)
    messages.insert(place, message)
    return place


def lived(spans: Spans, mark: PastPhase, messages: Iterable[Judged]) -> tuple[Sequence[Episode], PastPhase]:
    """Return the episodes that are over at the last message, and how the condition stands then."""
    over: list[Episode] = []
    for message in messages:
        mark = _elapsed(spans, mark, message.time, over)
        mark = _follow(spans, mark, message, over)
    return over, mark


def _elapsed(spans: Spans, mark: PastPhase, at: float, over: list[Episode]) -> PastPhase:
    """Do what `for` and `clear_for` do before a message of the time `at`."""
    if mark.phase is _PENDING and at > mark.begun + spans.hold:
        return PastPhase(_FIRING, mark.begun, mark.begun + spans.hold)
    if mark.clearing and at > mark.clearing + spans.clear_hold:
        over.append(Episode(mark.begun, mark.fired, mark.clearing + spans.clear_hold))
        return INACTIVE
    return mark


def _follow(spans: Spans, mark: PastPhase, message: Judged, over: list[Episode]) -> PastPhase:
    """Do what a message does (condition.follow does it for messages in order)."""
    at = message.time
    if mark.phase is _FIRING:
        ends = message.ends if spans.has_clear else (None if message.holds is None else not message.holds)
        return mark if ends is None else _cleared(spans, mark, at, over, ends=ends)
    if message.holds is None or (message.holds and mark.phase is _PENDING):
        return mark
    if not message.holds:
        return INACTIVE
    return PastPhase(_PENDING, at) if spans.hold else PastPhase(_FIRING, at, at)


def _cleared(spans: Spans, mark: PastPhase, at: float, over: list[Episode], *, ends: bool) -> PastPhase:
    if not ends:
        return mark._replace(clearing=NEVER)
    if spans.clear_hold:
        return mark if mark.clearing else mark._replace(clearing=at)
    over.append(Episode(mark.begun, mark.fired, at))
    return INACTIVE
