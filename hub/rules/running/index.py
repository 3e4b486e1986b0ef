"""Finds the rules that a topic concerns: the cost depends on how many match, not on how many there are.

A trie over the filters' levels is walked once per topic; the engine remembers the result, a Plan. Below a filter, rules
that demand an equality (`device == "d7"`) stand in a table under the value that they demand. For a capture, the table
is asked when the plan is made; for a payload field, each event costs one dict lookup.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from hub.errors import EvaluationError
from hub.expressions import Program
from hub.ingest.decoding.decoder import Decoder
from hub.ingest.topics import covers, overlaps
from hub.limits import OVERLAP_COMPARISONS
from hub.model import OWN_TOPICS, Event
from hub.rules.instances.rule_instances import ActiveSet, key_text
from hub.rules.intake.named_intake import NamedIntake
from hub.rules.intake.rule_intake import RuleHearer, intake_of
from hub.rules.reading.rule import Rule
from hub.rules.running.rule_batch import RuleBatch, batches, can_join
from hub.rules.running.rule_runner import RuleRunner
from hub.rules.topics.topic_pattern import TopicPattern

__all__ = ["ActiveElsewhere", "BatchBound", "Bound", "Hearer", "Plan", "RuleIndex", "ValueGroup"]

Key = tuple[str, ...]


class Hearer(Protocol):
    """Takes events of a topic: a RuleRunner, a RuleIntake, or a listener of PresenceListeners."""

    def step(self, event: Event, captures: Key, key: Key | None, now: float, /) -> None:
        """Evaluate one event."""
        ...


@dataclass(slots=True)
class Bound:
    """A rule for one topic: the captures, and the instance's key; None where payload fields are part of the key."""

    runner: Hearer
    captures: Key
    key: Key | None


@dataclass(slots=True)
class BatchBound:
    """Rules that are evaluated together, for one topic."""

    batch: RuleBatch
    captures: Key
    key: Key


@dataclass(slots=True)
class _Entry:
    runner: RuleRunner
    pattern: TopicPattern
    hearer: RuleHearer

    def bind(self, levels: Sequence[str]) -> Bound:
        captures = self.pattern.values(levels)
        return Bound(self.hearer, captures, self.runner.instances.key_of(captures))

    def is_first(self, topic: str) -> bool:
        """Tell whether none of the rule's earlier filters matches a topic that this one matches."""
        patterns = self.runner.rule.patterns
        return len(patterns) == 1 or next(p for p in patterns if p.matches(topic)) is self.pattern


@dataclass(slots=True)
class ValueGroup:
    """Rules of one filter that demand some value of the same payload field, for one topic."""

    name: str
    table: Mapping[str, list[_Entry]]
    levels: Sequence[str]
    bound: dict[str, tuple[Bound, ...]] = field(default_factory=dict)

    def of(self, fields: Mapping[str, Any]) -> Sequence[Bound]:
        """Return the rules that demand the very value that this payload has."""
        value = fields.get(self.name)
        if value.__class__ is not str:
            # `by` writes a number as text: a rule that demands the text "5" keeps one instance for both
            value = "" if isinstance(value, dict | list) else key_text(value)
        found = self.bound.get(value)
        if found is None:
            entries = self.table.get(value)
            if entries is None:
                return ()
            found = self.bound[value] = tuple(
                [entry.bind(self.levels) for entry in entries if entry.pattern.fits(self.levels)]
            )
        return found


@dataclass(slots=True)
class ActiveElsewhere:
    """Rules of one filter that demand a value of a payload field which is not part of their instance, for one topic.

    `active` are those with something pending or firing, by instance: another value may end it, so they must hear it.
    """

    active: ActiveSet
    keys: Sequence[Key]
    """The instances that this topic can mean."""
    levels: Sequence[str]

    def roused(self, demanding: Sequence[Bound]) -> Sequence[Bound]:
        """Return the rules that are active for this topic's instances and do not demand the value at hand."""
        known = {id(bound.runner) for bound in demanding}
        found = []
        for key in self.keys:
            for runner in self.active.get(key, ()):
                captures = runner.rule.patterns[0].values(self.levels)
                # rules with another `by` may have an instance of the same key
                if id(runner) not in known and runner.instances.key_of(captures) == key:
                    found.append(Bound(intake_of(runner), captures, key))
        return found


