"""Cross-origin requests: tells a browser whether a page of another origin may use the API (Fetch, 3.2).

Only the pages of `http.origins` may, and they still need a token: the cookie of a login counts on the hub's own page
alone (access.py). A preflight carries no credentials, so it is answered before the client's token is checked.
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
    """Stands before the application. Without origins it changes nothing."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        """Let the pages of these origins ask."""
        self._app, self._origins = app, frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight. To every other answer, add whether the page that asked may read it."""
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
    """Name the one origin, never `*`. As the header differs from page to page, `Vary` tells caches to keep both."""
    headers.add_vary_header("Origin")
    if named:
        headers["Access-Control-Allow-Origin"] = named
        headers["Access-Control-Allow-Credentials"] = "true"
        headers["Access-Control-Expose-Headers"] = _EXPOSED
