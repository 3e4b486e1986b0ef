"""The seam to the channels: what a receiver is. One file below `receivers/` each; the dispatcher owns everything else.

A receiver sends one notification once and says what came of it. Retry, order, concurrency, age, dead letters and
logging belong to the dispatcher; HTTP, time limits and redaction to this module's Toolbox.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp

from hub.limits import RECEIVER_CONCURRENCY, RECEIVER_TIMEOUT_SECONDS
from hub.model import Notification, Outcome

__all__ = ["Receiver", "ReceiverSettings", "Toolbox"]

Publish = Callable[[str, bytes, int, bool], Awaitable[None]]
"""topic, payload, QoS, retain; returns when the broker has it (ingest.session.Session.publish)."""


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """A receiver as a user wrote it: its name, its kind (a file here, by entry point `hub.receivers`), its options.

    `options` is the typed settings object that the kind's own `read` made of its YAML section.
    """

    name: str
    kind: str
    options: Any = field(repr=False)
    timeout: float = RECEIVER_TIMEOUT_SECONDS
    concurrency: int = RECEIVER_CONCURRENCY
    send_resolved: bool = True


@dataclass(slots=True)
class Toolbox:
    """What the framework lends to receivers: one HTTP client for all, the broker's publish, who we are."""

    http: aiohttp.ClientSession
    publish: Publish
    client_id: str
    version: str


class Receiver(Protocol):
    """One channel. Made once from its options; `send` is called for several notifications at once."""

    async def send(self, notification: Notification) -> Outcome:
        """Try once. Whatever goes wrong is Retry or Rejected with a reason that holds no secret; never an exception."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...
