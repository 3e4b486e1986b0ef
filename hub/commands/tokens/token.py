"""Tokens that acknowledge one episode of one alert until they expire. They are signed, so that no login is needed.

`FINGERPRINT.EPISODE.EXPIRES.NAME.SIGNATURE`, in characters that a URL may hold. The signature is HMAC-SHA256 (RFC 2104)
with a key that the state file keeps. A token contains no secret and is good for nothing else.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass

from hub.errors import Code, RequestError

__all__ = ["Claim", "read_token", "sign_token"]

_NAME_CHARS = 200


@dataclass(frozen=True, slots=True)
class Claim:
    """What a token allows: to acknowledge this episode of this alert, in this name; `expires` in seconds since 1970."""

    fingerprint: str
    episode: int
    expires: int
    by: str


def sign_token(claim: Claim, key: bytes) -> str:
    """Return the token for a claim."""
    text = f"{claim.fingerprint}.{claim.episode}.{claim.expires}.{_encoded(claim.by[:_NAME_CHARS].encode())}"
    return f"{text}.{_encoded(_signature(text, key))}"


def read_token(token: str, key: bytes, now: float) -> Claim:
    """Return what a token allows.

    Raises:
        RequestError: the token is not ours, was changed, or has expired.

    """
    text, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_encoded(_signature(text, key)).encode(), signature.encode("utf-8", "replace")):
        raise RequestError("this is not a token of this hub")
    fingerprint, episode, expires, by = text.split(".")
    claim = Claim(fingerprint, int(episode), int(expires), _decoded(by).decode())
    if now >= claim.expires:
        raise RequestError("this token has expired", Code.EXPIRED)
    return claim


def _signature(text: str, key: bytes) -> bytes:
    return hmac.new(key, text.encode("utf-8", "replace"), hashlib.sha256).digest()


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
