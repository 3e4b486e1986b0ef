"""Rules that time keeps from firing: pauses that leave no room for a timer, schedules that are over or never end."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from math import inf

from hub.documents.document import Node
from hub.documents.duration import format_duration
from hub.errors import Problem
from hub.rules.lint.moment import Moment
from hub.rules.reading.rule import Rule
from hub.rules.reading.subjects import kinds
from hub.schedules import Schedule
from hub.schedules.schedule import DAY, WEEK, Cron, Inverse, OneTime, Weekly

__all__ = ["schedules", "timers"]

_CRON_DAYS = 400  # what a cron expression does in a year and a month it always does
_CRON_CHANGES = 1000


def timers(rule: Rule, node: Node, named: Mapping[str, Schedule], moment: Moment) -> Iterator[Problem]:
    """Find gates that always or never hold, and timers that a pause always resets."""
    for key in ("pause", "mute"):
        gate = getattr(rule, key)
        if gate is None or gate.schedule is None:
            continue
        for_ever = _for_ever(gate.schedule, moment.now, moment.zone)
        place = node.value[key]
        if for_ever is True:
            what = "paused: it never fires" if key == "pause" else "muted: nobody is ever told"
            yield place.problem(
                f"rule {rule.name!r} is always {what}", f"{gate.text!r} holds from now on, without an end"
            )
        elif for_ever is False and not any(gate.schedule is each for each in named.values()):
            yield place.problem(f"{key!r} of rule {rule.name!r} never holds again", "it is over: remove it")
        elif key == "pause":
            yield from _reset(rule, node, gate.schedule, moment)


def schedules(documents: Sequence[Node], named: Mapping[str, Schedule], moment: Moment) -> Iterator[Problem]:
    """Find schedules that are over."""
    for document in documents:
        mapping = document.value.get("schedules")
        for name in mapping.value or () if mapping is not None else ():
            schedule = named.get(name)
            if isinstance(schedule, OneTime) and _for_ever(schedule, moment.now, moment.zone) is False:
                message = f"schedule {name!r} is over since {schedule.end:%Y-%m-%d %H:%M}"
                yield mapping.key_problem(name, message, "remove it, and what names it")


def _reset(rule: Rule, node: Node, pause: Schedule, moment: Moment) -> Iterator[Problem]:
    free = _longest(pause, active=False)
    if free is None:
        return
    # with `timestamp`, `for` counts by the device's own clock, which a pause does not stop
    both = rule.when is not None and rule.absent is not None
    for key, seconds in (("for", 0.0 if rule.timestamp else rule.hold), ("absent", _patience(rule))):
        if seconds > free + _leap(getattr(pause, "tz", None) or moment.zone, moment.now):
            by = (" but for silence" if key == "for" else " for silence") if both else ""
            message = f"rule {rule.name!r} never fires{by}: {key!r} is longer than the time between two pauses"
            yield node.value[key].problem(message, f"that is {format_duration(free)} at most; each pause resets it")


@functools.lru_cache(maxsize=64)
def _leap(zone: tzinfo, now: float) -> float:
    """Return by how many seconds a night may be longer than others, where clocks are set back: once a year."""
    days = (datetime.fromtimestamp(now + day * DAY, zone).utcoffset() or timedelta() for day in range(_CRON_DAYS))
    found = [each.total_seconds() for each in days]
    return max(found) - min(found)


def _patience(rule: Rule) -> float:
    """Return for how many seconds `absent` waits at least; 0 where a death may be reported at any moment."""
    return 0.0 if rule.learns or rule.offline is not None or kinds(rule) else rule.absent or 0.0


@functools.lru_cache(maxsize=1024)
def _for_ever(schedule: Schedule, now: float, zone: tzinfo) -> bool | None:
    """Tell whether it always (or never) holds from now on; None where it changes."""
    return schedule.active(now, zone) if schedule.change(now, zone) == inf else None


@functools.lru_cache(maxsize=1024)
def _longest(schedule: Schedule, *, active: bool) -> float | None:
    """Return the longest time in seconds for which it holds (or does not) on ordinary days; None where unknown."""
    if isinstance(schedule, Inverse):
        return _longest(schedule.other, active=not active)
    if isinstance(schedule, Weekly):
        return _of_week(schedule, active=active)
    return _of_cron(schedule, active=active) if isinstance(schedule, Cron) else None


def _of_week(schedule: Weekly, *, active: bool) -> float:
    """Look at two weeks in a row, so that a span over Sunday night is seen whole."""
    edges = sorted({0, WEEK, *(at % WEEK for each in schedule.ranges for at in (each.begin, each.end))})
    parts = [(end - begin, any(each.holds(begin) for each in schedule.ranges)) for begin, end in pairwise(edges)]
    longest = run = 0
    for length, holds in [*parts, *parts]:
        run = run + length if holds is active else 0
        longest = max(longest, run)
    return inf if longest >= 2 * WEEK else float(longest)


def _of_cron(schedule: Cron, *, active: bool) -> float | None:
    at, until, longest = 0.0, float(_CRON_DAYS * DAY), 0.0
    for _ in range(_CRON_CHANGES):
        following = schedule.change(at, UTC)
        if schedule.active(at, UTC) is active:
            longest = max(longest, following - at)
        if following >= until:
            return longest
        at = following
    return None
