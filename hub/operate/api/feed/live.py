"""The endpoints of the live feed: /ws is a WebSocket, /sse sends server-sent events."""

from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from hub.contracts.json_schema import TEXT, said
from hub.operate.api.answers import refusal
from hub.operate.api.feed.stream import EventStream, feed_socket
from hub.operate.api.front.actor import VIEWER, Refused
from hub.operate.api.site import Asked, Endpoint, Site
from hub.operate.specs.described import Described

__all__ = ["ENDPOINTS", "socket_route"]


async def _sse(asked: Asked) -> Response:
    """Send the feed from the id on that Last-Event-ID or `since` names; the header wins, as browsers send it again."""
    site, request = asked.site, asked.request
    since = request.headers.get("last-event-id", "")
    query = dict(request.query_params) | ({"since": since} if since else {})
    seat = site.audience.room(request, asked.actor, site.guard.origin)
    return EventStream(site.feed, site.hub, query, site.audience, seat)


def socket_route(site: Site) -> WebSocketRoute:
    """Return the route of the WebSocket, which is no Endpoint: OpenAPI has no words for it."""

    async def handle(socket: WebSocket) -> None:
        try:
            seat = site.audience.room(socket, site.guard.admit(socket, VIEWER), site.guard.origin)
        except Refused as refused:
            await socket.send_denial_response(refusal(refused))
            return
        with site.audience.taken(seat):
            await socket.accept()
            await feed_socket(socket, site.feed, site.hub, socket.query_params, seat)

    return WebSocketRoute("/ws", handle)


_FEED = Described(
    TEXT,
    {
        "since": said(TEXT, "The id after which the feed begins."),
        "types": said(TEXT, "Only messages of these types, separated by commas."),
    },
    {"Last-Event-ID": said(TEXT, "The same as `since`; browsers send it when they connect again.")},
    media="text/event-stream",
)

ENDPOINTS = (Endpoint("GET", "/sse", VIEWER, _sse, "The live feed as server-sent events", _FEED),)
