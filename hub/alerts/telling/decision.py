"""What is told of an alert or a group now, or why nothing is: the one place that decides. Pure functions.

An alert alone and a group go through `decide` alike: an alert alone is a group of one that waits for nobody.

situation ── decide ──▶ a message, a step of `escalate`, or the reason and the time to look again
"""

import enum
from math import inf
from typing import NamedTuple

from hub.alerts.alert import Alert
from hub.alerts.telling.said import Said
from hub.limits import NEWCOMERS_WAIT_SECONDS, SILENCE_REMINDER_SECONDS
from hub.model import Phase, Suppressor
from hub.rules.reading.rule import Rule
from hub.rules.reading.rule_values import Step

__all__ = [
    "Decision",
    "Say",
    "Situation",
    "Untold",
    "alone",
    "audience",
    "decide",
    "hidden_too_long_at",
    "is_limited",
    "look_again",
    "may_be_told",
    "may_go_on",
    "newcomers",
    "next_step",
]


class Say(enum.Enum):
    """What kind of message it is."""

    NEWS = enum.auto()
    """Something that nobody has heard of yet: an alert fires, or one of the group is over."""
    REPEAT = enum.auto()
    NEWCOMERS = enum.auto()
    """It was told, and the rule names receivers now that have not heard of it (after a reload)."""
    STEP = enum.auto()


class Untold(enum.StrEnum):
    """Why nothing is told now."""

    SUPPRESSED = "it is suppressed"
    ACKNOWLEDGED = "somebody has acknowledged it"
    LIMIT = "as many as `limit` allows went out of late"
    GROUP = "its group waits for more, or has just spoken"
    NOT_DUE = "it was told, and the next repeat or step is not due yet"
    TOLD = "it was told, and nothing more is to come"
    NOBODY = "its rule names nobody"
    OVER = "nothing fires, and nothing is to be told of an end"


class Situation(NamedTuple):
    """All that the decision depends on, beside the rule and the time. Times are seconds since 1970, 0 for none.

    `fresh`: something fires that nothing suppresses and that was not told yet. `active`: something fires that nothing
    suppresses, that was told and that nobody has acknowledged. `news`: there is something else to tell, an end or an
    event, and `only` are the receivers that it concerns.
    `owed` are the receivers that the rule names and that have not heard of something that was told; `behind` is since
    when. `changed` is when the first of what is new came, `spoke` when the conversation last spoke, `room` is from when
    on `limit` lets it speak. `why` is the reason to give where there is nothing fresh, active or new.
    """

    said: Said
    fresh: bool
    active: bool
    grouped: bool = False
    news: bool = False
    only: tuple[str, ...] = ()
    owed: tuple[str, ...] = ()
    behind: float = 0.0
    changed: float = 0.0
    spoke: float = 0.0
    room: float = 0.0
    why: Untold = Untold.OVER


class Decision(NamedTuple):
    """Either say `say` to `receivers` (for a `step` of `escalate`); or say nothing, because of `untold`.

    `again` is when to ask anew, in seconds since 1970; inf: only when something changes.
    """

    say: Say | None
    receivers: tuple[str, ...] = ()
    step: Step | None = None
    untold: Untold | None = None
    again: float = inf


_NEWS, _REPEAT, _NEWCOMERS, _STEP = Say.NEWS, Say.REPEAT, Say.NEWCOMERS, Say.STEP
_LIMIT, _FIRING = Suppressor.LIMIT, Phase.FIRING  # to fetch a member of an enum costs 50 ns
_NOTHING = Decision(None, untold=Untold.TOLD)


def decide(it: Situation, rule: Rule, now: float) -> Decision:
    """Decide what is told next. The caller tells it and asks again, until nothing is to be told.

    Messages come before steps of `escalate`: who is called later should hear what the others heard.
    """
    due, say = _message(it, rule)
    if due == inf and not rule.escalate:  # by far the most common case, so it is the first
        return _NOTHING if it.active and rule.notify else Decision(None, untold=Untold.NOBODY if it.active else it.why)
    free_at = due if it.news else max(due, it.room)  # `limit` never delays an end: people wait for it
    if say is not None and free_at <= now:
        return Decision(say, _receivers(say, it, rule))
    step, step_at = _step(it, rule)
    if step is not None and step_at <= now:  # `limit` does not delay it: nobody has cared so far
        return Decision(_STEP, step.to, step)
    # what `limit` will delay is looked at when it would be due, so that it is counted and people see it
    again = min(free_at if due <= now else due, step_at)
    return Decision(None, untold=_why(it, rule, due, step, now), again=again)


def is_limited(it: Situation, rule: Rule, now: float) -> bool:
    """Tell whether `limit` alone keeps a message from being told now; steps of `escalate` do not matter here."""
    due, say = _message(it, rule)
    return say is not None and not it.news and due <= now < it.room


def _step(it: Situation, rule: Rule) -> tuple[Step | None, float]:
    step = next_step(it.said, rule) if it.active else None
    return step, inf if step is None else it.said.notified + step.after


