"""The way to a running hub: its reads, its commands and its feed over HTTP, for who looks on from a terminal."""

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
    """Nobody answers at the URL, or somebody who is no hub."""

    exit_code = 3


class NotAdmitted(HubError):
    """The hub wants a token, or another one."""

    exit_code = 3


class Unwilling(RequestError):
    """The hub has said no to a request, why, and what kind of no it is."""


class FeedLink:
    """One hub, asked over one pool of connections."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        """Ask the hub at `url` by `session`, which carries the token."""
        self.url = url
        self._session = session

    async def read(self, path: str, **query: str) -> Mapping[str, Any]:
        """Return the answer of GET /api/hub/`path`.

        Raises:
            HubError: there is none, or it is a no.

        """
        return await self._ask("GET", path, query, None)

    async def look(self, path: str, query: Sequence[tuple[str, str]]) -> Mapping[str, Any]:
        """Return the same, where a parameter may come twice, or have any name.

        Raises:
            HubError: as above.

        """
        return await self._ask("GET", path, query, None)

    async def command(self, name: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Have a command carried out.

        Raises:
            HubError: as above.

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
        """Yield the feed's messages from behind the id `since` on, until the connection ends.

        Raises:
            HubError: it cannot be had, or nothing has come for LIVE_SILENT_SECONDS (the figures come each second).

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
    """Make a link, and close its connections at the end."""
    headers = {"Authorization": f"Bearer {token.reveal()}"} if token else {}
    async with aiohttp.ClientSession(headers=headers) as session:
        yield FeedLink(url.rstrip("/"), session)


def _answer(url: str, status: int, body: bytes) -> Mapping[str, Any]:
    found = _object(url, body)
    if status >= 400 or found.get("ok") is False:
        raise _refused(url, status, found)
    return found


def _object(url: str, text: str | bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise HubAway(f"{shown(url)} answers, but not as a hub: is this its HTTP address?")
    return found


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
