"""The live view's connection to a running hub: it reads the API, sends commands and hears the feed, all over HTTP."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

from hub.documents.secret import Secret
from hub.errors import HubError, RequestError
from hub.limits import LIVE_ANSWER_SECONDS, LIVE_SILENT_SECONDS
from hub.printable import shown

__all__ = ["FeedLink", "HubAway", "NotAdmitted", "Unwilling", "linked"]


class HubAway(HubError):
    """Nobody answers at the URL, or the server that answers is no hub."""

    exit_code = 3


class NotAdmitted(HubError):
    """The hub asks for a token, or does not know the one that was sent."""

    exit_code = 3


class Unwilling(RequestError):
    """The hub has refused a request. The message says why; the code says what kind of refusal it is."""


class FeedLink:
    """One hub, asked over one pool of connections. Each method raises HubError where the hub gives no good answer."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        """Ask the hub at `url` through `session`, whose headers carry the token."""
        self.url = url
        self._session = session

    async def read(self, path: str, **query: str) -> Mapping[str, Any]:
        """Return the answer to GET /api/hub/`path`.

        Raises:
            HubError: no answer came (HubAway), or the hub refused (NotAdmitted, Unwilling).

        """
        return await self._ask("GET", path, query, None)

    async def look(self, path: str, query: Sequence[tuple[str, str]]) -> Mapping[str, Any]:
        """Do the same as `read`, with a query in which a parameter may come twice or have any name.

        Raises:
            HubError: as for `read`.

        """
        return await self._ask("GET", path, query, None)

    async def command(self, name: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send a command and return the hub's answer to it.

        Raises:
            HubError: as for `read`.

        """
        return await self._ask("POST", name, {}, orjson.dumps(request))

    async def _ask(
        self, method: str, path: str, query: Mapping[str, str] | Sequence[tuple[str, str]], body: bytes | None
    ) -> Mapping[str, Any]:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        limit = aiohttp.ClientTimeout(total=LIVE_ANSWER_SECONDS)
        try:
            async with self._session.request(
                method, f"{self.url}/api/hub/{path}", params=query, data=body, headers=headers, timeout=limit
            ) as response:
                return _answer(self.url, response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _away(self.url, error) from None

    async def messages(self, since: str) -> AsyncIterator[Mapping[str, Any]]:
        """Yield the feed's messages that follow the id `since`, until the hub closes the connection.

        Raises:
            HubError: the feed cannot be opened, or nothing has come for LIVE_SILENT_SECONDS: as the figures come each
                second, the connection is dead then.

        """
        try:
            async with self._session.ws_connect(
                f"{self.url}/ws", params={"since": since} if since else {}, max_msg_size=0
            ) as socket:
                while True:
                    async with asyncio.timeout(LIVE_SILENT_SECONDS):
                        frame = await socket.receive()
                    if frame.type is not aiohttp.WSMsgType.TEXT:
                        return
                    yield _object(self.url, frame.data)
        except aiohttp.WSServerHandshakeError as error:
            raise _refused(self.url, error.status, {}) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _away(self.url, error) from None


@asynccontextmanager
async def linked(url: str, token: Secret | None) -> AsyncIterator[FeedLink]:
    """Yield a link to the hub at `url`; its connections are closed at the end. `token` goes with every request."""
    headers = {"Authorization": f"Bearer {token.reveal()}"} if token else {}
    async with aiohttp.ClientSession(headers=headers) as session:
        yield FeedLink(url.rstrip("/"), session)


def _answer(url: str, status: int, body: bytes) -> Mapping[str, Any]:
    told = _object(url, body)
    if status >= 400 or told.get("ok") is False:
        raise _refused(url, status, told)
    return told


def _object(url: str, text: str | bytes) -> Mapping[str, Any]:
    """Read a JSON object. A hub answers with nothing else, so any other text comes from another server."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise HubAway(f"{shown(url)} answers, but not as a hub: is this its HTTP address?")
    return value


def _refused(url: str, status: int, body: Mapping[str, Any]) -> HubError:
    said = shown(body.get("error") or f"status {status}", 300)
    if status == 401:
        return NotAdmitted(
            f"the hub at {shown(url)} wants a token ({said}): give one of http.tokens in its hub.yaml with --token, or"
            " in the environment as HUB_TOKEN"
        )
    return Unwilling(said, RequestError.of(body).code)


def _away(url: str, error: Exception) -> HubAway:
    why = "no answer in time" if isinstance(error, TimeoutError) else shown(error, 300)
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLCertVerificationError):
        return HubAway(f"the certificate of {shown(url)} is not trusted ({why}): name its CA in SSL_CERT_FILE")
    return HubAway(f"no hub at {shown(url)} ({why}): start one with `hub run`, or name its address with --url")
