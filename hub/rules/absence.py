"""`absent`: an instance that says nothing for too long. It runs beside the condition, on the same instance."""

from math import inf

from hub.limits import (
    ABSENT_LEARNED_AFTER,
    ABSENT_LEARNED_LEAST_SECONDS,
    ABSENT_LEARNED_OVER_SECONDS,
    ABSENT_LEARNED_SECONDS,
)
from hub.model import Event, Labels, Phase, Reason
from hub.rules.instance import NEVER, Extra, Instance, extra_of
from hub.rules.roster import Key, Roster
from hub.rules.transition import Unheard

__all__ = ["Absence", "Learned", "absent_labels", "end_silence", "tell_silence", "unheard_of"]

_LABEL = ("reason", "absent")
_FORGETTING = 20.0  # intervals after which a gap counts half: a burst of messages in between makes no difference
_INTERVALS = 3.0  # without a message make an instance silent


class Absence:
    """Who of a rule's instances was heard when. `seen` of an instance is the last sign of life."""

    def __init__(self, roster: Roster, seconds: float) -> None:
        """Let an instance be silent after so many seconds."""
        self._roster = roster
        self._seconds = seconds

    def patience(self, instance: Instance) -> float:
        """Return for how many seconds the instance may say nothing."""
        del instance
        return self._seconds

    def due(self, instance: Instance) -> float:
        """Return when the instance will have been silent for too long; inf where it is already, or paused."""
        extra = instance.extra
        if instance.silent or (extra is not None and extra.paused):
            return inf
        return instance.seen + self.patience(instance)

    def rests(self, instance: Instance) -> bool:
        """Tell whether the instance may be silent for as long as it likes."""
        del instance
        return False

    def expect(self, instance: Instance) -> None:
        """Set the time by which the instance must be heard."""
        if (due := self.due(instance)) < inf:
            self._roster.work.touch(self._roster, instance)
            self._roster.work.schedule(self._roster, instance, due)

    def speaks(self, event: Event, key: Key, now: float) -> bool:
        """Tell whether an event is a sign of life."""
        del key, now
        return not event.retain

    def know(self, event: Event, key: Key, instance: Instance | None, now: float) -> Instance:
        """Make an instance known by a message that is no sign of life."""
        if instance is None or not instance.seen:
            instance = self._meet(key, instance, now)
        if instance.raw is None:
            self._roster.remember(instance, event)
        return instance

    def _meet(self, key: Key, instance: Instance | None, now: float) -> Instance:
        instance = instance or self._roster.instance(key)
        instance.seen = now
        self.expect(instance)
        return instance

    def hear(self, event: Event, captures: Key, key: Key, instance: Instance | None, now: float) -> Instance | None:
        """Note when the instance was last heard. A retained message is no sign of life, but makes it known."""
        if event.retain:
            return self.know(event, key, instance, now)
        roster = self._roster
        if instance is None or not instance.seen:
            instance = self._meet(key, instance, now)
        unheard = unheard_of(instance)
        instance.seen = now
        roster.remember(instance, event)
        if instance.silent:
            since, instance.silent = instance.silent, NEVER
            labels, before, over = absent_labels(roster, key), Phase.FIRING, Phase.RESOLVED
            told = roster.last(instance) if roster.overtaken else (event, captures)
            roster.emit(instance, labels, over, before, Reason.RETURNED, now, since, *told, unheard=unheard)
            self.expect(instance)
        return instance

    def look(self, instance: Instance, now: float) -> None:
        """Tell that the instance is silent, if it is by now."""
        if now >= self.due(instance):
            instance.silent = now
            self._roster.work.touch(self._roster, instance)
            tell_silence(self._roster, instance, Phase.FIRING, Phase.INACTIVE, self.reason(instance), now, now)

    def reason(self, instance: Instance) -> Reason:
        """Return why the instance is silent."""
        del instance
        return Reason.ABSENT


class Learned(Absence):
    """`absent: auto`: each instance shows by its messages how long it may be silent."""

    def patience(self, instance: Instance) -> float:
        """Return three of its longest intervals of late, once there were enough to know them."""
        extra = instance.extra
        if extra is None or not _is_known(extra):
            return self._seconds
        return min(max(ABSENT_LEARNED_LEAST_SECONDS, _INTERVALS * extra.gap), ABSENT_LEARNED_SECONDS)

    def hear(self, event: Event, captures: Key, key: Key, instance: Instance | None, now: float) -> Instance | None:
        """Note when the instance was last heard, and learn of it."""
        if event.retain:
            return super().hear(event, captures, key, instance, now)
        if instance is None:
            instance = self._roster.instance(key)
        extra = extra_of(instance)
        known = _is_known(extra)
        if extra.messages:
            self._learn(extra, now - max(instance.seen, extra.resumed), instance)
        extra.messages += 1
        heard = super().hear(event, captures, key, instance, now)
        if not known and _is_known(extra):
            self.expect(instance)
        return heard

    def _learn(self, extra: Extra, gap: float, instance: Instance) -> None:
        """Take an interval into account. One that was told as silence counts for as much as was waited for.

        What is longer than the patience and was not told is no interval: nobody was there to listen.
        """
        gap = max(0.0, gap)
        patience = self.patience(instance)
        if gap > patience and not instance.silent:
            return
        extra.observed += gap
        known = extra.gap * 0.5 ** (gap / (_FORGETTING * extra.gap)) if extra.gap else 0.0
        extra.gap = max(min(gap, patience), known)


def _is_known(extra: Extra) -> bool:
    return extra.messages >= ABSENT_LEARNED_AFTER and extra.observed >= ABSENT_LEARNED_OVER_SECONDS


def absent_labels(roster: Roster, key: Key) -> Labels:
    """Return the labels of the alert about an instance's silence."""
    labels = roster.labels(key)
    return labels if roster.rule.when is None else (*labels, _LABEL)


def unheard_of(instance: Instance) -> Unheard:
    """Return since when an instance says nothing, and whether it ever did."""
    return Unheard(instance.seen, instance.raw is not None)


def end_silence(roster: Roster, instance: Instance, reason: Reason, now: float, unheard: Unheard | None = None) -> None:
    """Resolve the alert about an instance's silence, if there is one, without a message.

    `unheard` is what it was until now, where the end of it has been noted already.
    """
    if instance.silent:
        since, instance.silent = instance.silent, NEVER
        roster.work.touch(roster, instance)
        unheard = unheard or unheard_of(instance)
        unheard = unheard._replace(since=min(unheard.since, since))  # under a pause it may have been heard meanwhile
        tell_silence(roster, instance, Phase.RESOLVED, Phase.FIRING, reason, now, since, unheard)


def tell_silence(
    roster: Roster,
    instance: Instance,
    phase: Phase,
    before: Phase,
    reason: Reason,
    now: float,
    since: float,
    unheard: Unheard | None = None,
) -> None:
    """Tell a change of the alert about an instance's silence."""
    labels, (event, captures) = absent_labels(roster, instance.key), roster.last(instance)
    unheard = unheard or unheard_of(instance)
    roster.emit(instance, labels, phase, before, reason, now, since, event, captures, instance.topic, unheard)
