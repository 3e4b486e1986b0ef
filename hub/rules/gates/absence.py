"""`absent`: an instance that says nothing for too long. It runs beside the condition, on the same instance.

The patience, fixed or learned, says how long is too long. Where devices are reported dead or asleep (Sparkplug B,
Homie), the reports count too: a dead device is absent at once, and a sleeping one is not absent.
"""

from math import inf

from hub.errors import EvaluationError
from hub.model import Event, Labels, Phase, Reason
from hub.rules.gates.absence_patience import FixedPatience, LearnedPatience, Patience
from hub.rules.gates.reported_absence import Sign, reports_of
from hub.rules.instances.arrival import Arrival
from hub.rules.instances.instance import NEVER, Instance
from hub.rules.instances.rule_instances import Key
from hub.rules.presence.last_will import LastWill
from hub.rules.presence.presence import ReportedState
from hub.rules.running.engine_context import EngineContext
from hub.rules.running.part import RulePart, Runner
from hub.rules.running.transition import Unheard

__all__ = ["Absence", "absence_of", "emit_absence", "end_absence", "unheard_of"]

_LABEL = ("reason", "absent")


class Absence(RulePart):
    """Watches when each instance of a rule was heard; `seen` of an instance is its last sign of life."""

    def __init__(self, runner: Runner, context: EngineContext, patience: Patience) -> None:
        """Watch the instances of `runner`; one is absent when the `patience` with it is over."""
        self._runner, self._instances = runner, runner.instances
        self._patience, self._learns = patience, patience.learns
        self._reports = reports_of(runner.rule, context.presence, self)
        offline = runner.rule.offline
        self._will = None if offline is None else LastWill(context.presence, runner.rule, offline, self)

    def patience(self, instance: Instance) -> float:
        """Return for how many seconds the instance may say nothing."""
        return self._patience.seconds(instance)

    # messages

    def before(self, arrival: Arrival) -> bool:
        """Note when the instance was last heard; a replay was heard when it came."""
        if not arrival.is_replay:
            if self._reports is None and self._will is None and not arrival.event.retain:
                self._alive(arrival)  # the short way, which most messages go
            else:
                self.hear(arrival)
        return True

    def hear(self, arrival: Arrival) -> None:
        """Take a message as a sign of life. A retained one is none, but makes the instance known.

        Raises:
            EvaluationError: the rule has as many instances as it may.

        """
        if self._reports is None:
            sign = Sign.KNOWN if arrival.event.retain else Sign.LIFE
        else:
            sign = self._reports.sign(arrival.event, arrival.key, arrival.now)
        if self._will is not None:
            sign = self._of_will(self._will, arrival, sign)
        if sign is Sign.NOTHING:
            return
        try:
            if sign is Sign.LIFE:
                self._alive(arrival)
            else:
                self._know(arrival)
        except EvaluationError:
            self._known(arrival.key)  # there is no room for the instance, so it must not stand for a device
            raise

    def _of_will(self, will: LastWill, arrival: Arrival, sign: Sign) -> Sign:
        """Return what a message is where a topic reports who is gone: a report is no sign of life, all else is."""
        if will.is_report(arrival.event):
            return Sign.KNOWN
        if sign is Sign.LIFE:
            will.alive(arrival.key, arrival.captures, arrival.now)
        return sign

    def speaks(self, event: Event, now: float) -> bool:
        """Tell whether an event is a sign of life."""
        return not event.retain if self._reports is None else self._reports.speaks(event, now)

    def _know(self, arrival: Arrival) -> None:
        """Make an instance known by a message that is no sign of life."""
        instance = arrival.instance
        if instance is None or not instance.seen:
            instance = self._meet(arrival)
        if instance.raw is None and not arrival.is_late:
            self._instances.remember(instance, arrival.event)

    def _meet(self, arrival: Arrival) -> Instance:
        instance = arrival.instance = arrival.instance or self._instances.obtain(arrival.key)
        instance.seen = arrival.now
        self.expect(instance)
        return instance

    def _alive(self, arrival: Arrival) -> None:
        instance, now, learned = arrival.instance, arrival.now, False
        if self._learns:
            instance = arrival.instance = instance or self._instances.obtain(arrival.key)
            learned = self._patience.learn(instance, now)
        if instance is None or not instance.seen:
            instance = self._meet(arrival)
        unheard = unheard_of(instance) if instance.absent_since else None
        instance.seen = now
        if not arrival.is_late:
            self._instances.remember(instance, arrival.event)
        if unheard is not None:
            self._return(instance, arrival, unheard)
        if learned or unheard is not None:
            self.expect(instance)

    def _return(self, instance: Instance, arrival: Arrival, unheard: Unheard) -> None:
        since, instance.absent_since = instance.absent_since, NEVER
        told = self._instances.last(instance) if arrival.is_late else (arrival.event, arrival.captures)
        labels, over, before = _absent_labels(self._runner, instance), Phase.RESOLVED, Phase.FIRING
        self._runner.transitions.emit(
            instance, labels, over, before, Reason.RETURNED, arrival.now, since, *told, unheard=unheard
        )

    # the clock

    def due(self, instance: Instance) -> float:
        """Return when the instance will be absent, in seconds since 1970: a dead one is already, inf for never."""
        standing = self._standing(instance)
        if instance.absent_since or (instance.gates is not None and instance.gates.paused):
            return inf  # it is absent already; or it is under a pause, after which `absent` counts anew
        if standing == ReportedState.DEAD:
            return instance.seen
        return inf if standing == ReportedState.ASLEEP else instance.seen + self._patience.seconds(instance)

    def expect(self, instance: Instance) -> None:
        """Set the time by which the instance must be heard."""
        if (due := self.due(instance)) < inf:
            self._instances.touch(instance)
            self._instances.schedule(instance, due)

    def look(self, instance: Instance, now: float) -> None:
        """Begin the absence of an instance, if its time is over by now."""
        if now >= self.due(instance):
            instance.absent_since = now
            self._instances.touch(instance)
            emit_absence(self._runner, instance, Phase.FIRING, Phase.INACTIVE, self.reason(instance), now, now)

    def rests(self, instance: Instance) -> bool:
        """Tell whether the instance's device has reported that it sleeps."""
        return self._standing(instance) == ReportedState.ASLEEP

    def reason(self, instance: Instance) -> Reason:
        """Return why the instance is absent."""
        return Reason.OFFLINE if self._standing(instance) == ReportedState.DEAD else Reason.ABSENT

    def _standing(self, instance: Instance) -> str:
        """Return what was reported of an instance's device, "" where that is nothing."""
        if self._will is not None:
            captures = self._instances.captures_of(instance, instance.topic)
            if self._will.standing(instance.key, captures) == ReportedState.DEAD:
                return ReportedState.DEAD
        return "" if self._reports is None else self._reports.standing(instance)

    def keeps(self, _instance: Instance, /) -> bool:
        """Remember all instances: each of them must be heard again."""
        return True

    # what is reported (it is a PresenceWatcher)

    def gone(self, key: Key) -> None:
        """Enter the deadline that the report brings: a dead device is due at once."""
        if (instance := self._known(key)) is not None:
            self.expect(instance)

    def back(self, key: Key, now: float) -> None:
        """Take the report as a sign of life, from which `absent` counts anew."""
        instance = self._known(key)
        if instance is None:
            return
        unheard = unheard_of(instance)
        instance.seen = now
        self._instances.touch(instance)
        if instance.gates is not None and instance.gates.paused:
            instance.gates.heard = True  # the end of the pause ends the absence
            return
        end_absence(self._runner, instance, Reason.ONLINE, now, unheard)
        self.expect(instance)

    def removed(self, key: Key, now: float) -> None:
        """End the absence and forget the instance, unless its condition is pending or firing."""
        instance = self._known(key)
        if self._reports is not None:
            self._reports.removed(key)
        if instance is None:
            return
        end_absence(self._runner, instance, Reason.REMOVED, now)
        if instance.phase is Phase.INACTIVE:
            self._instances.forget(instance)

    def _known(self, key: Key) -> Instance | None:
        """Return an instance; where it was forgotten meanwhile, let it stand for no device."""
        instance = self._instances.get(key)
        if instance is None and self._reports is not None:
            self._reports.leave(key)
        if instance is None and self._will is not None:
            self._will.leave(key)
        return instance


