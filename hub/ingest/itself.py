"""Which topics are the hub's own: for rules no wildcard matches them, as none matches $SYS. Pure.

A broker delivers them all the same to a subscription such as `+/status`. The hub acknowledges them, and they are no
events. Other topics below the hub's prefix are never published by the hub, so a wildcard matches them as usual.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from hub.ingest.topics import overlaps

__all__ = ["HUB", "D", "Itself", "OnTopic"]


class OnTopic(Protocol):
    """Anything that came on a topic: a packet of a session, or a delivery of a queue."""

    @property
    def topic(self) -> str:
        """The topic."""
        ...


D = TypeVar("D", bound=OnTopic)
_BRANCHES = ("alerts", "answers", "command", "doctor", "events")


@dataclass(frozen=True, slots=True)
class Itself:
    """The hub's own topics below its prefix, which may have several levels."""

    prefix: str = "hub"

    def says(self, topic: str) -> bool:
        """Tell whether only the hub, or a client that sends it a request, publishes on a topic."""
        start = f"{self.prefix}/"
        if not topic.startswith(start):
            return False
        branch, _, rest = topic[len(start) :].partition("/")
        return branch in _BRANCHES or (branch == "status" and not rest)

    def named_by(self, topic_filter: str) -> bool:
        """Tell whether a filter names the prefix literally: then its author means the hub's own topics."""
        return topic_filter == self.prefix or topic_filter.startswith(f"{self.prefix}/")

    def met_by(self, topic_filter: str) -> bool:
        """Tell whether a broker delivers the hub's own topics to a subscription to this filter."""
        if topic_filter.partition("/")[0] not in {"+", "#", self.prefix.partition("/")[0]}:
            return False  # true of most filters, and there may be many
        own = [f"{self.prefix}/status", *(f"{self.prefix}/{branch}/#" for branch in _BRANCHES)]
        return any(overlaps(topic_filter, each) for each in own)

    def left_out(self, deliveries: Sequence[D]) -> Sequence[D]:
        """Return the deliveries that are not on the hub's own topics."""
        start = f"{self.prefix}/"  # compared here first, because a call for each delivery would cost more
        return [each for each in deliveries if not (each.topic.startswith(start) and self.says(each.topic))]


HUB = Itself()
"""The hub's own topics under the default prefix."""
