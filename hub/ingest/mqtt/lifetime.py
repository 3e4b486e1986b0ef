"""What both sessions have in common: a lifetime over many connections. How one connection works is their own."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

from hub.errors import (
    BrokerUnreachable,
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
from hub.ingest.transport.broker_turns import BrokerTurns
from hub.ingest.transport.connection import tls_context
from hub.ingest.transport.rival import Rival
from hub.limits import MAY_CONNECT_SECONDS

__all__ = ["Lifetime", "RefusedForGood"]


class RefusedForGood(ConnectionRefused):
    """A refusal that stays, however often we ask."""


class Lifetime(ABC):
    """Connects again and again, and keeps what outlives a connection."""

    def __init__(
        self,
        settings: BrokerSettings,
        will: Will | None,
        on_notice: Callable[[Notice], None],
        may_connect: Callable[[], bool] | None = None,
    ) -> None:
        """Take the settings; nothing is connected yet.

        `may_connect` is asked before each connection: a hub that is not sure any more that the state is its own takes
        the session from nobody. Whose it is now would have to take it back, again and again.

        Raises:
            HubError: the TLS files cannot be used.

        """
        self._may_connect = may_connect
        self.on_notice = on_notice
        self._settings, self._will, self._tls = settings, will, tls_context(settings)
        self._inbox = Inbox()
        self._fence = Fence(self._inbox, settings.receive_maximum, lambda detail: self._notice("drained", detail))
        self._subscriptions = Subscriptions(settings, self._subscribe, self._unsubscribe)
        self._turns = BrokerTurns(settings)
        self._backoff = Backoff()
        self._up = asyncio.Event()
        self._closed = asyncio.Event()
        self._connecting: asyncio.Timeout | None = None
        self._met = False
        self._said: dict[str, str] = {}
        """The last notice of each address since a connection was made."""
        self._refusal = ""
        """The words of an address that refused us for good, as long as nobody has taken us."""
        self._prepare()

    @property
    def broker(self) -> BrokerSettings:
        """The address of the connection, or of the attempt to make one."""
        return self._turns.now

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
                    await self._allowed()
                    await self._live()
                except SessionError as error:
                    self._judge(error, rival)
                await self._pause()
        finally:
            self._finish()

    async def _allowed(self) -> None:
        """Wait until this hub may connect.

        Raises:
            Disconnected: the session was closed meanwhile.

        """
        while self._may_connect is not None and not self._may_connect():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(MAY_CONNECT_SECONDS):
                    await self._closed.wait()
            self._check_open()

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

    async def close(self) -> None:
        """Disconnect; see Source.close."""
        self._closed.set()
        if self._connecting is not None:
            self._connecting.reschedule(asyncio.get_running_loop().time())
        await self._hang_up()
        self._finish()

    @contextlib.asynccontextmanager
    async def _until_closed(self, seconds: float | None, late: str) -> AsyncIterator[None]:
        """Connect within this: it ends after so many seconds, or at `close`. A broker that hangs holds up nobody.

        Raises:
            BrokerUnreachable: it is `late`.

        """
        self._connecting = asyncio.timeout(0 if self._closed.is_set() else seconds)
        try:
            async with self._connecting:
                yield
        except TimeoutError:
            raise BrokerUnreachable(late) from None
        finally:
            self._connecting = None

    @abstractmethod
    def _prepare(self) -> None:
        """Make what only one protocol needs; nothing is connected yet."""

    @abstractmethod
    async def _hang_up(self) -> None:
        """End the connection in good order, where there is one."""

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
        self._met = True
        self._said.clear()
        return lost

    def _subscribed(self, ask: Callable[[], None], refused: str, *, resumed: bool, lost: bool) -> None:
        """Hear that all filters are subscribed, except those `refused`; `ask` sends the Fence's question."""
        if refused:
            self._notice("refused", refused)
        if lost:
            who = self._turns.name or "the broker"
            self._notice("session_lost", f"{who} had no session for us; subscribed anew")
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
        words = self._turns.told(error)
        if isinstance(error, RefusedForGood) and not self._met:
            self._refusal = words
        if self._refusal and not self._met and self._turns.is_last:
            # a mistake in the settings, as nobody else has taken us either; later, it is one of the broker's
            raise ConnectionRefused(self._refusal) from error
        if words != self._said.get(self._turns.name):
            self._said[self._turns.name] = words
            self._notice("disconnected", words)
        rivalry = rival.suspect(error, self._backoff.lasted(asyncio.get_running_loop().time()))
        if rivalry is not None:
            raise rivalry from error

    async def _pause(self) -> None:
        """Wait before the next attempt, or until closed; the next address of a round is tried at once."""
        if not self._closed.is_set():
            now = asyncio.get_running_loop().time()
            lasted = self._backoff.lasted(now)
            wait = self._backoff.wait(now)
            if self._turns.next(lasted):
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._closed.wait()

    def _notice(self, kind: str, detail: str = "", count: int = 0) -> None:
        self.on_notice(Notice(kind, self._inbox.received, detail, count, self._turns.name))

    def _finish(self) -> None:
        """Wake all callers that wait for something that will not come."""
        self._closed.set()
        self._up.set()
        self._inbox.close()
