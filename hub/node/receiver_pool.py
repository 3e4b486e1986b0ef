"""The receivers of a unit: made of its settings here, lent to its dispatcher, and closed here.

A dispatcher only sends with them. So one that ends takes no connection from another one in the same process, and a
receiver that a reload has replaced is closed when the last attempt with it has ended.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from hub.limits import CLOSE_SECONDS
from hub.model import OWN
from hub.notify.dispatcher import Receivers
from hub.notify.lanes.channel import fault_of
from hub.notify.own import OWN_SETTINGS, Own
from hub.notify.receiver import Receiver, ReceiverSettings, Toolbox
from hub.notify.receiver_settings import build_receiver

__all__ = ["ReceiverPool"]

log = logging.getLogger(__name__)


class ReceiverPool:
    """What is lent, by name: the settings in force and the receiver that was made of them."""

    def __init__(self, tools: Toolbox, settings: Mapping[str, ReceiverSettings]) -> None:
        """Make the receivers of `settings`, and the hub's own beside them."""
        self._tools = tools
        self._closing: set[asyncio.Task[None]] = set()
        self._replaced: list[Receiver] = []
        self.lent: Receivers = {OWN: (OWN_SETTINGS, Own(tools.publisher))}
        self.renew(settings)

    def renew(self, settings: Mapping[str, ReceiverSettings]) -> None:
        """Lend the receivers of these settings from now on; `close_replaced` is to follow.

        One whose settings did not change stays the same object, with its open connection.
        """
        before = self.lent
        made = {OWN: before[OWN]}
        for name, each in settings.items():
            old = before.get(name)
            made[name] = old if old and old[0] == each else (each, build_receiver(each, self._tools))
        self._replaced += [pair[1] for name, pair in before.items() if pair is not made.get(name)]
        self.lent = made

    def close_replaced(self, done_with: Callable[[Receiver], Awaitable[None]]) -> None:
        """Close what `renew` has replaced, each as soon as `done_with` returns for it (see Dispatcher.done_with).

        Nobody waits for that: an attempt may take minutes.
        """
        replaced, self._replaced = self._replaced, []
        for receiver in replaced:
            task = asyncio.create_task(_close_after(done_with(receiver), receiver), name="close receiver")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Close all; the dispatcher has ended. One that does not close within CLOSE_SECONDS is left behind."""
        lent = [receiver for _, receiver in self.lent.values()]
        await asyncio.gather(*self._closing, *(_close(receiver) for receiver in (*lent, *self._replaced)))


async def _close_after(done: Awaitable[None], receiver: Receiver) -> None:
    await done
    await _close(receiver)


async def _close(receiver: Receiver) -> None:
    """Close a receiver. It is foreign code: what goes wrong is logged, and must not keep the others from closing."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await receiver.close()
    except Exception as error:  # noqa: BLE001 - as said above
        log.warning("a receiver did not close: %s", fault_of(error))
