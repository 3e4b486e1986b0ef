"""The HTTP client that all receivers share, set up so that none of them can stand in another's way."""

import aiohttp

__all__ = ["http_client"]


def http_client() -> aiohttp.ClientSession:
    """Make the client of the Toolbox; close it after the dispatcher has ended. Call it on the event loop.

    There is no limit over all hosts, or hung ones would use it up; each receiver's concurrency bounds its own. Cookies
    are not kept, or one receiver's would go out with another's request to the same host.
    """
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar())
