"""The HTTP clients of receivers, set up so that none of them can stand in another's way."""

import aiohttp

from hub.notify.guard import Guard

__all__ = ["guarded_client", "http_client"]


def http_client(resolver: aiohttp.abc.AbstractResolver | None = None) -> aiohttp.ClientSession:
    """Make the client of the Toolbox; close it after the dispatcher has ended. Call it on the event loop.

    There is no limit over all hosts, or hung ones would use it up; each receiver's concurrency bounds its own. Cookies
    are not kept, or one receiver's would go out with another's request to the same host.
    """
    connector = aiohttp.TCPConnector(limit=0, resolver=resolver)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


def guarded_client() -> aiohttp.ClientSession:
    """Make a client that knows only public addresses, for a receiver whose host an event chooses; it closes it."""
    return http_client(Guard())
