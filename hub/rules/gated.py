"""The state of a rule with `pause`, `mute`, `timestamp` or `absent: auto`; the others pay nothing for these.

Under a pause a message is only remembered: when it ends, the last one is evaluated as if it came then. What is muted is
evaluated all the same; the alert book hears of each change, because it decides who is told.
"""

from math import inf

from hub.errors import EvaluationError
from hub.expressions import Program
from hub.limits import (
    ABSENT_LEARNED_AFTER,
    ABSENT_LEARNED_LEAST_SECONDS,
    ABSENT_LEARNED_OVER_SECONDS,
    ABSENT_LEARNED_SECONDS,
)
from hub.model import Event, Phase, Reason
from hub.rules.gates import Gates
from hub.rules.instance import NEVER, Extra, Gated, Instance
from hub.rules.rule import Rule
from hub.rules.state import RuleState
from hub.rules.timestamps import own_time
from hub.rules.work import Work

__all__ = ["GatedState", "state_of"]

Key = tuple[str, ...]
_FORGETTING = 20.0  # intervals after which a gap counts half: a burst of messages in between makes no difference
_INTERVALS = 3.0  # without a message make an instance silent


def state_of(rule: Rule, work: Work) -> RuleState:
    """Return the state of a rule, of the kind that it needs."""
    gated = rule.pause is not None or rule.mute is not None or rule.timestamp is not None or rule.learns
    return GatedState(rule, work) if gated else RuleState(rule, work)


