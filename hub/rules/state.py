"""A rule at work: what an event or a deadline does to its instances. Pure: no clock, no I/O.

    inactive ──when──▶ pending ──for──▶ firing ──clear, clear_for──▶ resolved (and forgotten)

`absent` runs beside it on the same instance (absence.py), and so do windows that move by the clock (moving.py); `pause`
and `mute` stand before it (gated.py).
"""

from math import inf

from hub.errors import EvaluationError
from hub.expressions import Context, Program
from hub.limits import HISTORY_INSTANCES
from hub.model import Event, Phase, Reason
from hub.rules.absence import Absence
from hub.rules.attended import absence_of
from hub.rules.instance import NEVER, Instance, Sampled, samples_of
from hub.rules.line import Line
from hub.rules.moving import Moving, moving_of, stays
from hub.rules.roster import Key, Roster
from hub.rules.rule import Rule
from hub.rules.sampler import Sampler
from hub.rules.work import Work

__all__ = ["RuleState"]

_NO_ROOM = f"more than {HISTORY_INSTANCES:,} instances have samples, or wait for a schedule"
_PENDING, _FIRING = Phase.PENDING, Phase.FIRING  # to fetch one of an enum costs 50 ns


class RuleState(Roster):
    """The state of one rule."""

    def __init__(self, rule: Rule, work: Work) -> None:
        """Begin without instances."""
        super().__init__(rule, work)
        self.absence = absence_of(self)
        self.moving = moving_of(rule)
        self._timed = self._timed or self.moving is not None
        self._awake: list[dict[Key, set[RuleState]]] = []

    def watch(self, awake: "dict[Key, set[RuleState]]") -> None:
        """Keep this set up to date: which rules have something pending or firing, by instance."""
        self._awake.append(awake)
        for key, instance in self.instances.items():
            if instance.phase is not Phase.INACTIVE:
                awake.setdefault(key, set()).add(self)

    def _wake(self, key: Key, *, awake: bool) -> None:
        for sets in self._awake:
            if awake:
                sets.setdefault(key, set()).add(self)
            elif key in sets:
                sets[key].discard(self)
                if not sets[key]:
                    del sets[key]

    @property
    def keeps_all(self) -> bool:
        """Whether an instance is remembered because it was heard, though nothing is the matter with it."""
        return self.sampler is not None

    def begin(self, now: float) -> None:
        """Set what the clock is wanted for apart from instances: nothing, unless there are schedules."""

    # events

    def step(
        self, event: Event, captures: Key, key: Key | None, now: float, known: bool | EvaluationError | None = None
    ) -> None:
        """Evaluate one event; `known` is what `when` has come to, if somebody has evaluated and counted it already."""
        if known is None:
            self.heard += 1
        try:
            if key is None:
                key = self.key(event, captures)
            if self.sampler is not None:
                self.sample(self.sampler, event, captures, key, now)
            if self.rule.alert:
                instance = self.instances.get(key)
                if self.absence is not None:
                    instance = self.absence.hear(event, captures, key, instance, now)
                if not self.overtaken and self.moving is None:
                    self.judge(instance, event, captures, key, now, known)
                elif self.moving is not None and not self.overtaken:
                    self._judge_moving(self.moving, event, captures, key, now, known)
            elif not event.retain:
                self._event(event, captures, key, now, known)
        except EvaluationError as error:
            self.failed(event, error)

    def _judge_moving(
        self, moving: Moving, event: Event, captures: Key, key: Key, now: float, known: bool | EvaluationError | None
    ) -> None:
        """Judge a message that the clock will judge again, or the one before it where this one has no value."""
        instance = self.instances[key]
        try:
            self.judge(instance, event, captures, key, now, known)
        except EvaluationError:
            if instance.raw is not None:
                self.work.schedule(self, instance, moving.owe(instance, now))
            raise
        self.remember(instance, event)

    def live(self, absence: Absence, event: Event, captures: Key, key: Key | None, now: float) -> None:
        """Take a message that could not be read as a sign of life, and as nothing else."""
        self.overtaken = True
        try:
            self._live(absence, event, captures, self.key(event, captures) if key is None else key, now)
        except EvaluationError as error:
            if key is not None:  # else nobody can know whose it is: `by` names a field of the payload
                self.failed(event, error)
        finally:
            self.overtaken = False

    def _live(self, absence: Absence, event: Event, captures: Key, key: Key, now: float) -> None:
        instance = absence.hear(event, captures, key, self.instances.get(key), now)
        if instance is not None:
            self.note(instance, event)

    def note(self, instance: Instance, event: Event) -> None:
        """Let what was heard of an instance be written, and be told of where nothing better is known of it."""
        self.work.touch(self, instance)
        if instance.raw is None:  # without one, nobody would know it after a reload
            self.overtaken = False
            self.remember(instance, event)

    def step_behind(self, newer: Event, event: Event, captures: Key, key: Key | None, now: float) -> None:
        """Evaluate an event that came behind a newer one of its topic.

        It is a sign of life, a sample of windows, and what an event rule tells of. An alert goes by the newer one, if
        that is of the same instance.
        """
        try:
            self.overtaken = key is not None or self.key(newer, captures) == self.key(event, captures)
        except EvaluationError:
            self.overtaken = False  # the newer one says nothing of this instance
        try:
            self.step(event, captures, key, now)
        finally:
            self.overtaken = False

    def sample(
        self, sampler: Sampler, event: Event, captures: Key, key: Key, now: float, *, early: bool = False
    ) -> None:
        """Let the instance remember what the event brings, whatever the conditions will look at."""
        instance = self.instances.get(key)
        if instance is None:
            instance = self.instance(key)
        if not self.line.heard(key):
            self.make_room(event)
        context = self.context(event, captures, now) if sampler.needs_context else None
        is_sooner = False
        if instance.history is not None:
            feed = sampler.feed_late if self.overtaken else sampler.feed
            feed(instance.history, event, captures, context, early=early)
            if self.moving is not None:  # with less lag, what is in the windows leaves sooner than was entered
                is_sooner = self.moving.follow(instance.history, event, now)
        self.work.dirty.add((self, instance))
        if instance.due == inf:
            self.reschedule(instance)
        elif self.moving is not None and (is_sooner or self.overtaken or self.moving.begins(instance)):
            self.work.schedule(self, instance, self.moving.due(instance))

    def make_room(self, event: Event) -> None:
        """Where too many stand in line, forget a few of those that were silent longest, and say so."""
        gone = 0
        for key in self.line.take():
            instance = self.instances.get(key)
            if instance is None or instance.phase is not Phase.INACTIVE:
                continue
            if self.idle(instance) < inf:
                self.forget(instance)
            elif self.sampler is None or self.rule.absent is None or not isinstance(instance, Sampled):
                continue  # what a gate said of it is remembered on
            else:  # for `absent` it is known on
                instance.history = self.sampler.new()
                self.work.unsampled.add((self.rule.name, key))
                self.work.touch(self, instance)
            gone += 1
        if gone:
            self.work.on_error(self.rule.name, event.topic, f"{_NO_ROOM}: {gone}, silent longest, are forgotten")

    def line_up(self) -> None:
        """Let the instances of before a restart or reload stand in line, who was heard last behind all others."""
        kept = self.instances.items() if self.keeps_all else ()
        found = [(each.time if each.history is None else each.history.latest, key) for key, each in kept]
        self.line = Line(key for at, key in sorted(found) if at)

    def _event(self, event: Event, captures: Key, key: Key, now: float, known: bool | EvaluationError | None) -> None:
        when = self.rule.when
        if when is not None and not self.holds(when, self.instances.get(key), event, captures, now, known):
            return
        self.matches += 1
        self.serial += 1
        self.work.touch(self, None)
        labels, instance = self.labels(key), self.instances.get(key)
        self.emit(instance, labels, Phase.EVENT, Phase.INACTIVE, Reason.CONDITION, now, now, event, captures)

    def holds(
        self,
        program: Program,
        instance: Instance | None,
        event: Event,
        captures: Key,
        now: float,
        known: bool | EvaluationError | None = None,
    ) -> bool:
        """Evaluate a condition.

        Raises:
            EvaluationError: it has no value.

        """
        if known is not None:
            if isinstance(known, EvaluationError):
                raise known
            return known
        if program.needs_context:
            context: Context | None = self.context(event, captures, now) if program.asks_event else self.clock(now)
        else:
            context = None
        if program.history:
            holds: bool = program.run(event.fields, captures, context, samples_of(instance))
        else:
            holds = program.run(event.fields, captures, context)
        return holds

    def judge(
        self,
        instance: Instance | None,
        event: Event,
        captures: Key,
        key: Key,
        now: float,
        known: bool | EvaluationError | None = None,
    ) -> None:
        """Evaluate the condition in force and let the instance follow it."""
        rule = self.rule
        if rule.when is None:
            return
        if instance is not None and instance.phase is _FIRING:
            clear = rule.clear
            if clear is None:
                holds = self.holds(rule.when, instance, event, captures, now, known)
            else:
                holds = self.holds(clear, instance, event, captures, now)
            self._firing(instance, holds is (clear is not None), event, captures, now)
        elif self.holds(rule.when, instance, event, captures, now, known):
            self._begin(instance or self.instance(key), event, captures, now)
        elif instance is not None and instance.phase is _PENDING:
            self.change(instance, Phase.INACTIVE, Reason.CONDITION, now, event, captures)

    def _begin(self, instance: Instance, event: Event, captures: Key, now: float) -> None:
        """`when` holds and the instance is not firing. Only the clock ends a `for`: see `deadline`."""
        self.matches += 1
        self.remember(instance, event)
        if instance.phase is Phase.PENDING:
            return
        instance.since = self._since(event, now)
        if not self.rule.hold:
            self.change(instance, Phase.FIRING, Reason.CONDITION, now, event, captures)
            return
        self.change(instance, Phase.PENDING, Reason.CONDITION, now, event, captures)
        self.work.schedule(self, instance, instance.since + self.rule.hold)

    def _firing(self, instance: Instance, ends: bool, event: Event, captures: Key, now: float) -> None:
        """Let the end of a firing instance begin, go on, or be taken back."""
        self.remember(instance, event)
        if not ends:
            self.matches += 1
            if instance.clearing:
                instance.clearing = NEVER
                self.work.touch(self, instance)
        elif not self.rule.clear_hold:
            self.change(instance, Phase.RESOLVED, Reason.CLEARED, now, event, captures)
        elif not instance.clearing:
            instance.clearing = self._since(event, now)
            self.work.touch(self, instance)
            self.work.schedule(self, instance, instance.clearing + self.rule.clear_hold)

    def _since(self, event: Event, now: float) -> float:
        """Return from when on what this event says holds: its own time, which is now where nobody tells another.

        The source may tell one (Delivery.time), or the device (`timestamp`). What is judged again is of now.
        """
        return now if self.replaying else event.time

    def rehearse(self, event: Event, captures: Key, key: Key | None, now: float) -> None:
        """Evaluate `when` as `step` would and change nothing: for who measures what a rule costs.

        Raises:
            EvaluationError: it has no value.

        """
        if self.rule.when is None:
            return
        instance = None
        if self.sampler is not None:
            instance = self.instances.get(self.key(event, captures) if key is None else key)
            if instance is None or instance.history is None:
                return
        self.holds(self.rule.when, instance, event, captures, now)

    # deadlines

    def deadline(self, instance: Instance, now: float) -> None:
        """The clock has reached the instance: do what is due, and set the next time."""
        if self.instances.get(instance.key) is not instance:
            return
        if self.moving is not None and self.moving.move(instance, now):
            # before `for`: what a window takes away at this very moment has not held long enough
            self.judge_again(instance, now)
            if self.instances.get(instance.key) is not instance:
                return
        rule = self.rule
        if instance.phase is Phase.PENDING and now >= instance.since + rule.hold:
            self.change(instance, Phase.FIRING, Reason.HELD, now, *self.last(instance))
        elif instance.clearing and now >= instance.clearing + rule.clear_hold:
            self.change(instance, Phase.RESOLVED, Reason.CLEARED, now, *self.last(instance))
        if self.idle(instance) <= now:
            self.forget(instance)
            return
        if self.absence is not None:
            self.absence.look(instance, now)
        self.reschedule(instance)

    def judge_again(self, instance: Instance, now: float) -> None:
        """Evaluate `when` or `clear` for the last message, as if it came now: the clock may have changed the answer."""
        if stays(self.rule, instance):
            return
        event, captures = self.last(instance)
        if event is None:
            return
        matches, self.replaying = self.matches, True
        try:
            RuleState.judge(self, instance, event, captures, instance.key, now)
        except EvaluationError:
            pass  # nothing new has come: it stays as it was, and that was counted already
        finally:
            self.matches, self.replaying = matches, False

    def idle(self, instance: Instance) -> float:
        """Return when the instance will be kept for its samples alone, and these for nothing."""
        if self.sampler is None or instance.history is None or self.rule.absent is not None:
            return inf
        history = instance.history
        return inf if instance.phase is not Phase.INACTIVE else history.latest + self.sampler.idle + history.lag

    def reschedule(self, instance: Instance) -> None:
        """Enter the instance's earliest deadline, if it has one."""
        times = [self.idle(instance)]
        if instance.phase is Phase.PENDING:
            times.append(instance.since + self.rule.hold)
        if instance.clearing:
            times.append(instance.clearing + self.rule.clear_hold)
        if self.absence is not None:
            times.append(self.absence.due(instance))
        if self.moving is not None:
            times.append(self.moving.due(instance))
        if (due := min(times)) < inf:
            self.work.schedule(self, instance, due)

    # changes

    def change(
        self, instance: Instance, phase: Phase, reason: Reason, now: float, event: Event | None, captures: Key
    ) -> None:
        """Let an instance enter a phase, and tell it."""
        before = instance.phase
        if phase is Phase.FIRING:
            instance.since = now
        since = instance.since
        instance.phase = Phase.INACTIVE if phase is Phase.RESOLVED else phase
        self.work.touch(self, instance)
        self.emit(instance, self.labels(instance.key), phase, before, reason, now, since, event, captures)
        if instance.phase is Phase.INACTIVE:
            instance.since = instance.clearing = NEVER
            self._wake(instance.key, awake=False)
            if self.sampler is not None:
                self.line.heard(instance.key)
                self.reschedule(instance)
            elif not self.keeps(instance):
                self.forget(instance)
        elif before is Phase.INACTIVE:
            self._wake(instance.key, awake=True)

    def keeps(self, instance: Instance) -> bool:
        """Tell whether an inactive instance must be remembered."""
        del instance
        return self.sampler is not None or self.absence is not None

    def go_on(self, instance: Instance) -> None:
        """Forget an instance that nothing needs any more; else enter its deadline."""
        if self.instances.get(instance.key) is not instance:
            return
        if instance.phase is Phase.INACTIVE and not self.keeps(instance):
            self.forget(instance)
        else:
            self.reschedule(instance)
