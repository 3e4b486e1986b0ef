"""The cookie of somebody who has logged in: `NAME.EXPIRES.SIGNATURE`, signed with a key of the state file.

The signature covers the token too (by its digest): one that is changed or removed in hub.yaml ends its logins.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable

from hub.config import Token

__all__ = ["COOKIE", "digest", "find", "open_cookie", "sign_cookie"]

COOKIE = "hub_session"


def digest(token: str) -> bytes:
    """Return what tokens are compared by: all have one length, whatever somebody sends."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def find(token: str, tokens: Iterable[Token]) -> Token | None:
    """Return the one that this is; it takes as long whether and wherever it is found."""
    asked, found = digest(token), None
    for each in tokens:
        if hmac.compare_digest(asked, digest(each.token.reveal())):
            found = each
    return found


def sign_cookie(token: Token, expires: int, key: bytes) -> str:
    """Return a cookie's value; `expires` in seconds since 1970."""
    name = base64.urlsafe_b64encode(token.name.encode()).decode().rstrip("=")
    return f"{name}.{expires}.{_signature(token, expires, key)}"


def open_cookie(cookie: str, tokens: Iterable[Token], key: bytes, now: float) -> Token | None:
    """Return whose cookie it is, None where it is nobody's (any more)."""
    name, _, rest = cookie.partition(".")
    expires, _, signature = rest.partition(".")
    if not (expires.isascii() and expires.isdecimal()) or len(expires) > 12 or now >= int(expires):
        return None
    for token in tokens:
        if base64.urlsafe_b64encode(token.name.encode()).decode().rstrip("=") == name:
            right = hmac.compare_digest(_signature(token, int(expires), key).encode(), signature.encode())
            return token if right else None
    return None


def _signature(token: Token, expires: int, key: bytes) -> str:
    text = b"login\0" + token.name.encode() + b"\0" + str(expires).encode() + b"\0" + digest(token.token.reveal())
    return hmac.new(key, text, hashlib.sha256).hexdigest()
