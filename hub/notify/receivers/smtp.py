"""Receiver `smtp`: one mail each; its Message-ID comes from the notification's id, so a repetition is the same mail.

All mails of one episode refer to the same (never sent) first one, so that mail programs show them together.
"""

import base64
import contextlib
import socket
import ssl
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from urllib.parse import quote

import aiosmtplib

from hub.documents.document import Node
from hub.documents.secret import Secret
from hub.documents.value_schema import TEXT, list_schema, with_schema
from hub.expressions import Template
from hub.fields import Bad, Key, KeyTable, Section, integer, list_of, one_of, text
from hub.model import Delivered, Notification, Outcome, Rejected, Retry
from hub.notify.client_keys import BOTH, PASSWORD, TEMPLATE, USERNAME
from hub.notify.receiver import Toolbox
from hub.notify.wording.mail import Unsound, mail_bytes, unencoded
from hub.notify.wording.redact import Redactor
from hub.notify.wording.templating import names, template
from hub.notify.wording.text import message, summary, title
from hub.printable import one_line

__all__ = ["Smtp", "SmtpOptions"]

_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_OURS_TO_MEND = {530, 534, 535, 538}  # RFC 4954, 6: about the login, not about this mail
_PARTIAL = 1000  # notifications remembered of which some recipients have the mail and some do not yet
_SUBJECT = 200  # characters
_QUIT_SECONDS = 1.0
_Refused = dict[str, tuple[int, str]]


@with_schema(TEXT)
def _mailbox(node: Node) -> str:
    """Read one mail address, `Name <user@host>` or `user@host`."""
    whole = text(node)
    try:
        header = WIRE.header_factory("to", whole)
        (address,) = header.addresses
        address.addr_spec.encode("ascii")
        # what an encoded word says is written out here, so that a line end in it is found now and not in each mail
        whole = str(header) if "=?" in whole else whole
        good = bool(address.username and address.domain and not header.defects and unencoded(whole) == whole)
    except (ValueError, LookupError, AttributeError, TypeError):  # what Python's parser falls over at is no address
        good = False
    if not good:
        raise Bad(node, f"is no mail address: {one_line(node.text, 80)!r}", "write user@host or Name <user@host>")
    return whole


@with_schema(list_schema({"type": "string", "pattern": "@"}, least=1))
def _recipients(node: Node) -> tuple[str, ...]:
    if node.value == []:
        raise Bad(node, "needs at least one recipient")
    return list_of(_mailbox)(node)


_HOST = Key("host", text, "", "The mail server.", "mail.example.org", required=True)
_PORT = Key("port", integer(1, 65535), 587, "Its port; 587 with starttls, 465 with tls, 25 with none.", 587)
_TLS = Key("tls", one_of(*_PORTS), "starttls", "How the connection is encrypted.", usual="starttls")
_FROM = Key("from", _mailbox, "", "The sender.", "Freezer watch <hub@example.org>", required=True)
_TO: Key[tuple[str, ...]] = Key("to", _recipients, (), "Who gets the mail.", "ops@example.org", required=True)
_SUBJECT_KEY = Key("subject", template, None, f"The subject, {TEMPLATE}.", "[{state}] {alertname}: {summary}")
_TABLE = KeyTable(
    "smtp",
    *(_HOST, _PORT, _TLS, USERNAME, PASSWORD, _FROM, _TO, _SUBJECT_KEY),
    words="Sends a mail.",
    **BOTH,
)


@dataclass(frozen=True, slots=True)
class SmtpOptions:
    """Where the mail goes. `to` and `sender` are as they stand in the headers: with or without a name."""

    host: str
    port: int
    tls: str
    username: str | None
    password: Secret | None
    sender: str
    to: tuple[str, ...]
    subject: Template | None = field(compare=False)
    subject_text: str = ""


@dataclass(slots=True)
class _Partial:
    """What the server has said so far about the recipients of one notification."""

    done: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)


