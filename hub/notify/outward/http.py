"""The HTTP clients of receivers, set up so that no receiver can block another, and what answers and errors mean."""

import os
import socket

import aiohttp
from yarl import URL

from hub.limits import RESPONSE_BYTES
from hub.notify.outward.ssrf import Names, SsrfGuard

__all__ = [
    "NOT_TAKEN",
    "answered",
    "fault",
    "guarded_client",
    "http_client",
    "passing",
    "place",
    "unknown",
    "wide_client",
]

_LATER = {408, 425, 429}  # RFC 9110, 15.5.9; RFC 8470, 5.2; RFC 6585, 4
_NO_NAME = {socket.EAI_NONAME, socket.EAI_NODATA}
NOT_TAKEN = {425, 429, 503}  # said before anything is done; who says 500 or 504 may have done it


def http_client(resolver: aiohttp.abc.AbstractResolver | None = None) -> aiohttp.ClientSession:
    """Make the client of the Toolbox; close it after the dispatcher has ended. Call it on the event loop.

    There is no limit over all hosts, or hung ones would use it up; each receiver's concurrency bounds its own. Cookies
    are not kept, or one receiver's would go out with another's request to the same host.
    """
    return _client(aiohttp.TCPConnector(limit=0, resolver=resolver))


def guarded_client(resolver: aiohttp.abc.AbstractResolver | None = None) -> aiohttp.ClientSession:
    """Make a client that connects to public addresses only, for a receiver whose host an event chooses.

    The receiver closes it.
    """
    return wide_client(SsrfGuard(resolver))


def wide_client(resolver: aiohttp.abc.AbstractResolver | None = None) -> aiohttp.ClientSession:
    """Make a client for hosts that events choose: it keeps no connection, for there may be as many as there are names.

    The look-ups have threads of their own, so that no event's name holds up anybody else's.
    """
    return _client(aiohttp.TCPConnector(limit=0, resolver=resolver or Names(), force_close=True))


def _client(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


def unknown(error: Exception) -> bool:
    """Tell whether a request failed because there is certainly no such host: a resolver that is away says nothing."""
    if not isinstance(error, aiohttp.ClientConnectorDNSError) or not isinstance(error.os_error, socket.gaierror):
        return False
    return error.os_error.errno in _NO_NAME


def passing(status: int) -> bool:
    """Tell whether a failure with this status may be over soon, so that it is worth trying again."""
    return status in _LATER or status >= 500


def place(url: URL) -> str:
    """Return scheme, host and port: the part of a URL that may be shown."""
    return str(url.origin())


async def answered(response: aiohttp.ClientResponse) -> str:
    """Return what a service says of a failure, RESPONSE_BYTES at most; the caller redacts it for the reason."""
    head = b""
    try:
        while len(head) < RESPONSE_BYTES and (chunk := await response.content.read(RESPONSE_BYTES - len(head))):
            head += chunk
    except aiohttp.ClientError:
        pass  # the status says enough
    return head.decode("utf-8", "replace")


def fault(error: aiohttp.ClientError | OSError) -> str:
    """Word a failed connection without the library's text, which may hold the URL."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "host name not found"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"certificate refused: {getattr(error.certificate_error, 'verify_message', '') or 'invalid'}"
    if isinstance(error, aiohttp.ClientSSLError):
        return "TLS failed"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "connection closed without an answer"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return type(error).__name__
