"""The seam to the broker: an MQTT session, which is a Source and a Publisher. Two modules beside it implement it.

`session5` speaks MQTT 5 over the mqtt5 codec, `session311` MQTT 3.1.1 over aiomqtt for brokers that know nothing newer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Protocol

from hub.documents.secret import Secret
from hub.ingest.mqtt.packet import Packet
from hub.ingest.source import Publisher, Source
from hub.limits import KEEP_ALIVE_SECONDS, PAYLOAD_BYTES, RECEIVE_MAXIMUM, SESSION_EXPIRY_SECONDS

__all__ = ["BrokerAddress", "BrokerSettings", "Session", "Will"]


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes for us (retained, QoS 1) when we vanish."""

    topic: str
    payload: bytes


class BrokerAddress(NamedTuple):
    """Where a broker listens. `websocket` is the path of a WebSocket, perhaps with a query; empty: MQTT itself."""

    host: str
    port: int
    websocket: str = ""


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """How to reach the broker. `ca`, `cert` and `key` are PEM files; `tls` without `ca` trusts the system's.

    `websocket` is as in BrokerAddress. `others` are further addresses of the same broker: all else is the same there.
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
    others: tuple[BrokerAddress, ...] = ()

    def __str__(self) -> str:
        """Return the URL without user and password, and without the path's query, which may hold a token.

        Where there are several addresses, all of them.
        """
        if self.others:
            return ", ".join(map(str, self.each))
        scheme = "ws" if self.websocket else "mqtt"
        return f"{scheme}{'s' * self.tls}://{self.address}{self.websocket.partition('?')[0]}"

    @property
    def address(self) -> str:
        """Return host and port as they stand in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def each(self) -> tuple["BrokerSettings", ...]:
        """Return the settings of each address, in the order in which they are tried; each has one address only."""
        first = replace(self, others=()) if self.others else self
        return (first, *(replace(first, **address._asdict()) for address in self.others))

    def told(self, words: str) -> str:
        """Put the address before what went wrong there, unless it stands there already."""
        return words if words.startswith(str(self)) else f"{self}: {words}"


class Session(Source[Sequence[Packet]], Publisher, Protocol):
    """An MQTT session: a Source of packets as the broker sent them, and a Publisher."""

    @property
    def broker(self) -> BrokerSettings:
        """The one of the broker's addresses that the session has its connection to, or tries."""
        ...

    @property
    def confirmed(self) -> int:
        """Position up to which the broker is known to have taken our acknowledgements; packet ids up to it are free.

        After a reconnect it stands still until everything that the broker sends again is acknowledged again.
        """
        ...
