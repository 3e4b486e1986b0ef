"""Counts, by topic, the messages in a row that a rule could not judge; ten in a row are reported (UNJUDGED_MESSAGES).

A few such messages are ordinary: a topic carries messages of several kinds, and the first message of `changed(x)` has
no message before it. But a rule that can judge nothing of what a device says watches nothing. A message that is judged
costs nothing here.
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
    """Messages in a row without a value: how many, and when (seconds since 1970) and why the last one had none."""

    length: int = 0
    at: float = 0.0
    detail: str = ""


class Unjudged(NamedTuple):
    """On how many topics a rule can judge nothing; the topic of them that was heard last, and why it could not."""

    topics: int
    topic: str
    detail: str


class Misses:
    """The runs of all rules, on UNJUDGED_TOPICS topics at most; other topics of a rule will mostly fail alike."""

    def __init__(self) -> None:
        """Begin with none."""
        self.topics: dict[str, dict[str, _Run]] = {}
        """Topic → rule → run."""
        self.noted: dict[str, tuple[Event, str]] = {}
        """Rules that had no value for the event at hand: rule → event and why."""
        self._told: dict[str, int] = {}
        self._number = 0

    def note(self, rule: str, event: Event, error: EvaluationError) -> bool:
        """Note that a rule had no value for an event; tell whether that counts as an error."""
        self.noted[rule] = event, str(error)
        run = self.topics.get(event.topic, {}).get(rule)
        # too early: the earlier samples that it asks for will come, so it is an error only after many messages
        if error.is_early and (run is None or run.length + 1 < UNJUDGED_MESSAGES):
            return False
        self._told[rule] = self._told.get(rule, 0) + 1
        return True

    def settle(self, topic: str) -> None:
        """Count the misses of a message that all rules have heard; the run of each rule that could judge it is over."""
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
            if self._number >= UNJUDGED_TOPICS:  # the bound on memory: those that are counted already go on
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
        """Forget the runs of all other rules: a reload has removed them or changed how they judge."""
        self._drop_all([(topic, rule) for topic, runs in self.topics.items() for rule in runs if rule not in rules])

    def unjudged(self, now: float) -> dict[str, Unjudged]:
        """Return the rules that judged none of the last ten messages of a topic.

        A topic without a message for UNJUDGED_IDLE_SECONDS is forgotten: its device may be gone, or mended.
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
        """Take the number of errors of each rule since the last call; the count begins anew."""
        told, self._told = self._told, {}
        return told

    def _drop_all(self, found: list[tuple[str, str]]) -> None:
        for topic, rule in found:
            self._drop(topic, rule)
