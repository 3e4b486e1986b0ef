"""Messages that a rule could not judge, in a row, by topic: the rule speaks of it when there were ten of them.

Messages of other kinds on a topic are ordinary, and the first message of `changed(x)` has nothing before it; but a rule
that judges nothing of what a device says watches nothing. What is judged costs nothing here.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

from hub.errors import EvaluationError
from hub.limits import UNJUDGED_IDLE_SECONDS, UNJUDGED_MESSAGES, UNJUDGED_TOPICS
from hub.model import Event

__all__ = ["Misses", "Unjudged"]


@dataclass(slots=True)
class _Run:
    """So many messages in a row without a value, the last one when and why."""

    length: int = 0
    at: float = 0.0
    detail: str = ""


class Unjudged(NamedTuple):
    """On how many topics a rule judges nothing; the one that was heard last, and why."""

    topics: int
    topic: str
    detail: str


class Misses:
    """The runs of all rules, on UNJUDGED_TOPICS topics at most: these tell of a rule for the others, too."""

    def __init__(self) -> None:
        """Begin with none."""
        self.topics: dict[str, dict[str, _Run]] = {}
        """Topic → rule → run."""
        self.noted: dict[str, tuple[Event, str]] = {}
        """What the event at hand had no value for: rule → event and why."""
        self._told: dict[str, int] = {}
        self._number = 0

    def note(self, rule: str, event: Event, error: EvaluationError) -> bool:
        """Note that a rule had no value for an event; tell whether that is an error.

        Where what it looks back at is not there yet, it is one only if that has been so for many messages.
        """
        self.noted[rule] = event, str(error)
        run = self.topics.get(event.topic, {}).get(rule)
        if error.is_early and (run is None or run.length + 1 < UNJUDGED_MESSAGES):
            return False
        self._told[rule] = self._told.get(rule, 0) + 1
        return True

    def settle(self, topic: str) -> None:
        """Count, when all rules have heard a message of this topic; a run of whoever could judge it is over."""
        noted = self.noted.copy()
        self.noted.clear()
        runs = self.topics.get(topic, {})
        for rule in [rule for rule in runs if rule not in noted]:
            self._drop(topic, rule)
        for rule, (event, detail) in noted.items():
            if event.topic == topic:
                self._count(rule, event, detail)

    def _count(self, rule: str, event: Event, detail: str) -> None:
        run = self.topics.get(event.topic, {}).get(rule)
        if run is None:
            if self._number >= UNJUDGED_TOPICS:
                return
            self._number += 1
            run = self.topics.setdefault(event.topic, {})[rule] = _Run()
        run.length, run.at, run.detail = run.length + 1, event.time, detail

    def _drop(self, topic: str, rule: str) -> None:
        runs = self.topics[topic]
        del runs[rule]
        self._number -= 1
        if not runs:
            del self.topics[topic]

    def keep(self, rules: AbstractSet[str]) -> None:
        """Forget the runs of all other rules: they are gone, or judge otherwise now."""
        self._drop_all([(topic, rule) for topic, runs in self.topics.items() for rule in runs if rule not in rules])

    def unjudged(self, now: float) -> dict[str, Unjudged]:
        """Return the rules that judged none of the last ten messages of a topic.

        A topic that was silent for a day says nothing any more.
        """
        old = now - UNJUDGED_IDLE_SECONDS
        silent = [(topic, rule) for topic, runs in self.topics.items() for rule, run in runs.items() if run.at < old]
        self._drop_all(silent)
        found: dict[str, list[tuple[float, str, str]]] = {}
        for topic, runs in self.topics.items():
            for rule, run in runs.items():
                if run.length >= UNJUDGED_MESSAGES:
                    found.setdefault(rule, []).append((run.at, topic, run.detail))
        return {rule: Unjudged(len(of), *max(of)[1:]) for rule, of in found.items()}

    def take_told(self) -> dict[str, int]:
        """Return how many errors each rule was told of since the last call."""
        told, self._told = self._told, {}
        return told

    def _drop_all(self, found: list[tuple[str, str]]) -> None:
        for topic, rule in found:
            self._drop(topic, rule)
