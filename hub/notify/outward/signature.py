"""How a webhook is signed: the body alone in X-Hub-Signature-256, and with id and time as Standard Webhooks 1.0 has it.

The second lets the other side refuse a recorded request that somebody sends again later. Its key is the base64 behind
`whsec_`. Of a secret in any other form the key is the text itself, as it always is for X-Hub-Signature-256.
"""

import base64
import binascii
import hashlib
import hmac

from hub.documents.secret import Secret

__all__ = ["HEADERS", "Signer", "unreadable"]

HEADERS = ("X-Hub-Signature-256", "webhook-id", "webhook-timestamp", "webhook-signature")
_PREFIX = "whsec_"


def unreadable(secret: Secret) -> str:
    """Return what is wrong with a secret that begins with `whsec_`; "" where it is good or has another form."""
    text = secret.reveal()
    try:
        good = not text.startswith(_PREFIX) or bool(_decoded(text))
    except binascii.Error:
        good = False
    return "" if good else f"a secret that begins with {_PREFIX} goes on in base64"


class Signer:
    """Signs the bytes of requests with a secret that is readable."""

    def __init__(self, secret: Secret) -> None:
        """Derive both keys from the secret."""
        text = secret.reveal()
        self._plain = text.encode()
        self._key = _decoded(text) if text.startswith(_PREFIX) else self._plain

    def headers(self, identity: str, at: float, content: bytes) -> dict[str, str]:
        """Return the headers of one attempt at `at` (seconds since 1970).

        Dots in the id become underscores: they separate what is signed, and two contents must not be signed alike.
        """
        identity, stamp = identity.replace(".", "_"), str(int(at))
        signed = hmac.digest(self._key, f"{identity}.{stamp}.".encode() + content, hashlib.sha256)
        values = (
            f"sha256={hmac.digest(self._plain, content, hashlib.sha256).hex()}",
            identity,
            stamp,
            f"v1,{base64.b64encode(signed).decode()}",
        )
        return dict(zip(HEADERS, values, strict=True))


def _decoded(text: str) -> bytes:
    """Decode the key; the `=` at the end of base64 may be missing.

    Raises:
        binascii.Error: it is no base64.

    """
    written = text.removeprefix(_PREFIX).rstrip("=")
    return base64.b64decode(written + "=" * (-len(written) % 4), validate=True)
