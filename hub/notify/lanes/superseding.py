"""What need not be sent any more: of an episode that is late, all but the newest message. Pure decisions.

A receiver that got a firing message hears of the end; one that certainly got none hears nothing of it. Where that is
not certain, the end is told. The newest message takes the turn of the oldest, with its attempts and its wait. What only
an older message of a group tells is folded into the newest.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hub.ids import episode_id, parsed
from hub.limits import LATE_SECONDS
from hub.model import Notification
from hub.notify.lanes.episode import is_end, is_firing, is_group
from hub.notify.lanes.folding import all_over, folded
from hub.notify.outbox_port import Queued

__all__ = ["NEWER", "OVER", "UNHEARD", "Elsewhere", "Gone", "Passed", "pass_over"]

OVER = "its alert resolved before it was sent"
NEWER = "a newer message of its episode is sent in its place"
UNHEARD = "its firing message was not sent, either"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A firing message went to the fallback `to`; `perhaps`: its own receiver may have heard of the episode, too."""

    to: str
    perhaps: bool


@dataclass(frozen=True, slots=True)
class Gone:
    """What is not sent any more, and why."""

    queued: Queued
    reason: str


@dataclass(frozen=True, slots=True)
class Passed:
    """What is left of an alert's line, in order, and what is gone of it."""

    line: tuple[Queued, ...]
    gone: tuple[Gone, ...]


def pass_over(
    line: Sequence[Queued],
    busy: Collection[int],
    elsewhere: Mapping[str, Elsewhere],
    age: Callable[[Queued], float],
) -> Passed | None:
    """Decide which of one alert's queued notifications need not be sent; None: all are sent. `line` is in order.

    `busy` are the rows that are under way. `elsewhere` tells by episode id what went to a fallback. `age` returns for
    how many seconds a notification has waited, or the oldest that it stands for.
    """
    episodes: dict[str, list[Queued]] = {}
    for each in line:
        if _speaks(each.notification):
            episodes.setdefault(episode_id(each.notification.id), []).append(each)
    stays: dict[
        int, Queued | None
    ] = {}  # by row, what stands in the place of a notification that changes; None: nothing
    gone: list[Gone] = []
    for episode, members in episodes.items():
        waits = [each for each in members if each.row not in busy]
        if waits:
            # with an attempt under way nobody knows yet what the receiver has heard, so an end is not dropped now
            whole = len(waits) == len(members)
            gone += _pass(waits, elsewhere.get(episode), age, stays, whole=whole)
    if not stays:
        return None
    left = (stays.get(each.row, each) for each in line)
    return Passed(tuple(each for each in left if each is not None), tuple(gone))


def _pass(
    waits: Sequence[Queued],
    elsewhere: Elsewhere | None,
    age: Callable[[Queued], float],
    stays: dict[int, Queued | None],
    *,
    whole: bool,
) -> Iterable[Gone]:
    """Decide about one episode: note in `stays` what becomes of each, return what is gone."""
    # a dead letter that somebody queues again may stand after the end, and is older than it all the same
    end = next((place for place, each in enumerate(waits) if is_end(each.notification)), len(waits) - 1)
    *older, newest = waits = waits[: end + 1]
    if older and not _late(older[0], age):
        return []  # the oldest has waited only a moment: each is sent by itself
    kept, gone = _stand_in(newest, older) if older else (newest, [])
    left: Queued | None = None
    if whole and _is_over(kept.notification) and (_unheard(older) or _went_elsewhere(older, elsewhere)):
        gone.append(Gone(kept, UNHEARD))
    elif not older:
        return []
    else:
        left = kept
    stays.update((each.row, None) for each in waits)
    if left is not None:
        stays[newest.row if left.place == newest.place else older[0].row] = left
    return gone


def _stand_in(newest: Queued, older: Sequence[Queued]) -> tuple[Queued, list[Gone]]:
    """Return the newest as it is sent in place of all, and which of the older ones are gone with that."""
    end = is_end(newest.notification)
    body, parts, gone = _told_with(newest, older)
    if end:
        # an end is news, so it does not wait for the retry of the firing message
        kept = newest
    else:
        if _unheard(older):  # the newest is now the first that its receiver hears
            body = {**body, "first": True}
        kept = replace(
            newest,
            next_at=max(newest.next_at, older[0].next_at),
            perhaps=newest.perhaps or any(each.perhaps for each in older),
            place=older[0].place or older[0].row,
            before=newest.before + sum(each.attempts + each.before for each in older),
        )
    notification = newest.notification
    if body is not notification.body:
        kept = replace(kept, notification=replace(notification, body=body))
    return replace(kept, parts=parts), [Gone(each, OVER if end else NEWER) for each in gone]


def _told_with(
    newest: Queued, older: Sequence[Queued]
) -> tuple[Mapping[str, Any], tuple[Queued, ...], Iterable[Queued]]:
    """Return the body that tells what the older ones tell, the rows that it tells for, and those it does not need."""
    if not is_group(newest.notification):
        return newest.notification.body, (), older
    *before, own = newest.parts or (newest,)
    parts = [part for each in older for part in (each.parts or (each,))] + before
    groups = [part for part in parts if is_group(part.notification)]
    body, gave = folded(own.notification.body, [part.notification.body for part in groups])
    needed = {part.row for part, gives in zip(groups, gave, strict=True) if gives}
    first = "first" in newest.notification.body and "first" not in body
    return (
        {**body, "first": True} if first else body,
        (*(part for part in parts if part.row in needed), own) if needed else (),
        [part for part in parts if part.row not in needed],
    )


def _speaks(notification: Notification) -> bool:
    """Tell whether a newer message of the episode can stand for a notification."""
    return is_firing(notification) or is_end(notification) or is_group(notification)


def _late(queued: Queued, age: Callable[[Queued], float]) -> bool:
    return queued.attempts + queued.before > 0 or age(queued) >= LATE_SECONDS


def _is_over(notification: Notification) -> bool:
    """Tell whether a notification tells of ends only."""
    return is_end(notification) and (not is_group(notification) or all_over(notification.body))


def _unheard(before: Sequence[Queued]) -> bool:
    """Tell whether the receiver has certainly heard nothing of an episode: its first message still waits here."""
    return bool(before) and _is_first(before[0].notification) and not any(each.perhaps for each in before)


def _is_first(notification: Notification) -> bool:
    """Tell whether its receiver has heard nothing of the episode before.

    The id of a first message says so. Otherwise `first` does: the book puts it into steps of `escalate` and messages of
    groups, `_stand_in` into what stands for a first message.
    """
    found = parsed(notification.id)
    return (found is not None and found.begins) or "first" in notification.body


def _went_elsewhere(before: Sequence[Queued], found: Elsewhere | None) -> bool:
    return found is not None and not found.perhaps and not any(each.perhaps for each in before)
