"""`late`: messages come out of order; what began and ended in what came late is told once, and never as firing.

Each message is judged by itself and put in its place among those of its instance (LateLog). Then the life of the
condition is followed anew over them, by the device's own times. How it stands at the newest message goes to the
instance, as for a message in order. An episode that is over, and of which nobody knows, is told as such.
"""

from math import inf

from hub.errors import EvaluationError
from hub.expressions import Program
from hub.limits import OUT_OF_ORDER_CALM_SECONDS, OUT_OF_ORDER_FRESH_SECONDS, OUT_OF_ORDER_MESSAGES
from hub.model import Phase, Reason
from hub.rules.gates.gate_condition import turns
from hub.rules.instances.arrival import Arrival
from hub.rules.instances.instance import NEVER, Instance
from hub.rules.instances.late_log import LateLog, LateLogs
from hub.rules.instances.out_of_order import Episode, Judged, PastPhase, Spans
from hub.rules.reading.rule import Rule
from hub.rules.running.condition import PhaseChange
from hub.rules.running.part import RulePart, Runner

__all__ = ["LateMessages", "remakes_the_past"]

_INACTIVE, _PENDING, _FIRING, _RESOLVED = Phase.INACTIVE, Phase.PENDING, Phase.FIRING, Phase.RESOLVED


def remakes_the_past(rule: Rule) -> bool:
    """Tell whether late messages can say what was so at their time.

    A condition that looks back at samples, or that asks the clock, can be judged as of now only; and what was paused in
    the past nobody knows.
    """
    asked = [program for program in (rule.when, rule.clear) if program is not None]
    by_clock = any(program.history or turns(program) for program in asked)
    return bool(rule.late and rule.alert and rule.when and not by_clock and rule.pause is None)


