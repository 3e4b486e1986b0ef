"""The HTTP server of a node: it listens as long as the node runs, whoever owns.

While the node owns, the App's own application answers. While it stands by, what the copy holds is answered here, and
the rest is handed to the owner.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.app import App
from hub.clock import Clock, rfc3339
from hub.cluster.log.replica import Replica
from hub.cluster.log.state_log import LogNames
from hub.cluster.servers.link import Link
from hub.commands.seams import Ask, Desk
from hub.config import Settings
from hub.errors import StoreError
from hub.node.identity import identify
from hub.observer import Observer
from hub.operate.api.answers import refusal
from hub.operate.api.feed import live
from hub.operate.api.feed.audience import Audience
from hub.operate.api.feed.ticker import Ticker
from hub.operate.api.front.access import AccessGuard
from hub.operate.api.front.actor import Refused
from hub.operate.api.front.door import Traffic
from hub.operate.api.front.login import Logins
from hub.operate.api.front.server import ENDPOINTS, HttpServer, application, keep, say_figures
from hub.operate.api.gathered.recent import Recent
from hub.operate.api.gathered.standing import GatheredStanding
from hub.operate.api.handlers.health import readiness
from hub.operate.api.handlers.metrics import OF_STANDBY
from hub.operate.api.site import Asked, Endpoint, Site, routes
from hub.operate.api.standby.copy_mirror import CopyMirror
from hub.operate.api.standby.feed_relay import hear, relay
from hub.operate.api.standby.forwarding import Answerer, Forwarder
from hub.operate.api.standby.nobody import Nobody
from hub.operate.figures.figures import Figures
from hub.operate.process.descriptors import http_room, limit
from hub.operate.specs.described import Described
from hub.operate.web import assets
from hub.project.files import Files
from hub.selfwatch.peers import Peers

__all__ = ["NodeServer", "ServedNode"]

_OWN = frozenset(
    {
        "/healthz",
        "/sse",
        "/api/hub/alerts",
        "/api/hub/silences",
        "/api/hub/history",
        "/api/hub/audit",
        "/api/hub/openapi.json",
        "/api/v2/alerts",
        "/api/v2/alerts/groups",
        "/api/v2/silences",
        "/api/v2/silence/{id}",
    }
)
"""What a node that stands by answers itself, where it is read and no page of it is asked for."""


class ServedNode(Protocol):
    """What the server asks of the node that it belongs to."""

    names: LogNames

    @property
    def link(self) -> Link:
        """The connection to the NATS servers."""
        ...

    @property
    def replica(self) -> Replica | None:
        """This node's copy, once it is open."""
        ...

    @property
    def company(self) -> Peers:
        """The nodes, as this one sees them."""
        ...

    def owner(self) -> str:
        """Return the node that owns; "" where none does."""
        ...

    def why_stale(self) -> str:
        """Return why what this node shows is not fresh; "" where it is."""
        ...

    def files(self) -> Files:
        """Return the rules and devices of this node."""
        ...