@dataclass(slots=True)
class Plan:
    """All rules that a topic concerns. `copies`: how many of the hub's filters it matches.

    `raw` and `at` are the payload and time of its last message, for `hub why` and the pages.
    """

    always: tuple[Bound, ...]
    joined: tuple[BatchBound, ...]
    groups: tuple[ValueGroup, ...]
    elsewhere: tuple[ActiveElsewhere, ...]
    copies: int
    raw: bytes = b""
    at: float = 0.0
    decoded: tuple[tuple[Decoder, "Plan"], ...] = ()
    """The rules with a `decode`, by what it is: they hear what that makes of a message, which is done once for all."""

    def show_life(self, event: Event, now: float) -> None:
        """Let each rule with `absent` hear that there was a message; such a rule is always in `always`."""
        for bound in self.always:
            if isinstance(bound.runner, RuleHearer):
                bound.runner.live(event, bound.captures, bound.key, now)

    def refuse(self, event: Event, why: str, now: float) -> None:
        """Take a message that the `decode` of these rules could not read: it is a sign of life, and none judged it."""
        error = EvaluationError(why)
        for runner in self._concerned():
            runner.heard += 1
            runner.evaluator.failed(event, error)
        self.show_life(event, now)

    def _concerned(self) -> Iterator[RuleRunner]:
        """Yield the rules that would have been asked; of those that wait for some value, one stands for all."""
        for bound in self.always:
            if isinstance(bound.runner, RuleHearer):
                yield bound.runner if isinstance(bound.runner, RuleRunner) else bound.runner.runner
        for joined in self.joined:
            yield from joined.batch.runners
        for group in self.groups:
            yield next(entry.runner for entries in group.table.values() for entry in entries)


class _Filter:
    """The rules of one filter, sorted by what they demand."""

    def __init__(self) -> None:
        self.always: list[_Entry] = []
        self.by_level: dict[int, dict[str, list[_Entry]]] = {}
        self.by_field: dict[str, dict[str, list[_Entry]]] = {}
        self.active: ActiveSet = {}
        self.joined: list[tuple[TopicPattern, RuleBatch]] = []
        self.shapes: dict[tuple[Any, ...], _Entry] = {}
        """One rule for each way in which this filter's topics make an instance."""

    def add(self, entry: _Entry) -> None:
        demand = _demand(entry.runner.rule, entry.pattern)
        if demand is None:
            self.always.append(entry)
            return
        where, value, is_exact = demand
        if isinstance(where, int):
            self.by_level.setdefault(where, {}).setdefault(value, []).append(entry)
        else:
            self.by_field.setdefault(where, {}).setdefault(value, []).append(entry)
            rule = entry.runner.rule
            if rule.alert and not is_exact:
                entry.runner.instances.watch(self.active)
                self.shapes.setdefault((rule.by, rule.by_written, entry.pattern.levels, entry.pattern.shape), entry)

    def join(self) -> None:
        """Put rules that hear every event of the filter into batches, as far as they can join."""
        groups: dict[Any, list[_Entry]] = {}
        alone: list[_Entry] = []
        for entry in self.always:
            rule = entry.runner.rule
            key = (
                rule.captures,
                entry.pattern.levels,
                entry.pattern.rest,
                entry.pattern.shape,
                rule.by,
                rule.by_written,
            )
            (groups.setdefault(key, []) if can_join(rule) else alone).append(entry)
        for group in groups.values():
            if len(group) == 1:
                alone += group
            else:
                self.joined += [(group[0].pattern, made) for made in batches([entry.runner for entry in group])]
        self.always = alone

    def together(self, levels: Sequence[str]) -> Iterator[BatchBound]:
        for pattern, batch in self.joined:
            if not pattern.fits(levels):
                continue
            captures = pattern.values(levels)
            key = batch.key_of(captures)
            if key is not None:
                yield BatchBound(batch, captures, key)

    def entries(self, levels: Sequence[str]) -> Iterator[_Entry]:
        yield from (entry for entry in self.always if entry.pattern.fits(levels))
        for level, table in self.by_level.items():  # only where the filter says all that the pattern means
            yield from table.get(levels[level], ())

    def groups(self, levels: Sequence[str]) -> Iterator[ValueGroup]:
        for name, table in self.by_field.items():
            yield ValueGroup(name, table, levels)

    def elsewhere(self, levels: Sequence[str]) -> Iterator[ActiveElsewhere]:
        keys = {entry.bind(levels).key for entry in self.shapes.values() if entry.pattern.fits(levels)}
        if keys:
            yield ActiveElsewhere(self.active, [key for key in keys if key is not None], levels)


