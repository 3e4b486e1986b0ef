"""The instances of one rule: who they are, what is remembered of them, and how what happens to them is told.

What an event or a deadline does to them is RuleState's (state.py), their silence Absence's (absence.py).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.errors import EvaluationError
from hub.expressions import Context, Program, Samples
from hub.expressions.explain import parts
from hub.ingest.decode import decode_again
from hub.ingest.topics import matches
from hub.limits import HEAVY_PAYLOAD_BYTES, RULE_INSTANCES
from hub.model import Event, Labels, Phase, Reason, traced
from hub.rules.gates import Timetable
from hub.rules.instance import Gated, Instance, Sampled, samples_of
from hub.rules.line import Line
from hub.rules.rule import Rule
from hub.rules.sampler import sampler_of
from hub.rules.transition import Transition, Unheard, make_context, shortened
from hub.rules.work import Work

__all__ = ["NOTHING", "Count", "Key", "Roster", "at_way", "key_text"]

Key = tuple[str, ...]
_FULL = f"the rule has {RULE_INSTANCES:,} instances, as many as there may be: this one is not watched"


@dataclass(slots=True)
class Count:
    """How many events rules have been evaluated for together: one number for all of them."""

    number: int = 0


class Roster(ABC):
    """Only what is not inactive, or waits for something, has an Instance."""

    def __init__(self, rule: Rule, work: Work) -> None:
        """Begin without instances."""
        self.rule = rule
        self.work = work
        self.instances: dict[Key, Instance] = {}
        self.line = Line()
        """Those of them that are remembered for their samples, or for a schedule."""
        self.serial = 0
        """What an event rule has said so far."""
        self.errors = 0
        self.matches = 0
        """Events for which its condition held."""
        self.heard = 0
        """Events it was evaluated for alone; `together` those it was evaluated for beside others."""
        self.together = Count()
        self.replaying = False
        """Whether the message at hand is one that was remembered over a pause."""
        self.kept_back = False
        """Whether that one came under the pause, so that nothing has judged it yet."""
        self.overtaken = False
        """Whether the message at hand is older than one that its instance has heard: it undoes nothing."""
        names = {name: place for place, name in enumerate(rule.captures)}
        self._ways = rule.ways
        self._places = [None if name in self._ways else names.get(name) for name in rule.by]
        self._static = None not in self._places
        later = rule.repeat or rule.escalate or rule.group_by is not None or rule.causes or rule.limit
        timers = (rule.hold, rule.clear_hold, rule.absent, rule.pause, rule.mute, rule.turning, rule.timestamp, later)
        self._timed = any(timers)
        self._gated = rule.pause is not None or rule.mute is not None or rule.learns
        self._parts: dict[str, list[tuple[str, Program]]] = {}
        self.sampler = sampler_of(rule)
        self.tables = {name: Timetable(schedule, work.local) for name, schedule in rule.schedules}
        self._sight = Context()
        """What a condition sees that asks for nothing but schedules."""
        self._sight.schedules = self.tables
        told = rule.texts.schedules
        self._told = {name: table for name, table in self.tables.items() if name in told} or None

    @property
    def evaluations(self) -> int:
        """For how many events it was evaluated."""
        return self.heard + self.together.number

    @abstractmethod
    def deadline(self, instance: Instance, now: float) -> None:
        """Do what the clock has made due."""

    # identity

    def key_of(self, captures: Key) -> Key | None:
        """Return the instance that captures alone make; None where payload fields take part."""
        return tuple([captures[place] for place in self._places if place is not None]) if self._static else None

    def key(self, event: Event, captures: Key) -> Key:
        """Return the instance that an event is about.

        Raises:
            EvaluationError: the payload lacks a field that `by` names.

        """
        found = []
        for name, place in zip(self.rule.by, self._places, strict=True):
            if place is not None:
                found.append(captures[place])
                continue
            value = at_way(event.fields, self._ways[name])
            if value is NOTHING or isinstance(value, dict | list):
                way = ".".join(self._ways[name])
                raise EvaluationError(f"the payload has no single value {way!r}, which `by` needs")
            found.append(key_text(value))
        return tuple(found)

    def labels(self, key: Key) -> Labels:
        """Name the parts of a key; one that is empty is no label of the alert (texts.py), but has its place here."""
        return tuple(zip(self.rule.by, key, strict=True))

    # instances

    def made(self, key: Key) -> Instance:
        """Return a new instance, which is not entered yet."""
        if self.sampler is not None:
            return Sampled(key, self.sampler.new())
        return Gated(key) if self._gated else Instance(key)

    def instance(self, key: Key) -> Instance:
        """Return an instance, a new one where it was not known.

        Raises:
            EvaluationError: the rule has as many as it may.

        """
        found = self.instances.get(key)
        if found is None:
            if len(self.instances) >= RULE_INSTANCES:
                raise EvaluationError(_FULL)
            found = self.instances[key] = self.made(key)
        return found

    def remember(self, instance: Instance, event: Event) -> None:
        """Keep an event for the texts of timers and of what is told later, where the rule has any."""
        if self._timed and not self.overtaken:
            instance.came = f"{event.topic}\0{event.trace}" if event.trace else event.topic
            instance.raw, instance.time = event.raw, event.time
            self.work.dirty.add((self, instance))
            if len(event.raw) > HEAVY_PAYLOAD_BYTES:
                self.work.heavy.keep((self, instance), len(event.raw))

    def last(self, instance: Instance) -> tuple[Event | None, Key]:
        """Return the instance's last event and its captures, for a timer's texts."""
        levels = instance.topic.split("/")
        captures = next((p.values(levels) for p in self.rule.patterns if matches(p.filter, instance.topic)), None)
        if captures is None:
            known = dict(self.labels(instance.key))
            captures = tuple(known.get(name, "") for name in self.rule.captures)
        if instance.raw is None:
            return None, captures
        event = decode_again(instance.topic, instance.raw, instance.time)
        return traced(event, instance.trace) if instance.trace else event, captures

    def forget(self, instance: Instance) -> None:
        """Drop an instance that nothing needs."""
        del self.instances[instance.key]
        self.work.deadlines.drop((self, instance))
        self.line.drop(instance.key)
        self.work.touch(self, instance)
        if instance.history is not None:
            self.work.unsampled.add((self.rule.name, instance.key))

    # expressions

    def context(self, event: Event, captures: Key, now: float) -> Context:
        """Make what an expression sees of an event beside its fields."""
        rule = self.rule
        labels = dict(zip(rule.captures, captures, strict=True))
        labels |= {"alertname": rule.name, "severity": rule.severity}
        device = self.work.registry.attributes(event.topic)
        return make_context(event, device, labels, now, {}, self.tables)

    def clock(self, now: float) -> Context:
        """Return what an expression sees that asks for nothing of the event: much cheaper than `context`."""
        self._sight.now = now
        return self._sight

    def failed(self, event: Event, error: EvaluationError) -> None:
        """Count an expression that had no value for an event, and say so, unless it only has none yet."""
        if self.work.misses.note(self.rule.name, event, error):
            self.errors += 1
            self.work.on_error(self.rule.name, event.topic, str(error))

    # telling

    def emit(
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
        unheard: Unheard | None = None,
    ) -> None:
        """Hand a transition over; `topic` says which device it is about where no event does: it was never heard."""
        device = self.work.registry.attributes(topic if event is None else event.topic)
        shown = self.sampler.shown(instance.history) if self.sampler is not None and instance is not None else None
        muted, values = self.is_muted(instance, at), self._values(instance, event, captures, at, reason)
        self.work.transitions.append(
            Transition(
                self.rule, labels, phase, before, reason, at, since, event, captures, device, self.serial, shown,
                muted, self._told, values, unheard,
            )
        )  # fmt: skip

    def as_it_is(
        self,
        instance: Instance,
        labels: Labels,
        since: float,
        now: float,
        unheard: Unheard | None = None,
        reason: Reason = Reason.CONDITION,
    ) -> Transition:
        """Return what texts of an instance that fires say now: by its last event, and what is known of its history."""
        event, captures = self.last(instance)
        device = self.work.registry.attributes(instance.topic)
        shown = self.sampler.shown(instance.history) if self.sampler is not None else None
        firing = Phase.FIRING
        return Transition(
            self.rule,
            labels,
            firing,
            firing,
            reason,
            now,
            since,
            event,
            captures,
            device,
            history=shown,
            schedules=self._told,
            unheard=unheard,
        )

    def is_muted(self, instance: Instance | None, at: float) -> bool:
        """Tell whether the rule's `mute` holds for an instance."""
        del instance, at
        return False

    def _values(
        self, instance: Instance | None, event: Event | None, captures: Key, at: float, reason: Reason
    ) -> Sequence[tuple[str, Any]]:
        """Take down what the parts of the condition in force came to."""
        program = _in_force(self.rule, reason)
        if program is None or event is None:
            return ()
        found = self._parts.get(program.text)
        if found is None:
            found = self._parts[program.text] = parts(program)
        context, samples = self.context(event, captures, at), samples_of(instance)
        return [(text, _value(part, event, captures, context, samples)) for text, part in found]


def _in_force(rule: Rule, reason: Reason) -> Program | None:
    """Return the condition that made a transition for this reason."""
    if reason in (Reason.CONDITION, Reason.HELD):
        return rule.when
    if reason is Reason.CLEARED:
        return rule.clear or rule.when
    gate = rule.pause if reason is Reason.PAUSED else None
    gate = rule.mute if reason in (Reason.MUTE_BEGAN, Reason.MUTE_ENDED) else gate
    return None if gate is None else gate.condition


def _value(part: Program, event: Event, captures: Key, context: Context, samples: Samples) -> Any:
    try:
        return shortened(part.run(event.fields, captures, context, samples))
    except EvaluationError as error:
        return error.with_traceback(None)


NOTHING = object()
"""What is at the end of a way that does not lead anywhere."""


def at_way(fields: Mapping[str, Any], way: Sequence[str]) -> Any:
    """Return what fields within fields lead to: NOTHING where one of them is missing, null where one is null."""
    value: Any = fields
    for name in way:
        if value is None:
            return None
        value = value.get(name, NOTHING) if isinstance(value, Mapping) else NOTHING
    return value


def key_text(value: Any) -> str:
    """Write a payload's value as part of a key; null is no value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