class Smtp:
    """Hands mails to one server, a connection for each.

    What the server says about the connection or the login is Retry: that is for an operator to mend, not the mail's
    fault. What it says about the mail counts by its code: 4xx Retry, 5xx Rejected. A recipient that has the mail does
    not get it again because another one has to wait.
    """

    keys = _TABLE
    concurrency = 2  # large providers refuse a third connection

    def __init__(self, options: SmtpOptions, toolbox: Toolbox) -> None:  # noqa: ARG002 - as every kind
        """Connect to nothing yet."""
        self._options = options
        self._password = options.password.reveal() if options.password else None
        self._redact = Redactor(_spellings(options.username or "", self._password or ""))
        self._tls = None if options.tls == "none" else ssl.create_default_context()
        self._from = _address(options.sender)
        self._to = {_address(to): to for to in options.to}
        self._partial: OrderedDict[str, _Partial] = OrderedDict()

    @classmethod
    def read(cls, section: Section) -> SmtpOptions:
        """Read `tls` first, because the usual port follows from it."""
        tls = section.take(_TLS)
        subject = section.get(_SUBJECT_KEY)
        options = SmtpOptions(
            section.take(_HOST),
            section.take(_PORT, default=_PORTS[tls]),
            tls,
            section.take(USERNAME),
            section.take(PASSWORD),
            section.take(_FROM),
            section.take(_TO),
            section.take(_SUBJECT_KEY),
            subject.text if subject else "",
        )
        if (options.username is None) != (options.password is None):
            section.report(section.node.problem(f"{section.what} needs both username and password, or neither"))
        return options

    async def send(self, notification: Notification) -> Outcome:
        """Send to all recipients that do not have it yet."""
        partial = self._partial.get(notification.id) or _Partial()
        try:
            mail = self._mail(notification)
        except Unsound as error:
            return Rejected(f"this mail is not sent, it would not be what it should: {error}")
        try:
            refused = await self._transmit(mail, [to for to in self._to if to not in partial.done])
        except _Lasting as error:
            return Rejected(self._redact(str(error)))
        except (aiosmtplib.SMTPException, OSError) as error:
            return Retry(self._redact(_worded(error)))
        return self._outcome(notification.id, partial, refused)

    async def close(self) -> None:
        """Close nothing: each mail has a connection of its own."""

    async def _transmit(self, mail: bytes, to: list[str]) -> _Refused:
        """Send one mail; return the recipients that the server refused, with what it said."""
        options = self._options
        client = aiosmtplib.SMTP(
            hostname=options.host,
            port=options.port,
            username=options.username,
            password=self._password,
            local_hostname=socket.gethostname(),  # the library would ask DNS for it, and block
            timeout=None,  # the dispatcher's is the only one
            use_tls=options.tls == "tls",
            start_tls=options.tls == "starttls",
            tls_context=self._tls,
        )
        try:
            await client.connect()
            try:
                refused, _ = await client.sendmail(self._from, to, mail)
            except aiosmtplib.SMTPRecipientsRefused as error:
                return {each.recipient: (each.code, each.message) for each in error.recipients}
            except aiosmtplib.SMTPResponseException as error:
                if error.code >= 500 and error.code not in _OURS_TO_MEND:
                    raise _Lasting(_worded(error)) from None
                raise
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=_QUIT_SECONDS)
            return {recipient: (said.code, said.message) for recipient, said in refused.items()}
        finally:
            client.close()

    def _outcome(self, key: str, partial: _Partial, refused: _Refused) -> Outcome:
        waiting = []
        for to in self._to:
            code, said = refused.get(to, (0, ""))
            if to in partial.done:
                continue
            if 0 < code < 500 or code in _OURS_TO_MEND:
                waiting.append(f"{to}: {code} {said}")
                continue
            partial.done.add(to)
            if code:
                partial.refused.append(f"{to}: {code} {said}")
        self._partial.pop(key, None)
        if waiting:
            self._partial[key] = partial
            if len(self._partial) > _PARTIAL:
                self._partial.popitem(last=False)
            return Retry(self._redact(f"not yet taken: {'; '.join(waiting)}"), partly=bool(partial.done))
        if partial.refused:
            others = len(self._to) - len(partial.refused)
            behind = f" (the other {others} have it)" if others else ""
            return Rejected(self._redact(f"refused for {'; '.join(partial.refused)}") + behind)
        return Delivered()

    def _mail(self, notification: Notification) -> bytes:
        """Write the mail; where its subject cannot be one, with a subject of the rule's own words.

        Raises:
            Unsound: that one cannot be sent, either.

        """
        body, options = notification.body, self._options
        subject = options.subject.render(*names(body)).text if options.subject else title(body)
        domain = self._from.rpartition("@")[2]
        first = f"<{quote(notification.order, safe='', errors='replace')}.{body.get('episode', 0)}.alert@{domain}>"
        headers = {
            "From": options.sender,
            "To": ", ".join(options.to),
            "Subject": one_line(unencoded(subject), _SUBJECT),
            "Date": format_datetime(datetime.fromtimestamp(notification.created, UTC)),
            "Message-ID": f"<{quote(notification.id, safe='', errors='replace')}@{domain}>",
            "References": first,
            "In-Reply-To": first,
            "Auto-Submitted": "auto-generated",  # RFC 3834, 5: nobody's absence note answers it
        }
        text = f"{summary(body)}\n\n{message(body)}\n"
        try:
            return mail_bytes(headers, text)
        except Unsound:  # a device that sends such a value must not keep the mail back
            plain = f"[{body.get('state', '')}] {body.get('alertname', '')}".encode("ascii", "replace").decode()
            return mail_bytes(headers | {"Subject": plain}, text)


class _Lasting(Exception):
    """The server refuses this mail for good."""


def _worded(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {error.message}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate refused: {error.verify_message}"
    return str(error) or type(error).__name__


def _spellings(username: str, password: str) -> set[str]:
    """Return a password in all forms in which it goes over the wire and may be echoed."""
    if not password:
        return set()
    plain = f"\0{username}\0{password}"
    return {password, *(base64.b64encode(text.encode()).decode() for text in (password, plain))}


def _address(mailbox: str) -> str:
    return str(WIRE.header_factory("to", mailbox).addresses[0].addr_spec)
