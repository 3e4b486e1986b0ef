"""The two sides of the seam between the hub and the world of events: a Source to read from, a Publisher to send to.

An MQTT session is both. Parts that read (pipeline, timers, reload) get a Source and cannot publish. Parts that publish
(receivers, the hub's own status) get a Publisher and cannot take an event away from the pipeline.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from hub.ingest.redelivery.arrived import Arrived
from hub.model import Position

__all__ = ["EventSource", "Notice", "Properties", "Publisher", "Source"]

Properties = Mapping[str, Any]
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about the source itself that the rest of the hub must know.

    `position` is that of the last delivery received before it. `kind` is one of these:

    - `renewed`: the broker has no session of ours. Packet ids begin anew, and nothing comes again. It comes before
      everything else of its connection.
    - `refused`: the broker refused filters that `resubscribe` left for this connection; the earlier ones stay. It
      comes before `connected`; detail says why.
    - `session_lost`: the broker had no session although this process had one; all is subscribed again. It comes before
      `connected`.
    - `connected`: subscribed; detail is `resumed` or `new`.
    - `drained`: what the broker held while we were away was handed over or waits in the inbox. It comes once for each
      connection; where deliveries are unacknowledged, only after some of them were acknowledged. Detail says what did
      not come again; it is `again` where the notice answers a `catch_up`.
    - `disconnected`: detail says why. An attempt that fails for the same reason as the one before gives no notice.
    - `dropped`: QoS 0 deliveries found no room in the inbox, `count` of them.

    `broker` is the address that it is about, where the broker has several.
    """

    kind: str
    position: int
    detail: str = ""
    count: int = 0
    broker: str = ""

    @property
    def said(self) -> str:
        """What people are told: the detail, and of which address a connection is."""
        return f"{self.detail} session at {self.broker}" if self.broker and self.kind == "connected" else self.detail


class Source(Protocol[T_co]):
    """An ordered row of deliveries, which come again where they were not acknowledged; `receive` returns T_co.

    Positions count the deliveries that `receive` hands out, from 1; the last of a batch has the position `handed`.
    """

    on_notice: Callable[[Notice], None]

    @property
    def handed(self) -> int:
        """Position of the last delivery that `receive` returned."""
        ...

    @property
    def received(self) -> int:
        """The position that the last delivery received will have when handed out. A lost connection may lower it."""
        ...

    def catch_up(self) -> None:
        """Ask the broker whether all that it has sent by now is here; when it is, `drained` follows (detail `again`).

        Where there is no connection, or its own first `drained` is still to come, that one is the answer.
        """
        ...

    async def run(self, filters: Sequence[str], earlier: Iterable[str] = ()) -> None:
        """Connect, subscribe at QoS 1, reconnect with back-off for ever; return after `close`.

        `earlier` are filters that an earlier process with our client id may have left with the broker, as far as they
        are known: they are unsubscribed. What comes by a filter that nobody remembers is acknowledged and ignored.

        SubscriptionDenied and SessionTakenOver end it at any time; a ConnectionRefused that will not change
        (credentials, client id, protocol version) ends it only before the first connection. Anything else gives a
        notice `disconnected` and is tried again.

        Raises:
            SessionTakenOver, SubscriptionDenied, ConnectionRefused: going on would be wrong.

        """
        ...

    async def receive(self) -> T_co:
        """Wait for deliveries and return all that wait, in order; cancelling the wait loses none.

        When the source is closed, it returns something empty, once.
        """
        ...

    def acknowledge(self, position: int) -> None:
        """Acknowledge every delivery up to this position, in order of receipt.

        Deliveries of an older connection are skipped: the broker sends them again.
        """
        ...

    async def resubscribe(self, filters: Sequence[str], *, wait: bool = True) -> bool:
        """Make these the subscribed filters: subscribe new ones, unsubscribe those that are gone; return True.

        While there is no connection, wait for one. Without `wait`, leave it to the next connection and return False; a
        notice `refused` then tells where the broker refuses one of them.

        Raises:
            SubscriptionDenied: the broker refused one; the others stay.

        """
        ...

    async def close(self) -> None:
        """Send the acknowledgements, disconnect without UNSUBSCRIBE, and let `receive` and `run` return."""
        ...


class EventSource(Source[Arrived | None], Protocol):
    """A Source as the pipeline reads it: what was committed does not come out again; commits store its position."""

    def positions(self, position: int) -> Mapping[str, Position]:
        """Return, by source, what a commit has to store that covers all deliveries up to `position`; {} for nothing.

        The pipeline calls it for each commit, in order, before that commit's `acknowledge`.
        """
        ...


class Publisher(Protocol):
    """A way to publish on the hub's own broker."""

    @property
    def packet_bytes(self) -> int | None:
        """The longest packet, in bytes, that the broker takes; None where it has not said."""
        ...

    async def publish(
        self, topic: str, payload: bytes, qos: int = 1, retain: bool = False, properties: Properties | None = None
    ) -> None:
        """Return when the broker has it (QoS 1) or when it is written (QoS 0); wait while not connected.

        A QoS 1 publish whose connection ends before its PUBACK is sent again on the next one, with DUP where the
        session was resumed, until the broker has it or the caller cancels. None is lost; only those under way (at most
        SEND_WINDOW) may arrive twice. `properties` are those of MQTT 5 (response_topic, correlation_data,
        message_expiry_interval); 3.1.1 has none.

        Raises:
            PublishRefused: the broker will not take it, or nothing can be published to the topic.
            Disconnected: the session was closed, or the broker ended three connections because of what we sent.
            SessionError: the broker cannot take it now (quota exceeded).

        """
        ...
