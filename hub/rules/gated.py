"""The state of a rule with `pause`, `mute`, `timestamp`, or conditions that name schedules; the others pay nothing.

Under a pause a message is only remembered; when it ends, the last one is evaluated as if it came then. What is muted is
evaluated all the same; the alert book hears of each change, because it decides who is told.

A schedule is looked at where something happens to an instance (an event, a deadline), and for all instances when the
clock has come to its next change. So nothing is said before the broker's queue is drained, as with every timer.
Conditions that name schedules are judged anew at these changes, for the last message of each instance.
"""

from math import inf

from hub.errors import EvaluationError
from hub.expressions import Program
from hub.limits import HISTORY_IDLE_SECONDS
from hub.model import Event, Phase, Reason
from hub.rules.absence import Absence, tell_silence
from hub.rules.gates import timetable_of
from hub.rules.instance import NEVER, Instance, extra_of
from hub.rules.keys import Gate
from hub.rules.order import Order, Place
from hub.rules.pausing import release
from hub.rules.roster import Key
from hub.rules.rule import Rule
from hub.rules.state import RuleState
from hub.rules.timestamps import own_time
from hub.rules.work import Work

__all__ = ["GatedState", "state_of"]


def state_of(rule: Rule, work: Work) -> RuleState:
    """Return the state of a rule, of the kind that it needs."""
    gated = rule.pause is not None or rule.mute is not None or rule.timestamp is not None
    return GatedState(rule, work) if gated or rule.turning else RuleState(rule, work)


