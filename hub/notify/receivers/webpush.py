"""Receiver `webpush`: tells every browser that subscribed in the page, encrypted for it (RFC 8291), signed (RFC 8292).

All messages of one episode have one topic: what a browser has not fetched yet is replaced, what it shows is updated.
"""

import asyncio
import base64
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02, VapidException
from pywebpush import WebPusher
from yarl import URL

from hub.documents.document import Node
from hub.documents.duration import format_duration
from hub.fields import Bad, Section, text
from hub.ids import episode_id
from hub.limits import PUSH_AT_ONCE, PUSH_BYTES, PUSH_KEPT_SECONDS, PUSH_SECONDS, VAPID_SECONDS
from hub.model import Delivered, Notification, Outcome, Rejected, Retry
from hub.notify.client_keys import WEBPUSH, WEBPUSH_ALLOW_PRIVATE, WEBPUSH_CONTACT
from hub.notify.lanes.retry import parse_retry_after
from hub.notify.outward.hostname import unusable
from hub.notify.outward.http import answered, fault, guarded_client, passing, place
from hub.notify.outward.ssrf import Forbidden
from hub.notify.receiver import Toolbox
from hub.notify.subscribers import Subscription, unfit
from hub.notify.wording.level import level_of
from hub.notify.wording.redact import Redactor, url_secrets
from hub.notify.wording.text import message, summary, title

__all__ = ["Webpush", "WebpushOptions", "payload"]

_GONE = {404, 410}  # RFC 8030, 7.3: the subscription is no more
_PARTIAL = 1000  # notifications remembered of which some browsers have it and some do not yet


@dataclass(frozen=True, slots=True)
class WebpushOptions:
    """`contact` is whom a push service may write to; Apple's refuses a hub that names nobody."""

    contact: str = WEBPUSH_CONTACT.default
    allow_private: bool = False


