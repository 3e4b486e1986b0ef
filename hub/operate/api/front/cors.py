"""Cross-origin requests: what a browser has to be told before a page of another origin may use the API (Fetch, 3.2).

Only the pages of `http.origins` may, and who they ask for still needs a token: a login's cookie counts on the hub's own
page alone (guard). A preflight carries no credentials, so it is answered before anybody is asked who he is.
"""

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.operate.api.answers import refusal
from hub.operate.api.front.actor import Refused

__all__ = ["Cors"]

_ALLOWED = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, traceparent",
    "Access-Control-Max-Age": "600",
}
_EXPOSED = "Date, Retry-After, WWW-Authenticate"
_NOT_NAMED = "the pages of this origin may not ask the hub: name it in http.origins of hub.yaml"


class Cors:
    """Stands before the application; without origins it changes nothing."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        """Let the pages of these origins ask."""
        self._app, self._origins = app, frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight; tell with every other answer whether the page that asked may read it."""
        if scope["type"] != "http" or not self._origins:
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        named = asked["origin"] if asked.get("origin") in self._origins else ""

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                _tell(MutableHeaders(scope=message), named)
            await send(message)

        if scope["method"] == "OPTIONS" and "origin" in asked and "access-control-request-method" in asked:
            told = Response(None, 204, _ALLOWED) if named else refusal(Refused(403, _NOT_NAMED))
            await told(scope, receive, tell)
        else:
            await self._app(scope, receive, tell)


def _tell(headers: MutableHeaders, named: str) -> None:
    """Name the origin, never all; it differs from page to page, which whatever keeps answers has to know."""
    headers.add_vary_header("Origin")
    if named:
        headers["Access-Control-Allow-Origin"] = named
        headers["Access-Control-Allow-Credentials"] = "true"
        headers["Access-Control-Expose-Headers"] = _EXPOSED
