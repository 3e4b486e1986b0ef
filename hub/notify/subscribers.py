"""The browsers that subscribed to notifications in the page (RFC 8030); receivers of kind `webpush` send to them.

All are in memory; changes go to the store with the next commit.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from yarl import URL

from hub.errors import Code, RequestError
from hub.limits import SUBSCRIBER_URL_CHARS, SUBSCRIBERS
from hub.notify.outward.hostname import unusable
from hub.notify.outward.ssrf import forbidden, literal
from hub.store.keeper import Keeper

__all__ = ["Subscribers", "Subscription", "read_subscription"]

_POINT, _SECRET = 65, 16  # bytes of an uncompressed point on P-256 and of the secret (RFC 8291, 3.1 and 3.2)


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where a browser's push service takes messages for it, and what they are encrypted with.

    The endpoint is a secret: who knows it can send. `by` is who subscribed, `at` when, in seconds since 1970.
    """

    endpoint: str
    p256dh: str
    auth: str
    by: str
    at: float


class Subscribers(Keeper):
    """All subscriptions, by endpoint. `key` is the secret that the hub's VAPID key is made of."""

    kind = "subscribers"

    def __init__(
        self,
        key: bytes,
        acknowledges: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """Begin with none.

        `acknowledges` takes the name by which a person subscribed and tells whether that person may acknowledge. A link
        that acknowledges needs no login, so a person who may only look must not get one. It is asked for each message,
        because roles change.
        """
        self.key, self.acknowledges = key, acknowledges
        self.all: dict[str, Subscription] = {}
        self.offers: dict[object, tuple[str, bool]] = {}
        """Of each receiver of kind `webpush`: its public key, and whether it sends into private networks."""
        self._rows: list[tuple[str, str | None]] = []

    def restore(self, rows: Iterable[tuple[str, str]]) -> None:
        """Restore subscriptions from the store: endpoint, and the rest as JSON."""
        self.all.update((endpoint, Subscription(endpoint, *orjson.loads(text))) for endpoint, text in rows)

    @property
    def public_key(self) -> str:
        """What a browser needs to subscribe; empty where there is no receiver of kind `webpush`."""
        return next((key for key, _ in self.offers.values()), "")

    def add(self, made: Subscription) -> None:
        """Enter a subscription, or replace the one with the same endpoint.

        Raises:
            RequestError: there is no receiver of kind webpush, the endpoint is in a private network, or there are too
                many subscriptions.

        """
        if not self.offers:
            raise RequestError("no receiver of kind webpush: write one, as in 'browsers: {webpush: {}}'", Code.MISSING)
        if not any(private for _, private in self.offers.values()) and (why := unfit(made.endpoint)):
            raise RequestError(f"this push service is refused: {why}")
        if made.endpoint not in self.all and len(self.all) >= SUBSCRIBERS:
            raise RequestError(f"there are {SUBSCRIBERS} subscriptions already", Code.CONFLICT)
        self.all[made.endpoint] = made
        rest = orjson.dumps([made.p256dh, made.auth, made.by, made.at]).decode()
        self._rows.append((made.endpoint, rest))

    def remove(self, endpoint: str) -> bool:
        """Forget a subscription; tell whether it was there."""
        if self.all.pop(endpoint, None) is None:
            return False
        self._rows.append((endpoint, None))
        return True

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take what is to be stored: endpoint and the rest as JSON, None where it is gone."""
        rows, self._rows = list(dict(self._rows).items()), []
        return rows


def unfit(endpoint: str) -> str:
    """Return why nothing is sent to an endpoint, "" where it is good.

    A browser chooses it, so it must not lead into the hub's own network.
    """
    url = URL(endpoint)
    if url.scheme != "https":
        return "its URL must be https://"
    host = url.raw_host or ""
    if host == "localhost" or (literal(host) and forbidden(host)):
        return "its address is not a public one"
    return ""


def read_subscription(asked: Mapping[str, Any], by: str, now: float) -> Subscription:
    """Read what `PushSubscription.toJSON()` of a browser says.

    Raises:
        RequestError: it is no subscription.

    """
    endpoint, keys = asked.get("endpoint"), asked.get("keys")
    if not isinstance(endpoint, str) or not isinstance(keys, Mapping) or len(endpoint) > SUBSCRIBER_URL_CHARS:
        raise RequestError("a subscription has an 'endpoint' and 'keys', as a browser's PushSubscription")
    try:
        url = URL(endpoint)
    except ValueError:
        url = URL()
    # an IPv6 address is no push service, and nothing can be signed for it
    if url.scheme not in ("https", "http") or unusable(url.raw_host or "") or url.raw_user or url.raw_password:
        raise RequestError("'endpoint' is not the URL of a push service")
    p256dh, auth = keys.get("p256dh"), keys.get("auth")
    if _length(p256dh) != _POINT or _length(auth) != _SECRET:
        raise RequestError("'keys' must be p256dh (65 bytes) and auth (16 bytes) in base64url")
    return Subscription(endpoint, str(p256dh), str(auth), by, now)


def _length(text: object) -> int:
    """Return how many bytes a text in base64url is; 0 where it is none."""
    if not isinstance(text, str):
        return 0
    bare = text.rstrip("=")
    try:
        return len(base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        return 0
