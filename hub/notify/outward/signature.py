"""How a webhook is signed: the body alone in X-Hub-Signature-256, and with id and time as Standard Webhooks 1.0 has it.

The second keeps a request that somebody has recorded from being sent again later. Its key is what `whsec_` stands
before, in base64; of any other secret, and of X-Hub-Signature-256 always, it is the text itself.
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
    """Say what is wrong with a secret that says it is one of Standard Webhooks; nothing where it is none, or good."""
    text = secret.reveal()
    try:
        good = not text.startswith(_PREFIX) or bool(_decoded(text))
    except binascii.Error:
        good = False
    return "" if good else f"a secret that begins with {_PREFIX} goes on in base64"


class Signer:
    """Signs the bytes of requests with a secret that is readable."""

    def __init__(self, secret: Secret) -> None:
        """Know the keys."""
        text = secret.reveal()
        self._plain = text.encode()
        self._key = _decoded(text) if text.startswith(_PREFIX) else self._plain

    def headers(self, identity: str, at: float, content: bytes) -> dict[str, str]:
        """Return the headers of one attempt at this time; no dot stays in the id, or two contents could read alike."""
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
    """Read the key; base64 without its `=` at the end is base64, too.

    Raises:
        binascii.Error: it is none.

    """
    written = text.removeprefix(_PREFIX).rstrip("=")
    return base64.b64decode(written + "=" * (-len(written) % 4), validate=True)