class LateMessages(RulePart):
    """Stands in the place of the condition for a rule with `late`."""

    def __init__(self, runner: Runner, logs: LateLogs) -> None:
        """Keep the messages of the rule's instances in `logs`."""
        self._runner, self._logs, rule = runner, logs, runner.rule
        self._spans = Spans(rule.hold, rule.clear_hold, rule.clear is not None)

    def take(self, arrival: Arrival) -> None:
        """Judge a message and put it in its place.

        Raises:
            EvaluationError: the condition has no value for it.

        """
        event, now, rule = arrival.event, arrival.now, self._runner.rule
        holds, failure = self._judged(rule.when, arrival)
        ends, other = self._judged(rule.clear, arrival)
        if holds is None and ends is None:
            raise failure or other or EvaluationError("no value")
        instance = arrival.instance = self._runner.instances.obtain(arrival.key)
        name = rule.name, arrival.key
        if event.time < self._logs.of(name).newest - rule.late:  # heard all the same: its clock was set back
            self._logs.drop(name)
        log = self._logs.of(name)
        was_settled = log.due == inf
        is_newest = log.add(self._spans, Judged(event.time, holds, ends, event.topic, event.raw), now)
        if is_newest:
            self._runner.instances.remember(instance, event)
        if is_newest and was_settled and log.lag <= OUT_OF_ORDER_FRESH_SECONDS:
            self._settle(instance, log, now)  # a message in order, as nearly all are
        else:
            log.due = now  # with all that comes at this moment
            if len(log.messages) >= 2 * OUT_OF_ORDER_MESSAGES:
                log.fold(self._spans, rule.late)
        self._runner.reschedule(instance)

    def _judged(self, program: Program | None, arrival: Arrival) -> tuple[bool | None, EvaluationError | None]:
        if program is None:
            return None, None
        try:
            evaluator = self._runner.evaluator
            return evaluator.holds(program, arrival.instance, arrival.event, arrival.captures, arrival.now), None
        except EvaluationError as error:
            return None, error

    # the clock

    def due(self, instance: Instance) -> float:
        """Return when what came late must be looked at."""
        log = self._logs.all.get((self._runner.rule.name, instance.key))
        return inf if log is None else log.due

    def turn(self, instance: Instance, now: float, *, turned: bool) -> None:  # noqa: ARG002 - as RulePart has it
        """Look at what came late, when its time has come."""
        if self.due(instance) <= now:
            self._settle(instance, self._logs.of((self._runner.rule.name, instance.key)), now)

    def _settle(self, instance: Instance, log: LateLog, now: float) -> None:
        """Tell what is over, and let the instance follow the newest message, unless more of an upload may come.

        Where the newest message came last, an upload in order is told as far as it goes. It is whole if that message is
        of now; else more may follow, and what came after a newer one may have gaps: both wait until no more comes.
        """
        over, mark = log.lived(self._spans)
        if log.live and instance.phase is _INACTIVE:  # the clock has ended it
            log.told.append((log.live, log.newest))
            log.live = NEVER
        fires, calm = instance.phase is _FIRING, log.came + OUT_OF_ORDER_CALM_SECONDS
        is_led = log.led >= log.came
        for episode in over if is_led or now >= calm else ():
            if not log.is_known(episode) and not (fires and log.live <= episode.until):
                log.told.append((episode.begun, episode.until))
                self._tell(instance, log, episode, now)
        if (is_led and log.lag <= OUT_OF_ORDER_FRESH_SECONDS) or now >= calm:
            log.due = inf
            self._follow(instance, log, mark, now)
        else:
            log.due = calm
        if is_led or now >= calm:
            log.note_told()
            log.fold(self._spans, self._runner.rule.late)

    def _tell(self, instance: Instance, log: LateLog, episode: Episode, now: float) -> None:
        last, runner = log.last_by(episode.until), self._runner
        event = None if last is None else runner.instances.again(last.topic, last.raw, last.time)
        captures = runner.instances.captures_of(instance, instance.topic if last is None else last.topic)
        labels = runner.instances.labels(instance.key)
        runner.transitions.emit(
            instance, labels, _RESOLVED, _INACTIVE, Reason.LATE, now, episode.fired, event, captures,
            instance.topic, until=episode.until,
        )  # fmt: skip

    # the instance follows

    def _follow(self, instance: Instance, log: LateLog, mark: PastPhase, now: float) -> None:
        """Bring the instance to where the condition stands at the newest message, and from there to now."""
        hold = self._spans.hold
        if mark.phase is _PENDING and mark.begun + hold <= now:  # no message since: it went on
            mark = PastPhase(_FIRING, mark.begun, mark.begun + hold)
        if instance.phase is _FIRING:
            self._follow_firing(instance, log, mark, now)
            return
        if mark.phase is _INACTIVE:
            log.live = NEVER
            if instance.phase is _PENDING:
                self._apply(instance, PhaseChange(_INACTIVE, instance.since, Reason.CONDITION), now)
            return
        log.live = mark.begun
        if mark.phase is _FIRING:
            reason = Reason.HELD if hold else Reason.CONDITION
            self._apply(instance, PhaseChange(_FIRING, mark.fired, reason), now)
            self._clear_from(instance, mark.clearing, now)
        elif instance.phase is _INACTIVE:
            self._apply(instance, PhaseChange(_PENDING, mark.begun, Reason.CONDITION), now)
        elif instance.since != mark.begun:
            instance.since = mark.begun
            self._runner.instances.touch(instance)

    def _follow_firing(self, instance: Instance, log: LateLog, mark: PastPhase, now: float) -> None:
        # a late message may show that it was interrupted; it fires now all the same, and that is not undone
        if mark.phase is _FIRING or (mark.phase is _PENDING and mark.begun <= log.live):
            self._clear_from(instance, mark.clearing, now)
            return
        log.told.append((log.live, log.newest))
        log.live = NEVER
        self._apply(instance, PhaseChange(_RESOLVED, instance.since, Reason.CLEARED), now)
        if mark.phase is _PENDING:
            log.live = mark.begun
            again = self._runner.instances.obtain(instance.key)
            self._apply(again, PhaseChange(_PENDING, mark.begun, Reason.CONDITION), now)

    def _clear_from(self, instance: Instance, clearing: float, now: float) -> None:
        if clearing != instance.clearing_since:
            self._apply(instance, PhaseChange(_FIRING, instance.since, None, clearing or NEVER), now)

    def _apply(self, instance: Instance, change: PhaseChange, now: float) -> None:
        self._runner.apply(instance, change, now, *self._runner.instances.last(instance))
