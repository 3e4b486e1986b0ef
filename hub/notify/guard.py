"""The guard of webhooks whose host an event chooses: such a request never reaches the hub's own network.

Names are resolved here, and the client connects to the very addresses that were looked at, so a name that changes its
address between look and connection (DNS rebinding) gains nothing.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

__all__ = ["Forbidden", "Guard", "forbidden", "literal"]

_NAT64 = ip_network("64:ff9b::/96")
_HIDDEN = {IPv4Address("168.63.129.16")}  # Azure's metadata and platform service: a public address that is none


class Forbidden(OSError):
    """The address is not one of the public Internet."""

    def __str__(self) -> str:
        return "its address is not a public one"


def forbidden(address: str) -> bool:
    """Tell whether an address is loopback, link-local (metadata services), private, multicast or reserved."""
    found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    while isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is None and found in _NAT64:
            inner = IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is None:
            break
        found = inner
    return not found.is_global or found.is_multicast or found in _HIDDEN


class Guard(AbstractResolver):
    """A resolver that knows only public addresses."""

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        """Resolve by `inner`, or as the system does."""
        self._inner = inner or aiohttp.DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name.

        Raises:
            Forbidden: one of them is not public.

        """
        found = await self._inner.resolve(host, port, family)
        if any(forbidden(each["host"]) for each in found):
            raise Forbidden
        return found

    async def close(self) -> None:
        """Release the inner one."""
        await self._inner.close()


def literal(host: str) -> bool:
    """Tell whether a host is written as an address, which no resolver sees."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
