"""Which topics are what the hub says of itself: no wildcard matches them, as none matches $SYS. Pure.

A broker brings them all the same to who subscribes to `+/status`; they are acknowledged and are no events. What else
stands below the hub's prefix the hub never publishes: a wildcard matches that as any other topic.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from hub.ingest.topics import overlaps

__all__ = ["HUB", "D", "Itself", "OnTopic"]


class OnTopic(Protocol):
    """What came on a topic."""

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
        """Tell whether the hub (or who speaks to it) is the only one to publish on a topic."""
        start = f"{self.prefix}/"
        if not topic.startswith(start):
            return False
        branch, _, rest = topic[len(start) :].partition("/")
        return branch in _BRANCHES or (branch == "status" and not rest)

    def named_by(self, topic_filter: str) -> bool:
        """Tell whether a filter names the prefix literally, hence the hub's own topics and nothing else."""
        return topic_filter == self.prefix or topic_filter.startswith(f"{self.prefix}/")

    def met_by(self, topic_filter: str) -> bool:
        """Tell whether a broker brings what the hub says of itself to who subscribes to a filter."""
        if topic_filter.partition("/")[0] not in {"+", "#", self.prefix.partition("/")[0]}:
            return False  # most filters; there may be many
        own = [f"{self.prefix}/status", *(f"{self.prefix}/{branch}/#" for branch in _BRANCHES)]
        return any(overlaps(topic_filter, each) for each in own)

    def left_out(self, deliveries: Sequence[D]) -> Sequence[D]:
        """Return deliveries without those of the hub's own."""
        start = f"{self.prefix}/"  # looked at here first, because a call costs more
        return [each for each in deliveries if not (each.topic.startswith(start) and self.says(each.topic))]


HUB = Itself()
"""Under the default prefix."""
