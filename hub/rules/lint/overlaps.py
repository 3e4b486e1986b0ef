"""Finds rules that tell the same people twice of the same thing: their topics overlap, their labels are equal.

The cost grows with the rules, not with their pairs: a rule is compared only with rules of the same labels, receivers
and timers whose topics cover its own, and with a bounded number of these.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hub.documents.document import Node
from hub.errors import Problem
from hub.expressions import Equality
from hub.ingest.topics import covers
from hub.rules.lint.logic.entailment import entails
from hub.rules.lint.logic.truth import never
from hub.rules.reading.rule import Rule
from hub.rules.reading.rule_values import Gate

__all__ = ["overlaps"]

_COMPARED = 8  # rules with one topic that demand the same; beyond, nothing is said
_Key = tuple[object, ...]


@dataclass(slots=True)
class _Level:
    """A level in the topics of similar rules: the rules whose topic ends here, by what they demand."""

    below: dict[str, "_Level"] = field(default_factory=dict)
    rules: dict[_Key, list[Rule]] = field(default_factory=dict)


def overlaps(rules: Mapping[str, Rule], nodes: Mapping[str, Node]) -> Iterator[Problem]:
    """Find rules that tell what another one tells; each is named once, with one of the others."""
    tries: dict[_Key, _Level] = {}
    order = {name: place for place, name in enumerate(rules)}
    candidates = [rule for rule in rules.values() if rule.notify and not rule.shadow and not _never_speaks(rule)]
    for rule in candidates:
        _enter(tries.setdefault(_alike(rule), _Level()), rule)
    told: set[frozenset[str]] = set()
    for rule in candidates:
        for other in _covering(tries[_alike(rule)], rule):
            pair = frozenset({rule.name, other.name})
            if pair in told or not _told_twice(rule, other):
                continue
            told.add(pair)
            # of two that are the same, the later one is to be changed
            later = _told_twice(other, rule) and order[other.name] > order[rule.name]
            first, second = (other, rule) if later else (rule, other)
            yield _problem(first, second, nodes[first.name])
            break


def _never_speaks(rule: Rule) -> bool:
    return rule.when is not None and never((rule.when, True))


def _problem(rule: Rule, other: Rule, node: Node) -> Problem:
    message = (
        f"whenever rule {rule.name!r} {'fires' if rule.alert else 'speaks'}, {other.name!r} ({other.place}) does too,"
        " with equal labels: people are told twice"
    )
    hint = f"remove one of them, give it another severity, or write unless: {other.name}"
    place: Node = node.value["when" if rule.when is not None else "topic"]
    return place.problem(message, hint if rule.alert else "remove one of them")


def _alike(rule: Rule) -> _Key:
    """Return what two rules have in common whose notifications differ in nothing but the name."""
    texts = tuple(sorted((name, template.text) for name, template in rule.texts.labels))
    timers = (rule.hold, rule.absent, rule.learns, rule.timestamp.text if rule.timestamp else None)
    gates = (_written(rule.pause), _written(rule.mute), rule.unless, rule.group_by, rule.limit and rule.limit.text)
    where = (rule.captures, len(rule.patterns), rule.patterns[0].levels, rule.patterns[0].rest)
    return (
        rule.alert,
        rule.severity,
        frozenset(rule.by_written or rule.by),
        frozenset(rule.notify),
        texts,
        timers,
        gates,
        where,
    )


def _written(gate: Gate | None) -> str | None:
    return gate.text if gate else None


def _enter(root: _Level, rule: Rule) -> None:
    level = root
    for name in rule.patterns[0].filter.split("/"):
        level = level.below.setdefault(name, _Level())
    for key in {_demand(rule, rule.when.equalities if rule.when else ()), _text(rule)}:
        bucket = level.rules.setdefault(key, [])
        if len(bucket) < _COMPARED:
            bucket.append(rule)


def _demand(rule: Rule, equalities: Iterable[Equality]) -> _Key:
    return (rule.when is None, frozenset(equalities))


def _text(rule: Rule) -> _Key:
    return ("text", rule.when.text if rule.when else None)


def _covering(root: _Level, rule: Rule) -> Iterator[Rule]:
    """Yield rules whose first topic covers that of this one, and which demand nothing that it does not demand."""
    equalities = rule.when.equalities if rule.when else ()
    some = ((), equalities, *((each,) for each in equalities))
    keys = [_text(rule), *dict.fromkeys(_demand(rule, each) for each in some)]
    for level in _levels(root, rule.patterns[0].filter.split("/")):
        for key in keys:
            yield from (each for each in level.rules.get(key, ()) if each is not rule)


def _levels(root: _Level, names: Sequence[str]) -> list[_Level]:
    """Return where the topics end that cover this one."""
    found, ends = [root], list[_Level]()
    for name in names:
        ends += [level.below["#"] for level in found if "#" in level.below]
        words = {name, "+"} if name != "#" else set()
        found = [level.below[word] for level in found for word in words if word in level.below]
    return [*ends, *found]


def _told_twice(rule: Rule, other: Rule) -> bool:
    """Tell whether the other one fires whenever this one does."""
    for pattern in rule.patterns:
        if not any(covers(each.filter, pattern.filter) and each.levels == pattern.levels for each in other.patterns):
            return False
    if _needs_all_messages(rule) and {each.filter for each in rule.patterns} != {
        each.filter for each in other.patterns
    }:
        return False  # another message that the wider rule hears may end a pending alert, or an absence
    if rule.when is None or other.when is None:
        return rule.when is other.when and rule.absent is not None
    if not entails((rule.when, True), (other.when, True)):
        return False
    return not rule.hold or entails((other.when, False), (rule.when, False))


def _needs_all_messages(rule: Rule) -> bool:
    """Tell whether a rule's answer depends on other messages of the instance, not only on the one at hand."""
    gates = [gate.condition for gate in (rule.pause, rule.mute) if gate is not None]
    kept = rule.hold or rule.absent is not None or rule.limit or rule.timestamp is not None
    return bool(kept or rule.readings or any(gates))
