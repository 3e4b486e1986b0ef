"""The seam to the broker: what the pipeline asks of an MQTT session; two implementations stand beside it.

`session5` speaks MQTT 5 over the mqtt5 codec, `session311` MQTT 3.1.1 over aiomqtt for brokers that know nothing newer.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hub.limits import KEEP_ALIVE_SECONDS, PAYLOAD_BYTES, RECEIVE_MAXIMUM, SESSION_EXPIRY_SECONDS
from hub.model import Delivery
from hub.secret import Secret

__all__ = ["BrokerSettings", "Notice", "Properties", "Session", "Will"]

Properties = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes for us (retained, QoS 1) when we vanish."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """How to reach the broker. `ca`, `cert` and `key` are PEM files; `tls` without `ca` trusts the system's.

    `websocket` is the path of a WebSocket, perhaps with a query; empty: MQTT on the socket itself.
    """

    host: str = "localhost"
    port: int = 1883
    tls: bool = False
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    username: str | None = None
    password: Secret | None = None
    client_id: str = "hub"
    protocol: str = "5"
    session_expiry: float = SESSION_EXPIRY_SECONDS
    receive_maximum: int = RECEIVE_MAXIMUM
    keep_alive: int = KEEP_ALIVE_SECONDS
    payload_bytes: int = PAYLOAD_BYTES
    websocket: str = ""

    def __str__(self) -> str:
        """Return the URL without user and password, and without the query of a path, which may hold a token."""
        scheme = "ws" if self.websocket else "mqtt"
        return f"{scheme}{'s' * self.tls}://{self.address}{self.websocket.partition('?')[0]}"

    @property
    def address(self) -> str:
        """Return host and port as they stand in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about the session itself that the rest of the hub must know.

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


class Session(Protocol):
    """An ordered, replayable source of deliveries with positions, and a way to publish.

    Positions count the deliveries handed out by `receive`, from 1; the last of a batch is `handed`.
    """

    on_notice: Callable[[Notice], None]

    @property
    def handed(self) -> int:
        """Position of the last delivery that `receive` returned."""
        ...

    @property
    def confirmed(self) -> int:
        """Position up to which the broker is known to have taken our acknowledgements; packet ids up to it are free.

        After a reconnect it stands still until everything that the broker sends again was acknowledged anew.
        """
        ...

    @property
    def received(self) -> int:
        """Position of the last delivery that came, once it will be handed out; it may fall when a connection ends."""
        ...

    @property
    def packet_bytes(self) -> int | None:
        """The longest packet that the broker takes; None where it has not said."""
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

    async def receive(self) -> Sequence[Delivery]:
        """Wait for deliveries and return all that wait, in order; cancelling the wait loses none.

        Returns an empty sequence once, when the session is closed.
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

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, properties: Properties | None = None
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

    async def close(self) -> None:
        """Send what was acknowledged, disconnect without UNSUBSCRIBE, wake `receive` and `run`."""
        ...