def _demand(rule: Rule, pattern: TopicPattern) -> tuple[int | str, str, bool] | None:
    """Find an equality without which nothing can happen: (level of the topic or payload field, value, is it exact).

    It is exact where a message with another value concerns no instance that this rule has.
    """
    # an equality is about an element, the index looks at the message; of a map of topics each message is remembered
    if rule.each is not None or rule.names:
        return None
    found = None if rule.where is None else _of_where(rule, rule.where, pattern)
    return found or _of_when(rule, pattern)


def _of_where(rule: Rule, where: Program, pattern: TopicPattern) -> tuple[int | str, str, bool] | None:
    """Find an equality of `where`: a message with another value was never there, so every kind of rule may skip it."""
    for equality in where.equalities:
        if equality.kind == "field":
            if len(rule.patterns) == 1:
                return equality.name, equality.value, True
        elif pattern.shape is None:
            level = pattern.levels[pattern.captures.index(equality.name)]
            if level != pattern.rest:
                return level, equality.value, True
    return None


def _of_when(rule: Rule, pattern: TopicPattern) -> tuple[int | str, str, bool] | None:
    """Find an equality of `when`.

    A rule with `absent` must hear every message. An alert rule may be skipped only where a false condition would change
    nothing: the value is part of the instance, or the `active` set knows the instance. A rule that looks back at
    samples must hear every message of its instances, so it may be skipped only for a value that is part of the
    instance. The same is true of a rule that remembers messages over a pause, whose `pause` or `mute` is a condition,
    or that judges the last message again by the clock.
    """
    if rule.when is None or rule.absent is not None:
        return None
    gates = [gate for gate in (rule.pause, rule.mute) if gate is not None]
    by_gate = any(gate.condition for gate in gates) or (rule.alert and rule.pause is not None)
    hears_all = rule.readings or rule.across or by_gate or rule.turning
    for equality in rule.when.equalities:
        inside = equality.name in rule.by if equality.kind == "capture" else _is_part(equality.name, rule)
        if hears_all and not inside:
            continue
        if equality.kind == "capture" and pattern.shape is not None:
            continue
        if equality.kind == "capture":
            level = pattern.levels[pattern.captures.index(equality.name)]
            if level != pattern.rest and (inside or not rule.alert):
                return level, equality.value, True
        elif len(rule.patterns) == 1 and (inside or not rule.alert or set(rule.by) <= set(rule.captures)):
            return equality.name, equality.value, inside
    return None


def _is_part(field: str, rule: Rule) -> bool:
    """Tell whether a field of the payload is part of the instance; its label alone does not say so (`after.id`)."""
    return (field,) in rule.ways.values()


def _hearer(runner: RuleRunner, pattern: TopicPattern) -> RuleHearer:
    """Return what hears one topic of a rule."""
    names = runner.evaluator.names
    return intake_of(runner) if names is None else NamedIntake(runner, pattern, names)


