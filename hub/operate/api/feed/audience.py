"""The clients of the live feed: so many in all and for one token or address, and none for longer than its login."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection

from hub.limits import FEED_CLIENTS, FEED_CLIENTS_EACH
from hub.operate.api.front.actor import LOCAL, Actor, Refused
from hub.operate.api.front.origin import Origin, household

__all__ = ["Audience", "Seat"]


@dataclass(eq=False, slots=True)
class Seat:
    """A client of the feed: who it is, its role, and when it has to leave."""

    who: str
    role: str
    login: str = ""
    expires: int = 0
    """When its login expires, in seconds since 1970."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    why: tuple[int, str] = (1013, "too slow for the feed")
    """The code and the reason with which its WebSocket is closed (RFC 6455, 7.4); 1013 means: try again later."""

    def leave(self, code: int, why: str) -> None:
        """End the client's feed, with this code and reason."""
        self.why = code, why
        self.over.set()


class Audience:
    """Counts the clients of the feed, and ends those of a login together with it."""

    def __init__(self) -> None:
        """Begin with no clients."""
        self._seats: set[Seat] = set()

    def room(self, asked: HTTPConnection, actor: Actor, origin: Origin) -> Seat:
        """Return a seat for one more client; it counts while it is `taken`.

        Raises:
            Refused: 503 where no seat is free, 429 where this token has too many (without tokens, this address).

        """
        who = household(origin.address(asked)) if actor is LOCAL else actor.name
        if len(self._seats) >= FEED_CLIENTS:
            raise Refused(503, f"{FEED_CLIENTS} clients hear the feed, which is all it has room for", 10.0)
        if sum(each.who == who for each in self._seats) >= FEED_CLIENTS_EACH:
            raise Refused(429, f"{who} hears the feed {FEED_CLIENTS_EACH} times already", 10.0)
        return Seat(who, actor.role, actor.login, actor.expires)

    @contextmanager
    def taken(self, seat: Seat) -> Iterator[None]:
        """Count a seat while a client has it."""
        self._seats.add(seat)
        try:
            yield
        finally:
            self._seats.discard(seat)

    def end(self, login: str = "") -> None:
        """End the feeds of this login; without one, those of every login."""
        for seat in self._seats:
            if seat.login and login in ("", seat.login):
                seat.leave(1008, "logged out")

    def expire(self, now: float) -> None:
        """End the feeds whose login has expired; `now` is in seconds since 1970."""
        for seat in self._seats:
            if seat.login and seat.expires <= now:
                seat.leave(1008, "the login has expired")

    def leave(self) -> None:
        """End all feeds: the hub stops."""
        for seat in self._seats:
            seat.leave(1001, "the hub stops")
