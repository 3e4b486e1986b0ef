"""What both sessions have in common: a lifetime over many connections. How one connection works is their own."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence

from hub.errors import (
    ConnectionRefused,
    Disconnected,
    PublishRefused,
    SessionError,
    SessionTakenOver,
    SubscriptionDenied,
)
from hub.ingest.mqtt.fence import Fence
from hub.ingest.mqtt.inbox import Inbox
from hub.ingest.mqtt.packet import Packet
from hub.ingest.mqtt.session import BrokerSettings, Will
from hub.ingest.mqtt.subscriptions import Subscriptions, check_filters
from hub.ingest.source import Notice
from hub.ingest.topics import check_topic
from hub.ingest.transport.backoff import Backoff
from hub.ingest.transport.rival import Rival

__all__ = ["Lifetime", "RefusedForGood"]


class RefusedForGood(ConnectionRefused):
    """A refusal that stays, however often we ask."""


class Lifetime(ABC):
    """Connects again and again, and keeps what outlives a connection."""

    def __init__(self, settings: BrokerSettings, will: Will | None, on_notice: Callable[[Notice], None]) -> None:
        """Take the settings; nothing is connected yet."""
        self.on_notice = on_notice
        self._settings, self._will = settings, will
        self._inbox = Inbox()
        self._fence = Fence(self._inbox, settings.receive_maximum, lambda detail: self._notice("drained", detail))
        self._subscriptions = Subscriptions(settings, self._subscribe, self._unsubscribe)
        self._backoff = Backoff()
        self._up = asyncio.Event()
        self._closed = asyncio.Event()
        self._met = False
        self._said = ""

    @property
    def handed(self) -> int:
        """Position of the last delivery that `receive` returned."""
        return self._inbox.handed

    @property
    def confirmed(self) -> int:
        """Position up to which the broker is known to have taken our acknowledgements."""
        return self._fence.confirmed

    @property
    def packet_bytes(self) -> int | None:
        """The longest packet that the broker takes; MQTT 3.1.1 cannot say it."""
        return None

    async def run(self, filters: Sequence[str], earlier: Iterable[str] = ()) -> None:
        """Connect, subscribe, reconnect for ever; see Source.run."""
        self._subscriptions.want(filters, earlier)
        rival = Rival(self._settings.client_id)
        try:
            while not self._closed.is_set():
                try:
                    await self._live()
                except SessionError as error:
                    self._judge(error, rival)
                await self._pause()
        finally:
            self._finish()

    @property
    def received(self) -> int:
        """The position that the last delivery received will have when it is handed out."""
        return self._inbox.received

    def catch_up(self) -> None:
        """Send a notice when all that the broker has sent by now is here; see Source.catch_up."""
        self._fence.catch_up()

    async def receive(self) -> Sequence[Packet]:
        """Return what waits; see Source.receive."""
        batch = await self._inbox.take()
        if self._inbox.dropped:
            count, self._inbox.dropped = self._inbox.dropped, 0
            self._notice("dropped", f"{count} events at QoS 0 found no room", count)
        return batch

    async def resubscribe(self, filters: Sequence[str], *, wait: bool = True) -> bool:
        """Make these the subscribed filters; see Source.resubscribe."""
        check_filters(filters)
        while not self._closed.is_set() and (wait or self._up.is_set()):
            await self._up.wait()
            try:
                await self._subscriptions.align(filters)
            except Disconnected:
                await asyncio.sleep(0)  # the next connection
            else:
                return True
        self._subscriptions.want_later(filters)
        return False

    @abstractmethod
    async def _live(self) -> None:
        """Make one connection and stay until it ends; raise why it ended."""

    @abstractmethod
    async def _subscribe(self, topic_filter: str) -> str:
        """Subscribe one filter; return why it was refused, "" where it was granted."""

    @abstractmethod
    async def _unsubscribe(self, topic_filter: str) -> str:
        """Unsubscribe one filter; return ""."""

    def _greeted(self, *, resumed: bool) -> bool:
        """Hear that a connection was made; tell whether the broker has lost the session that this process had."""
        self._backoff.connected(asyncio.get_running_loop().time())
        lost = self._met and not resumed
        if not resumed:
            self._subscriptions.lost()
            self._notice("renewed")
        self._met, self._said = True, ""
        return lost

    def _subscribed(self, ask: Callable[[], None], refused: str, *, resumed: bool, lost: bool) -> None:
        """Hear that all filters are subscribed, except those `refused`; `ask` sends the Fence's question."""
        if refused:
            self._notice("refused", refused)
        if lost:
            self._notice("session_lost", "the broker had no session for us; subscribed anew")
        self._notice("connected", "resumed" if resumed else "new")
        self._up.set()
        self._fence.connected(ask)

    def _check_publish(self, topic: str) -> None:
        why = check_topic(topic)
        if why:
            raise PublishRefused(f"{topic[:200]!r} cannot be published to: {why}")
        self._check_open()

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise Disconnected("the session is closed")

    def _judge(self, error: SessionError, rival: Rival) -> None:
        """Decide what the end of a connection means: raise what must end the session, give notice of anything else."""
        if self._closed.is_set():
            return  # we ended the connection ourselves
        if isinstance(error, SessionTakenOver | SubscriptionDenied):
            raise error  # to connect again would take the session back, or would never hear what rules need
        if isinstance(error, RefusedForGood) and not self._met:
            raise ConnectionRefused(str(error)) from error  # a mistake in the settings; later, one of the broker's
        if str(error) != self._said:
            self._said = str(error)
            self._notice("disconnected", self._said)
        rivalry = rival.suspect(error, self._backoff.lasted(asyncio.get_running_loop().time()))
        if rivalry is not None:
            raise rivalry from error

    async def _pause(self) -> None:
        """Wait before the next attempt, or until closed."""
        if not self._closed.is_set():
            wait = self._backoff.wait(asyncio.get_running_loop().time())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._closed.wait()

    def _notice(self, kind: str, detail: str = "", count: int = 0) -> None:
        self.on_notice(Notice(kind, self._inbox.received, detail, count))

    def _finish(self) -> None:
        """Wake all callers that wait for something that will not come."""
        self._closed.set()
        self._up.set()
        self._inbox.close()
