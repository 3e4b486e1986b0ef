"""Mirror and Ask of the hub that owns its state: both read its own core, and its own store beside the writer.

What each method returns, seams.py says.
"""

from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from hub.alerts.alert import Alert
from hub.alerts.matchers import Matcher
from hub.alerts.suppression.silences import Silence
from hub.commands.seams import Answer, RuleCounts
from hub.ingest.topics import matches
from hub.model import Event, Phase
from hub.rules.posted.posting import PostedAlert
from hub.rules.reading.loader import RuleSet
from hub.rules.reading.rule import Rule
from hub.rules.running.rule_runner import RuleRunner
from hub.schedules import local_zone
from hub.spine.core import Core
from hub.store.changes import Snapshot
from hub.store.keeper import restore_all
from hub.store.reader import Reader
from hub.store.store import Store
from hub.why import why_not

__all__ = ["OwnerAsk", "OwnerMirror", "mirror_of_copy"]

T = TypeVar("T")
_Absent = tuple[RuleRunner, set[tuple[str, ...]], set[str]]
"""A rule, the keys of its absent instances, and the topics on which these spoke last."""


class OwnerMirror:
    """Reads the core's memory and the store. Memory may be a commit ahead of the disk for a moment."""

    def __init__(self, core: Core, store: Store) -> None:
        """Take what is read."""
        self._core, self._book, self._store = core, core.book, store

    @property
    def rules(self) -> Mapping[str, Rule]:
        """The rules in force, by name."""
        return self._core.rules

    @property
    def alerts(self) -> Mapping[str, Alert]:
        """All alerts by fingerprint."""
        return self._book.alerts

    @property
    def silences(self) -> Mapping[str, Silence]:
        """All silences by id."""
        return self._book.silences

    def find(self, matchers: Sequence[Matcher]) -> list[tuple[str, Alert]]:
        """Return the alerts that are not over and match."""
        return self._book.find(matchers)

    def firing(self) -> list[tuple[str, Alert]]:
        """Return the alerts that fire."""
        return self._book.firing()

    def held_back_by(self, alert: Alert) -> list[str]:
        """Return the firing alerts that suppress this one."""
        return self._book.held_back_by(alert)

    def posted(self, alert: Alert) -> PostedAlert | None:
        """Return an alert as it was last posted."""
        return self._core.posted.alerts.get((alert.alertname, alert.instance))

    def look(self, read: Callable[[Reader], T]) -> Coroutine[Any, Any, T]:
        """Read the store beside the writer."""
        return self._store.look(read)

    def why_failing(self) -> str:
        """Return why nothing can be written now."""
        return self._store.why_failing()


class OwnerAsk:
    """Asks the running engine."""

    def __init__(self, core: Core) -> None:
        """Take the core whose engine is asked."""
        self._core, self._engine = core, core.engine

    def why_not(self, name: str, labels: Mapping[str, str], now: float) -> Generator[None, None, Answer]:
        """Say in steps why nobody is told by a rule."""
        return why_not.looking(self._core, name, labels, now)

    def counts(self, rule: str) -> RuleCounts | None:
        """Return the counters of a rule."""
        state = self._engine.states.get(rule)
        if state is None:
            return None
        return RuleCounts(len(state.instances), state.evaluations, state.matches, state.errors)

    def last_messages(self) -> Iterator[tuple[str, bytes, float]]:
        """Yield the last message of each topic."""
        return self._engine.last_messages()

    def heard(self) -> Iterable[tuple[str, float]]:
        """Yield each topic, and when it was last heard."""
        return self._engine.heard()

    def interval(self, topic: str) -> float:
        """Return the usual seconds between two messages."""
        return self._engine.lasts.interval(topic)

    def learn(self, topic: str, interval: float) -> None:
        """Take the measured seconds between two messages; they are stored with the topic's last message."""
        self._engine.lasts.learn(topic, interval)

    @property
    def has_forgotten(self) -> bool:
        """Whether the memory had to drop topics."""
        return self._engine.lasts.forgotten > 0

    def absent(self) -> Callable[[str], bool]:
        """Return a function that tells of a topic whether its device is absent; use it for one answer only."""
        found = self._absent()
        return lambda topic: any(_concerns(each, topic) for each in found)

    def _absent(self) -> list[_Absent]:
        found: dict[str, _Absent] = {}
        for alert in self._core.book.alerts.values():
            state = self._engine.states.get(alert.alertname) if alert.state is Phase.FIRING else None
            if state is None or state.rule.absent is None:
                continue
            key = tuple(alert.labels.get(name, "") for name in state.rule.by)
            instance = state.instances.get(key)
            if instance is not None and instance.absent_since:
                _, keys, topics = found.setdefault(alert.alertname, (state, set(), set()))
                keys.add(key)
                topics.add(instance.topic)
        return list(found.values())

    def rehearsals(self, event: Event, now: float) -> Iterable[tuple[str, Callable[[], None]]]:
        """Yield each rule that an event concerns, with a function that evaluates its condition."""
        return self._engine.rehearsals(event, now)


def _concerns(absent: _Absent, topic: str) -> bool:
    """Tell whether an absent instance spoke last on this topic, or the topic's levels are an absent instance's key."""
    state, keys, topics = absent
    if topic in topics:
        return True
    pattern = next((each for each in state.rule.patterns if matches(each.filter, topic)), None)
    return pattern is not None and state.instances.key_of(pattern.values(topic.split("/"))) in keys


def mirror_of_copy(kept: Snapshot, store: Store, rules: RuleSet, prefix: str, now: float) -> OwnerMirror:
    """Return a Mirror of what is committed; its core holds the alert desk, and evaluates nothing.

    Args:
        kept: the rows of alerts and of the desk, as an owner's core would be restored from.
        store: what else is read there.
        rules: the rules in force.
        prefix: the topics of the hub's own, `publish_prefix`.
        now: the time as which silences are judged.

    """
    core = Core(rules, None, prefix, {}, lambda *_: None, local_zone())
    restore_all(core.keepers, kept)
    core.book.resume(now)  # what it would tell goes nowhere: nobody takes this core's changes
    return OwnerMirror(core, store)
