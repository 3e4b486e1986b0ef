"""Which filters we want and which the broker has granted; both sessions use it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from hub.errors import SubscriptionDenied
from hub.ingest.mqtt.session import BrokerSettings
from hub.ingest.topics import check_filter

__all__ = ["Subscriptions", "check_filters"]

Ask = Callable[[str], Awaitable[str]]
"""Sends a SUBSCRIBE or an UNSUBSCRIBE of one filter; returns why it was refused, "" when it was not."""


class Subscriptions:
    """Brings the broker's subscriptions in line with the wanted ones."""

    def __init__(self, settings: BrokerSettings, subscribe: Ask, unsubscribe: Ask) -> None:
        """Begin with nothing wanted and nothing granted."""
        self._settings, self._subscribe, self._unsubscribe = settings, subscribe, unsubscribe
        self._wanted: dict[str, None] = {}
        self._granted: set[str] = set()
        self._stale: set[str] = set()
        self._later: dict[str, None] | None = None
        self._lock = asyncio.Lock()

    def want(self, filters: Sequence[str], stale: Iterable[str] = ()) -> None:
        """Set the wanted filters; `stale` are filters that an earlier process may have left with the broker.

        Raises:
            SubscriptionDenied: one is not a filter.

        """
        check_filters(filters)
        self._wanted, self._stale = dict.fromkeys(filters), set(stale)

    def lost(self) -> None:
        """Hear that the broker has no session for us: nothing is granted."""
        self._granted.clear()

    def want_later(self, filters: Sequence[str]) -> None:
        """Set the filters that are wanted from the next connection on, if the broker grants them."""
        self._later = dict.fromkeys(filters)

    async def greet(self) -> str:
        """Subscribe on a new connection; return why the filters of `want_later` were refused, "" where they were not.

        Where they are refused, the filters that were wanted before stay.

        Raises:
            SubscriptionDenied: some of these were refused, too.

        """
        while True:
            later, before, refused = self._later, self._wanted, ""
            try:
                await self.align(None if later is None else list(later))
            except SubscriptionDenied as error:
                if later is None:
                    raise
                self._wanted, refused = before, str(error)
                await self.align()  # unsubscribes also what was granted of the new ones
            if self._later is later:  # else a reload has come meanwhile: try its filters, too
                self._later = None
                return refused

    async def align(self, filters: Sequence[str] | None = None) -> None:
        """Subscribe new filters, unsubscribe those that are gone. From now on `filters` are wanted; None: as before.

        Raises:
            SubscriptionDenied: some were refused. The earlier filters stay, and so do the new ones that were granted.

        """
        async with self._lock:
            wanted = self._wanted if filters is None else dict.fromkeys(filters)
            new = [each for each in wanted if each not in self._granted]
            answers = await asyncio.gather(*[self._subscribe(each) for each in new])
            denied = {each: why for each, why in zip(new, answers, strict=True) if why}
            self._granted.update(each for each in new if each not in denied)
            if denied:
                self._wanted = {each: None for each in self._wanted | wanted if each in self._granted}
                raise SubscriptionDenied(self._complaint(denied))
            self._wanted = wanted
            gone = sorted((self._granted | self._stale) - wanted.keys())
            await asyncio.gather(*[self._unsubscribe(each) for each in gone])
            self._granted &= wanted.keys()
            self._stale.clear()

    def _complaint(self, denied: dict[str, str]) -> str:
        user = self._settings.username
        who = f"user {user!r}" if user else "a client without a user"
        first, *more = [f"{each} ({why})" for each, why in denied.items()]
        rest = f" and {len(more)} filters more" if more else ""
        return f"the broker does not let {who} read {first}{rest}: see the broker's access control list"


def check_filters(filters: Iterable[str]) -> None:
    """Make sure that all are valid filters.

    Raises:
        SubscriptionDenied: one is not. The broker would disconnect us for it.

    """
    for each in filters:
        why = check_filter(each)
        if why:
            raise SubscriptionDenied(f"{each!r} cannot be subscribed: {why}")
