"""The guard against SSRF: a webhook whose host an event chooses never reaches the hub's own network.

Names are resolved here, and the client connects to the very addresses that were checked. So a name that changes its
address between the check and the connection (DNS rebinding) gains nothing.
"""

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, cast

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from hub.limits import HOST_LOOKUPS
from hub.notify.outward.threads import Threads, ThreadsBusy

__all__ = ["Forbidden", "Names", "SsrfGuard", "forbidden", "literal"]

# IANA's registries of special-purpose addresses, of which each version of Python knows another state, and more.
_HIDDEN = tuple(
    ip_network(each)
    for each in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # Azure's metadata and platform service: a public address that is none
        "2001::/23",  # IETF protocol assignments, Teredo (2001::/32) among them
        "2001:db8::/32",
        "2002::/16",  # 6to4, which has an IPv4 address of anybody's inside
        "3fff::/20",
    )
)
# Of IPv6 only global unicast is public. So these are not: loopback, fc00::/7, fe80::/10, fec0::/10, ff00::/8,
# 64:ff9b:1::/48 (NAT64 of one's own), ::/96 and ::ffff:0:0:0/96 (IPv4 in obsolete forms).
_GLOBAL = ip_network("2000::/3")
# These two stand for the IPv4 address inside, which is looked at: mapped, and the NAT64 that everybody has.
_CLOTHES = (ip_network("::ffff:0:0/96"), ip_network("64:ff9b::/96"))


class Forbidden(OSError):
    """The address is not one of the public Internet."""

    def __str__(self) -> str:
        return "its address is not a public one"


def forbidden(address: str) -> bool:
    """Tell whether an address is loopback, link-local (metadata services), private, multicast or reserved."""
    found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if any(found in each for each in _CLOTHES):
        found = IPv4Address(int(found) & 0xFFFFFFFF)
    if isinstance(found, IPv6Address) and found not in _GLOBAL:
        return True
    return not found.is_global or any(found in each for each in _HIDDEN)


class Names(aiohttp.ThreadedResolver):
    """The system's resolver on threads of its own, so that names which events choose hold up no other look-up.

    asyncio's resolver would share its few threads with every other look-up of the process.
    """

    def __init__(self) -> None:
        """Look nothing up yet."""
        super().__init__(cast("asyncio.AbstractEventLoop", _Lookups()))  # of a loop it asks for these two things


class _Lookups:
    def __init__(self) -> None:
        self._threads = Threads("hub-names", HOST_LOOKUPS)

    async def getaddrinfo(self, *asked: Any, **named: Any) -> Any:
        return await self._run(partial(socket.getaddrinfo, *asked, **named))

    async def getnameinfo(self, *asked: Any) -> Any:
        return await self._run(partial(socket.getnameinfo, *asked))

    async def _run(self, work: Callable[[], Any]) -> Any:
        try:
            return await self._threads.run(work)
        except ThreadsBusy as error:
            raise OSError(f"name look-ups: {error}") from None


class SsrfGuard(AbstractResolver):
    """A resolver that knows only public addresses."""

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        """Resolve by `inner`; without one, as the system does."""
        self._inner = inner or Names()

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
        """Close the inner resolver."""
        await self._inner.close()


def literal(host: str) -> bool:
    """Tell whether a host is written as an address: no resolver sees it, so the caller must check it."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
