"""A real SMTP server that keeps what it takes, and refuses as it is told."""

import asyncio
import contextlib
import email
import email.policy
import warnings

from aiosmtpd.smtp import SMTP, AuthResult

from tests.support.record import Record


class Mailbox:
    """Takes mails: recipients, mail, whether by TLS; `senders` has who sent each.

    `moods` answer RCPT by recipient, and DATA, used up one by one.
    """

    def __init__(self):
        self.mails, self.senders, self.moods, self.logins = Record(), [], {}, []

    def mood(self, what):
        return self.moods[what].pop(0) if self.moods.get(what) else None

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 - aiosmtpd's names
        if answer := self.mood(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802
        if answer := self.mood("data"):
            return answer
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.senders.append(envelope.mail_from)
        self.mails.add((envelope.rcpt_tos, mail, session.ssl is not None))
        return "250 taken"

    def login(self, _server, _session, _envelope, _mechanism, data):
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"hunter2", handled=False)

    @contextlib.asynccontextmanager
    async def serving(self, context=None, **options):
        sessions = []

        def session():
            with warnings.catch_warnings(action="ignore"):  # that a login without TLS is unsafe
                sessions.append(SMTP(self, hostname="mail.test", authenticator=self.login, **options))
            return sessions[-1]

        server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0, ssl=context)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for each in sessions:
                if each.transport is not None:
                    each.transport.abort()
                if each._handler_coroutine is not None:
                    each._handler_coroutine.cancel()
            await asyncio.sleep(0)