def absence_of(runner: Runner, context: EngineContext) -> Absence | None:
    """Return the part that watches a rule's instances, if the rule has `absent`."""
    rule = runner.rule
    if rule.absent is None:
        return None
    return Absence(runner, context, LearnedPatience(rule.absent) if rule.learns else FixedPatience(rule.absent))


def _absent_labels(runner: Runner, instance: Instance) -> Labels:
    """Return the labels of the alert about an instance's absence."""
    labels = runner.instances.labels(instance.key)
    return labels if runner.rule.when is None else (*labels, _LABEL)


def unheard_of(instance: Instance) -> Unheard:
    """Return since when an instance says nothing, and whether it ever did."""
    return Unheard(instance.seen, instance.raw is not None)


def end_absence(runner: Runner, instance: Instance, reason: Reason, now: float, unheard: Unheard | None = None) -> None:
    """Resolve the alert about an instance's absence, if there is one, without a message.

    `unheard` is the absence as it was, for a caller that has set `seen` already.
    """
    if instance.absent_since:
        since, instance.absent_since = instance.absent_since, NEVER
        runner.instances.touch(instance)
        unheard = unheard or unheard_of(instance)
        unheard = unheard._replace(since=min(unheard.since, since))  # under a pause it may have been heard meanwhile
        emit_absence(runner, instance, Phase.RESOLVED, Phase.FIRING, reason, now, since, unheard)


def emit_absence(
    runner: Runner,
    instance: Instance,
    phase: Phase,
    before: Phase,
    reason: Reason,
    now: float,
    since: float,
    unheard: Unheard | None = None,
) -> None:
    """Emit a transition of the alert about an instance's absence."""
    labels, (event, captures) = _absent_labels(runner, instance), runner.instances.last(instance)
    unheard = unheard or unheard_of(instance)
    runner.transitions.emit(
        instance, labels, phase, before, reason, now, since, event, captures, instance.topic, unheard
    )