class _Node:
    __slots__ = ("children", "filter", "rest")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.filter: _Filter | None = None
        self.rest: _Filter | None = None


class RuleIndex:
    """The trie of all rules."""

    def __init__(
        self, runners: Iterable[RuleRunner], beside: Iterable[str] = (), decode: Decoder | None = None
    ) -> None:
        """Enter every pattern of every rule; `beside` are filters that are subscribed for no rule's own topic.

        Rules with another `decode` than this are in an index of their own, whose plans are inside of this one's.
        """
        self._root = _Node()
        self._filters: list[_Filter] = []
        filters: dict[str, None] = {}
        encoded: dict[Decoder, list[RuleRunner]] = {}
        for runner in runners:
            own = runner.rule.decode
            if own != decode and own is not None:
                encoded.setdefault(own, []).append(runner)
            for pattern in runner.rule.patterns:
                if not pattern.filter.startswith(OWN_TOPICS):  # the hub's own values come from inside, by no broker
                    filters[pattern.filter] = None
                found = self._filter(pattern.filter)
                if own == decode:
                    found.add(_Entry(runner, pattern, _hearer(runner, pattern)))
        for text in beside:
            filters[text] = None
            self._filter(text)
        for each in self._filters:
            each.join()
        self.encoded = [(own, RuleIndex(each, decode=own)) for own, each in encoded.items()]
        self.filters = list(filters)
        self.overlaps = _overlap(self.filters)
        """Whether a message may reach the hub by several subscriptions, hence several times."""

    def _filter(self, text: str) -> _Filter:
        node = self._root
        levels = text.split("/")
        for level in levels:
            if level == "#":
                node.rest = node.rest or self._new()
                return node.rest
            node = node.children.setdefault(level, _Node())
        node.filter = node.filter or self._new()
        return node.filter

    def _new(self) -> _Filter:
        self._filters.append(_Filter())
        return self._filters[-1]

    def plan(self, topic: str) -> Plan:
        """Find the rules for a topic, each once: the first of its filters that matches decides the captures."""
        levels = topic.split("/")
        found = list(self._matching(levels))
        return Plan(
            tuple([e.bind(levels) for each in found for e in each.entries(levels) if e.is_first(topic)]),
            tuple([joined for each in found for joined in each.together(levels)]),
            tuple([group for each in found for group in each.groups(levels)]),
            tuple([elsewhere for each in found for elsewhere in each.elsewhere(levels)]),
            len(found),
            decoded=tuple([(own, index.plan(topic)) for own, index in self.encoded if index.hears(topic)]),
        )

    def hears(self, topic: str) -> bool:
        """Tell whether any rule or listener wants to hear a topic."""
        return next(self._matching(topic.split("/")), None) is not None

    def _matching(self, levels: Sequence[str]) -> Iterator[_Filter]:
        """Walk the trie; wildcards do not match a first level that begins with $ (MQTT 5, 4.7.2)."""
        hidden = levels[0].startswith("$")
        nodes = [self._root]
        for depth, level in enumerate(levels):
            wild = depth > 0 or not hidden
            following: list[_Node] = []
            for node in nodes:
                if node.rest is not None and wild:
                    yield node.rest
                if level in node.children and level != "+":
                    following.append(node.children[level])
                if wild and "+" in node.children:
                    following.append(node.children["+"])
            nodes = following
        for node in nodes:
            if node.rest is not None:
                yield node.rest
            if node.filter is not None:
                yield node.filter


def _overlap(filters: Sequence[str]) -> bool:
    """Tell whether two subscribed filters can match the same topic; a filter that another covers is not subscribed."""
    wild = [name for name in filters if "+" in name or "#" in name]
    if len(filters) * len(wild) > OVERLAP_COMPARISONS:
        return True
    return any(
        overlaps(one, other) and not covers(one, other) and not covers(other, one)
        for one in wild
        for other in filters
        if one != other
    )
