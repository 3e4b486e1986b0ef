"""A rule at work: its instances and what an event or a deadline does to them. Pure: no clock, no I/O.

    inactive ──when──▶ pending ──for──▶ firing ──clear, clear_for──▶ resolved (and forgotten)

`absent` runs beside it on the same instance: `silent` is when the silence was noticed.
"""

from collections.abc import Sequence
from math import inf
from typing import Any

from hub.errors import EvaluationError
from hub.expressions import Context, Program
from hub.expressions.explain import parts
from hub.ingest.decode import decode_again
from hub.ingest.topics import matches
from hub.limits import HISTORY_INSTANCES
from hub.model import Event, Labels, Phase, Reason
from hub.rules.instance import NEVER, Gated, Instance, Sampled
from hub.rules.rule import Rule
from hub.rules.sampler import Sampler, sampler_of
from hub.rules.transition import Transition, make_context
from hub.rules.work import Work

__all__ = ["RuleState", "key_text"]

Key = tuple[str, ...]
_PENDING, _FIRING = Phase.PENDING, Phase.FIRING  # to fetch one of an enum costs 50 ns
_ABSENT_LABEL = ("reason", "absent")
_BY_CONDITION = {Reason.CONDITION, Reason.HELD, Reason.CLEARED}


class RuleState:
    """The state of one rule. Only what is not inactive, or waits for a sign of life, has an Instance."""

    def __init__(self, rule: Rule, work: Work) -> None:
        """Begin without instances."""
        self.rule = rule
        self.work = work
        self.instances: dict[Key, Instance] = {}
        self.serial = 0
        """What an event rule has said so far."""
        self.errors = 0
        self._awake: list[dict[Key, set[RuleState]]] = []
        names = {name: place for place, name in enumerate(rule.captures)}
        self._places = [names.get(name) for name in rule.by]
        self._static = None not in self._places
        self._timed = bool(rule.hold or rule.clear_hold or rule.absent or rule.pause or rule.mute)
        self.sampler = sampler_of(rule)
        self._parts: dict[str, list[tuple[str, Program]]] = {}

    # identity

    def key_of(self, captures: Key) -> Key | None:
        """Return the instance that captures alone make; None where payload fields take part."""
        return tuple([captures[place] for place in self._places if place is not None]) if self._static else None

    def _key(self, event: Event, captures: Key) -> Key:
        key = []
        for name, place in zip(self.rule.by, self._places, strict=True):
            if place is not None:
                key.append(captures[place])
            elif name in event.fields and not isinstance(event.fields[name], dict | list):
                key.append(key_text(event.fields[name]))
            else:
                raise EvaluationError(f"the payload has no single value {name!r}, which `by` needs")
        return tuple(key)

    def labels(self, key: Key) -> Labels:
        """Name the parts of a key."""
        return tuple(zip(self.rule.by, key, strict=True))

    def watch(self, awake: "dict[Key, set[RuleState]]") -> None:
        """Keep this set up to date: which rules have something pending or firing, by instance."""
        self._awake.append(awake)
        for key, instance in self.instances.items():
            if instance.phase is not Phase.INACTIVE:
                awake.setdefault(key, set()).add(self)

    # events

    def step(
        self, event: Event, captures: Key, key: Key | None, now: float, known: bool | EvaluationError | None = None
    ) -> None:
        """Evaluate one event; `known` is what `when` has come to, if somebody has evaluated it already."""
        try:
            if key is None:
                key = self._key(event, captures)
            if self.sampler is not None:
                self._sample(self.sampler, event, captures, key, now)
            if self.rule.alert:
                self._alert(event, captures, key, now, known)
            elif not event.retain:
                self._event(event, captures, key, now, known)
        except EvaluationError as error:
            self.failed(event, error)

    def failed(self, event: Event, error: EvaluationError) -> None:
        """Count an expression that had no value for an event, and say so."""
        self.errors += 1
        self.work.on_error(self.rule.name, event.topic, str(error))

    def _sample(self, sampler: Sampler, event: Event, captures: Key, key: Key, now: float) -> None:
        """Let the instance remember what the event brings, whatever the conditions will look at."""
        instance = self.instances.get(key)
        if instance is None:
            if len(self.instances) >= HISTORY_INSTANCES:
                self._forget_idlest()
            instance = self._instance(key)
        context = self._context(event, captures, now) if sampler.needs_context else None
        if instance.history is not None:
            sampler.feed(instance.history, event, captures, context)
        self.work.dirty.add((self, instance))
        if not instance.due:
            self.reschedule(instance)

    def _forget_idlest(self) -> None:
        """Forget a tenth of the instances that are kept for their samples alone, those that were silent longest."""
        idle = sorted((self._idle(each), key) for key, each in self.instances.items() if self._idle(each) < inf)
        for _, key in idle[: HISTORY_INSTANCES // 10]:
            self._forget(self.instances[key])

    def _event(self, event: Event, captures: Key, key: Key, now: float, known: bool | EvaluationError | None) -> None:
        when = self.rule.when
        if when is not None and not self._holds(when, event, captures, now, known):
            return
        self.serial += 1
        self.work.touch(self, None)
        labels, instance = self.labels(key), self.instances.get(key)
        self._emit(instance, labels, Phase.EVENT, Phase.INACTIVE, Reason.CONDITION, now, now, event, captures)

    def _holds(
        self, program: Program, event: Event, captures: Key, now: float, known: bool | EvaluationError | None = None
    ) -> bool:
        if known is not None:
            if isinstance(known, EvaluationError):
                raise known
            return known
        if program.needs_context:
            context: Context | None = self._context(event, captures, now)
        else:
            context = None if self.sampler is None else self.sampler.sight
        holds: bool = program.run(event.fields, captures, context)
        return holds

    def _context(self, event: Event, captures: Key, now: float) -> Context:
        rule = self.rule
        labels = dict(zip(rule.captures, captures, strict=True))
        labels |= {"alertname": rule.name, "severity": rule.severity}
        history = None if self.sampler is None else self.sampler.sight.history
        return make_context(event, self.work.registry.attributes(event.topic), labels, now, {}, history)

    def _alert(self, event: Event, captures: Key, key: Key, now: float, known: bool | EvaluationError | None) -> None:
        rule = self.rule
        instance = self.instances.get(key)
        if rule.absent is not None:
            instance = self._sign_of_life(event, captures, key, instance, now)
        if rule.when is not None:
            self._evaluate(rule.when, instance, event, captures, key, now, known)

    def _evaluate(
        self,
        when: Program,
        instance: Instance | None,
        event: Event,
        captures: Key,
        key: Key,
        now: float,
        known: bool | EvaluationError | None = None,
    ) -> None:
        if instance is not None and instance.phase is _FIRING:
            clear = self.rule.clear
            if clear is None:
                holds = self._holds(when, event, captures, now, known)
            else:
                holds = self._holds(clear, event, captures, now)
            self._firing(instance, holds is (clear is not None), event, captures, now)
        elif self._holds(when, event, captures, now, known):
            self._begin(instance or self._instance(key), event, captures, now)
        elif instance is not None and instance.phase is _PENDING:
            self._change(instance, Phase.INACTIVE, Reason.CONDITION, now, event, captures)

    def made(self, key: Key) -> Instance:
        """Return a new instance, which is not entered yet."""
        return Instance(key) if self.sampler is None else Sampled(key, self.sampler.new())

    def _instance(self, key: Key) -> Instance:
        return self.instances.setdefault(key, self.made(key))

    def _remember(self, instance: Instance, event: Event) -> None:
        if self._timed:
            instance.topic, instance.raw, instance.time = event.topic, event.raw, event.time
            self.work.dirty.add((self, instance))

    def _begin(self, instance: Instance, event: Event, captures: Key, now: float) -> None:
        """`when` holds and the instance is not firing. Only the clock ends a `for`: see `deadline`."""
        self._remember(instance, event)
        if instance.phase is Phase.PENDING:
            return
        instance.since = self._since(event, now)
        if not self.rule.hold:
            self._change(instance, Phase.FIRING, Reason.CONDITION, now, event, captures)
            return
        self._change(instance, Phase.PENDING, Reason.CONDITION, now, event, captures)
        self.work.schedule(self, instance, instance.since + self.rule.hold)

    def _since(self, event: Event, now: float) -> float:
        """Return from when on what this event says holds."""
        del event
        return now

    def _firing(self, instance: Instance, ends: bool, event: Event, captures: Key, now: float) -> None:
        """Let the end of a firing instance begin, go on, or be taken back."""
        self._remember(instance, event)
        if not ends:
            if instance.clearing:
                instance.clearing = NEVER
                self.work.touch(self, instance)
        elif not self.rule.clear_hold:
            self._change(instance, Phase.RESOLVED, Reason.CLEARED, now, event, captures)
        elif not instance.clearing:
            instance.clearing = now
            self.work.touch(self, instance)
            self.work.schedule(self, instance, now + self.rule.clear_hold)

    # silence

    def _sign_of_life(self, event: Event, captures: Key, key: Key, instance: Instance | None, now: float) -> Instance:
        """Note when the instance was last heard. A retained message is none, but makes the instance known."""
        if instance is None or not instance.seen:
            instance = instance or self._instance(key)
            instance.seen = now
            self.expect(instance)
        if event.retain:
            if instance.raw is None:
                self._remember(instance, event)
            return instance
        instance.seen = now
        self._remember(instance, event)
        if instance.silent:
            since, instance.silent = instance.silent, NEVER
            labels = self._absent_labels(key)
            self._emit(instance, labels, Phase.RESOLVED, Phase.FIRING, Reason.RETURNED, now, since, event, captures)
            self.expect(instance)
        return instance

    def expect(self, instance: Instance) -> None:
        """Set the time by which the instance must be heard."""
        if (due := self._silent_at(instance)) < inf:
            self.work.touch(self, instance)
            self.work.schedule(self, instance, due)

    def _silent_at(self, instance: Instance) -> float:
        """Return when the instance will have been silent for too long; inf where it is already, or may be."""
        absent = self.rule.absent
        return inf if absent is None or instance.silent else instance.seen + absent

    def _absent_labels(self, key: Key) -> Labels:
        labels = self.labels(key)
        return labels if self.rule.when is None else (*labels, _ABSENT_LABEL)

    # deadlines

    def deadline(self, instance: Instance, now: float) -> None:
        """The clock has reached the instance: do what is due, and set the next time."""
        if self.instances.get(instance.key) is not instance:
            return
        rule = self.rule
        if instance.phase is Phase.PENDING and now >= instance.since + rule.hold:
            self._change(instance, Phase.FIRING, Reason.HELD, now, *self.last(instance))
        elif instance.clearing and now >= instance.clearing + rule.clear_hold:
            self._change(instance, Phase.RESOLVED, Reason.CLEARED, now, *self.last(instance))
        if self._idle(instance) <= now:
            self._forget(instance)
            return
        if now >= self._silent_at(instance):
            instance.silent = now
            self.work.touch(self, instance)
            self._emit_silence(instance, Phase.FIRING, Phase.INACTIVE, Reason.ABSENT, now, now)
        self.reschedule(instance)

    def _idle(self, instance: Instance) -> float:
        """Return when the instance will be kept for its samples alone, and these for nothing."""
        if self.sampler is None or instance.history is None or self.rule.absent is not None:
            return inf
        return inf if instance.phase is not Phase.INACTIVE else instance.history.latest + self.sampler.idle

    def reschedule(self, instance: Instance) -> None:
        """Enter the instance's earliest deadline, if it has one."""
        times = []
        if instance.phase is Phase.PENDING:
            times.append(instance.since + self.rule.hold)
        if instance.clearing:
            times.append(instance.clearing + self.rule.clear_hold)
        times += [self._silent_at(instance), self._idle(instance)]
        if (due := min(times)) < inf:
            self.work.schedule(self, instance, due)

    def last(self, instance: Instance) -> tuple[Event | None, Key]:
        """Return the instance's last event and its captures, for a timer's texts."""
        levels = instance.topic.split("/")
        captures = next((p.values(levels) for p in self.rule.patterns if matches(p.filter, instance.topic)), None)
        if captures is None:
            known = dict(self.labels(instance.key))
            captures = tuple(known.get(name, "") for name in self.rule.captures)
        event = None if instance.raw is None else decode_again(instance.topic, instance.raw, instance.time)
        return event, captures

    # changes

    def _change(
        self, instance: Instance, phase: Phase, reason: Reason, now: float, event: Event | None, captures: Key
    ) -> None:
        before = instance.phase
        if phase is Phase.FIRING:
            instance.since = now
        since = instance.since
        instance.phase = Phase.INACTIVE if phase is Phase.RESOLVED else phase
        self.work.touch(self, instance)
        self._emit(instance, self.labels(instance.key), phase, before, reason, now, since, event, captures)
        if instance.phase is Phase.INACTIVE:
            instance.since = instance.clearing = NEVER
            self._wake(instance.key, awake=False)
            if self.sampler is not None:
                self.reschedule(instance)
            elif not self._keeps(instance):
                self._forget(instance)
        elif before is Phase.INACTIVE:
            self._wake(instance.key, awake=True)

    def _keeps(self, instance: Instance) -> bool:
        """Tell whether an inactive instance must be remembered."""
        del instance
        return self.sampler is not None or self.rule.absent is not None

    def _wake(self, key: Key, *, awake: bool) -> None:
        for sets in self._awake:
            if awake:
                sets.setdefault(key, set()).add(self)
            elif key in sets:
                sets[key].discard(self)
                if not sets[key]:
                    del sets[key]

    def _emit(
        self,
        instance: Instance | None,
        labels: Labels,
        phase: Phase,
        before: Phase,
        reason: Reason,
        at: float,
        since: float,
        event: Event | None,
        captures: Key,
        topic: str = "",
    ) -> None:
        """Hand a transition over; `topic` says which device it is about where no event does: it was never heard."""
        device = self.work.registry.attributes(topic if event is None else event.topic)
        shown = self.sampler.shown(instance.history) if self.sampler is not None and instance is not None else None
        values = self._values(instance, event, captures, at, reason)
        self.work.transitions.append(
            Transition(
                self.rule, labels, phase, before, reason, at, since, event, captures, device, self.serial, shown,
                self._is_muted(instance, phase), values,
            )
        )  # fmt: skip

    def _is_muted(self, instance: Instance | None, phase: Phase) -> bool:
        """Tell whether the rule's `mute` holds; note what is told."""
        del instance, phase
        return False

    def _values(
        self, instance: Instance | None, event: Event | None, captures: Key, at: float, reason: Reason
    ) -> Sequence[tuple[str, Any]]:
        """Take down what the parts of the condition in force came to."""
        rule = self.rule
        program = rule.clear or rule.when if reason is Reason.CLEARED else rule.when
        if program is None or event is None or reason not in _BY_CONDITION:
            return ()
        known = self._parts.get(program.text)
        if known is None:
            known = self._parts[program.text] = parts(program)
        if self.sampler is not None and instance is not None and instance.history is not None:
            self.sampler.sight.history = instance.history.slots
        return [(text, self._value(part, event, captures, at)) for text, part in known]

    def _value(self, part: Program, event: Event, captures: Key, at: float) -> Any:
        try:
            context = self._context(event, captures, at) if part.needs_context else None
            sight = None if self.sampler is None else self.sampler.sight
            return part.run(event.fields, captures, context or sight)
        except EvaluationError as error:
            return error.with_traceback(None)

    def _forget(self, instance: Instance) -> None:
        del self.instances[instance.key]
        instance.due = NEVER
        self.work.touch(self, instance)
        if instance.history is not None:
            self.work.unsampled.add((self.rule.name, instance.key))

    def _end_silence(self, instance: Instance, reason: Reason, now: float) -> None:
        if instance.silent:
            since, instance.silent = instance.silent, NEVER
            self.work.touch(self, instance)
            self._emit_silence(instance, Phase.RESOLVED, Phase.FIRING, reason, now, since)

    def _emit_silence(
        self, instance: Instance, phase: Phase, before: Phase, reason: Reason, now: float, since: float
    ) -> None:
        labels = self._absent_labels(instance.key)
        self._emit(instance, labels, phase, before, reason, now, since, *self.last(instance), instance.topic)

    # before and after a restart or reload; see loading

    def begin(self, now: float) -> None:
        """Look at the clock for the first time; the instances that were there before are in."""

    def resume(self, instance: Instance, now: float) -> None:
        """Go on with an instance from before, though `absent` or `pause` came to the rule or left it."""
        instance.due = NEVER
        if self.rule.absent is None:
            self._end_silence(instance, Reason.RULE_CHANGED, now)
        elif not instance.seen:
            instance.seen = now
            self.work.touch(self, instance)
        self._settle(instance, now)
        self._go_on(instance)

    def _go_on(self, instance: Instance) -> None:
        """Forget an instance that nothing needs any more; else enter its deadline."""
        if self.instances.get(instance.key) is not instance:
            return
        if instance.phase is Phase.INACTIVE and not self._keeps(instance):
            self._forget(instance)
        else:
            self.reschedule(instance)

    def _settle(self, instance: Instance, now: float) -> None:
        """Let go of what the rule asks for no longer: it has no `pause`, `mute` or `absent: auto` (any more)."""
        if isinstance(instance, Gated) and instance.extra is not None:
            paused, instance.extra = instance.extra.paused, None
            self.work.touch(self, instance)
            if paused:
                self._again(instance, now)

    def _again(self, instance: Instance, now: float) -> None:
        """Evaluate the remembered message as if it came now: a pause is over."""
        if instance.raw is None or self.rule.when is None:
            return
        event, captures = self.last(instance)
        if event is None:
            return
        try:
            if self.sampler is not None:
                self._sample(self.sampler, event, captures, instance.key, now)
            self._evaluate(self.rule.when, instance, event, captures, instance.key, now)
        except EvaluationError as error:
            self.failed(event, error)

    def drop(self, instance: Instance, reason: Reason, now: float) -> None:
        """Forget an instance that cannot be heard of any more, and end what it said."""
        self._forget(instance)
        self._end_silence(instance, reason, now)


def key_text(value: Any) -> str:
    """Write a payload's value as part of a key."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
