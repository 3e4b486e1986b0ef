"""The instances of one rule, by key: their identity, what is remembered of them, and which of them are active.

Only an instance that is active, or that a part of the rule needs, has an Instance. Those that are remembered for their
samples or messages stand in line: where there are too many, those leave whose last message is the oldest.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hub.errors import EvaluationError
from hub.expressions import Program
from hub.expressions.templates.format import plain
from hub.ingest.decode import decode_again
from hub.limits import HEAVY_PAYLOAD_BYTES, RULE_INSTANCES
from hub.model import Event, Labels, Phase, traced
from hub.rules.instances.heard_order import Line
from hub.rules.instances.instance import Crowded, Gated, Instance, Sampled
from hub.rules.intake.element import element_again
from hub.rules.members.census import census_of
from hub.rules.running.engine_context import EngineContext, Owner
from hub.rules.samples.sampler import Sampler

__all__ = ["NOTHING", "ActiveSet", "Key", "RuleInstances", "at_way", "key_text", "made_text"]

Key = tuple[str, ...]
ActiveSet = dict[Key, set[Any]]
"""By key, the RuleRunners whose instance of that key is pending or firing (Any: that module imports this one)."""
_FULL = f"the rule has {RULE_INSTANCES:,} instances, as many as there may be: this one is not watched"


class RuleInstances(dict[Key, Instance]):
    """A dict of them; `obtain` makes one where there was none, `forget` drops one that nothing needs."""

    __slots__ = (
        *("_active_sets", "_census", "_context", "_gated", "_owner", "_places", "_sampler", "_static", "_ways"),
        *("_programs", "_value_of"),
        *("line", "rule", "timed"),
    )  # a dict that had a dict of its own would be slow to look at

    def __init__(
        self,
        owner: Owner,
        context: EngineContext,
        sampler: Sampler | None,
        value_of: Callable[[Program, Event, Key, float], Any],
        *,
        timed: bool,
    ) -> None:
        """Begin with none; `owner` does their deadlines; `timed`: a transition may come later than its message.

        `value_of` evaluates an expression over an event, its captures and the time.
        """
        super().__init__()
        self.rule = rule = owner.rule
        self._owner, self._context, self._sampler, self.timed = owner, context, sampler, timed
        self._census = census_of(rule)
        self.line = Line()
        """The instances that are remembered for their samples, or for a schedule."""
        self._active_sets: list[ActiveSet] = []
        self._gated = rule.pause is not None or rule.mute is not None or rule.learns
        names = {name: place for place, name in enumerate(rule.captures)}
        self._ways = rule.ways
        self._programs, self._value_of = dict(rule.by_programs), value_of
        made = {*self._ways, *self._programs}
        self._places = [None if name in made else names.get(name) for name in rule.by]
        self._static = None not in self._places

    # identity

    def key_of(self, captures: Key) -> Key | None:
        """Return the key of the instance, if captures alone make it; None where payload fields are part of it."""
        return tuple([captures[place] for place in self._places if place is not None]) if self._static else None

    def key(self, event: Event, captures: Key) -> Key:
        """Return the key of the instance that an event is about.

        Raises:
            EvaluationError: the payload lacks a field that `by` names.

        """
        found = []
        for name, place in zip(self.rule.by, self._places, strict=True):
            if place is not None:
                found.append(captures[place])
                continue
            if name in self._programs:
                found.append(self._made_key(name, event, captures))
                continue
            value = at_way(event.fields, self._ways[name])
            if value is NOTHING or isinstance(value, dict | list):
                way = ".".join(self._ways[name])
                raise EvaluationError(f"the payload has no single value {way!r}, which `by` needs")
            found.append(key_text(value))
        return tuple(found)

    def _made_key(self, name: str, event: Event, captures: Key) -> str:
        return made_text(self._value_of(self._programs[name], event, captures, event.time), name, "by")

    def labels(self, key: Key) -> Labels:
        """Return the parts of a key with their names; an empty part stays here, though the alert has no such label."""
        return tuple(zip(self.rule.by, key, strict=True))

    # making and forgetting

    def made(self, key: Key) -> Instance:
        """Return a new instance of the class that the rule needs; it is not entered yet."""
        if self._census is not None:
            return Crowded(key, self._census.new())
        if self._sampler is not None:
            return Sampled(key, self._sampler.new())
        return Gated(key) if self._gated else Instance(key)

    def obtain(self, key: Key) -> Instance:
        """Return an instance, a new one where it was not known.

        Raises:
            EvaluationError: the rule has as many as it may.

        """
        found = self.get(key)
        if found is None:
            if len(self) >= RULE_INSTANCES:
                raise EvaluationError(_FULL)
            found = self[key] = self.made(key)
        return found

    def has(self, instance: Instance) -> bool:
        """Tell whether an instance is still entered: a step of its work may have forgotten it."""
        return self.get(instance.key) is instance

    def forget(self, instance: Instance) -> None:
        """Drop an instance that nothing needs."""
        del self[instance.key]
        self._context.deadlines.drop((self._owner, instance))
        if self.rule.late:
            self._context.late.drop((self.rule.name, instance.key))
        self.line.drop(instance.key)
        self.touch(instance)
        if instance.history is not None:
            self._context.unsampled.add((self.rule.name, instance.key))
        if instance.members is not None:
            self._context.members.forget(self.rule.name, instance.key, instance.members.members())

    def touch(self, instance: Instance) -> None:
        """Let it be written with the next commit."""
        self._context.dirty.add((self._owner, instance))

    def schedule(self, instance: Instance, at: float) -> None:
        """Let the clock look at it at this time, unless it will look earlier: then the next time is set there."""
        if at < instance.due:
            self._context.deadlines.wake((self._owner, instance), at)

    # which rules are active where

    def watch(self, active: ActiveSet) -> None:
        """Keep this set up to date: which rules have something pending or firing, by instance."""
        self._active_sets.append(active)
        for key, instance in self.items():
            if instance.phase is not Phase.INACTIVE:
                active.setdefault(key, set()).add(self._owner)

    def note_active(self, key: Key, active: bool) -> None:
        """Note that an instance is pending or firing from now on, or no longer."""
        for found in self._active_sets:
            if active:
                found.setdefault(key, set()).add(self._owner)
            elif key in found:
                found[key].discard(self._owner)
                if not found[key]:
                    del found[key]

    # what was heard of them

    def remember(self, instance: Instance, event: Event) -> None:
        """Keep an event for the texts of timers and of what is told later, where the rule has any."""
        if self.timed:
            instance.came = f"{event.topic}\0{event.trace}" if event.trace else event.topic
            instance.raw, instance.time = event.raw, event.time
            self._context.dirty.add((self._owner, instance))
            if len(event.raw) > HEAVY_PAYLOAD_BYTES:
                self._context.heavy.keep((self._owner, instance), len(event.raw))

    def last(self, instance: Instance) -> tuple[Event | None, Key]:
        """Return the instance's last event and its captures, for a timer's texts."""
        captures = self.captures_of(instance, instance.topic)
        if instance.raw is None:
            return None, captures
        event = self.again(instance.topic, instance.raw, instance.time)
        return traced(event, instance.trace) if instance.trace else event, captures

    def again(self, topic: str, raw: bytes, time: float) -> Event:
        """Return a message that was remembered, as the rule sees it: read by its `decode`, or an element."""
        again = decode_again if self.rule.each is None else element_again
        return again(topic, raw, time, self.rule.decode)

    def captures_of(self, instance: Instance, topic: str) -> Key:
        """Return the captures of an earlier message on a topic; of none, the values that the instance has of them."""
        levels = topic.split("/")
        patterns = () if self.rule.names else self.rule.patterns  # a shared topic does not tell the instance
        found = next((p.values(levels) for p in patterns if p.matches(topic)), None)
        if found is not None:
            return found
        known = dict(self.labels(instance.key))
        return tuple([known.get(name, "") for name in self.rule.captures])

    def line_up(self) -> None:
        """Build the line after a restart or reload: the instance that was heard last stands last."""
        found = [(each.time if each.history is None else each.history.latest, key) for key, each in self.items()]
        self.line = Line(key for at, key in sorted(found) if at)


NOTHING = object()
"""The value of a field that is not there; None would be a null."""


def at_way(fields: Mapping[str, Any], way: Sequence[str]) -> Any:
    """Return the value that a way of fields leads to: NOTHING where a field is missing, None where one is null."""
    value: Any = fields
    for name in way:
        if value is None:
            return None
        value = value.get(name, NOTHING) if isinstance(value, Mapping) else NOTHING
    return value


def made_text(value: Any, name: str, where: str) -> str:
    """Write what an expression gives as part of a key.

    Raises:
        EvaluationError: it is a list or a map; `name` and `where` say which expression it is.

    """
    if isinstance(value, dict | list):
        raise EvaluationError(f"the expression of {name!r} in `{where}` gives no single value")
    return key_text(value) if value is None or isinstance(value, str | int | float) else plain(value)


def key_text(value: Any) -> str:
    """Write a payload's value as part of a key; null becomes the empty text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
