"""A rule at work: what an event or a deadline does to its instances. Pure: no clock, no I/O.

A message goes through the rule's parts (part.py), then the condition in force is asked, and condition.py says what that
changes; then the parts hear of it. A plain rule has no parts: its condition is all there is.
"""

from contextlib import suppress
from dataclasses import dataclass
from math import inf

from hub.errors import EvaluationError
from hub.limits import HISTORY_IDLE_SECONDS, HISTORY_INSTANCES
from hub.model import Event, Phase, Reason
from hub.rules.gates.schedule_alarm import ScheduleAlarm
from hub.rules.instances.instance import NEVER, Instance, Sampled, samples_of
from hub.rules.instances.rule_instances import Key, RuleInstances
from hub.rules.reading.rule import Rule
from hub.rules.rule_parts import RuleParts, speaks_later
from hub.rules.running import condition
from hub.rules.running.condition import PhaseChange
from hub.rules.running.engine_context import EngineContext
from hub.rules.running.part import Arrival
from hub.rules.running.rule_evaluator import RuleEvaluator
from hub.rules.running.transition_maker import TransitionMaker
from hub.rules.samples.moving import moving_of, stays
from hub.rules.samples.sampler import sampler_of

__all__ = ["Count", "RuleRunner"]

_NO_ROOM = f"more than {HISTORY_INSTANCES:,} instances have samples, or wait for a schedule"
_INACTIVE, _FIRING = Phase.INACTIVE, Phase.FIRING  # to fetch one of an enum costs 50 ns


@dataclass(slots=True)
class Count:
    """How many events rules have been evaluated for together: one number for all of them."""

    number: int = 0


