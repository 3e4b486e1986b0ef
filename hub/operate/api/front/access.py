"""Decides who may ask what: it checks tokens and roles, and keeps other web pages from using a browser's login.

A hub without tokens listens on loopback only, and whoever can reach that is an administrator. Then the Host header must
name this machine, so that a web page cannot reach the hub under a name of its own (DNS rebinding). And no proxy may
have passed the request on, because its client may be anybody.
"""

import base64
import binascii
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from hub.clock import Clock
from hub.config import AccessToken, HttpSettings
from hub.limits import LOGIN_FAILURES, LOGIN_PAUSE_SECONDS
from hub.operate.api.front.actor import LOCAL, Actor, Refused
from hub.operate.api.front.login import COOKIE, Login, Logins, find
from hub.operate.api.front.origin import Origin, is_forwarded
from hub.operate.api.front.throttle import Throttle
from hub.settings.http_settings import is_loopback

__all__ = ["AccessGuard"]

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITE = frozenset({"same-origin", "none"})
"""The values of Sec-Fetch-Site in requests that no other site has caused."""


class AccessGuard:
    """Tells who asks, and raises Refused where their role does not suffice."""

    def __init__(
        self,
        settings: HttpSettings,
        clock: Clock,
        logins: Logins,
        trouble: Callable[[str, str], None] = lambda *_: None,
    ) -> None:
        """Take the tokens and the logins; `trouble` hears of addresses that guess tokens."""
        self._trouble = trouble
        self._settings, self._clock, self._logins = settings, clock, logins
        self._name = urlsplit(settings.url).netloc.lower()
        self.origin = Origin(settings.proxies)
        self.throttle = Throttle(clock.monotonic)

    def admit(self, asked: HTTPConnection, role: str) -> Actor:
        """Return who asks, if they have this role or a higher one.

        Raises:
            Refused: 401 without a known token, 403 without the role or from another site, 429 after many failures.

        """
        elsewhere = self._is_named_elsewhere(asked)
        if asked.scope.get("method", "") not in _READS and not elsewhere:  # a WebSocket has no method
            self.same_site(asked)
        if not self._settings.tokens:
            self._local_host(asked)
            return LOCAL
        actor = self._actor(asked, cookies=not elsewhere)
        if not actor.may(role):
            raise Refused(403, f"{actor.name!r} has the role {actor.role}; this needs the role {role}")
        return actor

    def try_token(self, asked: HTTPConnection, text: str) -> AccessToken:
        """Return the token that a client sends. A right one is taken even after many wrong ones.

        Raises:
            Refused: 401 where the hub has no such token, 429 after too many failures from the client's address.

        """
        token = find(text, self._settings.tokens)
        if token is not None:
            return token
        address = self.origin.address(asked)
        left, begins = self.throttle.failed(address, text)
        if begins:
            wait = f"it has to wait {LOGIN_PAUSE_SECONDS:.0f} s, unless it shows a right one"
            self._trouble("http", f"{address} has shown wrong tokens {LOGIN_FAILURES} times: {wait}")
        if left > 0:
            raise Refused(429, f"too many wrong tokens from this address; try again in {left:.0f} s", left)
        raise Refused(401, "this token is not known")

    def _is_named_elsewhere(self, asked: HTTPConnection) -> bool:
        """Tell whether a page of http.origins asks, itself or through a proxy; karma does it in both ways."""
        origin = asked.headers.get("origin", "")
        return origin in self._settings.origins and _netloc(origin) not in self._own_hosts(asked)

    def _actor(self, asked: HTTPConnection, *, cookies: bool) -> Actor:
        """Find who asks by the Authorization header, else by the cookie of a login.

        A page of another origin has to send a token (`cookies` is False): the login of its reader must not work for it.
        """
        shown = _authorization(asked.headers.get("authorization", ""))
        if shown is not None:
            token = self.try_token(asked, shown)
            return Actor(token.name, token.role)
        login = self.login(asked) if cookies else None
        if login is None:
            raise Refused(401, "a token is needed: Authorization: Bearer TOKEN, with one of http.tokens in hub.yaml")
        return Actor(login.token.name, login.token.role, login.mark, login.expires)

    def login(self, asked: HTTPConnection) -> Login | None:
        """Return the login of the request's cookie, None where there is none or it has ended."""
        return self._logins.open(asked.cookies.get(COOKIE, ""), self._settings.tokens, self._clock.now())

    def same_site(self, asked: HTTPConnection) -> None:
        """Refuse a request that a page of another site makes a browser send; programs send none of these headers.

        Raises:
            Refused: 403.

        """
        site = asked.headers.get("sec-fetch-site")
        origin = asked.headers.get("origin")
        if site is not None and site not in _OWN_SITE:
            raise Refused(403, "this request comes from a page of another site (Sec-Fetch-Site)")
        if origin is None:  # a program, or our own page in a browser that sends no Origin
            return
        if _netloc(origin) not in self._own_hosts(asked):
            raise Refused(403, f"this request comes from a page of another site (Origin: {origin[:200]})")

    def _own_hosts(self, asked: HTTPConnection) -> set[str]:
        return {asked.headers.get("host", "").lower(), self._name} - {""}

    def _local_host(self, asked: HTTPConnection) -> None:
        if is_forwarded(asked):
            raise Refused(403, "a proxy has passed this request on, and the hub has no tokens: set http.tokens")
        host = asked.headers.get("host", "")
        name = _hostname(host)
        if not (is_loopback(name) or (self._name and host.lower() == self._name)):
            raise Refused(403, "a hub without tokens is asked by the name localhost, or that of http.url, only")


def _netloc(url: str) -> str:
    """Return host and port of a URL that a client sent; "" where it is none, which matches no host of ours."""
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""


def _hostname(host: str) -> str:
    """Return the name of a Host header, without its port; "" where it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _authorization(header: str) -> str | None:
    """Return the token of `Bearer TOKEN`, or the password of `Basic …`; None where there is neither.

    A password that cannot be read counts as the empty token, which nobody has: the client is refused.
    """
    scheme, _, value = header.strip().partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
