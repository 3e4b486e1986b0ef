"""How a notification ends other than by delivery here: superseded, given up, a dead letter, or told to the fallback.

The dispatcher's results all pass here: those of one turn of the event loop go to the outbox with one call.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from hub.clock import Clock
from hub.documents.duration import format_duration
from hub.ids import episode_id
from hub.limits import HANDED
from hub.model import Notification
from hub.notify.lanes.channel import ReceiverChannel
from hub.notify.lanes.episode import is_end, is_firing
from hub.notify.lanes.superseding import NEWER, UNHEARD, Elsewhere
from hub.notify.outbox_port import Entered, Outbox, Queued, Settled
from hub.observer import Observer

__all__ = ["Endings"]


class Endings:
    """Reports results to the outbox and to the observer; whoever takes over comes into the same commit.

    A crash between two of them can so lose nothing: either both are on disk or neither is.
    """

    def __init__(self, outbox: Outbox, clock: Clock, observer: Observer, flushed: Callable[[], None]) -> None:
        """Begin without results; `flushed` is called after each call to the outbox."""
        self._outbox, self._clock, self._observer, self._flushed = outbox, clock, observer, flushed
        self._results: list[Settled] = []

    @property
    def waits(self) -> bool:
        """Whether there are results that the outbox has not got yet."""
        return bool(self._results)

    def settle(self, result: Settled) -> None:
        """Collect the results of one turn of the event loop: one call to the outbox for all of them."""
        if not self._results:
            asyncio.get_running_loop().call_soon(self.flush)
        self._results.append(result)

    def flush(self) -> None:
        """Give the outbox what was collected."""
        if self._results:
            results, self._results = self._results, []
            self._outbox.settle(results)
            self._flushed()

    def settle_parts(self, queued: Queued) -> None:
        """Settle the older messages that this one stood for in the same call: a crash before it loses nothing."""
        for part in queued.parts[:-1]:
            self._put_aside(part, NEWER)

    def dead(self, queued: Queued, reason: str) -> None:
        """Make it a dead letter that nobody takes over."""
        self.settle(Settled(queued.row, "dead", queued.attempts, 0.0, reason))
        self.settle_parts(queued)
        self._observer.dead(queued.notification, reason)

    def give_up(self, channel: ReceiverChannel, queued: Queued, reason: str) -> None:
        """Make it a dead letter, and tell the fallback where there is one."""
        notification, fallback = queued.notification, channel.settings.fallback
        # an end goes to the fallback that heard of the firing, whatever fallback a reload has named since
        entered = self.end_for_fallback(channel, notification)
        if entered is None and fallback is not None:
            entered = Entered(self._copy(notification, fallback.to), handed=is_firing(notification))
        if entered is None:
            self.dead(queued, reason)
            return
        to = entered.notification.receiver
        if entered.handed:
            self._remember(channel, queued, to)
        reason = f"{reason}; {to!r} is told instead"
        self.settle(Settled(queued.row, "dead", queued.attempts, 0.0, reason, entered))
        self.settle_parts(queued)
        self._observer.dead(notification, reason)
        self._observer.fallback(notification, to, reason)

    def hand_over(self, channel: ReceiverChannel) -> None:
        """Give the fallback what has waited for long enough; give up what would keep out what can be sent."""
        for queued in channel.lane.crowded():
            self.give_up(channel, queued, "too much waits already for hosts that fail")
        for queued in channel.lane.lines.expired():
            self.give_up(channel, queued, f"not delivered within {format_duration(channel.lane.lines.patience or 0.0)}")

    def supersede(self, channel: ReceiverChannel) -> None:
        """Settle what the lane has taken out because a newer message says all, or nobody has to hear of the end."""
        gone, channel.lane.lines.superseded = channel.lane.lines.superseded, []
        for queued, reason in ((each.queued, each.reason) for each in gone):
            # the receiver has heard nothing of this episode, but its fallback may have
            end = self.end_for_fallback(channel, queued.notification) if reason is UNHEARD else None
            self._put_aside(queued, reason if end is None else f"told to {end.notification.receiver!r} instead", end)

    def end_for_fallback(self, channel: ReceiverChannel, notification: Notification) -> Entered | None:
        """Return the end of an episode for the fallback that heard of its firing; it is returned only once."""
        if not is_end(notification):
            return None
        elsewhere = channel.lane.lines.elsewhere.pop(episode_id(notification.id), None)
        return None if elsewhere is None else Entered(self._copy(notification, elsewhere.to), closes=channel.name)

    def _put_aside(self, queued: Queued, reason: str, end: Entered | None = None) -> None:
        self.settle(Settled(queued.row, "superseded", queued.attempts, 0.0, reason, end))
        self._observer.superseded(queued.notification, reason)
        self.settle_parts(queued)

    def _remember(self, channel: ReceiverChannel, queued: Queued, to: str) -> None:
        """Note that the fallback `to` hears of this episode, so that it hears of the end, too."""
        elsewhere, episode = channel.lane.lines.elsewhere, episode_id(queued.notification.id)
        before = elsewhere.pop(episode, None)
        if len(elsewhere) >= HANDED:  # of a receiver that wants no ends, none ever takes an entry out
            del elsewhere[next(iter(elsewhere))]
        elsewhere[episode] = Elsewhere(to, queued.perhaps or (before is not None and before.perhaps))

    def _copy(self, notification: Notification, to: str) -> Notification:
        # `first` says what the receiver has heard, and of another one that is not known
        body = {name: value for name, value in notification.body.items() if name != "first"}
        return replace(notification, receiver=to, body=body, created=self._clock.now())