class NodeServer:
    """Serves a node. As a companion of the App it makes the App's application the one that answers."""

    name = "http"

    def __init__(self, settings: Settings, clock: Clock, figures: Figures, listening: Callable[[str], None]) -> None:
        """Serve as `settings` say; `listening` hears the URL as soon as a client can ask there."""
        self._settings, self._clock, self._figures = settings, clock, figures
        self._http = HttpServer(settings.http, clock, figures, listening)
        self._http.feed.start = secrets.randbelow(1 << 31)  # ids of a node's own feed, unlike those of the others
        self.observer: Observer = self._http.observer
        self._traffic, self._audience = Traffic(http_room(limit())), Audience()
        self._node: ServedNode | None = None
        self._answering: ASGIApp = _starting
        self._standing_by: ASGIApp = _starting
        self._owns = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let answer whoever does now."""
        await self._answering(scope, receive, send)

    async def run_node(self, node: ServedNode, trouble: Callable[[str, str], None]) -> None:
        """Serve until cancelled, from before the node follows anything."""
        self._node = node
        bound = self._http.bind(trouble)
        if bound is None:
            return
        with bound:
            site = self._site(node, trouble)
            self._standing_by = self._answering = self._application(site, node)
            await node.link.listen(node.names.feed, hear(self._http.feed, lambda: self._owns, lambda: node.replica))
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch(site, node), name="http figures")
                await self._http.serve(bound, self, site, trouble)

    async def run(self, app: App) -> None:
        """Let the App's application answer, and those who ask other nodes, until cancelled."""
        node = self._node
        if node is None:
            raise ValueError("the node does not run")
        before = self._http.feed.latest  # what the App says while all this is made is told to the others, too
        site = await self._http.site_of(app)
        site.traffic, site.audience = self._traffic, self._audience
        own = application(site)
        await node.link.listen(node.names.ask, Answerer(node.link, own).heard)
        self._answering, self._owns = own, True
        self._http.feed.gap()  # what the owner before this one had committed, and not yet told
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(keep(site), name="http figures")
                told = relay(node.link, node.names.feed, self._http.feed, before, lambda: node.replica)
                group.create_task(told, name="http feed")
        finally:
            self._answering, self._owns = self._standing_by, False
            await node.link.deafen(node.names.ask)

    def _site(self, node: ServedNode, trouble: Callable[[str, str], None]) -> Site:
        """Return the hub as a standby's handlers see it: of its parts only those that a copy has."""
        settings, logins = self._settings, Logins(secrets.token_bytes(32))

        def store() -> Any:
            if node.replica is None:
                raise StoreError("this node has not found its cluster yet")
            return node.replica.store

        def tip() -> int:
            # what the file has: what was only handed to its writer cannot be read yet
            return node.replica.written.seq if node.replica is not None else -1

        def identified(meta: Mapping[str, str]) -> None:
            if "key:login" in meta:  # not before the first owner has made it
                identity, _ = identify(settings.state, meta)
                logins.take(identity.login, identity.logouts)

        nobody = Nobody()
        return Site(
            desk=cast(Desk, nobody),
            mirror=CopyMirror(store, tip, node.files, settings.publish_prefix, self._clock, identified),
            ask=cast(Ask, nobody),
            settings=settings,
            clock=self._clock,
            since=rfc3339(self._clock.now()),
            tracing=None,
            files=node.files,
            reload=lambda: None,
            circuits=dict,
            broker_dropped=lambda: None,
            peers=node.company,
            guard=AccessGuard(settings.http, self._clock, logins, trouble),
            feed=self._http.feed,
            figures=self._figures,
            standing=GatheredStanding(self._clock),
            recent=Recent(),
            ticker=Ticker(self._figures),
            logins=logins,
            traffic=self._traffic,
            audience=self._audience,
        )

    def _application(self, site: Site, node: ServedNode) -> ASGIApp:
        own = [each for each in ENDPOINTS if each.path in _OWN and each.method == "GET"]
        ready = Endpoint("GET", "/readyz", "", _ready(node), "Whether this node is fresh", Described())
        forwarder = Forwarder(node.link, node.names.ask, node.owner)
        here: list[BaseRoute] = [*routes(site, [*own, ready, OF_STANDBY]), live.socket_route(site), *assets.routes()]
        local = Starlette(routes=[*here, Mount("/", forwarder)])

        async def answering(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and not _is_read(scope):
                await forwarder(scope, receive, send)
                return
            if isinstance(site.mirror, CopyMirror):
                with contextlib.suppress(StoreError):
                    await site.mirror.refresh()
            await local(scope, receive, send)

        return answering

    async def _watch(self, site: Site, node: ServedNode) -> None:
        """Once a second let go of those whose login has ended, and tell the others where nobody works.

        An owner's figures come through its feed. While none comes, somebody who looks at this node must not take its
        silence for rest; and what was told meanwhile does not come again.
        """
        why = ""
        while True:
            await asyncio.sleep(1.0)
            site.audience.expire(self._clock.now())
            before, why = why, "" if self._owns else _why_not_ready(node)
            if before and not why:
                self._http.feed.gap()
            if why and isinstance(site.mirror, CopyMirror):
                with contextlib.suppress(StoreError):  # it has no copy yet
                    await site.mirror.refresh()
                    await say_figures(site, {"owner": "", "why": why})


def _why_not_ready(node: ServedNode) -> str:
    """Return why this node does not show what is now; "" where it does."""
    return node.why_stale() or ("" if node.owner() else "no node owns the hub at this moment")


def _ready(node: ServedNode) -> Callable[[Asked], Any]:
    async def ready(asked: Asked) -> Response:
        """Say whether this node's copy is fresh, and somebody owns the hub; 503 where not."""
        return readiness(asked, _why_not_ready(node), "not ready")

    return ready


def _is_read(scope: Scope) -> bool:
    """Tell whether a request changes nothing and asks for no page: where a page ends, only its writer knows."""
    query = scope["query_string"]
    return scope["method"] in ("GET", "HEAD") and b"cursor=" not in query and b"limit=" not in query


async def _starting(scope: Scope, receive: Receive, send: Send) -> None:
    await refusal(Refused(503, "this node is starting", 1.0))(scope, receive, send)
