"""The HTTP server, one task of the hub: a Starlette application under Hypercorn, with HTTP/1.1, HTTP/2 and WebSocket.

It runs on the hub's own loop, so that handlers touch the core between two batches, without a lock. Granian was tried
instead: it is faster for small requests, but half as fast for the frames of a feed, and it has threads of its own.
"""

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from hypercorn.config import Config
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from hub.app import App
from hub.clock import Clock
from hub.config import HttpSettings
from hub.contracts.json_schema import ANY, mapped
from hub.errors import HubError, StoreError
from hub.limits import HTTP_HEADER_BYTES, HTTP_STREAMS
from hub.observer import Observer, Observers
from hub.operate.api.alertmanager import handlers as alertmanager
from hub.operate.api.answers import answer, refusal
from hub.operate.api.feed import live
from hub.operate.api.feed.feed import Feed
from hub.operate.api.feed.ticker import Ticker, alert_counts, outbox_counts
from hub.operate.api.front.access import AccessGuard
from hub.operate.api.front.actor import VIEWER, Refused
from hub.operate.api.front.cors import Cors
from hub.operate.api.front.door import Door, Traffic
from hub.operate.api.front.login import Logins
from hub.operate.api.gathered.recent import Recent
from hub.operate.api.gathered.standing import GatheredStanding
from hub.operate.api.handlers import health, inventory, metrics, posted_commands, posted_events, views
from hub.operate.api.site import Asked, Endpoint, Site, routes
from hub.operate.figures.figures import Figures
from hub.operate.process.descriptors import http_room, limit
from hub.operate.specs.described import Described
from hub.operate.specs.openapi import document
from hub.operate.web import assets, links

__all__ = ["ENDPOINTS", "HttpServer", "ListenError", "application", "keep", "say_figures"]

_LOG = logging.getLogger(__name__)


async def _document(_asked: Asked) -> Response:
    """Return the OpenAPI document, which is made of ENDPOINTS."""
    return answer(document(ENDPOINTS))


ENDPOINTS: Sequence[Endpoint] = (
    *views.ENDPOINTS,
    *inventory.ENDPOINTS,
    *posted_commands.ENDPOINTS,
    *posted_events.ENDPOINTS,
    *alertmanager.ENDPOINTS,
    *live.ENDPOINTS,
    *health.ENDPOINTS,
    *metrics.ENDPOINTS,
    Endpoint("GET", "/api/hub/openapi.json", VIEWER, _document, "This document", Described(mapped(ANY))),
)
"""All endpoints but the WebSocket and the web page."""


class ListenError(HubError):
    """The hub cannot listen at the address that hub.yaml or --http names, or not with its certificate."""

    def __init__(self, why: str) -> None:
        """Keep why, also without the subject `http:`, for a sentence that goes on."""
        super().__init__(f"http: {why}")
        self.why = why


class HttpServer:
    """What hub.app.App runs beside itself. `observer` must be among the observers that the App tells."""

    name = "http"

    def __init__(
        self, settings: HttpSettings, clock: Clock, figures: Figures, listening: Callable[[str], None]
    ) -> None:
        """Serve as `settings` say; `listening` hears the URL as soon as a client can ask there."""
        self._settings, self._figures, self._listening = settings, figures, listening
        self.feed, self._standing = Feed(clock), GatheredStanding(clock)
        self.observer: Observer = Observers(self.feed, self._standing)

    async def run(self, app: App) -> None:
        """Serve until cancelled. Where the default address is taken, say so and let the hub run without HTTP.

        Raises:
            ListenError: an address that the user has named cannot be used, or the certificate cannot.

        """
        bound = self.bind(app.observer.trouble)
        if bound is None:
            return
        with bound:
            self.feed.start = app.identity.start
            site = await self.site_of(app)
            async with asyncio.TaskGroup() as group:
                group.create_task(keep(site), name="http figures")
                await self.serve(bound, application(site), site, app.observer.trouble)

    def bind(self, trouble: Callable[[str, str], None]) -> socket.socket | None:
        """Take the address; None where the default address is taken, which `trouble` hears.

        Raises:
            ListenError: an address that the user has named cannot be used.

        """
        try:
            return _bind(self._settings)
        except ListenError as error:
            if self._settings.asked:
                raise
            trouble("http", f"{error.why}; the hub runs without its HTTP interface")
            return None

    async def serve(
        self, bound: socket.socket, answering: ASGIApp, site: Site, trouble: Callable[[str, str], None]
    ) -> None:
        """Let this application answer at the bound address, until cancelled; `site` is what bounds the clients.

        Raises:
            ListenError: the certificate cannot be used.

        """
        config = _config(self._settings)
        app = Cors(answering, self._settings.origins)
        door = Door(bound, app, config, site.traffic, site.guard.origin, trouble)
        self._listening(_url(self._settings, bound))
        await door.run(site.audience.leave)

    async def site_of(self, app: App) -> Site:
        """Return the hub as handlers see it; `app` runs."""
        logins = Logins(app.identity.login, app.identity.logouts)
        self._standing.recall(await app.mirror.look(lambda reader: reader.last_attempts()))
        guard, ticker = AccessGuard(self._settings, app.clock, logins, app.observer.trouble), Ticker(self._figures)
        traffic = Traffic(http_room(limit()))
        return Site(
            desk=app.unit.service,
            mirror=app.mirror,
            ask=app.ask,
            settings=app.settings,
            clock=app.clock,
            since=app.since,
            tracing=app.tracing,
            files=lambda: app.files,
            reload=app.reload,
            circuits=lambda: app.unit.dispatcher.standing(()),
            broker_dropped=lambda: app.watcher.broker_dropped,
            peers=app.peers,
            guard=guard,
            feed=self.feed,
            figures=self._figures,
            standing=self._standing,
            recent=Recent(),
            ticker=ticker,
            logins=logins,
            traffic=traffic,
        )


