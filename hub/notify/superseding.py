"""What need not be sent any more: a firing message that still waits when its alert has resolved. Pure decisions.

Whoever got the firing message hears of the end, whoever got none hears nothing; where it is not certain, the end is
told.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from hub.model import Notification
from hub.notify.episode import episode, is_end, is_firing
from hub.notify.outbox import Queued

__all__ = ["Elsewhere", "obsolete"]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A firing message went to the fallback `to`; `perhaps`: this receiver may have one of the episode, too."""

    to: str
    perhaps: bool


def obsolete(line: Sequence[Queued], busy: Collection[int], elsewhere: Mapping[str, Elsewhere]) -> list[Queued]:
    """Return what need not be sent of one alert's queued notifications, which come in order.

    `busy` are the rows that are under way; `elsewhere` tells by episode what went to a fallback. A group's message
    tells of several alerts, each of which may be news: it is always sent.
    """
    gone: list[Queued] = []
    for place, end in enumerate(line):
        if is_end(end.notification) and end.row not in busy:
            mark = episode(end.notification.id)
            before = [each for each in line[:place] if _announces(each.notification, mark)]
            stale = [each for each in before if each.row not in busy and "alerts" not in each.notification.body]
            gone += stale
            if _unheard(stale) or (len(stale) == len(before) and _went_elsewhere(mark, stale, elsewhere)):
                gone.append(end)
    return gone


def _announces(notification: Notification, mark: str) -> bool:
    return is_firing(notification) and episode(notification.id) == mark


def _unheard(stale: Sequence[Queued]) -> bool:
    """Tell whether the receiver has certainly got nothing of an episode: its first message is still here."""
    return bool(stale) and stale[0].notification.id.endswith("-firing") and not any(each.perhaps for each in stale)


def _went_elsewhere(mark: str, stale: Sequence[Queued], elsewhere: Mapping[str, Elsewhere]) -> bool:
    found = elsewhere.get(mark)
    return found is not None and not found.perhaps and not any(each.perhaps for each in stale)
