"""What a source hands over at once: the pipeline's bite, with the positions that it covers."""

from collections.abc import Sequence

from hub.ingest.mqtt.packet import Packet
from hub.model import Delivery

__all__ = ["Arrived"]


class Arrived:
    """Deliveries in order of receipt. `count` positions are covered, also by those that bring nothing.

    `dated` go before `packets`: they are of our own shape and may have a time. `packets` are of now, as the MQTT codec
    makes them, so that nothing is made for each of them. `repeated` are left out, because they were committed before.
    `backlog`: at least BATCH waited, so more of them is likely to wait.
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
