"""The cookie of a login: `NAME.EXPIRES.NONCE.SIGNATURE`, signed with a key that is kept in the state file.

The signature also covers a digest of the token: where a token is changed or removed in hub.yaml, its logins end. A
logout is remembered until the login would have expired, also after a restart: a stolen cookie is worthless then. Only
somebody with a token can log in and out, so there are few logouts to remember.
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
    """Return a digest of a token. All digests have one length, so the time of a comparison tells nothing."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def find(token: str, tokens: Iterable[AccessToken]) -> AccessToken | None:
    """Return the configured token that equals `token`; None where none does, or it is empty.

    All tokens are compared, also after a match: so the time that it takes tells nothing about them.
    """
    shown, match = digest(token), None
    for known in tokens:
        if hmac.compare_digest(shown, digest(known.token.reveal())):
            match = known
    return match if token.strip() else None


@dataclass(frozen=True, slots=True)
class Login:
    """One login of one browser: its token, the `mark` by which a logout is remembered, and its end (since 1970)."""

    token: AccessToken
    mark: str
    expires: int


class Logout(NamedTuple):
    """What the store has to remember of a logout: rows of its table `meta`. `all`: every other login has ended, too."""

    rows: Sequence[MetaRow]
    all: bool = False


class Logins:
    """Signs and opens cookies. `ended` has the mark of each login that was ended, and when it would have expired."""

    def __init__(self, key: bytes, ended: Mapping[str, int] | None = None) -> None:
        """Take the key that signs cookies, and the logouts that the state file remembers."""
        self._key = key
        self._ended = dict(ended or {})

    def take(self, key: bytes, ended: Mapping[str, int]) -> None:
        """Go on with another key and other logouts: those of the node that owns."""
        self._key, self._ended = key, dict(ended)

    def sign(self, token: AccessToken, expires: int) -> str:
        """Return the value of a new cookie; `expires` is in seconds since 1970. A nonce makes each value unique."""
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

        Where it would be more than LOGOUTS, all logouts are forgotten and a new key is made, which ends every login.
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