class GatedState(RuleState):
    """A RuleState behind its gates."""

    def __init__(self, rule: Rule, work: Work) -> None:
        """Begin without instances."""
        super().__init__(rule, work)
        self._pauses = timetable_of(rule.pause, work.local)
        self._mutes = timetable_of(rule.mute, work.local)
        self._pause_turns, self._mute_turns = _turning(rule.pause), _turning(rule.mute)
        self._turns = rule.alert and any(_turns(each) for each in (rule.when, rule.clear) if each is not None)
        """Whether `when` or `clear` may turn by the clock."""
        timed = rule.timestamp is not None or (rule.when is not None and bool(rule.when.schedules))
        self._waits = rule.alert and timed
        """Whether what is inactive is kept: it may fire by the clock, or an older message may come behind."""
        self._recalls = rule.pause is not None or self._mute_turns is not None or self._turns or self._waits
        self._order, self._one_clock = Order(), set(rule.captures) <= set(rule.by)
        """Several devices in one instance have several clocks: then only messages of one topic have an order."""
        named = [self.tables[name] for name in sorted(rule.turning)]
        self._clocks = [table for table in (self._pauses, self._mutes, *named) if table is not None]
        self._turn = Instance(())
        """Stands in the heap of deadlines for the next change of a schedule."""
        self._ends = bool(self._clocks)
        """Whether such a change is to come."""

    @property
    def keeps_all(self) -> bool:
        """Whether an instance is remembered because it was heard, though nothing is the matter with it."""
        return self._waits or super().keeps_all

    # events

    def step(
        self, event: Event, captures: Key, key: Key | None, now: float, known: bool | EvaluationError | None = None
    ) -> None:
        """Evaluate one event, unless its instance is paused."""
        try:
            self._step(event, captures, self.key(event, captures) if key is None else key, now, known)
        except EvaluationError as error:
            self.failed(event, error)

    def _step(self, event: Event, captures: Key, key: Key, now: float, known: bool | EvaluationError | None) -> None:
        if self._ends and self._turn.due == inf:
            self.begin(now)
        if self.rule.timestamp is None:
            self._pass(event, captures, key, now, known)
            return
        event = self._stamped(self.rule.timestamp, event, captures, now)
        self.overtaken = self._is_overtaken(event, key, now)
        try:
            self._pass(event, captures, key, now, known)
        finally:
            self.overtaken = False

    def _pass(self, event: Event, captures: Key, key: Key, now: float, known: bool | EvaluationError | None) -> None:
        if self.rule.pause is not None and self._is_paused(event, captures, key, now):
            self._postpone(event, captures, key, now)
            return
        super().step(event, captures, key, now, known)
        if event.retain and not self.rule.alert and self.rule.mute is not None:
            self._hear_mute(event, captures, key, now)

    def _live(self, absence: Absence, event: Event, captures: Key, key: Key, now: float) -> None:
        """Take it as a sign of life, under a pause as one that counts at its end."""
        instance = self.instances.get(key)
        paused = instance is not None and instance.extra is not None and instance.extra.paused
        if not (paused if self._pauses is None else self._pauses.active(now)):
            super()._live(absence, event, captures, key, now)
            return
        instance = self.instance(key)
        if not extra_of(instance).paused:
            self._begin_pause(instance, now, *self.last(instance))
        if speaks := absence.speaks(event, key, now):
            extra_of(instance).heard = True
        if speaks or not instance.seen:
            instance.seen = now
        self.note(instance, event)

    def _is_overtaken(self, event: Event, key: Key, now: float) -> bool:
        """Tell whether the instance has heard something newer, by the devices' own times.

        What seems to come from the future was heard before our own clock was set back, and says nothing of the order.
        """
        instance = self.instances.get(key)
        if instance is None or not (self._one_clock or event.topic == instance.topic):
            return False
        latest = instance.time if instance.history is None else max(instance.time, instance.history.latest)
        place = Place.NEWER if latest > now else self._order.place(key, latest, event.time, now)
        if place is Place.SET_BACK:
            back = f"its own time went back by {latest - event.time:.0f} s: the device's clock was set, and counts anew"
            self.failed(event, EvaluationError(back))
            if self.sampler is not None and instance.history is not None:
                self.sampler.set_back(instance.history, event.time)
        return place is Place.OLDER

    def _stamped(self, program: Program, event: Event, captures: Key, now: float) -> Event:
        """Give the event its own time, where it has one."""
        try:
            context = self.context(event, captures, now) if program.needs_context else None
            at = own_time(program.run(event.fields, captures, context), now, self.rule.tz or self.work.local)
        except EvaluationError as error:
            self.failed(event, error)
            return event
        return Event(event.topic, event.raw, event.fields, event.value, at, event.qos, event.retain)

    def judge(
        self,
        instance: Instance | None,
        event: Event,
        captures: Key,
        key: Key,
        now: float,
        known: bool | EvaluationError | None = None,
    ) -> None:
        """Evaluate the condition in force, and beside it that of `mute`."""
        if self.rule.mute is None:
            super().judge(instance, event, captures, key, now, known)
        else:
            fires = instance is not None and instance.phase is Phase.FIRING
            silent = instance is not None and bool(instance.silent)
            was, muted = self._hear_mute(event, captures, key, now)
            try:
                super().judge(self.instances.get(key), event, captures, key, now, known)
            finally:
                instance = self.instances.get(key)
                if instance is not None:
                    self._follow_mute(instance, muted)
                    if muted is not was:
                        self._tell_mute(instance, muted, now, event, captures, fires=fires, silent=silent)
                        self.go_on(instance)
        if self._recalls and not self.replaying:
            self._recall(key, event)

    def _recall(self, key: Key, event: Event) -> None:
        """Remember an event that the end of a pause, or the change of a schedule, evaluates again."""
        instance = self.instances.get(key)
        if instance is None and self._waits:
            instance = self.instance(key)
        if instance is not None:
            if self._waits and not self.line.heard(key):
                self.make_room(event)
            self.remember(instance, event)
            if self._waits and instance.due == inf:
                self.reschedule(instance)  # it is not kept for ever

    def _event(self, event: Event, captures: Key, key: Key, now: float, known: bool | EvaluationError | None) -> None:
        if self.rule.mute is not None:
            self._hear_mute(event, captures, key, now)
        super()._event(event, captures, key, now, known)

    def _asks(self, program: Program, event: Event, captures: Key, key: Key, now: float, before: bool) -> bool:
        """Evaluate the condition of a gate; where it has no value, the gate stays as it was."""
        try:
            return self.holds(program, self.instances.get(key), event, captures, now)
        except EvaluationError as error:
            self.failed(event, error)
            return before

    # pause

    def _is_paused(self, event: Event, captures: Key, key: Key, now: float) -> bool:
        """Tell whether the event comes under a pause; where it ends one, evaluate what a schedule has kept back."""
        instance = self.instances.get(key)
        before = instance is not None and instance.extra is not None and instance.extra.paused
        if self._pauses is not None:
            paused = self._pauses.active(now)
        elif self.overtaken:
            paused = before
        else:
            paused = self._asks_pause(event, captures, key, now, before)
        if before and not paused and instance is not None:
            release(self, instance, now, again=self._has_turned(instance, now))
        return paused

    def _has_turned(self, instance: Instance, now: float) -> bool:
        """Tell whether the clock has ended a pause, and not the message at hand: then what it kept back counts."""
        if self._pause_turns is None or not self._pause_turns.schedules:
            return self._pauses is not None
        return not self._holds_still(self._pause_turns, instance, now, before=True)

    def _asks_pause(self, event: Event, captures: Key, key: Key, now: float, before: bool) -> bool:
        condition = None if self.rule.pause is None else self.rule.pause.condition
        if condition is None:
            return False
        if self.sampler is not None and condition.history:
            self.sample(self.sampler, event, captures, key, now, early=True)
        return self._asks(condition, event, captures, key, now, before)

    def _postpone(self, event: Event, captures: Key, key: Key, now: float) -> None:
        """Remember a message for the end of the pause; an event rule only what its condition said."""
        if not self.rule.alert and self._pauses is not None:
            return
        instance = self.instance(key)
        extra = extra_of(instance)
        if not extra.paused:
            self._begin_pause(instance, now, event, captures)
        if not self.rule.alert:
            return
        if not self.overtaken:
            extra.waiting = (event.qos, event.retain)
        speaks = not event.retain if self.absence is None else self.absence.speaks(event, key, now)
        if speaks:
            extra.heard = True
        if self.absence is not None and (speaks or not instance.seen):
            instance.seen = now
        self.remember(instance, event)

    def _begin_pause(self, instance: Instance, now: float, event: Event | None, captures: Key) -> None:
        """Reset the timers; what fires goes on firing."""
        extra_of(instance).paused = True
        self.work.touch(self, instance)
        if instance.phase is Phase.PENDING:
            self.change(instance, Phase.INACTIVE, Reason.PAUSED, now, event, captures)
        else:
            instance.clearing = NEVER

    def keeps(self, instance: Instance) -> bool:
        """Tell whether an inactive instance must be remembered: also what a gate said of it."""
        return self._waits or self._is_behind(instance) or super().keeps(instance)

    def idle(self, instance: Instance) -> float:
        """Return when the instance will be kept for nothing."""
        if self._is_behind(instance):
            return inf
        if not self._waits or instance.phase is not Phase.INACTIVE or self.rule.absent is not None:
            return super().idle(instance)
        samples = super().idle(instance)
        return max(instance.time + HISTORY_IDLE_SECONDS, samples if samples < inf else 0.0)

    def _is_behind(self, instance: Instance) -> bool:
        extra = instance.extra
        return extra is not None and (extra.paused or (extra.muted and self._mutes is None))

    # mute

    def is_muted(self, instance: Instance | None, at: float) -> bool:
        """Tell whether `mute` holds for an instance."""
        if self._mutes is not None:
            return self._mutes.active(at)
        return instance is not None and instance.extra is not None and instance.extra.muted

    def _hear_mute(self, event: Event, captures: Key, key: Key, now: float) -> tuple[bool, bool]:
        """Return what was told of an instance, and what holds now; what a condition says is remembered."""
        instance = self.instances.get(key)
        before = instance is not None and instance.extra is not None and instance.extra.muted
        if self._mutes is not None:
            return before, self._mutes.active(now)
        if self.replaying and not self.kept_back:
            return before, before  # it was asked when the message came, and a newer one may have said something else
        condition = None if self.rule.mute is None else self.rule.mute.condition
        muted = condition is not None and self._asks(condition, event, captures, key, now, before)
        if muted is not before:
            instance = self.instance(key)
            extra_of(instance).muted = muted
            self.work.touch(self, instance)
            if not self.rule.alert:
                self.go_on(instance)
        return before, muted

    def _follow_mute(self, instance: Instance, muted: bool) -> None:
        """Remember what has been told of what fires; a condition is remembered anyway."""
        told = muted and (self._mutes is None or instance.phase is Phase.FIRING or bool(instance.silent))
        if told is not (instance.extra is not None and instance.extra.muted):
            extra_of(instance).muted = told
            self.work.touch(self, instance)

    def _tell_mute(
        self,
        instance: Instance,
        muted: bool,
        now: float,
        event: Event | None,
        captures: Key,
        *,
        fires: bool,
        silent: bool,
    ) -> None:
        """Tell the book that `mute` began or ended for what was firing already, and is so still."""
        reason, firing = Reason.MUTE_BEGAN if muted else Reason.MUTE_ENDED, Phase.FIRING
        if fires and instance.phase is firing:
            labels, since = self.labels(instance.key), instance.since
            self.emit(instance, labels, firing, firing, reason, now, since, event, captures, instance.topic)
        if silent and instance.silent:
            tell_silence(self, instance, firing, firing, reason, now, instance.silent)

    # the clock

    def _holds_still(self, program: Program, instance: Instance, now: float, *, before: bool) -> bool:
        """Tell whether the condition of a gate holds by now for the last message of an instance.

        Of an instance that never spoke its topic is known, and what the registry has of it. Where there is no value the
        gate stays as it was; that was counted when the message came.
        """
        event, captures = self.last(instance)
        if event is None:
            event = Event(instance.topic, b"", {}, None, now, 0, True)
        try:
            return self.holds(program, instance, event, captures, now)
        except EvaluationError:
            return before

    def begin(self, now: float) -> None:
        """Let the clock come back at once: what the schedules say now is to be followed."""
        if self._ends:
            self.work.schedule(self, self._turn, now)

    def deadline(self, instance: Instance, now: float) -> None:
        """Do what the clock has made due, for the schedules or for an instance."""
        if instance is self._turn:
            for each in list(self.instances.values()):
                self._follow(each, now, turned=True)
            self._come_back(now)
            return
        # of two things that are due at the same time the change of a schedule goes first
        moved = self.moving is not None and self.moving.move(instance, now)
        self._follow(instance, now, turned=self._turn.due <= now or moved)
        super().deadline(instance, now)
        self._follow_silently(instance, now)

    def _follow_silently(self, instance: Instance, now: float) -> None:
        """Remember what was told under a schedule's mute, where the clock has changed the instance."""
        if self._mutes is not None and self.instances.get(instance.key) is instance:
            self._follow_mute(instance, self._mutes.active(now))

    def _come_back(self, now: float) -> None:
        """Enter the next change of a schedule, if there is one."""
        for table in self._clocks:
            table.active(now)
        due = min(table.until for table in self._clocks)
        if due < inf:
            self.work.schedule(self, self._turn, due)
        else:
            self._ends = False

    def _follow(self, instance: Instance, now: float, *, turned: bool) -> None:
        """Let an instance follow the schedules; `turned`: one that a condition names may have changed."""
        if self.instances.get(instance.key) is instance:
            self._follow_pauses(instance, now, turned=turned)
        if self.instances.get(instance.key) is instance:
            self._follow_mutes(instance, now, turned=turned)
        if turned and self._turns and self.instances.get(instance.key) is instance:
            self.judge_again(instance, now)

    def _follow_pauses(self, instance: Instance, now: float, *, turned: bool) -> None:
        before = instance.extra is not None and instance.extra.paused
        if self._pauses is not None:
            paused = self._pauses.active(now)
        elif turned and self._pause_turns is not None:
            paused = self._holds_still(self._pause_turns, instance, now, before=before)
        else:
            return
        if before and not paused:
            release(self, instance, now, again=True)
        elif paused and not before:
            self._begin_pause(instance, now, *self.last(instance))

    def _follow_mutes(self, instance: Instance, now: float, *, turned: bool) -> None:
        was = instance.extra is not None and instance.extra.muted
        if self._mutes is not None:
            muted = self._mutes.active(now)
        elif turned and self._mute_turns is not None:
            muted = self._holds_still(self._mute_turns, instance, now, before=was)
        else:
            return
        if muted is not was:
            self._follow_mute(instance, muted)
            self._tell_mute(instance, muted, now, *self.last(instance), fires=True, silent=True)
            if self._mutes is None:
                self.go_on(instance)  # what a condition muted was kept for that alone

    def judge_again(self, instance: Instance, now: float) -> None:
        """Evaluate `when` or `clear` for the last message, as if it came now; under a pause its end does so."""
        if instance.raw is None or (instance.extra is not None and instance.extra.paused):
            return
        super().judge_again(instance, now)
        self._follow_silently(instance, now)
        self.go_on(instance)


def _turning(gate: Gate | None) -> Program | None:
    """Return the condition of a gate, if it may turn by the clock."""
    condition = None if gate is None else gate.condition
    return condition if condition is not None and _turns(condition) else None


def _turns(condition: Program) -> bool:
    """Tell whether a condition may turn by the clock: it asks a schedule, or a window."""
    return bool(condition.schedules) or any(reading.slot.seconds for reading in condition.history)
