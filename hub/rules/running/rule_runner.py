"""A rule at work: what an event or a deadline does to its instances. Pure: no clock, no I/O.

A message goes through the rule's parts (part.py); then the condition in force is evaluated, and condition.py says what
that changes; then the parts take the message a second time. A plain rule has no parts, only its condition.
"""

from contextlib import suppress
from math import inf

from hub.errors import EvaluationError
from hub.limits import HISTORY_IDLE_SECONDS, HISTORY_INSTANCES
from hub.model import Event, Phase, Reason
from hub.rules.gates.schedule_alarm import ScheduleAlarm
from hub.rules.instances.arrival import Arrival
from hub.rules.instances.instance import NEVER, Instance, Sampled, samples_of
from hub.rules.instances.rule_instances import Key, RuleInstances
from hub.rules.reading.rule import Rule
from hub.rules.rule_parts import RuleParts, speaks_later
from hub.rules.running import condition
from hub.rules.running.condition import PhaseChange
from hub.rules.running.engine_context import Count, EngineContext
from hub.rules.running.rule_evaluator import RuleEvaluator
from hub.rules.running.transition_maker import TransitionMaker
from hub.rules.samples.moving import moving_of, stays
from hub.rules.samples.sampler import sampler_of

__all__ = ["RuleRunner"]

_NO_ROOM = f"more than {HISTORY_INSTANCES:,} instances have samples, or wait for a schedule"
_INACTIVE, _PENDING, _FIRING = Phase.INACTIVE, Phase.PENDING, Phase.FIRING  # to fetch one of an enum costs 50 ns
_RESOLVED = Phase.RESOLVED


