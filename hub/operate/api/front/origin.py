"""Where a request comes from: the address of its connection, or the one that a proxy of `http.proxies` names.

Any client can send X-Forwarded-For, so only those addresses in it count that a trusted proxy has written. Read from the
right, the first address that is no trusted proxy is the client's.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from starlette.requests import HTTPConnection

from hub.settings.http_settings import Network

__all__ = ["Origin", "household", "is_forwarded"]

_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")


class Origin:
    """Finds the client's address; only the headers of `proxies` are trusted."""

    def __init__(self, proxies: Iterable[Network] = ()) -> None:
        """Take the networks of the proxies."""
        self._proxies = tuple(proxies)

    def address(self, asked: HTTPConnection) -> str:
        """Return the client's address; where a proxy names no usable one, the proxy's own."""
        nearest = asked.client.host if asked.client else ""
        if not self.is_proxy(nearest):
            return nearest
        hops = ",".join(asked.headers.getlist("x-forwarded-for")).split(",")
        for hop in reversed(hops):
            address = _address(hop)
            if address is None:  # no trusted proxy has written the addresses further left
                break
            nearest = str(address)
            if not self.is_proxy(nearest):
                break
        return nearest

    def is_https(self, asked: HTTPConnection) -> bool:
        """Tell whether the browser speaks TLS: with the hub, or with a trusted proxy."""
        if asked.scope.get("scheme") in ("https", "wss"):
            return True
        peer = asked.client.host if asked.client else ""
        return self.is_proxy(peer) and asked.headers.get("x-forwarded-proto", "").strip().lower() == "https"

    def is_proxy(self, host: str) -> bool:
        """Tell whether this address is a trusted proxy's."""
        address = _address(host) if self._proxies else None
        return address is not None and any(address in network for network in self._proxies)


def is_forwarded(asked: HTTPConnection) -> bool:
    """Tell whether any proxy, trusted or not, has passed a request on."""
    return any(name in asked.headers for name in _FORWARDED)


@lru_cache(4096)
def household(host: str) -> str:
    """Return what counts as one client: an IPv4 address, or a whole /64 of IPv6, as each customer has at least one."""
    address = _address(host)
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else str(address or host)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address, perhaps in brackets or with a port; None where it is none. ::ffff:1.2.3.4 is 1.2.3.4."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
