"""Receiver `webhook`: one HTTP request each, signed where there is a secret, with an id that tells a repetition.

A second header holds what all messages of one episode have in common, so that the other side can update in place.
"""

import re
from dataclasses import dataclass

import aiohttp
from yarl import URL

from hub.documents.document import Node
from hub.documents.secret import Secret
from hub.documents.value_schema import TEXT, with_schema
from hub.fields import Bad, Key, KeyTable, Section, boolean, one_of, secret
from hub.ids import episode_id
from hub.model import Delivered, Notification, Outcome, Rejected, Retry
from hub.notify.client_keys import BETTER
from hub.notify.lanes.hosts import HostOf
from hub.notify.lanes.retry import parse_retry_after
from hub.notify.outward.http import NOT_TAKEN, answered, fault, guarded_client, passing, place, unknown, wide_client
from hub.notify.outward.signature import HEADERS, Signer, unreadable
from hub.notify.outward.ssrf import Forbidden, forbidden, literal
from hub.notify.outward.url import UnsafeHost, UrlTarget, target
from hub.notify.receiver import Toolbox
from hub.notify.wording.redact import Redactor
from hub.notify.wording.webhook_bodies import JSON, Body, body

__all__ = ["Webhook", "WebhookOptions"]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")  # RFC 9110, 5.5
_OURS = {"content-length", "transfer-encoding", "host", "idempotency-key", "x-hub-alert", *map(str.lower, HEADERS)}


@with_schema(TEXT)
def _secret(node: Node) -> Secret | None:
    found = secret(node)
    if why := unreadable(found):
        raise Bad(node, why, "or write a secret of another form, which is taken as it is")
    return found if found.reveal() else None


@with_schema({"type": "object", "additionalProperties": TEXT})
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


_URL = Key(
    "url",
    target,
    UrlTarget(Secret("")),
    f"http:// or https://{BETTER}.",
    "https://ops.example.org/hooks/hub",
    required=True,
)
_METHOD = Key("method", one_of("POST", "PUT", "PATCH"), "POST", "The HTTP method.", usual="POST")
_HEADERS: Key[tuple[tuple[str, Secret], ...]] = Key(
    "headers", _headers, (), "Names and values of more headers.", {"Authorization": "Bearer …"}
)
_BODY = Key(
    "body",
    body,
    JSON,
    "json (the notification), alertmanager (its webhook, version 4), alertmanager-alerts (feeds an Alertmanager),"
    " cloudevents, or a template of your own.",
    *("json", "alertmanager", "alertmanager-alerts", "cloudevents"),
)
_SECRET = Key(
    "secret",
    _secret,
    None,
    f"Signs the body (X-Hub-Signature-256), and it with id and time (Standard Webhooks){BETTER}.",
)
_ALLOW_PRIVATE = Key(
    "allow_private", boolean, False, "Whether a url with {…} may lead to a private address.", usual=False
)


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """The URL is secret as a whole: many services put their token into it. So is every header."""

    url: UrlTarget
    method: str = "POST"
    headers: tuple[tuple[str, Secret], ...] = ()
    secret: Secret | None = None
    body: Body = JSON
    allow_private: bool = False


