"""What a test has sent so far: on which topics, and which messages no rule could read."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from hub.ingest.decode import Undecodable
from hub.ingest.topics import matches
from hub.rules.topics.topic_pattern import TopicPattern

__all__ = ["Heard"]


@dataclass(slots=True)
class Heard:
    """The topics of a test.

    `live` are those with a message that was not retained. `unread` is the last message of a topic that could not be
    read.
    """

    topics: dict[str, float] = field(default_factory=dict)
    """When a message last came on each topic."""
    live: set[str] = field(default_factory=set)
    unread: dict[str, Undecodable] = field(default_factory=dict)

    def note(self, topic: str, at: float, *, retain: bool, unread: Undecodable | None) -> None:
        """Remember a message that was sent."""
        self.topics[topic] = at
        if unread is not None:
            self.unread[topic] = unread
        if not retain:
            self.live.add(topic)

    def of(self, patterns: Iterable[TopicPattern]) -> list[str]:
        """Return the topics that match the patterns of a rule."""
        filters = [pattern.filter for pattern in patterns]
        return [topic for topic in self.topics if any(matches(each, topic) for each in filters)]

    def nearest(self, pattern: TopicPattern) -> str:
        """Return the topic that is most like a pattern, and what is different; "" where nothing was sent."""
        levels = pattern.filter.split("/")
        agreeing = {topic: _agreement(levels, topic.split("/")) for topic in self.topics}
        best = max(agreeing, key=lambda topic: agreeing[topic], default="")
        if not best or not agreeing[best]:
            return best
        return f"{best} ({_difference(levels, best.split('/'))})"


def _agreement(levels: list[str], given: list[str]) -> int:
    same = sum(wanted == there for wanted, there in zip(levels, given, strict=False))
    return 2 * same + (len(levels) == len(given))


def _difference(levels: list[str], given: list[str]) -> str:
    for number, (wanted, there) in enumerate(zip(levels, given, strict=False), 1):
        if wanted not in ("+", "#", there):
            return f"its level {number} is {there!r}, not {wanted!r}"
        if wanted == "#":
            break
    return f"it has {len(given)} level{'s' if len(given) != 1 else ''}, not {len(levels)}"
