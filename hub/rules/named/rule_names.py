"""The names of one rule's `topic` map at work: what they mean in an instance, and which instances share a topic."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hub.errors import EvaluationError
from hub.model import Event
from hub.rules.named.latest_values import Latest, LatestSeen, LatestValues
from hub.rules.reading.rule import Rule

__all__ = ["RuleNames", "sample_of_its_own"]

Key = tuple[str, ...]
Run = Callable[..., Any]


class RuleNames:
    """What the names of a rule mean. `at_hand` is the name of the message that is judged at the moment."""

    def __init__(self, rule: Rule, values: LatestValues) -> None:
        """Look into `values`; `begin` must be called before the first message."""
        self._rule, self._values = rule, values
        self.at_hand = ""
        self._places = {
            pattern.name: tuple(place for place, level in enumerate(pattern.levels) if level >= 0)
            if pattern.is_shared
            else None
            for pattern in rule.patterns
        }
        self._touched: set[str] = set()
        self._of: Mapping[str, dict[Key, Latest]] = {}
        self._sharing: dict[str, dict[Key, dict[Key, None]]] = {}
        """By shared name and the values of its captures, the captures of all instances that agree."""

    def begin(self) -> None:
        """Find the instances that are known: those of which any topic of their own was heard."""
        self._of = self._values.of(self._rule.name, self._places)
        self._sharing = {pattern.name: {} for pattern in self._rule.patterns if pattern.is_shared}
        for pattern in self._rule.patterns:
            for captures in () if pattern.is_shared else self._of[pattern.name]:
                self._meet(captures)

    def _meet(self, captures: Key) -> None:
        for name, sharing in self._sharing.items():
            sharing.setdefault(self._part(name, captures), {})[captures] = None

    def _part(self, name: str, captures: Key) -> Key:
        places = self._places[name]
        return captures if places is None else tuple([captures[place] for place in places])

    def hear(self, name: str, captures: Key, event: Event) -> str:
        """Take the latest message of a name. Return why it is not remembered, empty where it is."""
        self.at_hand, key = name, self._part(name, captures)
        if name not in self._sharing and key not in self._of[name]:
            self._meet(captures)
        return self._values.put(self._rule.name, name, key, event)

    def sharing(self, name: str, captures: Key) -> Iterator[Key]:
        """Yield the captures of all instances that share a topic which has these captures."""
        return iter(list(self._sharing[name].get(self._part(name, captures), ())))

    def seen(self, captures: Key) -> LatestSeen:
        """Return what the names mean in the instance of these captures."""
        return LatestSeen(self._of, self._places, captures, self.at_hand, self._touched)


def sample_of_its_own(run: Run) -> Run:
    """Let an expression that asks names be a sample only where a message of one of these names has come."""

    def sample(fields: Mapping[str, Any], captures: Key, context: Any) -> Any:
        seen = context.latest
        seen.touched.clear()
        value = run(fields, captures, context)
        if seen.touched and seen.at_hand not in seen.touched:
            raise EvaluationError("another topic has spoken")
        return value

    return sample