class RuleRunner:
    """One rule, its instances, and the parts that it has beside its condition."""

    def __init__(self, rule: Rule, context: EngineContext) -> None:
        """Begin without instances."""
        self.rule, self.context = rule, context
        self.serial = 0
        """How many notifications an event rule has caused so far: a part of their ids, so it never goes back."""
        self.matches = 0
        """Events for which its condition was true."""
        self.heard = 0
        """Events for which the rule was evaluated alone; `together` counts those of its batch."""
        self.together = Count()
        self.cause: Reason | None = None
        """Why it judges what it has judged before; None while it judges a message, or by the clock."""
        sampler, moving = sampler_of(rule, context.local), moving_of(rule)
        self.evaluator, timed = RuleEvaluator(rule, context), moving is not None or speaks_later(rule)
        self.instances = RuleInstances(self, context, sampler, self.evaluator.value, timed=timed)
        made = RuleParts(self, context, sampler, moving)
        self.parts, self._befores, self._afters = made.all, made.befores, made.afters
        self._followers, self._dues, self._keeps = made.followers, made.dues, made.keeps
        self.samples, self.absence, self.pause, self.mute = made.samples, made.absence, made.pause, made.mute
        self._turns, self._waits, self.late = made.turns, made.waits, made.late
        self.members = made.members
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
        """For how many events the rule was evaluated, alone and in its batch."""
        return self.heard + self.together.number

    @property
    def errors(self) -> int:
        """How many evaluations had no value, as far as that counts as an error."""
        return self.evaluator.errors

    @property
    def keeps_all(self) -> bool:
        """Whether each instance that was heard is remembered, even an inactive one."""
        return self.samples is not None or self._waits

    def begin(self, now: float) -> None:
        """Set the first deadline of the schedules, if the rule follows any; called at each start and reload."""
        if self._alarm is not None:
            self._alarm.begin(now)

    # messages

    def step(self, event: Event, captures: Key, key: Key | None, now: float, is_late: bool = False) -> None:
        """Evaluate one event; `is_late`: its instance has heard a newer one. An error is counted here, never raised."""
        self.heard += 1
        try:
            if key is None:
                key = self.instances.key(event, captures)
            if self.parts:
                self._step_through(event, captures, key, now, is_late)
            elif not self.rule.alert:
                if not event.retain:  # the broker repeats a retained message at each subscription: it is no moment
                    self._speak(None, event, captures, key, now)
            elif not is_late:  # an older message says nothing of how things are now
                self._judge(self.instances.get(key), event, captures, key, now, event.time)
        except EvaluationError as error:
            self.evaluator.failed(event, error)

    def conclude(self, event: Event, captures: Key, key: Key, now: float, outcome: bool | EvaluationError) -> None:
        """Go on after the batch has evaluated and counted `when`; `outcome` is its value, or its error."""
        try:
            if not self.rule.alert and event.retain:  # as in `step`
                return
            instance = self.instances.get(key)
            if self.rule.clear is not None and instance is not None and instance.phase is _FIRING:
                self._judge(instance, event, captures, key, now, event.time)  # the condition in force is another one
            elif isinstance(outcome, EvaluationError):
                raise outcome
            elif self.rule.alert:
                if outcome or instance is not None:
                    self._follow(instance or self.instances.obtain(key), event, captures, now, event.time, outcome)
            elif outcome:
                self._tell(event, captures, key, now)
        except EvaluationError as error:
            self.evaluator.failed(event, error)

    def _step_through(self, event: Event, captures: Key, key: Key, now: float, is_late: bool) -> None:
        """Let all parts take a message before and after the condition; the first that keeps it back ends its way."""
        arrival = self.context.arrival
        arrival.event, arrival.captures, arrival.key, arrival.now = event, captures, key, now
        arrival.instance, arrival.is_late = self.instances.get(key), is_late
        arrival.is_replay = arrival.was_judged = False
        try:
            for before in self._befores:
                if not before(arrival):
                    return
            if self.rule.alert:
                if arrival.is_late and self.late is None:  # parts have taken what counts: a sample, a sign of life
                    if self.rule.late and arrival.instance is not None:
                        self.judge_again(arrival.instance, now)  # what the windows say now
                    return
                if self._afters:
                    self._judge_arrival(arrival)
                else:
                    self._judge(arrival.instance, event, captures, key, now, event.time)
            elif not event.retain:
                self._speak(arrival.instance, arrival.event, captures, key, now)
        except EvaluationError as error:
            self.evaluator.failed(arrival.event, error)

    def _judge_arrival(self, arrival: Arrival) -> None:
        """Evaluate the condition, and let the parts take the message after it, even where it has no value."""
        # the event's own time counts, which the source (Delivery.time) or the device (`timestamp`) may have set; for
        # a remembered message, now counts
        event, now, judged = arrival.event, arrival.now, False
        at = now if arrival.is_replay else event.time
        try:
            if self.late is not None:
                self.late.take(arrival)
                if arrival.is_late:
                    return
            else:
                self._judge(arrival.instance, event, arrival.captures, arrival.key, now, at)
            judged = True
        finally:
            arrival.instance = self.instances.get(arrival.key)
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
        """Evaluate an event that came later than a newer one of its topic.

        It still is a sign of life, a sample of windows, and something for an event rule to tell. An alert follows the
        newer one, if both are about the same instance.
        """
        try:
            is_late = key is not None or self.instances.key(newer, captures) == self.instances.key(event, captures)
        except EvaluationError:
            is_late = False  # the newer one names no instance, so it is not about this one
        self.step(event, captures, key, now, is_late)

    def live(self, event: Event, captures: Key, key: Key | None, now: float) -> None:
        """Take a message whose payload could not be read: it is a sign of life, and nothing else."""
        if self.absence is None:
            return
        try:
            known = self.instances.key(event, captures) if key is None else key
            arrival = Arrival.made(event, captures, known, self.instances.get(known), now, is_late=True)
            if self.pause is None or not self.pause.keep_sign(arrival):
                self.absence.hear(arrival)
            instance = arrival.instance
            if instance is not None:
                self.instances.touch(instance)
                if instance.raw is None:  # an instance without a message is taken for one that was never heard
                    self.instances.remember(instance, event)
        except EvaluationError as error:
            if key is not None:  # else `by` names a field of the payload, and nobody can tell whose message it is
                self.evaluator.failed(event, error)

    # what is reported of its devices (it is a WillHearing)

    def reported(self, event: Event, captures: Key, now: float) -> bool:
        """Evaluate `when` of `offline`.

        Raises:
            EvaluationError: it has no value.

        """
        offline = self.rule.offline
        return offline is not None and self.evaluator.value(offline.when, event, captures, now) is True

    def failed(self, event: Event, error: EvaluationError) -> None:
        """Count a report that says nothing."""
        self.evaluator.failed(event, error)

    def expect_gone(self, event: Event, captures: Key, now: float) -> None:
        """Make the instance known of whose device the first thing heard is that it is gone."""
        key = self.instances.key_of(captures)
        if self.absence is None or key is None or self.rule.offline is None or self.rule.offline.pattern.is_shared:
            return
        try:
            self.absence.hear(Arrival.made(event, captures, key, self.instances.get(key), now, is_late=True))
        except EvaluationError as error:
            self.evaluator.failed(event, error)

    # the condition

    def _judge(self, instance: Instance | None, event: Event, captures: Key, key: Key, now: float, at: float) -> None:
        """Evaluate the condition in force and let the instance follow it; `at`: since when its answer holds."""
        program, phase = self.rule.when, _INACTIVE if instance is None else instance.phase
        if phase is _FIRING:
            program = self.rule.clear or program
        if program is None:
            return
        if program.needs_context:
            holds = self.evaluator.holds(program, instance, event, captures, now)
        elif program.history and instance is not None:
            holds = program.run(event.fields, captures, None, samples_of(instance))
        else:  # most conditions need only the message
            holds = program.run(event.fields, captures, None)
        if holds or phase is not _INACTIVE:  # else it stays inactive
            self._follow(instance or self.instances.obtain(key), event, captures, now, at, holds)

    def _follow(self, instance: Instance, event: Event, captures: Key, now: float, at: float, holds: bool) -> None:
        firing = instance.phase is _FIRING
        fires = holds is not (firing and self.rule.clear is not None)
        if fires:
            self.matches += 1
        if fires or firing:
            if self.instances.timed:
                self.instances.remember(instance, event)
            if fires and firing and not instance.clearing_since:
                return  # it goes on firing, as most do: `follow` would return no change
        change = condition.follow(self.rule, instance, fires, at, now)
        if change is not None:
            self.apply(instance, change, now, event, captures)

    def _speak(self, instance: Instance | None, event: Event, captures: Key, key: Key, now: float) -> None:
        """Emit a transition for an event, if `when` is true for it."""
        when = self.rule.when
        if when is not None and (when.needs_context or when.history):
            holds = self.evaluator.holds(when, instance, event, captures, now)
        else:  # most conditions need only the message
            holds = when is None or when.run(event.fields, captures, None)
        if holds:
            self._tell(event, captures, key, now)

    def _tell(self, event: Event, captures: Key, key: Key, now: float) -> None:
        self.matches += 1
        self.serial += 1
        self.context.dirty.add((self, None))
        labels, instance = self.instances.labels(key), self.instances.get(key)
        self.transitions.emit(instance, labels, Phase.EVENT, _INACTIVE, Reason.CONDITION, now, now, event, captures)

    def rehearse(self, event: Event, captures: Key, key: Key | None, now: float) -> None:
        """Evaluate `when` as `step` would and change nothing; operate/api measures a rule's cost by it.

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
        """Change an instance as the condition says, emit the transition, and enter the deadline that follows."""
        rule, before = self.rule, instance.phase
        self.instances.touch(instance)
        if change.reason is not None and self.cause is not None:
            change = change._replace(reason=self.cause)
        if change.reason is None:  # only `clear_for` begins or is taken back: nobody is told
            instance.clearing_since = change.clearing_since
            if instance.clearing_since:
                self.instances.schedule(instance, instance.clearing_since + rule.clear_hold)
            return
        instance.phase = _INACTIVE if change.phase is _RESOLVED else change.phase
        instance.since = change.since
        labels = self.instances.labels(instance.key)
        self.transitions.emit(instance, labels, change.phase, before, change.reason, now, change.since, event, captures)
        if instance.phase is _INACTIVE:
            self._leave(instance)
        elif before is _INACTIVE:
            self.instances.note_active(instance.key, True)
        if instance.phase is _PENDING:
            self.instances.schedule(instance, instance.since + rule.hold)

    def _leave(self, instance: Instance) -> None:
        """Forget an instance that is inactive again, or keep it where a part needs it."""
        instance.since = instance.clearing_since = NEVER
        self.instances.note_active(instance.key, False)
        if self.samples is not None:  # it stands in line by its samples: it leaves when these are too old or too many
            self.instances.line.heard(instance.key)
            self.reschedule(instance)
        elif not self._is_kept(instance):
            self.instances.forget(instance)

    # the clock

    def deadline(self, instance: Instance, now: float) -> None:
        """Do what is due for an instance whose time has come, and set its next time."""
        if not self.instances.has(instance):
            return
        if self.parts:
            # Before `for`: a condition that a window turns false at this very moment has not held long enough. And of
            # two things that are due at the same time, the change of a schedule goes first.
            moved = self.samples is not None and self.samples.move(instance, now)
            moved = moved or (self.members is not None and self.members.move(instance, now))
            self._turn(instance, now, turned=moved or (self._alarm is not None and self._alarm.is_due(now)))
            if not self.instances.has(instance):
                return
        change = condition.elapsed(self.rule, instance, now)
        if change is not None:
            self.apply(instance, change, now, *self.instances.last(instance))
            if not self.instances.has(instance):
                return
        if self.idle(instance) <= now:  # it was kept for samples or messages alone, which are too old by now
            self.instances.forget(instance)
            return
        if self.absence is not None:
            self.absence.look(instance, now)
        self.reschedule(instance)
        if self.mute is not None:
            self.mute.follow(instance, now)

    def _turn_all(self, now: float) -> None:
        """Let all instances follow the schedules, one of which has changed."""
        for instance in list(self.instances.values()):
            self._turn(instance, now, turned=True)

    def _turn(self, instance: Instance, now: float, *, turned: bool) -> None:
        """Let an instance follow the clock; `turned`: a schedule or window that a condition asks may have changed."""
        for follow in self._followers:
            if self.instances.has(instance):
                follow(instance, now, turned=turned)
        if turned and self._turns and self.instances.has(instance):
            self.judge_again(instance, now)

    def judge_again(self, instance: Instance, now: float) -> None:
        """Evaluate `when` or `clear` for the last message, as if it came now: the clock may have changed the answer.

        Under a pause nothing is judged: the end of the pause judges the message. `mute` is not asked again, because it
        was asked when the message came.
        """
        if (instance.raw is None and self.members is None) or (instance.gates is not None and instance.gates.paused):
            return
        if self.samples is not None:
            self.samples.advance(instance, now)
        event, captures = (None, ()) if stays(self.rule, instance) else self.instances.last(instance)
        if event is None and self.members is not None:  # only the registry knows them
            event = Event(instance.topic, b"", {}, None, now, 0, True)
        if event is not None:
            matches = self.matches
            with suppress(EvaluationError):  # without a value it stays as it was; the error was counted when it came
                self._judge(instance, event, captures, instance.key, now, now)
            self.matches = matches
        if self.mute is not None:
            self.mute.follow(instance, now)
        self.go_on(instance)

    def judge_last(self, event: Event, captures: Key, key: Key, now: float) -> None:
        """Judge the last message of a topic, as if it came now; an instance that remembers its own judges that one."""
        instance = self.instances.get(key)
        if instance is not None and instance.raw is not None:
            self.judge_again(instance, now)
        elif self.pause is None or not self.pause.keep(event, captures, key, now):
            with suppress(EvaluationError):  # it was counted when the message came
                self._judge(instance, event, captures, key, now, now)

    def reschedule(self, instance: Instance) -> None:
        """Enter the instance's earliest deadline, if it has one."""
        due = condition.due(self.rule, instance)
        if self.parts:
            due = min(due, self.idle(instance), *[each(instance) for each in self._dues])
        if due < inf:
            self.instances.schedule(instance, due)

    def go_on(self, instance: Instance) -> None:
        """Forget an instance that nothing needs any longer; else enter its deadline."""
        if not self.instances.has(instance):
            return
        if instance.phase is _INACTIVE and not self._is_kept(instance):
            self.instances.forget(instance)
        else:
            self.reschedule(instance)

    # which instances are kept

    def _is_kept(self, instance: Instance) -> bool:
        """Tell whether any part needs an instance that is inactive."""
        return True in [keeps(instance) for keeps in self._keeps]  # `any` of a generator takes twice the time

    def idle(self, instance: Instance) -> float:
        """Return when nothing will need the instance any longer, in seconds since 1970; inf where something will."""
        if self.samples is None and not self._waits:  # what is kept at all is kept for what does not grow old
            return inf
        for gate in (self.pause, self.mute):
            if gate is not None and gate.keeps(instance):
                return inf  # a gate's state is known nowhere else
        samples = inf if self.samples is None else self.samples.idle(instance)
        if not self._waits or instance.phase is not _INACTIVE or self.rule.absent is not None:
            return samples
        return max(instance.time + HISTORY_IDLE_SECONDS, samples if samples < inf else NEVER)

    def make_room(self, event: Event) -> None:
        """Where too many instances stand in line, forget a few that were not heard for longest, and report it."""
        gone = 0
        for key in self.instances.line.take():
            instance = self.instances.get(key)
            if instance is None or instance.phase is not _INACTIVE:  # an alert is never forgotten for lack of room
                continue
            if self.idle(instance) < inf:
                self.instances.forget(instance)
            elif self.samples is None or self.rule.absent is None or not isinstance(instance, Sampled):
                continue  # the state of its gate is still needed
            else:  # `absent` still needs the instance, so only its samples go
                self.samples.void(instance)
            gone += 1
        if gone:
            message = f"{_NO_ROOM}: {gone}, silent longest, are forgotten"
            self.context.on_error(self.rule.name, event.topic, message)
