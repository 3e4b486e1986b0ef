"""What a source hands over at once: deliveries that the pipeline takes in one go, and how many positions they cover."""

from collections.abc import Sequence

from hub.ingest.mqtt.packet import Packet
from hub.model import Delivery

__all__ = ["Arrived"]


class Arrived:
    """Deliveries in order of receipt. They cover `count` positions, including those that were left out.

    `dated` come before `packets`; they are of our own type and may have a time. `packets` arrived now; they are the
    codec's own objects, so that no other object is made for each. `repeated` is how many were left out because they
    were committed before. `backlog`: at least BATCH waited, so more probably wait.
    """

    __slots__ = ("backlog", "count", "dated", "packets", "repeated")

    def __init__(
        self,
        count: int,
        packets: Sequence[Packet] = (),
        dated: Sequence[Delivery] = (),
        repeated: int = 0,
        backlog: bool = False,
    ) -> None:
        """Take what came."""
        self.count, self.packets, self.dated = count, packets, dated
        self.repeated, self.backlog = repeated, backlog