def application(site: Site) -> Starlette:
    """Return the ASGI application."""
    page = [*assets.routes(), *links.routes(lambda: site.desk)]
    all_routes: list[BaseRoute] = [*routes(site, ENDPOINTS), live.socket_route(site), *page]
    return Starlette(routes=all_routes, exception_handlers={404: _unknown, 405: _unknown})


async def _unknown(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    response = refusal(Refused(status, f"{request.method} {request.url.path[:200]} is nothing that can be asked here"))
    response.headers.update(getattr(error, "headers", None) or {})
    return response


def _bind(settings: HttpSettings) -> socket.socket:
    """Bind the address at the start, so that an error is told then, and the port is known where 0 was asked for.

    Raises:
        ListenError: the address cannot be used.

    """
    try:
        addresses = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return socket.create_server(addresses[0][4], family=addresses[0][0])
    except OSError as error:
        where, why = f"{settings.host}:{settings.port}", os.strerror(error.errno) if error.errno else str(error)
        raise ListenError(f"cannot listen on {where}: {why}; name another with --http") from None


def _config(settings: HttpSettings) -> Config:
    """Set up Hypercorn, which speaks the protocol; http_connection.py and door.py bound times and connections."""
    config = Config()
    config.accesslog = config.errorlog = None
    config.include_server_header = False
    config.h11_max_incomplete_size = config.h2_max_header_list_size = HTTP_HEADER_BYTES
    config.h2_max_concurrent_streams = HTTP_STREAMS
    config.websocket_max_message_size = 64 << 10
    if settings.cert and settings.key:
        config.certfile, config.keyfile = str(settings.cert), str(settings.key)
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(settings.cert, settings.key)
        except (OSError, ssl.SSLError) as error:
            raise ListenError(f"cannot use cert {settings.cert} and key {settings.key}: {error}") from None
    return config


def _url(settings: HttpSettings, bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"{'https' if settings.cert else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


async def keep(site: Site) -> None:
    """Once a second let go of who has to leave, put the figures into the feed, and sample; until cancelled."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_tick(site))
        group.create_task(_sample(site))


async def _tick(site: Site) -> None:
    """Once a second, end the feeds whose login has expired, and put the figures into the feed."""
    while True:
        await asyncio.sleep(1.0)
        site.audience.expire(site.clock.now())
        try:
            await say_figures(site)
        except StoreError:  # the store is closed: the hub stops
            return


async def say_figures(site: Site, more: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Put the figures since the last time into the feed, with what else there is to say.

    Raises:
        StoreError: the store does not answer.

    """
    depths = await site.mirror.look(lambda reader: reader.depths())
    site.depths = depths
    site.latest = site.ticker.look(site.clock.monotonic()) | {
        "outbox": outbox_counts(depths, site.clock.now()),
        "alerts": alert_counts(site.mirror),
        **site.peers.roles(),
        **more,
    }
    site.feed.say("figures", site.latest)


async def _sample(site: Site) -> None:
    """Once a second, sample the last messages for charts and intervals, and time some conditions."""
    while True:
        await asyncio.sleep(1.0)
        await site.recent.look(site.ask)
        site.costs.look(site.ask, site.clock.now())
