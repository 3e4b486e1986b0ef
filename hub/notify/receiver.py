"""The seam to the channels: what a receiver is. One file below `receivers/` each; the dispatcher owns everything else.

A receiver sends one notification once and says what came of it. Retry, order, concurrency, age, time limits and dead
letters belong to the dispatcher; the HTTP client, the broker and the clock are lent by the Toolbox.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, fields
from typing import Any, Protocol, Self

import aiohttp

from hub.clock import Clock, SystemClock
from hub.fields import Section
from hub.ingest.source import Publisher
from hub.limits import BREAKER_FAILURES, RECEIVER_CONCURRENCY, RECEIVER_TIMEOUT_SECONDS
from hub.model import Notification, Outcome
from hub.notify.fallback import Fallback
from hub.notify.lanes.pace import Rate
from hub.notify.lanes.retry import RetryPolicy
from hub.notify.subscribers import Subscribers

__all__ = ["Kind", "Receiver", "ReceiverSettings", "Toolbox", "Usual"]


@dataclass(frozen=True, slots=True)
class Usual:
    """What the receivers of a kind have where the user says nothing, unless the kind's class says otherwise.

    `timeout`: seconds of one attempt; `concurrency`: attempts under way at once; `breaker`: failures in a row after
    which a receiver is left alone for a while, 0 for never.
    """

    timeout: float = RECEIVER_TIMEOUT_SECONDS
    concurrency: int = RECEIVER_CONCURRENCY
    breaker: int = BREAKER_FAILURES

    @classmethod
    def of(cls, kind: "type[Kind]") -> Self:
        """Take what the class of a kind says, which may be nothing: a plug-in has as many of them as it needs."""
        usual = cls()
        return cls(*(getattr(kind, each.name, getattr(usual, each.name)) for each in fields(cls)))


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """A receiver as a user wrote it: its name, its kind (a file here, by entry point `hub.receivers`), its options.

    `options` is the typed settings object that the kind's own `read` made of its YAML section. Two settings that are
    equal need no new receiver on a reload.
    """

    name: str
    kind: str
    options: Any = field(repr=False)
    timeout: float = RECEIVER_TIMEOUT_SECONDS
    concurrency: int = RECEIVER_CONCURRENCY
    send_resolved: bool = True
    rate: Rate | None = None
    retry: RetryPolicy = RetryPolicy()  # noqa: RUF009 - frozen
    fallback: Fallback | None = None
    breaker: int = BREAKER_FAILURES

    def publishes(self) -> str | None:
        """Return the MQTT filter of all topics it can publish to; None for what does not speak MQTT."""
        tell = getattr(self.options, "publishes", None)
        return None if tell is None else str(tell())

    def takes_links(self) -> bool:
        """Tell whether links that acknowledge go to it: yes, unless its kind has `ack_link` and that is off."""
        return bool(getattr(self.options, "ack_link", True))


@dataclass(slots=True)
class Toolbox:
    """What the framework lends to receivers: the shared HTTP client (outward.http), the broker, the hub's identity."""

    http: aiohttp.ClientSession
    publisher: Publisher
    client_id: str
    version: str
    clock: Clock = field(default_factory=SystemClock)
    subscribers: Subscribers = field(default_factory=lambda: Subscribers(b"\1" * 32))

    @property
    def publish(self) -> Callable[..., Awaitable[None]]:
        """What publishes on the hub's own broker; for plug-ins, which know it by this name (Publisher.publish)."""
        return self.publisher.publish


class Receiver(Protocol):
    """One channel. Made once from its options; `send` is called for several notifications at once."""

    async def send(self, notification: Notification) -> Outcome:
        """Try once. Whatever goes wrong is Retry or Rejected with a reason that holds no secret; never an exception."""
        ...

    async def close(self) -> None:
        """Give back connections; attempts under way have ended."""
        ...


class Kind(Receiver, Protocol):
    """What an entry point of `hub.receivers` names: a class that reads its options and is a receiver.

    It may have `timeout`, `concurrency` and `breaker`, each where the default does not suit it: see Usual.

    It may have `keys`, a KeyTable: `hub schema` describes it by that, and `read` takes its keys from there.

    A receiver whose host an event names has `host_of`, a function that returns it for a notification: each host is then
    left alone for itself. None, as for those without it: all failures are the receiver's.
    """

    def __init__(self, options: Any, toolbox: Toolbox) -> None:
        """Take the options `read` made; open nothing yet."""
        ...

    @classmethod
    def read(cls, section: Section) -> Any:
        """Take the kind's keys from its mapping; the caller reports what was not taken.

        The options are a frozen value; with a method `publishes() -> str` where the kind speaks MQTT to our broker, and
        a bool `ack_link` where links that acknowledge are not for everybody who reads there.
        """
        ...
