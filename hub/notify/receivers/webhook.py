"""Receiver `webhook`: one HTTP request each, signed where there is a secret, with an id that tells a repetition."""

import hashlib
import hmac
import os
import re
from dataclasses import dataclass

import aiohttp
from yarl import URL

from hub.document import Node
from hub.fields import Bad, Section, did_you_mean, one_of, secret
from hub.limits import RESPONSE_BYTES
from hub.model import Delivered, Notification, Outcome, Rejected, Retry
from hub.notify.receiver import Toolbox
from hub.notify.redact import Redactor, url_secrets
from hub.notify.retry import parse_retry_after
from hub.notify.text import as_json
from hub.secret import Secret

__all__ = ["Webhook", "WebhookOptions"]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")  # RFC 9110, 5.5
_OURS = {"content-length", "transfer-encoding", "host", "idempotency-key", "x-hub-signature-256"}
_LATER = {408, 425, 429}  # RFC 9110, 15.5.9; RFC 8470, 5.2; RFC 6585, 4


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """The URL is secret as a whole: many services put their token into it. So is every header."""

    url: Secret
    method: str = "POST"
    headers: tuple[tuple[str, Secret], ...] = ()
    secret: Secret | None = None


class Webhook:
    """Sends the notification as JSON to one URL. 2xx is delivered; redirects are not followed."""

    concurrency = 8

    def __init__(self, options: WebhookOptions, toolbox: Toolbox) -> None:
        """Know the URL; connections belong to the toolbox."""
        self._toolbox = toolbox
        self._method = options.method
        self._url = URL(options.url.reveal())
        self._key = options.secret.reveal().encode() if options.secret else b""
        self._headers = {
            "Content-Type": "application/json",
            "User-Agent": f"mqtt-notification-hub/{toolbox.version}",
        } | {name: value.reveal() for name, value in options.headers}
        known = url_secrets(options.url.reveal()) | {value.reveal() for _, value in options.headers}
        self._redact = Redactor(known | {self._key.decode()})

    @classmethod
    def read(cls, section: Section) -> WebhookOptions:
        """Take `url`, `method`, `headers`, `body`, `secret`."""
        section.take("body", _body, "json")
        return WebhookOptions(
            section.require("url", _url, Secret("")),
            section.take("method", one_of("POST", "PUT", "PATCH"), "POST"),
            section.take("headers", _headers, ()),
            section.take("secret", secret, None),
        )

    async def send(self, notification: Notification) -> Outcome:
        """Make one request."""
        body = as_json(notification.body)
        headers = self._headers | {"Idempotency-Key": notification.id}
        if self._key:
            headers["X-Hub-Signature-256"] = f"sha256={hmac.new(self._key, body, hashlib.sha256).hexdigest()}"
        try:
            async with self._toolbox.http.request(
                self._method,
                self._url,
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(),  # the dispatcher's is the only one
            ) as response:
                return await self._outcome(response)
        except (aiohttp.ClientError, OSError) as error:
            return Retry(self._redact(f"{_fault(error)} at {self._place()}"))

    async def close(self) -> None:
        """Own nothing."""

    async def _outcome(self, response: aiohttp.ClientResponse) -> Outcome:
        if 200 <= response.status < 300:
            return Delivered()
        head = await _head(response)
        reason = self._redact(f"{response.status} {response.reason or ''} from {self._place()}: {head}".rstrip(": "))
        if response.status in _LATER or response.status >= 500:
            asked = response.headers.get("Retry-After", "")
            return Retry(reason, parse_retry_after(asked, self._toolbox.clock.now()))
        if 300 <= response.status < 400:
            return Rejected(f"{reason} (redirects are not followed: give the URL that it leads to)")
        return Rejected(reason)

    def _place(self) -> str:
        """Return scheme, host and port: what of the URL may be shown."""
        return str(self._url.origin())


async def _head(response: aiohttp.ClientResponse) -> str:
    head = b""
    try:
        while len(head) < RESPONSE_BYTES and (chunk := await response.content.read(RESPONSE_BYTES - len(head))):
            head += chunk
    except aiohttp.ClientError:
        pass  # the status says enough
    return head.decode("utf-8", "replace")


def _fault(error: aiohttp.ClientError | OSError) -> str:
    """Word a failed connection without the library's text, which may hold the URL."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "host name not found"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"certificate refused: {getattr(error.certificate_error, 'verify_message', '') or 'invalid'}"
    if isinstance(error, aiohttp.ClientSSLError):
        return "TLS failed"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "connection closed without an answer"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return type(error).__name__


def _url(node: Node) -> Secret:
    whole = secret(node)
    try:
        url = URL(whole.reveal())
        good = url.scheme in ("http", "https") and bool(url.host)
    except ValueError:
        good = False
    if not good:
        raise Bad(node, "is no HTTP URL", "write it as https://host/path")
    return whole


def _body(node: Node) -> str:
    if node.value == "json":
        return "json"
    if isinstance(node.value, str) and (hint := did_you_mean(node.value, ["json"])):
        raise Bad(node, f"is not a kind of body: {node.value!r}", hint)
    raise Bad(node, "another body than json is not supported yet", "leave the key out")


def _headers(node: Node) -> tuple[tuple[str, Secret], ...]:
    if not isinstance(node.value, dict):
        raise Bad(node, "must be a mapping of header names to values")
    headers = []
    for name, child in node.value.items():
        if not _TOKEN.fullmatch(name):
            raise Bad(child, f"{name!r} is no header name")
        if name.lower() in _OURS:
            raise Bad(child, f"the header {name} is set by the hub", "remove it")
        value = secret(child)
        if not _VALUE.fullmatch(value.reveal()):
            raise Bad(child, f"the value of the header {name} holds a control character")
        headers.append((name, value))
    return tuple(headers)
