"""Where a request comes from: the address of its connection, or the one that a proxy of `http.proxies` names.

Anybody can write X-Forwarded-For. So a word counts only as far as it was written by a proxy that is believed: read from
the right, the first hop that is no such proxy is who asks.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from starlette.requests import HTTPConnection

from hub.settings.http_settings import Network

__all__ = ["Origin", "household", "is_forwarded"]

_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")


class Origin:
    """Reads addresses; only the headers of these `proxies` are believed."""

    def __init__(self, proxies: Iterable[Network] = ()) -> None:
        """Take the networks of the proxies."""
        self._proxies = tuple(proxies)

    def address(self, asked: HTTPConnection) -> str:
        """Return the client's address; where a proxy names none that is usable, the proxy's own."""
        found = asked.client.host if asked.client else ""
        if not self.is_proxy(found):
            return found
        hops = ",".join(asked.headers.getlist("x-forwarded-for")).split(",")
        for hop in reversed(hops):
            known = _address(hop)
            if known is None:  # addresses further left were not written by a proxy that we trust
                break
            found = str(known)
            if not self.is_proxy(found):
                break
        return found

    def is_https(self, asked: HTTPConnection) -> bool:
        """Tell whether the browser speaks TLS: with us, or with a trusted proxy."""
        if asked.scope.get("scheme") in ("https", "wss"):
            return True
        peer = asked.client.host if asked.client else ""
        return self.is_proxy(peer) and asked.headers.get("x-forwarded-proto", "").strip().lower() == "https"

    def is_proxy(self, host: str) -> bool:
        """Tell whether this address is a trusted proxy's."""
        found = _address(host) if self._proxies else None
        return found is not None and any(found in each for each in self._proxies)


def is_forwarded(asked: HTTPConnection) -> bool:
    """Tell whether any proxy, trusted or not, has passed a request on."""
    return any(name in asked.headers for name in _FORWARDED)


@lru_cache(4096)
def household(host: str) -> str:
    """Return what is counted as one client: an IPv4 address, or an IPv6 /64, of which each customer has one."""
    found = _address(host)
    return str(ip_network((found, 64), strict=False)) if isinstance(found, IPv6Address) else str(found or host)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address, perhaps in brackets or with a port; one of IPv4 inside IPv6 is that of IPv4."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