class GatedState(RuleState):
    """A RuleState behind its gates."""

    def __init__(self, rule: Rule, work: Work) -> None:
        """Begin without instances."""
        super().__init__(rule, work)
        self.gates = Gates(rule.pause, rule.mute, work.local)
        self._pause = rule.pause.condition if rule.pause else None
        self._mute = rule.mute.condition if rule.mute else None
        self._muting: bool | None = None
        """Whether the condition of `mute` holds for the event at hand; None where there is none at hand."""

    def made(self, key: Key) -> Instance:
        """Return a new instance, which is not entered yet."""
        return Gated(key) if self.sampler is None else super().made(key)

    # events

    def step(
        self, event: Event, captures: Key, key: Key | None, now: float, known: bool | EvaluationError | None = None
    ) -> None:
        """Evaluate one event, unless the rule is paused."""
        if now >= self.gates.until:
            self._turn(now)
        try:
            if key is None:
                key = self._key(event, captures)
        except EvaluationError as error:
            self.failed(event, error)
            return
        event = self._stamped(event, captures, now)
        instance = self.instances.get(key)
        if self.gates.paused or self._asks(self._pause, event, captures, instance, now, "paused"):
            if self.rule.alert:
                self._postpone(event, key, now)
            return
        self._muting = self._asks(self._mute, event, captures, instance, now, "muted")
        if instance is not None and instance.extra is not None and instance.extra.paused:
            self._wake_up(instance, instance.extra, now)
        super().step(event, captures, key, now, known)
        muting, self._muting = self._muting, None
        self._after(key, muting, now)

    def _stamped(self, event: Event, captures: Key, now: float) -> Event:
        """Give the event its own time, where it has one."""
        program = self.rule.timestamp
        if program is None:
            return event
        try:
            context = self._context(event, captures, now) if program.needs_context else None
            at = own_time(program.run(event.fields, captures, context), now)
        except EvaluationError as error:
            self.failed(event, error)
            return event
        return Event(event.topic, event.raw, event.fields, event.value, at, event.qos, event.retain)

    def _since(self, event: Event, now: float) -> float:
        return now if self.rule.timestamp is None else min(event.time, now)

    def _asks(
        self, program: Program | None, event: Event, captures: Key, instance: Instance | None, now: float, before: str
    ) -> bool:
        """Evaluate a gate's condition; where it has no value, the gate stays as it was."""
        if program is None:
            return False
        if self.sampler is not None:
            history = instance.history if instance is not None else None
            self.sampler.sight.history = (history or self.sampler.new()).slots
        try:
            return self._holds(program, event, captures, now)
        except EvaluationError as error:
            self.failed(event, error)
            extra = None if instance is None else instance.extra
            return extra is not None and bool(getattr(extra, before))

    def _after(self, key: Key, muting: bool, now: float) -> None:
        """Tell the book where `mute` changed for what fires; forget an instance that nothing needs."""
        instance = self.instances.get(key)
        if instance is None:
            return
        if self._mute is not None:
            self._tell_muted(instance, muting, now)
        if instance.phase is Phase.INACTIVE and not self._keeps(instance):
            self._forget(instance)

    # pause

    def _postpone(self, event: Event, key: Key, now: float) -> None:
        """Remember a message for the end of the pause."""
        instance = self._instance(key)
        self._fall_asleep(instance, now)
        extra = _extra(instance)
        extra.paused = True
        extra.heard = extra.heard or not event.retain
        if self.rule.absent is not None and (not event.retain or not instance.seen):
            instance.seen = now
        self._remember(instance, event)

    def _fall_asleep(self, instance: Instance, now: float) -> None:
        """Begin a pause: timers are reset, what fires goes on firing."""
        if instance.phase is Phase.PENDING:
            _extra(instance).paused = True
            self._change(instance, Phase.INACTIVE, Reason.PAUSED, now, *self.last(instance))
        elif instance.clearing:
            instance.clearing = NEVER
            _extra(instance).paused = True
            self.work.touch(self, instance)

    def _wake_up(self, instance: Instance, extra: Extra, now: float) -> None:
        """End a pause: `absent` counts anew; who was heard meanwhile is no longer silent."""
        heard, extra.paused, extra.heard = extra.heard, False, False
        self.work.touch(self, instance)
        if heard:
            self._end_silence(instance, Reason.RETURNED, now)
        if self.rule.absent is not None and not instance.silent:
            instance.seen = now
            self.reschedule(instance)

    def _turn(self, now: float) -> None:
        """Follow the schedules: begin or end what they say for all instances."""
        changed = self.gates.look(now)
        for instance in list(self.instances.values()):
            if self.gates.mutes:
                self._tell_muted(instance, self.gates.muted, now)
            if changed and self.gates.paused:
                self._fall_asleep(instance, now)
            elif changed:
                self._release(instance, now)
        if self.gates.until < inf:
            self.work.schedule(self, self.gates.clock, self.gates.until)

    def _release(self, instance: Instance, now: float) -> None:
        """End a pause by schedule: evaluate what was remembered."""
        extra = _extra(instance)
        paused = extra.paused
        self._wake_up(instance, extra, now)
        if paused:
            self._again(instance, now)
        self._go_on(instance)

    def _keeps(self, instance: Instance) -> bool:
        paused = instance.extra is not None and instance.extra.paused
        return paused or super()._keeps(instance)

    # mute

    def _is_muted(self, instance: Instance | None, phase: Phase) -> bool:
        if self.rule.mute is None:
            return False
        if self.gates.mutes:
            muted = self.gates.muted
        elif self._muting is not None:
            muted = self._muting
        else:
            muted = instance is not None and instance.extra is not None and instance.extra.muted
        if instance is not None and phase is Phase.FIRING:
            _extra(instance).muted = muted
        return muted

    def _tell_muted(self, instance: Instance, muted: bool, now: float) -> None:
        """Tell the book that `mute` began or ended for what fires."""
        extra = _extra(instance)
        if extra.muted is muted:
            return
        extra.muted = muted
        self.work.touch(self, instance)
        reason = Reason.MUTE_BEGAN if muted else Reason.MUTE_ENDED
        if instance.phase is Phase.FIRING:
            labels, since = self.labels(instance.key), instance.since
            self._emit(
                instance, labels, Phase.FIRING, Phase.FIRING, reason, now, since, *self.last(instance), instance.topic
            )
        if instance.silent:
            self._emit_silence(instance, Phase.FIRING, Phase.FIRING, reason, now, instance.silent)

    # deadlines

    def deadline(self, instance: Instance, now: float) -> None:
        """Do what the clock has made due, for the rule or for an instance."""
        if now >= self.gates.until:
            self._turn(now)
        if instance is not self.gates.clock:
            super().deadline(instance, now)

    def _silent_at(self, instance: Instance) -> float:
        extra = instance.extra
        if self.gates.paused or (extra is not None and extra.paused):
            return inf
        due = super()._silent_at(instance)
        if not self.rule.learns or due == inf:
            return due
        return instance.seen + ABSENT_LEARNED_SECONDS if extra is None else instance.seen + _patience(extra)

    def _sign_of_life(self, event: Event, captures: Key, key: Key, instance: Instance | None, now: float) -> Instance:
        if self.rule.learns and instance is not None and instance.seen and not event.retain:
            _learn(instance, _extra(instance), now)
        instance = super()._sign_of_life(event, captures, key, instance, now)
        if self.rule.learns:
            self.reschedule(instance)
        return instance

    # before and after a restart or reload

    def begin(self, now: float) -> None:
        """Look at the schedules; what was paused before, and is so no longer, is released."""
        self._turn(now)

    def _settle(self, instance: Instance, now: float) -> None:
        extra = instance.extra
        if self.gates.paused:
            self._fall_asleep(instance, now)
        elif extra is not None and extra.paused and self._pause is None:
            self._wake_up(instance, extra, now)
            self._again(instance, now)


def _extra(instance: Instance) -> Extra:
    """Return what is known beyond the usual, made where there was nothing."""
    if instance.extra is None and isinstance(instance, Gated):
        instance.extra = Extra()
    return instance.extra or Extra()


def _learn(instance: Instance, extra: Extra, now: float) -> None:
    """Take the interval since the last message into account; see `_FORGETTING`."""
    gap = max(0.0, now - instance.seen)
    extra.messages += 1
    extra.observed += gap
    if extra.gap:
        known = extra.gap * 0.5 ** (gap / (_FORGETTING * extra.gap))
        if instance.silent:  # it has been told: no interval, or a new one, which is learned bit by bit
            gap = min(gap, _patience(extra))
        gap = max(gap, known)
    extra.gap = gap


def _patience(extra: Extra) -> float:
    """Return how long an instance may be silent, in seconds, as far as its intervals are known."""
    if extra.messages < ABSENT_LEARNED_AFTER or extra.observed < ABSENT_LEARNED_OVER_SECONDS:
        return ABSENT_LEARNED_SECONDS
    return min(max(ABSENT_LEARNED_LEAST_SECONDS, _INTERVALS * extra.gap), ABSENT_LEARNED_SECONDS)
