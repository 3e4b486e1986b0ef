"""The cookie of somebody who has logged in: `NAME.EXPIRES.NONCE.SIGNATURE`, signed with a key of the state file.

The signature covers the token too (by its digest): one that is changed or removed in hub.yaml ends its logins. A login
that was ended by logging out is remembered until it would have expired, over a restart too: a stolen cookie is
worthless then. Only somebody with a token can log in and out, so there are few to remember.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hub.config import AccessToken
from hub.limits import LOGOUTS
from hub.node.identity import key_row, logout_row, new_key
from hub.store.changes import MetaRow

__all__ = ["COOKIE", "Login", "Logins", "Logout", "digest", "find"]

COOKIE = "hub_session"


def digest(token: str) -> bytes:
    """Return a digest of a token: all digests have one length, so comparing them tells nothing about the token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def find(token: str, tokens: Iterable[AccessToken]) -> AccessToken | None:
    """Return the one that this is; it takes as long whether and wherever it is found. Nothing is nobody's token."""
    asked, found = digest(token), None
    for each in tokens:
        if hmac.compare_digest(asked, digest(each.token.reveal())):
            found = each
    return found if token.strip() else None


@dataclass(frozen=True, slots=True)
class Login:
    """One login of one browser: whose token, and its `mark`, by which an ended login is remembered."""

    token: AccessToken
    mark: str
    expires: int


class Logout(NamedTuple):
    """What remembers that a login was ended: rows of the store's `meta`. `all`: every other login has ended with it."""

    rows: Sequence[MetaRow]
    all: bool = False


class Logins:
    """Signs and opens cookies; `ended` are the marks of logins that were ended, and when each would have expired."""

    def __init__(self, key: bytes, ended: Mapping[str, int] | None = None) -> None:
        """Take the key that signs cookies."""
        self._key = key
        self._ended = dict(ended or {})

    def sign(self, token: AccessToken, expires: int) -> str:
        """Return a new cookie's value; `expires` in seconds since 1970. No two are the same."""
        nonce = secrets.token_urlsafe(12)
        return f"{_name(token)}.{expires}.{nonce}.{self._signature(token, expires, nonce)}"

    def open(self, cookie: str, tokens: Iterable[AccessToken], now: float) -> Login | None:
        """Return the login of a cookie, None where it is forged, expired or ended."""
        parts = cookie.split(".")
        if len(parts) != 4:
            return None
        name, expires, nonce, signature = parts
        if not (expires.isascii() and expires.isdecimal()) or len(expires) > 12 or now >= int(expires):
            return None
        for token in tokens:
            if _name(token) == name:
                right = self._signature(token, int(expires), nonce)
                good = hmac.compare_digest(right.encode(), signature.encode("utf-8", "surrogatepass"))
                mark = hashlib.sha256(right.encode()).hexdigest()[:32]
                return Login(token, mark, int(expires)) if good and mark not in self._ended else None
        return None

    def end(self, login: Login, now: float) -> Logout:
        """End a login now; return what the store has to remember of that.

        Where more than LOGOUTS would have to be remembered, the key is made anew in their place: that ends every login.
        """
        over = [mark for mark, expires in self._ended.items() if expires <= now]
        if len(self._ended) - len(over) >= LOGOUTS:
            forgotten = [logout_row(mark, None) for mark in self._ended]
            self._key = new_key()
            self._ended.clear()
            return Logout([*forgotten, key_row("login", self._key)], all=True)
        for mark in over:
            del self._ended[mark]
        self._ended[login.mark] = login.expires
        return Logout([*(logout_row(mark, None) for mark in over), logout_row(login.mark, login.expires)])

    def _signature(self, token: AccessToken, expires: int, nonce: str) -> str:
        of = (b"login", token.name.encode(), str(expires).encode(), nonce.encode("utf-8", "surrogatepass"))
        return hmac.new(self._key, b"\0".join([*of, digest(token.token.reveal())]), hashlib.sha256).hexdigest()


def _name(token: AccessToken) -> str:
    return base64.urlsafe_b64encode(token.name.encode()).decode().rstrip("=")
