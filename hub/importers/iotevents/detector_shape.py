"""Finds alarms in a detector model: which state is at rest, what begins and ends an alarm, and what only waits.

A state that waits for a timer, and goes on when it elapses, is a `for` or a `clear_for`; a timer that each message
starts again is an `absent`. Whatever has another shape raises NotSaid.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce

from hub.importers.iotevents.detector_expression import (
    TRUE,
    DetectorInputs,
    NotSaid,
    Term,
    calls,
    negated,
    parse,
    substituted,
    written,
)
from hub.importers.iotevents.detector_model import (
    CloudStack,
    DetectorAction,
    DetectorEvent,
    DetectorModel,
    DetectorState,
    child,
)

__all__ = ["DetectorAlarm", "DetectorShape", "either"]

_SPEAKS = ("sns", "lambda", "iotTopicPublish", "sqs", "firehose", "dynamoDB", "dynamoDBv2", "iotSiteWise", "iotEvents")


@dataclass(slots=True)
class DetectorAlarm:
    """An alarm as a rule has it. Times are seconds. `begun` and `ended` are what is done then, `later` after a time."""

    when: list[Term] = field(default_factory=list)
    hold: float = 0
    absent: float | None = None
    clear: list[Term] = field(default_factory=list)
    clear_hold: float = 0
    begun: list[DetectorAction] = field(default_factory=list)
    ended: list[DetectorAction] = field(default_factory=list)
    later: list[tuple[float, DetectorAction]] = field(default_factory=list)
    lost: list[tuple[str, DetectorEvent]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Way:
    """One of the ways out of a state: its condition without the timer that it waits for."""

    to: str
    condition: Term
    timer: str
    happening: DetectorEvent


def either(terms: list[Term]) -> Term:
    """Return the condition that one of these holds."""
    return reduce(lambda left, right: ("||", left, right), terms)


class DetectorShape:
    """Looks at one model, which hears these inputs."""

    def __init__(self, model: DetectorModel, stack: CloudStack, inputs: DetectorInputs) -> None:
        """Take a model whose initial state exists."""
        self.model, self.stack, self.inputs = model, stack, inputs
        self.rest = model.states[model.initial]
        self.known = dict(self._constants())

    def alarms(self) -> list[DetectorState]:
        """Return the states that are alarms: neither at rest, nor waiting for a timer between rest and alarm."""
        return [state for state in self.model.states.values() if state is not self.rest and not self._waits(state)]

    def alarm(self, state: DetectorState) -> DetectorAlarm:
        """Return the alarm that a state is.

        Raises:
            NotSaid: no rule says what the model does.

        """
        found = DetectorAlarm()
        for way in self._ways(self.rest):
            self._begin(found, way, state)
        for way in self._ways(state):
            self._end(found, way, state)
        self._told(found, state)
        if not found.when and found.absent is None:
            raise NotSaid(f"nothing leads from {self.rest.name} to {state.name}")
        if not found.clear:
            raise NotSaid(f"nothing leads from {state.name} back to {self.rest.name}")
        return found

    def heartbeat(self, timer: str) -> float:
        """Return the seconds of a timer that each message at rest starts again.

        Raises:
            NotSaid: some messages do not.

        """
        seconds = self._timers(self.rest, surely=False).get(timer)
        if seconds is None:
            raise NotSaid(f"the timer {timer} is not set when {self.rest.name} is entered")
        again = [
            happening
            for happening in self.rest.input
            for action in happening.of("resetTimer", "setTimer")
            if self.stack.text(child(action.given, "timerName")) == timer
        ]
        if not again:
            raise NotSaid(f"no message starts the timer {timer} again")
        if not any(self.always(happening) for happening in again):
            raise NotSaid(f"only some messages start the timer {timer} again: {again[0].text}")
        return seconds

    def condition(self, happening: DetectorEvent) -> Term:
        """Return the condition with constants in place of variables that never change.

        Raises:
            NotSaid: it could not be read.

        """
        if happening.why:
            raise NotSaid(f"the condition {happening.text}: {happening.why}")
        return substituted(happening.condition, self.known)

    def always(self, happening: DetectorEvent) -> bool:
        """Tell whether a condition holds at each message."""
        try:
            return written(self.condition(happening), self.inputs) == "true"
        except NotSaid:
            return False

    def _constants(self) -> Iterator[tuple[str, Term]]:
        """Find the variables that never get another value than one constant."""
        values: dict[str, set[Term | None]] = {}
        for state in self.model.states.values():
            for happening in state.all:
                for action in happening.of("setVariable"):
                    first = state is self.rest and happening in state.enter and happening.condition == TRUE
                    name, value = self._variable(action)
                    values.setdefault(name, set()).add(value if first else None)
        for name, found in values.items():
            (value, *others) = found
            if value is not None and not others:
                yield name, value

    def _variable(self, action: DetectorAction) -> tuple[str, Term | None]:
        """Return the name of the variable that an action sets, and its value where that is a constant."""
        try:
            value = parse(self.stack.text(child(action.given, "value")))
        except NotSaid:
            value = ("none",)
        name = self.stack.text(child(action.given, "variableName"))
        return name, value if value[0] in ("num", "str", "bool") else None

    def _ways(self, state: DetectorState) -> list[_Way]:
        """Return the ways out of a state, one for each part of an `||`."""
        return [
            _Way(happening.to, *self._timed(part), happening)
            for happening in state.ways
            for part in _parts(self.condition(happening), "||")
        ]

    def _timed(self, term: Term) -> tuple[Term, str]:
        """Take `timeout("name")` out of an && of conditions: the rest, and the name."""
        parts = _parts(term, "&&")
        timers = [part for part in parts if part[:2] == ("call", "timeout")]
        others = [part for part in parts if part not in timers and part != ("call", "triggerType", (("str", "Timer"),))]
        rest = reduce(lambda left, right: ("&&", left, right), others) if others else TRUE
        if len(timers) > 1 or calls(rest, "timeout"):
            raise NotSaid("a condition asks for timers in such a way")
        return rest, str(timers[0][2][0][1]) if timers else ""

    def _timers(self, state: DetectorState, *, surely: bool = True) -> Mapping[str, float]:
        """Return the seconds of the timers that are set when a state is entered, `surely`: on any condition."""
        found = {}
        for happening in state.enter:
            if surely and not self.always(happening):
                continue
            for action in happening.of("setTimer"):
                found[self.stack.text(child(action.given, "timerName"))] = self._seconds(action)
        return found

    def _seconds(self, action: DetectorAction) -> float:
        text = self.stack.text(child(action.given, "durationExpression")) or self.stack.text(
            child(action.given, "seconds")
        )
        try:
            duration = substituted(parse(text), self.known)
        except NotSaid:
            duration = TRUE
        if duration[0] != "num":
            raise NotSaid(f"a timer whose length is computed: {text}")
        return float(duration[1])

    def _waits(self, state: DetectorState) -> bool:
        """Tell whether a state does nothing but wait: on its own timer in one direction, on messages in the other."""
        try:
            ways = self._ways(state)
            timers = self._timers(state)
        except NotSaid:
            return False
        on, back = {way.to for way in ways if way.timer in timers}, {way.to for way in ways if not way.timer}
        quiet = not any(happening.of(*_SPEAKS) for happening in state.enter)
        return quiet and len(on) == 1 and len(back) == 1 and on != back and self.rest.name in on | back

    def _begin(self, found: DetectorAlarm, way: _Way, state: DetectorState) -> None:
        """Take a way out of the state at rest, where it leads to this alarm, perhaps by way of a state that waits."""
        if way.to == state.name and way.timer:
            if written(way.condition, self.inputs) != "true":
                raise NotSaid(f"the condition {way.happening.text}: a timer and a condition together")
            found.absent = self.heartbeat(way.timer)
        elif way.to == state.name:
            self._held(found.when, found.hold, 0)
            found.when.append(way.condition)
        elif (between := self.model.states.get(way.to)) and between is not self.rest and self._waits(between):
            hold = self._through(between, way, state, back=self.rest)
            if hold is not None:
                self._held(found.when, found.hold, hold)
                found.when.append(way.condition)
                found.hold = hold
                found.begun += [each for out in self._ways(between) if out.timer for each in _speaking(out.happening)]
        else:
            return
        found.begun += [action for action in _speaking(way.happening) if action not in found.begun]

    def _end(self, found: DetectorAlarm, way: _Way, state: DetectorState) -> None:
        """Take a way out of the alarm, back to rest."""
        between = self.model.states.get(way.to)
        if way.to == self.rest.name and not way.timer:
            self._held(found.clear, found.clear_hold, 0)
            found.clear.append(way.condition)
        elif between and between not in (self.rest, state) and self._waits(between) and not way.timer:
            hold = self._through(between, way, self.rest, back=state)
            if hold is None:
                raise NotSaid(f"{state.name} also leads to {way.to}")
            self._held(found.clear, found.clear_hold, hold)
            found.clear.append(way.condition)
            found.clear_hold = hold
            found.ended += [each for out in self._ways(between) if out.timer for each in _speaking(out.happening)]
        else:
            why = " when a timer elapses" if way.timer else ""
            raise NotSaid(f"{state.name} also leads to {way.to}{why} ({way.happening.text})")
        found.ended += _speaking(way.happening)

    def _held(self, terms: list[Term], before: float, now: float) -> None:
        if terms and before != now:
            raise NotSaid("one way waits for a timer, another does not")

    def _through(self, between: DetectorState, way: _Way, to: DetectorState, back: DetectorState) -> float | None:
        """Return the seconds in a state that waits; None where it leads elsewhere.

        It must go back exactly when the condition that led there no longer holds: only then a rule does the same.
        """
        ways, timers = self._ways(between), self._timers(between)
        on = [each for each in ways if each.timer]
        off = [each.condition for each in ways if not each.timer]
        if {each.to for each in on} != {to.name} or {each.to for each in ways if not each.timer} != {back.name}:
            return None
        if negated(way.condition) != negated(either(off), yes=False):
            raise NotSaid(f"{between.name} is left by another condition than it is entered by")
        if any(each.condition not in (TRUE, way.condition) for each in on):
            raise NotSaid(f"{between.name} waits for a timer and a condition together")
        return timers[on[0].timer]

    def _told(self, found: DetectorAlarm, state: DetectorState) -> None:
        """Gather what is done when the alarm begins, goes on and ends."""
        timers = self._timers(state)
        for happening in state.enter:
            if _speaking(happening) and not self.always(happening):
                raise NotSaid(f"{state.name} tells it only where {happening.text}")
            found.begun += _speaking(happening)
        for happening in (*state.leave, *self.rest.enter):
            if _speaking(happening) and not self.always(happening):
                found.lost.append((f"it tells the end only where {happening.text}", happening))
            found.ended += _speaking(happening)
        for happening in state.input:
            if not _speaking(happening):
                continue
            rest, timer = self._timed(self.condition(happening))
            if timer in timers and rest == TRUE:
                found.later += [(timers[timer], action) for action in _speaking(happening)]
            else:
                say = f"while it is {state.name}, it tells each message where {happening.text}; `repeat` tells again"
                found.lost.append((say, happening))


def _parts(term: Term, operator: str) -> list[Term]:
    if term[0] != operator:
        return [term]
    return [*_parts(term[1], operator), *_parts(term[2], operator)]


def _speaking(happening: DetectorEvent) -> list[DetectorAction]:
    return happening.of(*_SPEAKS)
