"""The topic that rules see for a queue's message: `orders/{subject}`, filled in from the message's address."""

import re
from collections.abc import Callable, Mapping

from hub.documents.document import Node
from hub.expressions.templates.topic import encode_level
from hub.fields import Bad, did_you_mean, text
from hub.ingest.topics import check_topic
from hub.limits import TOPIC_BYTES

__all__ = ["TopicPlace", "place"]

_HOLE = re.compile(r"\{([^{}]*)\}")


class TopicPlace:
    """A topic with holes. A dot in a value begins a new level, because subjects and routing keys use dots so."""

    __slots__ = ("_parts", "text")

    def __init__(self, whole: str) -> None:
        """Take a text that `place` has checked."""
        self.text = whole
        self._parts = _HOLE.split(whole)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TopicPlace) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def topic(self, known: Mapping[str, str]) -> str:
        """Return the topic of a message, TOPIC_BYTES at most; wildcards and control characters are encoded."""
        pieces = [_levels(known[part]) if odd % 2 else part for odd, part in enumerate(self._parts)]
        return "".join(pieces).encode()[:TOPIC_BYTES].decode("utf-8", "ignore")


def _levels(value: str) -> str:
    return "/".join(encode_level(level) for level in value.split("."))


def place(*names: str) -> Callable[[Node], TopicPlace]:
    """Return a function that reads a topic in which these names may stand in braces."""

    def convert(node: Node) -> TopicPlace:
        whole = text(node)
        for name in _HOLE.findall(whole):
            if name not in names:
                hint = did_you_mean(name, names) or f"known: {', '.join(names)}"
                raise Bad(node, f"{{{name}}} is not known here", hint)
        rest = _HOLE.sub("x", whole)
        if not rest or "{" in rest or "}" in rest or check_topic(rest):
            raise Bad(node, f"is no topic: {whole[:80]!r}", "as in orders/{subject}")
        return TopicPlace(whole)

    return convert