class Webhook:
    """Makes one request for a notification. 2xx is delivered; redirects are not followed."""

    keys = KeyTable(
        "webhook",
        *(_URL, _METHOD, _HEADERS, _BODY, _SECRET, _ALLOW_PRIVATE),
        words="Makes an HTTP request.",
    )
    concurrency = 8

    def __init__(self, options: WebhookOptions, toolbox: Toolbox) -> None:
        """Know the URL; connections belong to the toolbox, or to a client of its own where an event names the host."""
        self._toolbox, self._options = toolbox, options
        self._signer = Signer(options.secret) if options.secret else None
        ours = {"Content-Type": options.body.media, "User-Agent": f"mqtt-notification-hub/{toolbox.version}"}
        given = {name.lower() for name, _ in options.headers}
        self._headers = {name: value for name, value in ours.items() if name.lower() not in given}
        self._headers |= {name: value.reveal() for name, value in options.headers}
        known = options.url.secrets() | {value.reveal() for _, value in options.headers} | set(options.body.secrets)
        self._redact = Redactor(known | ({options.secret.reveal()} if options.secret else set()))
        self.host_of: HostOf | None = self._host_of if options.url.guarded else None
        self._guarded = options.url.guarded and not options.allow_private
        self._own: aiohttp.ClientSession | None = None

    @classmethod
    def read(cls, section: Section) -> WebhookOptions:
        """Take all of its keys; a host that is fixed needs no permission to be private."""
        options = WebhookOptions(
            section.take(_URL),
            section.take(_METHOD),
            section.take(_HEADERS),
            section.take(_SECRET),
            section.take(_BODY),
            section.take(_ALLOW_PRIVATE),
        )
        if options.allow_private and not options.url.guarded and options.url.parts:
            message = "'allow_private' is for a URL whose host comes from the event; a fixed one may be private"
            section.report(section.node.key_problem("allow_private", message, "remove it"))
        return options

    async def send(self, notification: Notification) -> Outcome:
        """Make one request."""
        try:
            url = self._options.url.render(notification.body)
        except UnsafeHost as error:
            return self._refused(error)
        if self._guarded and literal(url.raw_host or "") and forbidden(url.raw_host or ""):
            return self._refused(Forbidden())
        content = self._options.body.render(notification, self._toolbox.client_id)
        headers = self._headers | {"Idempotency-Key": notification.id, "X-Hub-Alert": episode_id(notification.id)}
        if trace := notification.body.get("traceparent"):
            headers = {"traceparent": trace} | headers
        if self._signer is not None:  # the time is that of the attempt: a later one is no repetition of somebody else
            headers |= self._signer.headers(notification.id, self._toolbox.clock.now(), content)
        try:
            async with self._http().request(
                self._options.method,
                url,
                data=content,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(),  # the dispatcher's is the only one
            ) as response:
                return await self._outcome(response, url)
        except (aiohttp.ClientError, OSError) as error:
            return self._failure(error, url)

    def _http(self) -> aiohttp.ClientSession:
        if not self._options.url.guarded:
            return self._toolbox.http
        if self._own is None:
            self._own = guarded_client() if self._guarded else wide_client()
        return self._own

    def _host_of(self, notification: Notification) -> str:
        try:
            return self._options.url.render(notification.body).raw_authority
        except UnsafeHost:
            return ""

    def _refused(self, error: UnsafeHost | Forbidden) -> Outcome:
        return Rejected(self._redact(f"the host that the event names is refused: {error}"))

    def _failure(self, error: aiohttp.ClientError | OSError, url: URL) -> Outcome:
        connecting = isinstance(error, aiohttp.ClientConnectorError)
        if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, Forbidden):
            return self._refused(error.os_error)
        if self._options.url.guarded and (isinstance(error, aiohttp.InvalidURL) or _nowhere(error, url)):
            return Rejected(self._redact(f"the host that the event names is refused: {fault(error)} at {place(url)}"))
        return Retry(self._redact(f"{fault(error)} at {place(url)}"), perhaps=not connecting)

    async def close(self) -> None:
        """Close the client of its own."""
        if self._own is not None:
            await self._own.close()

    async def _outcome(self, response: aiohttp.ClientResponse, url: URL) -> Outcome:
        if 200 <= response.status < 300:
            return Delivered()
        head = await answered(response)
        reason = self._redact(f"{response.status} {response.reason or ''} from {place(url)}: {head}".rstrip(": "))
        if passing(response.status):
            after = parse_retry_after(response.headers.get("Retry-After", ""), self._toolbox.clock.now())
            return Retry(reason, after, perhaps=response.status not in NOT_TAKEN)
        if 300 <= response.status < 400:
            return Rejected(f"{reason} (redirects are not followed: give the URL that it leads to)")
        return Rejected(reason)


def _nowhere(error: Exception, url: URL) -> bool:
    """Tell whether there is no such host: of a name in .local nobody says so, one that sleeps is silent (RFC 6762)."""
    return unknown(error) and not (url.raw_host or "").removesuffix(".").lower().endswith(".local")