class RuleRunner:
    """One rule, its instances, and the parts that it has beside its condition."""

    def __init__(self, rule: Rule, context: EngineContext) -> None:
        """Begin without instances."""
        self.rule, self.context = rule, context
        self.serial = 0
        """What an event rule has said so far."""
        self.matches = 0
        """Events for which its condition held."""
        self.heard = 0
        """Events it was evaluated for alone; `together` those it was evaluated for beside others."""
        self.together = Count()
        sampler, moving = sampler_of(rule), moving_of(rule)
        self.evaluator = RuleEvaluator(rule, context)
        self.instances = RuleInstances(self, context, sampler, timed=moving is not None or speaks_later(rule))
        made = RuleParts(self, context, sampler, moving)
        self.parts, self._befores, self._afters = made.all, made.befores, made.afters
        self.samples, self.absence, self.pause, self.mute = made.samples, made.absence, made.pause, made.mute
        self._turns, self._waits = made.turns, made.waits
        self._alarm = ScheduleAlarm(rule, context, made.clocks, self._turn_all) if made.clocks else None
        self.transitions = TransitionMaker(
            owner=self,
            context=context,
            instances=self.instances,
            evaluator=self.evaluator,
            sampler=sampler,
            is_muted=made.is_muted,
        )

    @property
    def evaluations(self) -> int:
        """For how many events it was evaluated."""
        return self.heard + self.together.number

    @property
    def errors(self) -> int:
        """How many evaluations had no value where that is an error."""
        return self.evaluator.errors

    @property
    def keeps_all(self) -> bool:
        """Whether an instance is remembered because it was heard, though nothing is the matter with it."""
        return self.samples is not None or self._waits

    def begin(self, now: float) -> None:
        """Let the clock follow the schedules, where the rule goes by any."""
        if self._alarm is not None:
            self._alarm.begin(now)

    # messages

    def step(self, event: Event, captures: Key, key: Key | None, now: float, is_late: bool = False) -> None:
        """Evaluate one event; `is_late`: its instance has heard a newer one of the same topic."""
        self.heard += 1
        try:
            if key is None:
                key = self.instances.key(event, captures)
            if self.parts:
                self._step_through(event, captures, key, now, is_late)
            elif not self.rule.alert:
                if not event.retain:
                    self._speak(event, captures, key, now)
            elif not is_late:
                self._judge(event, captures, key, now, event.time)
        except EvaluationError as error:
            self.evaluator.failed(event, error)

    def conclude(self, event: Event, captures: Key, key: Key, now: float, outcome: bool | EvaluationError) -> None:
        """Go on where `when` was evaluated, and counted, with that of other rules; only a plain rule can be."""
        try:
            if not self.rule.alert and event.retain:
                return
            if self.rule.clear is not None and self._fires(key):
                self._judge(event, captures, key, now, event.time)
            elif isinstance(outcome, EvaluationError):
                raise outcome
            elif self.rule.alert:
                if outcome or key in self.instances:
                    self._follow(self.instances.obtain(key), event, captures, now, event.time, outcome)
            elif outcome:
                self._tell(event, captures, key, now)
        except EvaluationError as error:
            self.evaluator.failed(event, error)

    def _fires(self, key: Key) -> bool:
        instance = self.instances.get(key)
        return instance is not None and instance.phase is _FIRING

    def _step_through(self, event: Event, captures: Key, key: Key, now: float, is_late: bool) -> None:
        """Let all parts take a message before and behind the condition; the first that keeps it back ends its way."""
        if self._alarm is not None:
            self._alarm.begin_once(now)
        arrival = Arrival(event, captures, key, now, is_late)
        try:
            for before in self._befores:
                if not before(arrival):
                    return
            if self.rule.alert:
                if arrival.is_late:
                    return
                if self._afters:
                    self._judge_arrival(arrival)
                else:
                    self._judge(event, captures, key, now, event.time)
            elif not event.retain:
                self._speak(arrival.event, captures, key, now)
        except EvaluationError as error:
            self.evaluator.failed(arrival.event, error)

    def _judge_arrival(self, arrival: Arrival) -> None:
        """Ask the condition, and let the parts hear what came of it, also where it has no value."""
        # its own time, which is now where nobody tells another: the source may (Delivery.time), or the device
        # (`timestamp`); what is judged again is of now
        event, now, judged = arrival.event, arrival.now, False
        at = now if arrival.is_replay else event.time
        try:
            self._judge(event, arrival.captures, arrival.key, now, at)
            judged = True
        finally:
            for after in self._afters:
                after(arrival, judged)

    def replay(self, arrival: Arrival) -> None:
        """Judge a message that was remembered, as if it came now."""
        try:
            for before in self._befores:
                before(arrival)
            self._judge_arrival(arrival)
        except EvaluationError as error:
            self.evaluator.failed(arrival.event, error)

    def step_behind(self, newer: Event, event: Event, captures: Key, key: Key | None, now: float) -> None:
        """Evaluate an event that came behind a newer one of its topic.

        It is a sign of life, a sample of windows, and what an event rule tells of. An alert goes by the newer one, if
        that is of the same instance.
        """
        try:
            is_late = key is not None or self.instances.key(newer, captures) == self.instances.key(event, captures)
        except EvaluationError:
            is_late = False  # the newer one says nothing of this instance
        self.step(event, captures, key, now, is_late)

    def live(self, event: Event, captures: Key, key: Key | None, now: float) -> None:
        """Take a message that could not be read as a sign of life, and as nothing else."""
        if self.absence is None:
            return
        try:
            arrival = Arrival(event, captures, self.instances.key(event, captures) if key is None else key, now, True)
            if self.pause is None or not self.pause.keep_sign(arrival):
                self.absence.hear(arrival)
            instance = self.instances.get(arrival.key)
            if instance is not None:
                self.instances.touch(instance)
                if instance.raw is None:  # without one, nobody would know it after a reload
                    self.instances.remember(instance, event)
        except EvaluationError as error:
            if key is not None:  # else nobody can know whose it is: `by` names a field of the payload
                self.evaluator.failed(event, error)

    # the condition

    def _judge(self, event: Event, captures: Key, key: Key, now: float, at: float) -> None:
        """Evaluate the condition in force and let the instance follow it; `at`: from when on what it says holds."""
        instance = self.instances.get(key)
        program = self.rule.when
        if instance is not None and instance.phase is _FIRING:
            program = self.rule.clear or program
        if program is None:
            return
        if program.needs_context:
            holds = self.evaluator.holds(program, instance, event, captures, now)
        elif program.history:
            holds = program.run(event.fields, captures, None, samples_of(instance))
        else:  # most ask nothing but the message
            holds = program.run(event.fields, captures, None)
        if holds or instance is not None:  # else it is as inactive as it was
            self._follow(instance or self.instances.obtain(key), event, captures, now, at, holds)

    def _follow(self, instance: Instance, event: Event, captures: Key, now: float, at: float, holds: bool) -> None:
        firing = instance.phase is _FIRING
        fires = holds is not (firing and self.rule.clear is not None)
        if fires:
            self.matches += 1
        if fires or firing:
            self.instances.remember(instance, event)
            if fires and firing and not instance.clearing_since:
                return  # it goes on firing, as most do: `follow` would say the same
        change = condition.follow(self.rule, instance, fires, at, now)
        if change is not None:
            self.apply(instance, change, now, event, captures)

    def _speak(self, event: Event, captures: Key, key: Key, now: float) -> None:
        """Tell of an event, where `when` holds for it."""
        when = self.rule.when
        if when is None or self.evaluator.holds(when, self.instances.get(key), event, captures, now):
            self._tell(event, captures, key, now)

    def _tell(self, event: Event, captures: Key, key: Key, now: float) -> None:
        self.matches += 1
        self.serial += 1
        self.context.dirty.add((self, None))
        labels, instance = self.instances.labels(key), self.instances.get(key)
        self.transitions.emit(instance, labels, Phase.EVENT, _INACTIVE, Reason.CONDITION, now, now, event, captures)

    def rehearse(self, event: Event, captures: Key, key: Key | None, now: float) -> None:
        """Evaluate `when` as `step` would and change nothing: for who measures what a rule costs.

        Raises:
            EvaluationError: it has no value.

        """
        if self.rule.when is None:
            return
        instance = None
        if self.samples is not None:
            instance = self.instances.get(self.instances.key(event, captures) if key is None else key)
            if instance is None or instance.history is None:
                return
        self.evaluator.holds(self.rule.when, instance, event, captures, now)

    def apply(self, instance: Instance, change: PhaseChange, now: float, event: Event | None, captures: Key) -> None:
        """Let an instance change as a condition says, and tell it."""
        rule, before = self.rule, instance.phase
        self.instances.touch(instance)
        if change.reason is None:
            instance.clearing_since = change.clearing_since
            if instance.clearing_since:
                self.instances.schedule(instance, instance.clearing_since + rule.clear_hold)
            return
        instance.phase = _INACTIVE if change.phase is Phase.RESOLVED else change.phase
        instance.since = change.since
        labels = self.instances.labels(instance.key)
        self.transitions.emit(instance, labels, change.phase, before, change.reason, now, change.since, event, captures)
        if instance.phase is _INACTIVE:
            self._leave(instance)
        elif before is _INACTIVE:
            self.instances.note_active(instance.key, True)
        if instance.phase is Phase.PENDING:
            self.instances.schedule(instance, instance.since + rule.hold)

    def _leave(self, instance: Instance) -> None:
        """Keep of an instance that is inactive again only what something needs."""
        instance.since = instance.clearing_since = NEVER
        self.instances.note_active(instance.key, False)
        if self.samples is not None:
            self.instances.line.heard(instance.key)
            self.reschedule(instance)
        elif not self._keeps(instance):
            self.instances.forget(instance)

    # the clock

    def deadline(self, instance: Instance, now: float) -> None:
        """The clock has reached the instance: do what is due, and set the next time."""
        if not self.instances.has(instance):
            return
        if self.parts:
            # before `for`: what a window takes away at this very moment has not held long enough; and of two things
            # that are due at the same time the change of a schedule goes first
            moved = self.samples is not None and self.samples.move(instance, now)
            self._turn(instance, now, turned=moved or (self._alarm is not None and self._alarm.is_due(now)))
            if not self.instances.has(instance):
                return
        change = condition.elapsed(self.rule, instance, now)
        if change is not None:
            self.apply(instance, change, now, *self.instances.last(instance))
            if not self.instances.has(instance):
                return
        if self.idle(instance) <= now:
            self.instances.forget(instance)
            return
        if self.absence is not None:
            self.absence.look(instance, now)
        self.reschedule(instance)
        if self.mute is not None:
            self.mute.follow(instance, now)

    def _turn_all(self, now: float) -> None:
        """Let all instances follow the schedules."""
        for instance in list(self.instances.values()):
            self._turn(instance, now, turned=True)

    def _turn(self, instance: Instance, now: float, *, turned: bool) -> None:
        """Let an instance follow the clock; `turned`: what a condition may ask of it may have changed."""
        for part in self.parts:
            if self.instances.has(instance):
                part.turn(instance, now, turned=turned)
        if turned and self._turns and self.instances.has(instance):
            self.judge_again(instance, now)

    def judge_again(self, instance: Instance, now: float) -> None:
        """Evaluate `when` or `clear` for the last message, as if it came now: the clock may have changed the answer.

        Under a pause its end does so. Nobody is asked about `mute`: that was done when the message came.
        """
        if instance.raw is None or (instance.gates is not None and instance.gates.paused):
            return
        event, captures = (None, ()) if stays(self.rule, instance) else self.instances.last(instance)
        if event is not None:
            matches = self.matches
            with suppress(EvaluationError):  # nothing new has come: it stays as it was, and that was counted already
                self._judge(event, captures, instance.key, now, now)
            self.matches = matches
        if self.mute is not None:
            self.mute.follow(instance, now)
        self.go_on(instance)

    def reschedule(self, instance: Instance) -> None:
        """Enter the instance's earliest deadline, if it has one."""
        due = condition.due(self.rule, instance)
        if self.parts:
            due = min(due, self.idle(instance), *[part.due(instance) for part in self.parts])
        if due < inf:
            self.instances.schedule(instance, due)

    def go_on(self, instance: Instance) -> None:
        """Forget an instance that nothing needs any more; else enter its deadline."""
        if not self.instances.has(instance):
            return
        if instance.phase is _INACTIVE and not self._keeps(instance):
            self.instances.forget(instance)
        else:
            self.reschedule(instance)

    # who is kept

    def _keeps(self, instance: Instance) -> bool:
        """Tell whether an inactive instance must be remembered."""
        return any(part.keeps(instance) for part in self.parts)

    def idle(self, instance: Instance) -> float:
        """Return when the instance will be kept for nothing, inf where it is kept on."""
        if any(gate.keeps(instance) for gate in (self.pause, self.mute) if gate is not None):
            return inf
        samples = inf if self.samples is None else self.samples.idle(instance)
        if not self._waits or instance.phase is not _INACTIVE or self.rule.absent is not None:
            return samples
        return max(instance.time + HISTORY_IDLE_SECONDS, samples if samples < inf else NEVER)

    def make_room(self, event: Event) -> None:
        """Where too many stand in line, forget a few of those that were silent longest, and say so."""
        gone = 0
        for key in self.instances.line.take():
            instance = self.instances.get(key)
            if instance is None or instance.phase is not _INACTIVE:
                continue
            if self.idle(instance) < inf:
                self.instances.forget(instance)
            elif self.samples is None or self.rule.absent is None or not isinstance(instance, Sampled):
                continue  # what a gate said of it is remembered on
            else:  # for `absent` it is known on
                self.samples.void(instance)
            gone += 1
        if gone:
            message = f"{_NO_ROOM}: {gone}, silent longest, are forgotten"
            self.context.on_error(self.rule.name, event.topic, message)