class Webpush:
    """Sends to all subscriptions there are. It is delivered when each has it or is gone."""

    keys = WEBPUSH

    def __init__(self, options: WebpushOptions, toolbox: Toolbox) -> None:
        """Offer the hub's public key, so that browsers can subscribe."""
        self._options, self._toolbox, self._subscribers = options, toolbox, toolbox.subscribers
        self._vapid = Vapid02(private_key(self._subscribers.key))
        public = self._vapid.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        known = base64.urlsafe_b64encode(public).decode().rstrip("=")
        self._subscribers.offers[self] = (known, options.allow_private)
        self._own: aiohttp.ClientSession | None = None
        self._done: OrderedDict[str, set[str]] = OrderedDict()

    @classmethod
    def read(cls, section: Section) -> WebpushOptions:
        """Read `contact` and `allow_private`."""
        return WebpushOptions(section.take(WEBPUSH_CONTACT, _contact), section.take(WEBPUSH_ALLOW_PRIVATE))

    async def send(self, notification: Notification) -> Outcome:
        """Send to all that do not have it yet."""
        done = self._done.pop(notification.id, set())
        every = list(self._subscribers.all.values())
        if not every:
            return Rejected("no browser has subscribed in the page")
        waiting = [each for each in every if each.endpoint not in done]
        linked, bare = payload(notification), payload(notification, linked=False)
        room = asyncio.Semaphore(PUSH_AT_ONCE)

        async def push(to: Subscription) -> Outcome:
            content = linked if self._subscribers.acknowledges(to.by) else bare
            async with room:
                return await self._in_time(to, notification, content)

        outcomes = await asyncio.gather(*(push(each) for each in waiting))
        return self._outcome(notification, done, waiting, outcomes)

    async def close(self) -> None:
        """Let nobody subscribe any more; close the client."""
        self._subscribers.offers.pop(self, None)
        if self._own is not None:
            await self._own.close()

    def _outcome(
        self, notification: Notification, done: set[str], asked: Sequence[Subscription], outcomes: Sequence[Outcome]
    ) -> Outcome:
        """Make one outcome of those of all browsers; a browser that has the message does not get it again."""
        again = [outcome for outcome in outcomes if isinstance(outcome, Retry)]
        if again:
            has = {each.endpoint for each, it in zip(asked, outcomes, strict=True) if not isinstance(it, Retry)}
            self._done[notification.id] = done | has
            if len(self._done) > _PARTIAL:
                self._done.popitem(last=False)
            after = max((each.after for each in again if each.after is not None), default=None)
            # each names a server of its own: one that is down says nothing of the others
            partly = bool(done | has)
            return Retry(f"{len(again)} of {len(asked)} browsers: {again[0].reason}", after, partly=partly)
        refused = [outcome for outcome in outcomes if isinstance(outcome, Rejected)]
        if refused:
            others = len(outcomes) - len(refused) + len(done)
            behind = f" (the other {others} have it)" if others else ""
            return Rejected(f"{len(refused)} of {len(outcomes) + len(done)} browsers: {refused[0].reason}{behind}")
        return Delivered()

    async def _in_time(self, to: Subscription, notification: Notification, content: bytes) -> Outcome:
        try:
            async with asyncio.timeout(PUSH_SECONDS):
                return await self._push(to, notification, content)
        except TimeoutError:
            return Retry(f"no answer within {format_duration(PUSH_SECONDS)} from {place(URL(to.endpoint))}")

    async def _push(self, to: Subscription, notification: Notification, content: bytes) -> Outcome:
        """Send to one browser."""
        url = URL(to.endpoint)
        why = unusable(url.raw_host or "") or ("" if self._options.allow_private else unfit(to.endpoint))
        if why:
            return Rejected(f"the push service is refused: {why}")
        redact = Redactor(url_secrets(to.endpoint))
        keys = {"endpoint": to.endpoint, "keys": {"p256dh": to.p256dh, "auth": to.auth}}
        try:
            sealed = WebPusher(keys).encode(content, content_encoding="aes128gcm")["body"]
        except ValueError:
            self._subscribers.remove(to.endpoint)  # a point that is not on the curve: nobody can ever read it
            return Delivered()
        try:
            async with self._http().post(
                url,
                data=sealed,
                headers=self._headers(url, notification),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(),  # _in_time has it
            ) as response:
                return await self._answer(to, url, response, redact)
        except (aiohttp.ClientError, OSError) as error:
            if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, Forbidden):
                return Rejected(f"the push service is refused: {error.os_error}")
            return Retry(redact(f"{fault(error)} at {place(url)}"))

    async def _answer(self, to: Subscription, url: URL, response: aiohttp.ClientResponse, redact: Redactor) -> Outcome:
        if 200 <= response.status < 300:
            return Delivered()
        if response.status in _GONE:
            self._subscribers.remove(to.endpoint)
            return Delivered()
        reason = redact(f"{response.status} from {place(url)}: {await answered(response)}".rstrip(": "))
        if passing(response.status):
            now = self._toolbox.clock.now()
            return Retry(reason, parse_retry_after(response.headers.get("Retry-After", ""), now))
        return Rejected(reason)

    def _headers(self, url: URL, notification: Notification) -> dict[str, str]:
        claims = {
            "aud": str(url.origin()),
            "sub": self._options.contact,
            "exp": int(self._toolbox.clock.now()) + VAPID_SECONDS,
        }
        topic = hashlib.sha256(episode_id(notification.id).encode()).digest()
        return {
            **self._vapid.sign(claims),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(PUSH_KEPT_SECONDS),
            "Urgency": "high" if level_of(notification.body) == "critical" else "normal",
            "Topic": base64.urlsafe_b64encode(topic[:24]).decode(),  # RFC 8030, 5.4: 32 characters at most
        }

    def _http(self) -> aiohttp.ClientSession:
        if self._options.allow_private:
            return self._toolbox.http
        if self._own is None:
            self._own = guarded_client()
        return self._own


def payload(notification: Notification, *, linked: bool = True) -> bytes:
    """Return what the page's service worker shows, in PUSH_BYTES at most; with the link that acknowledges, or not."""
    body = notification.body
    shown = {
        "tag": episode_id(notification.id),
        "title": title(body),
        "state": body.get("state"),
        "severity": body.get("severity"),
        "fingerprint": notification.order,
        "time": notification.created,
        "ack_url": body.get("ack_url", "") if linked else "",
    }
    said = f"{summary(body)}\n{message({**body, 'ack_url': '', 'alerts': ()})}"
    room = PUSH_BYTES - len(orjson.dumps(shown)) - len(b',"body":""')
    while len(orjson.dumps(said)) - 2 > room:
        said = said[: -max(1, (len(orjson.dumps(said)) - room) // 4)]
    return orjson.dumps({**shown, "body": said})


def private_key(secret: bytes) -> ec.EllipticCurvePrivateKey:
    """Make the hub's VAPID key of a secret of 32 bytes."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256 (SEC 2, 2.4.2)
    return ec.derive_private_key(int.from_bytes(secret) % (order - 1) + 1, ec.SECP256R1())


def _contact(node: Node) -> str:
    whole = text(node)
    contact = whole if whole.startswith(("https://", "mailto:")) else f"mailto:{whole}"
    try:
        Vapid02(private_key(bytes(32))).sign({"aud": "https://push.example.org", "sub": contact, "exp": 1})
    except VapidException:
        raise Bad(node, "is no mail address", "write user@host, or https://host") from None
    return contact
