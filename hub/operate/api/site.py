"""What every handler is given (the running hub, the feed, what was gathered), and how an endpoint is declared.

An Endpoint says in one place its method and path, who may use it, and what it is for. Routes and the OpenAPI document
are made of the same table.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub import __version__
from hub.clock import Clock
from hub.commands.seams import Ask, Desk, Mirror
from hub.config import Settings
from hub.errors import HubError, RequestError
from hub.notify.dispatcher import ReceiverStanding
from hub.operate.api.answers import refusal, refused
from hub.operate.api.feed.audience import Audience
from hub.operate.api.feed.feed import Feed
from hub.operate.api.feed.ticker import Ticker
from hub.operate.api.front.access import AccessGuard
from hub.operate.api.front.actor import LOCAL, Actor, Refused
from hub.operate.api.front.door import Traffic
from hub.operate.api.front.login import Logins
from hub.operate.api.front.reads import Reads, SentAnswer
from hub.operate.api.front.request_bodies import Bodies
from hub.operate.api.gathered.costs import Costs
from hub.operate.api.gathered.recent import Recent
from hub.operate.api.gathered.standing import GatheredStanding
from hub.operate.figures.figures import Figures
from hub.operate.specs.described import Described
from hub.project.files import Files
from hub.selfwatch.peers import Peers
from hub.store.reader import Depth
from hub.tracing.spans import Tracing

__all__ = ["Asked", "Endpoint", "Handler", "Site", "routes"]

_LOG = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Site:
    """The hub as the handlers of requests see it: what they need of it, and no more."""

    desk: Desk
    """The seam through which handlers change something."""
    mirror: Mirror
    """The seam through which handlers read what is committed."""
    ask: Ask
    """The seam through which handlers ask the running rules."""
    settings: Settings
    clock: Clock
    since: str
    """When the hub was started (RFC 3339)."""
    tracing: Tracing | None
    files: Callable[[], Files]
    """Rules and devices in force: a reload replaces them."""
    reload: Callable[[], None]
    """Reads rules and devices again; the feed tells what came of it."""
    circuits: Callable[[], Mapping[str, ReceiverStanding]]
    """How each receiver stands."""
    broker_dropped: Callable[[], int | None]
    """How many messages the broker has dropped; None where it does not say."""
    peers: Peers
    """The nodes of the cluster, where there is one."""
    guard: AccessGuard
    feed: Feed
    figures: Figures
    standing: GatheredStanding
    recent: Recent
    ticker: Ticker
    logins: Logins
    """Signs the cookies of logins, and knows those that have ended."""
    traffic: Traffic
    """The connected clients, counted by address."""
    latest: Mapping[str, Any] = field(default_factory=dict)
    """The figures of the last second, as in the feed."""
    depths: Sequence[Depth] = ()
    """What waits in the outbox; it is read once a second."""
    costs: Costs = field(default_factory=Costs)
    audience: Audience = field(default_factory=Audience)
    reads: Reads = field(default_factory=Reads)
    bodies: Bodies = field(default_factory=Bodies)
    posting: int = 0
    """How many posts of events are under way."""

    def deaf(self) -> str:
        """Say why the hub takes no events: it cannot write its disk, or the broker is away; "" where all is well."""
        return self.mirror.why_failing() or self.standing.ready()

    @property
    def hub(self) -> Mapping[str, str]:
        """Which hub this is; part of the status and of the feed's first message."""
        return {"client_id": self.settings.broker.client_id, "version": __version__}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to an endpoint: the hub, the HTTP request, and who sends it."""

    site: Site
    request: Request
    actor: Actor

    async def carry_out(self, command: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Have the desk carry out a command in the client's name, and return its answer.

        Raises:
            RequestError: the desk refuses; the message says why.

        """
        done = await self.site.desk.answer(command, request, "http", self.actor.name)
        if not done["ok"]:
            raise RequestError.of(done)
        return done


Handler = Callable[[Asked], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of a table of endpoints: `role` is who may use it, empty for everybody.

    `summary` says in the OpenAPI document what it is for, `described` what goes in and comes out.
    """

    method: str
    path: str
    role: str
    handler: Handler
    summary: str
    described: Described = Described()  # noqa: RUF009 - frozen
    long: bool = False
    """Whether its answer may be long; such answers are counted, see `reads`."""


def routes(site: Site, endpoints: Sequence[Endpoint]) -> list[Route]:
    """Return the routes of a table, one for each path; Starlette answers 405 to a method that a path does not have."""
    paths: dict[str, dict[str, Callable[[Request], Awaitable[Response]]]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method] = _guarded(site, endpoint)
    return [Route(path, _by_method(handlers), methods=list(handlers)) for path, handlers in paths.items()]


def _by_method(
    handlers: Mapping[str, Callable[[Request], Awaitable[Response]]],
) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return handle


def _guarded(site: Site, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    """Wrap a handler: check who asks, and make a refusal of every error."""

    async def handle(request: Request) -> Response:
        try:
            actor = site.guard.admit(request, endpoint.role) if endpoint.role else LOCAL
            asked = Asked(site, request, actor)
            return await (_long(endpoint, asked) if endpoint.long else endpoint.handler(asked))
        except Refused as no:
            return refusal(no)
        except HubError as error:
            return refusal(refused(error))
        except Exception:  # noqa: BLE001 - a bug in one view must not end the connection without an answer
            _LOG.exception("%s %s failed; this is a bug in the hub", endpoint.method, endpoint.path)
            return refusal(Refused(500, "this is a bug in the hub, please report it; its log has more"))

    return handle


async def _long(endpoint: Endpoint, asked: Asked) -> Response:
    """Count a long answer until it is sent: till then it takes memory."""
    reads = asked.site.reads
    reads.enter()
    try:
        return SentAnswer(await endpoint.handler(asked), reads.leave)
    except BaseException:
        reads.leave()
        raise
