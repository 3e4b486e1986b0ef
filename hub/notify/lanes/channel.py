"""A receiver at work: its lane, its timer, and one attempt with it. The dispatcher drives it."""

import asyncio
import logging
import traceback
from pathlib import Path

from hub.documents.duration import format_duration
from hub.limits import RECEIVER_NOTES
from hub.model import Notification, Outcome, Retry
from hub.notify.lanes.breaker import Breaker
from hub.notify.lanes.hosts import HostOf, Hosts
from hub.notify.lanes.lane import Lane
from hub.notify.lanes.pace import Pace
from hub.notify.receiver import Receiver, ReceiverSettings

__all__ = ["ReceiverChannel", "fault_of"]

log = logging.getLogger(__name__)


class ReceiverChannel:
    """What the dispatcher knows of one receiver."""

    __slots__ = ("fetching", "lane", "name", "notes", "receiver", "settings", "timer", "wakes")

    def __init__(self, name: str, settings: ReceiverSettings, receiver: Receiver, lane: Lane) -> None:
        """Begin with nothing under way."""
        self.name, self.lane = name, lane
        self.fetching = False
        self.notes: set[str] = set()
        self.timer: asyncio.TimerHandle | None = None
        self.wakes = 0.0  # the monotonic time that the timer is set to
        self.receiver = receiver
        self.use(settings, receiver)

    def use(self, settings: ReceiverSettings, receiver: Receiver) -> None:
        """Send by these settings and this receiver from now on; what is in the lane stays, and its pace."""
        if self.receiver is not receiver:
            self.notes.clear()
            self.lane.allowance = None  # it may be another service: this one did not ask to wait
        self.settings, self.receiver, lane = settings, receiver, self.lane
        lane.concurrency = settings.concurrency
        lane.breaker.most = settings.breaker
        host_of: HostOf | None = getattr(receiver, "host_of", None)
        if host_of is None or lane.hosts is None or lane.hosts.host_of != host_of:
            lane.hosts = None if host_of is None else Hosts(host_of)
        if lane.hosts is not None:
            lane.breaker = Breaker(0)  # each host has its own; one that was open for all would hold back every host
        lane.lines.set_patience(settings.fallback.after if settings.fallback else None)
        if settings.rate is None:
            lane.pace = None
        elif lane.pace is None or lane.pace.rate != settings.rate:
            lane.pace = Pace(settings.rate, lane.pace.begun if lane.pace else ())

    def new(self, note: str) -> bool:
        """Tell whether a warning of the receiver is to be told: each one once, and RECEIVER_NOTES at most."""
        if note in self.notes or len(self.notes) >= RECEIVER_NOTES:
            return False
        self.notes.add(note)
        return True

    def still(self) -> None:
        """Stop the timer; what waits is looked at when the dispatcher pumps next."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    async def send(self, notification: Notification) -> Outcome:
        """Make one attempt; whatever the receiver does, a bug or a hang included, becomes an outcome here."""
        timeout = self.settings.timeout
        try:
            async with asyncio.timeout(timeout) as limit:
                return await self.receiver.send(notification)
        except Exception as error:  # noqa: BLE001 - a receiver is foreign code: its fault must cost nobody a message
            if isinstance(error, TimeoutError) and limit.expired():
                return Retry(f"no answer within {format_duration(timeout)}")
            log.error("receiver %s: a fault of its own: %s", self.name, fault_of(error))  # noqa: TRY400 - no secrets
            return Retry(f"internal error: {type(error).__name__}")


def fault_of(error: Exception) -> str:
    """Name an exception and its place, without its message: that may hold a URL, a password, a payload."""
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = "".join(f" at {Path(frame.filename).name}:{frame.lineno}" for frame in place)
    return f"{type(error).__name__}{where}"
