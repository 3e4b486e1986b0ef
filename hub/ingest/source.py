"""The two sides of what stands between the hub and the world of events: a Source to read from, a Publisher to say to.

An MQTT session is both. What reads (pipeline, timers, reload) is given a Source and cannot publish; what publishes
(receivers, the hub's own word) is given a Publisher and cannot take an event from anybody.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from hub.ingest.redelivery.arrived import Arrived
from hub.store.changes import Position

__all__ = ["EventSource", "Notice", "Properties", "Publisher", "Source"]

Properties = Mapping[str, Any]
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about the source itself that the rest of the hub must know.

    `kind`: `renewed` (the broker has no session of ours: ids begin anew, and nothing comes again; goes before
    everything else of its connection), `connected` (subscribed; detail is `resumed` or `new`), `session_lost` (the
    broker had no session although this process had one; subscribed anew; goes before its `connected`), `refused` (of
    filters that `resubscribe` left for this connection, why the broker refused some; those from before stand; goes
    before `connected`), `drained` (what the broker held while we were away has been handed over or waits in the
    inbox; once for each connection, and where something waits to be acknowledged, only after some of it was; detail
    says what did not come again; `again` where it answers a `catch_up`), `disconnected` (detail says why; an attempt
    that fails for the same reason as the one before is not told again), `dropped` (QoS 0 beyond the inbox, `count` of
    them).
    `position` is that of the last delivery received before it.
    """

    kind: str
    position: int
    detail: str = ""
    count: int = 0


class Source(Protocol[T_co]):
    """An ordered row of deliveries that comes again where it was not acknowledged; `receive` returns T_co.

    Positions count the deliveries handed out by `receive`, from 1; the last of a batch is `handed`.
    """

    on_notice: Callable[[Notice], None]

    @property
    def handed(self) -> int:
        """Position of the last delivery that `receive` returned."""
        ...

    @property
    def received(self) -> int:
        """Position of the last delivery that came, once it will be handed out; it may fall when a connection ends."""
        ...

    def catch_up(self) -> None:
        """Ask the broker whether all that it has sent by now is here: then `drained` follows, with the detail `again`.

        Where there is no connection, or its own `drained` is still to come, that is the answer, and comes no earlier.
        """
        ...

    async def run(self, filters: Sequence[str], earlier: Iterable[str] = ()) -> None:
        """Connect, subscribe at QoS 1, reconnect with back-off for ever; return after `close`.

        `earlier` are filters that an earlier process with our client id may have left with the broker, where somebody
        remembers them: they are unsubscribed. What comes by one that nobody remembers must just be acknowledged.

        Before the first CONNACK only ConnectionRefused that stays (credentials, client id, protocol version),
        SubscriptionDenied and SessionTakenOver end it, afterwards only the latter two; anything else is reported as
        `disconnected` and tried again.

        Raises:
            SessionTakenOver, SubscriptionDenied, ConnectionRefused: going on would be wrong.

        """
        ...

    async def receive(self) -> T_co:
        """Wait for deliveries and return what waits, in order; cancelling the wait loses none.

        Returns nothing once, when the source is closed.
        """
        ...

    def acknowledge(self, position: int) -> None:
        """Acknowledge every delivery up to this position, in order of receipt.

        Those of an older connection are skipped: the broker sends them again.
        """
        ...

    async def resubscribe(self, filters: Sequence[str], *, wait: bool = True) -> bool:
        """Make these the subscribed filters: what is new is subscribed, what is gone unsubscribed.

        While there is no connection, wait for one; or, without `wait`, leave it to the next one and return False: a
        notice `refused` then tells where the broker refused one of them.

        Raises:
            SubscriptionDenied: the broker refused one; the others stand.

        """
        ...

    async def close(self) -> None:
        """Send what was acknowledged, disconnect without UNSUBSCRIBE, wake `receive` and `run`."""
        ...


class EventSource(Source[Arrived | None], Protocol):
    """A Source as the pipeline reads it: what was committed comes out of it once, and the commits keep its place."""

    def positions(self, position: int) -> Mapping[str, Position]:
        """Return what a commit has to store that covers all deliveries up to `position`, by source; {} for nothing.

        Called for each commit, in order, before its `acknowledge`.
        """
        ...


class Publisher(Protocol):
    """A way to publish on the hub's own broker."""

    @property
    def packet_bytes(self) -> int | None:
        """The longest packet that the broker takes; None where it has not said."""
        ...

    async def publish(
        self, topic: str, payload: bytes, qos: int = 1, retain: bool = False, properties: Properties | None = None
    ) -> None:
        """Return when the broker has it (QoS 1) or when it is written (QoS 0); waits while not connected.

        A QoS 1 publish whose connection ends before its PUBACK is sent again on the next one (with DUP where the
        session was resumed) until the broker has it or the caller cancels: none is lost, only those under way (at
        most SEND_WINDOW) may arrive twice. `properties` are those of MQTT 5 (response_topic, correlation_data,
        message_expiry_interval); 3.1.1 has none.

        Raises:
            PublishRefused: the broker will not take it, or the topic cannot be published to.
            Disconnected: the session was closed, or the broker ended three connections over what was sent.
            SessionError: the broker cannot take it now (quota exceeded).

        """
        ...
