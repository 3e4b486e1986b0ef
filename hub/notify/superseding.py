"""What need not be sent any more: a firing message that is late and whose alert has resolved. Pure decisions.

Whoever got the firing message hears of the end, whoever got none hears nothing; where it is not certain, the end is
told.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from hub.limits import LATE_SECONDS
from hub.model import Notification
from hub.notify.episode import episode, is_end, is_firing
from hub.notify.outbox import Queued

__all__ = ["Elsewhere", "obsolete"]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A firing message went to the fallback `to`; `perhaps`: this receiver may have one of the episode, too."""

    to: str
    perhaps: bool


def obsolete(
    line: Sequence[Queued],
    busy: Collection[int],
    elsewhere: Mapping[str, Elsewhere],
    age: Callable[[Queued], float],
) -> list[Queued]:
    """Return what need not be sent of one alert's queued notifications, which come in order.

    `busy` are the rows that are under way; `elsewhere` tells by episode what went to a fallback; `age` is in seconds.
    A group's message tells of several alerts, each of which may be news: it is always sent.
    """
    gone: list[Queued] = []
    for place, end in enumerate(line):
        if is_end(end.notification) and end.row not in busy:
            mark = episode(end.notification.id)
            before = [each for each in line[:place] if _announces(each.notification, mark)]
            if not all(_stale(each, busy) for each in before) or (before and not _late(before[0], age)):
                continue
            gone += before
            if _unheard(before) or _went_elsewhere(mark, before, elsewhere):
                gone.append(end)
    return gone


def _announces(notification: Notification, mark: str) -> bool:
    """Tell whether it says that this episode fires."""
    return is_firing(notification) and episode(notification.id) == mark


def _stale(queued: Queued, busy: Collection[int]) -> bool:
    return queued.row not in busy and "alerts" not in queued.notification.body


def _late(queued: Queued, age: Callable[[Queued], float]) -> bool:
    return queued.attempts > 0 or age(queued) >= LATE_SECONDS


def _unheard(before: Sequence[Queued]) -> bool:
    """Tell whether the receiver has certainly got nothing of an episode: its first message is still here."""
    return bool(before) and _is_first(before[0].notification) and not any(each.perhaps for each in before)


def _is_first(notification: Notification) -> bool:
    """Tell whether its receiver has heard nothing of the episode before; the book marks the steps of `escalate`."""
    return notification.id.endswith("-firing") or "first" in notification.body


def _went_elsewhere(mark: str, before: Sequence[Queued], elsewhere: Mapping[str, Elsewhere]) -> bool:
    found = elsewhere.get(mark)
    return found is not None and not found.perhaps and not any(each.perhaps for each in before)