def _message(it: Situation, rule: Rule) -> tuple[float, Say | None]:
    """Return when the next message is due, and which kind it is; inf where none is. Steps are not among them."""
    wait, interval = (rule.group_wait, rule.group_interval) if it.grouped else (0.0, 0.0)
    earliest = it.spoke + interval if it.spoke else 0.0
    if it.fresh or it.news:
        return max(it.changed + wait, earliest), _NEWS
    if not it.active:
        return inf, None  # all that fires is suppressed, or somebody has acknowledged it
    if rule.repeat is not None:
        # a receiver that is named only since a reload hears of it with the next repeat
        return max(it.said.last + rule.repeat.interval(it.said.tellings), earliest), _REPEAT
    if not it.owed:
        return inf, None
    # people save files in haste: nobody new is told of what is changed back at once, or ends meanwhile
    return max(it.behind + NEWCOMERS_WAIT_SECONDS, earliest), _NEWCOMERS


def _receivers(say: Say, it: Situation, rule: Rule) -> tuple[str, ...]:
    if say is _NEWCOMERS:
        return it.owed  # the others have heard of it
    if it.fresh or say is _REPEAT:
        return tuple(dict.fromkeys((*audience(it.said, rule), *it.only)))
    # only an end or an event: it goes to whom it concerns, and to newcomers, who hear what fires with it
    return tuple(dict.fromkeys((*it.only, *(it.owed if it.active else ()))))


def _why(it: Situation, rule: Rule, due: float, step: Step | None, now: float) -> Untold:
    """Return the reason why nothing is told, the one that people can do something about first."""
    if not (it.fresh or it.active or it.news):
        return it.why
    if due <= now:  # it is due, and only `limit` can keep what is due
        return Untold.LIMIT
    if it.fresh or it.news:
        return Untold.GROUP
    if not rule.notify and not rule.escalate:
        return Untold.NOBODY
    return Untold.TOLD if due == inf and step is None else Untold.NOT_DUE


def audience(said: Said, rule: Rule) -> tuple[str, ...]:
    """Return who is told that it fires: the receivers that the rule names now, and those that its steps have called."""
    if not said.steps:
        return rule.notify
    called = [name for step in rule.escalate if _is_taken(step, rule, said) for name in step.to]
    return tuple(dict.fromkeys((*rule.notify, *called)))


def newcomers(said: Said, rule: Rule) -> tuple[str, ...]:
    """Return the receivers that the rule names and that have not heard of what was told; none before it was told."""
    if not said.tellings or (said.told == rule.notify and not said.heirs):
        return ()
    return tuple(name for name in rule.notify if name not in said.told or name in said.heirs)


def next_step(said: Said, rule: Rule) -> Step | None:
    """Return the first step of `escalate` that was not taken; None while steps stand still, and before it was told."""
    if not rule.escalate or not said.tellings or said.paused:
        return None
    return next((step for step in rule.escalate if not _is_taken(step, rule, said)), None)


def _is_taken(step: Step, rule: Rule, said: Said) -> bool:
    """Tell whether a step was taken, also where a reload has changed the list since.

    A step that is not later than the latest step taken counts as taken. A step that was moved to later was taken if it
    stands at a place of the list that was taken, and all that it calls were called.
    """
    if not said.steps:
        return False
    if step.after <= said.escalated:
        return True
    called = said.called or said.told  # an earlier hub did not store whom steps have called
    return rule.escalate.index(step) < said.steps and set(step.to) <= set(called)


# an alert alone


def may_be_told(alert: Alert) -> bool:
    """Tell whether an alert may be told: nothing suppresses it but `limit`, which only delays."""
    return alert.held is None or alert.held.by is _LIMIT


def may_go_on(alert: Alert) -> bool:
    """Tell whether repeats and steps go on: an acknowledgement ends them, though not the first message."""
    return alert.ack is None and may_be_told(alert)


def alone(alert: Alert, rule: Rule) -> Situation:
    """Return the situation of a firing alert that is told alone."""
    said = alert.said
    if not may_be_told(alert):
        return Situation(said, False, False, why=Untold.SUPPRESSED)
    room = alert.tally.room_at(rule.limit) if rule.limit is not None else 0.0
    if not said.tellings:  # an acknowledgement does not keep the others from hearing of it once
        return Situation(said, True, False, room=room)
    owed = newcomers(said, rule)
    behind, active = said.behind, alert.ack is None
    return Situation(said, False, active, owed=owed, behind=behind, room=room, why=Untold.ACKNOWLEDGED)


def hidden_too_long_at(alert: Alert) -> float:
    """Return when somebody must be reminded that a silence hides a critical alert; inf where there is none."""
    return alert.hidden + SILENCE_REMINDER_SECONDS if alert.hidden and alert.severity == "critical" else inf


def look_again(alert: Alert, rule: Rule) -> float:
    """Return when the register must look at a firing alert again by itself; inf: only when something changes."""
    if alert.state is not _FIRING:
        return inf
    ends = inf if alert.ack is None or alert.ack.until is None else alert.ack.until
    return min(ends, hidden_too_long_at(alert), inf if rule.group_by is not None else _told_again(alert, rule))


def _told_again(alert: Alert, rule: Rule) -> float:
    it = alone(alert, rule)
    due, _ = _message(it, rule)
    if alert.held is not None and alert.held.by is _LIMIT:
        due = max(due, it.room)
    return min(due, _step(it, rule)[1]) if rule.escalate else due
