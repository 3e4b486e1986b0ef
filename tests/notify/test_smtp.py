"""A real SMTP server at the other end: plain, with STARTTLS, with TLS, with a login, in all its moods."""

import asyncio
import logging
import ssl

import pytest
import trustme

from hub.documents.document import Problems, parse_document
from hub.ids import episode_id
from hub.model import Delivered, Rejected, Retry
from hub.notify.receiver_settings import read_receivers
from hub.notify.receivers.smtp import Smtp
from hub.rules.reading.loader import RuleSet
from hub.trial.world import World
from tests.notify.fakes import notification, toolbox
from tests.rules.making import event, rule
from tests.support.mailbox import Mailbox

BOUND = 20.0


@pytest.fixture
def mailbox():
    return Mailbox()


@pytest.fixture
def server_tls(tmp_path, monkeypatch):
    """A context of a server whose certificate this process trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def read(yaml):
    problems = Problems()
    settings = read_receivers(parse_document(yaml, "r.yaml", problems), problems)
    return settings, [str(problem) for problem in problems]


def smtp(port, more="", to="[ops@example.org]"):
    yaml = f"mail: {{smtp: {{host: 127.0.0.1, port: {port}, tls: none, from: Hub <hub@example.org>, to: {to}{more}}}}}"
    settings, problems = read(yaml.replace("tls: none, ", "" if "tls:" in more else "tls: none, "))
    assert problems == []
    return Smtp(settings["mail"].options, toolbox())


async def send(receiver, sent):
    return await asyncio.wait_for(receiver.send(sent), BOUND)


async def test_a_mail_says_what_is_the_matter_and_answers_no_absence_note(mailbox):
    async with mailbox.serving() as port:
        sent = notification(1, details="Door open?\nCheck it.", created=1_772_000_000.0)
        assert await send(smtp(port, to="[ops@example.org, 'Boss <boss@example.org>']"), sent) == Delivered()
    ((to, mail, _),) = mailbox.mails
    assert to == ["ops@example.org", "boss@example.org"]
    assert mail["Subject"] == "[firing] FreezerTooWarm: 7 at a is -9.0 °C"
    assert (mail["From"], mail["To"]) == ("Hub <hub@example.org>", "ops@example.org, Boss <boss@example.org>")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"] == "Wed, 25 Feb 2026 06:13:20 +0000"
    text = mail.get_content().replace("\r\n", "\n")
    assert text.startswith("7 at a is -9.0 °C\n\nDoor open?\nCheck it.\n\nState: firing since 2026-03-01 00:55:00\n")
    assert "site: a\ndevice: 7\n" in text


async def test_a_repetition_is_the_same_mail_and_firing_and_resolved_stand_together(mailbox):
    async with mailbox.serving() as port:
        receiver = smtp(port)
        firing, resolved = notification(1), notification(2, state="resolved")
        for each in (firing, firing, resolved, notification(3, episode=2)):
            assert await send(receiver, each) == Delivered()
    first, again, end, other = (mail for _, mail, _ in mailbox.mails)
    assert first.as_bytes() == again.as_bytes()
    assert first["Message-ID"] == "<a-1@example.org>" != end["Message-ID"]
    assert first["References"] == end["References"] == end["In-Reply-To"] != other["References"]


GROUPED = """
- alert: Hot
  topic: hot/{site}/{device}
  when: value > 0
  notify: [mail]
  group_by: [site]
  repeat: 1h
  escalate: [{after: 30m, to: [mail]}]
"""


async def test_all_mails_of_a_group_stand_together_until_all_of_it_is_over(mailbox):
    world = World(RuleSet({"Hot": rule(GROUPED)}), None, 1000.0)

    def hear(at, device, value):
        world.pass_time(1000.0 + at)
        world.send([event(f"hot/a/{device}", value, world.now)])

    for device in (1, 2):
        hear(0, device, 1)  # told at 10 s; the step at 30 min 10 s, the repeat at 1 h 10 s
    hear(4000, 1, 0)  # an end, while the other fires on
    for device in (2, 3):
        hear(5000, device, 0)  # all is over
    hear(6000, 3, 1)  # another episode
    world.pass_time(9000.0)
    async with mailbox.serving() as port:
        receiver = smtp(port)
        for each in world.told:
            assert await receiver.send(each) == Delivered()
    mails = [mail for _, mail, _ in mailbox.mails]
    states = [each.body["state"] for each in world.told]
    assert states == ["firing", "firing", "firing", "firing", "resolved", "firing", "firing"]
    assert [mail["Message-ID"] for mail in mails] == [f"<{each.id}@example.org>" for each in world.told]
    assert len({each.id for each in world.told}) == len(mails)
    assert len({mail["References"] for mail in mails[:5]}) == 1
    assert len({mail["References"] for mail in mails[5:]}) == 1
    assert mails[0]["References"] != mails[5]["References"]
    assert all(mail["In-Reply-To"] == mail["References"] for mail in mails)
    keys = [episode_id(each.id) for each in world.told]
    assert keys == [keys[0]] * 5 + [keys[5]] * 2 != [keys[0]] * 7


async def test_nothing_of_an_event_can_forge_a_header_whatever_it_holds(mailbox):
    evil = "x\r\nBcc: everybody@example.org\r\n\r\nbody\u2028\x00\ud800"
    async with mailbox.serving() as port:
        receiver = smtp(port, more=', subject: "{alertname}: {summary}\\n{labels.site}"')
        sent = notification(1, order=evil, summary=evil, details=evil, labels={"site": evil})
        assert await send(receiver, sent) == Delivered()
        assert await send(smtp(port), sent) == Delivered()
    for to, mail, _ in mailbox.mails:
        assert to == ["ops@example.org"]
        assert mail["Bcc"] is None
        assert "\n" not in mail["Subject"]
        assert set(mail.keys()) == {
            *("From", "To", "Subject", "Date", "Message-ID", "References", "In-Reply-To", "Auto-Submitted"),
            *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
        }


async def test_a_subject_is_a_template_over_the_notification(mailbox):
    async with mailbox.serving() as port:
        await send(smtp(port, more=', subject: "{site}/{device} {state} since {since}"'), notification())
    assert mailbox.mails[0][1]["Subject"] == "a/7 firing since 2026-03-01T00:55:00.000Z"


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_login_goes_over_tls(mailbox, server_tls, tls):
    login = f", tls: {tls}, username: hub, password: hunter2"
    options = {"tls_context": server_tls, "require_starttls": True} if tls == "starttls" else {"context": server_tls}
    options |= {} if tls == "starttls" else {"auth_require_tls": False}
    async with mailbox.serving(**options, auth_required=True) as port:
        assert await send(smtp(port, more=login), notification()) == Delivered()
    assert mailbox.logins == [(b"hub", b"hunter2")]


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_certificate_that_nobody_vouches_for_is_retry(mailbox, server_tls, monkeypatch, tls):
    monkeypatch.delenv("SSL_CERT_FILE")
    options = {"tls_context": server_tls} if tls == "starttls" else {"context": server_tls}
    async with mailbox.serving(**options) as port:
        outcome = await send(smtp(port, more=f", tls: {tls}"), notification())
    assert isinstance(outcome, Retry)
    assert "certificate" in outcome.reason.lower()


async def test_a_server_without_starttls_gets_nothing_in_the_clear(mailbox):
    async with mailbox.serving(auth_require_tls=False) as port:
        outcome = await send(smtp(port, more=", tls: starttls, username: hub, password: hunter2"), notification())
    assert isinstance(outcome, Retry)
    assert (mailbox.mails, mailbox.logins) == ([], [])


async def test_a_wrong_password_is_for_an_operator_to_mend_so_it_is_retry_and_not_shown(mailbox, caplog):
    caplog.set_level(logging.DEBUG)
    async with mailbox.serving(auth_require_tls=False, auth_required=True) as port:
        outcome = await send(smtp(port, more=", username: hub, password: wrongSECRET"), notification())
    assert isinstance(outcome, Retry)
    assert "535" in outcome.reason
    logged = [record.getMessage() for record in caplog.records if not record.name.startswith("mail")]  # aiosmtpd's own
    assert "SECRET" not in "\n".join([outcome.reason, *logged])


@pytest.mark.parametrize(
    ("answer", "kind"), [("451 try later", Retry), ("554 no spam", Rejected), ("530 log in", Retry)]
)
async def test_what_the_server_says_about_the_mail_counts_by_its_code(mailbox, answer, kind):
    mailbox.moods = {"data": [answer]}
    async with mailbox.serving() as port:
        outcome = await send(smtp(port), notification())
    assert isinstance(outcome, kind)
    assert outcome.reason == answer


async def test_a_recipient_that_has_the_mail_does_not_get_it_again_because_another_has_to_wait(mailbox):
    mailbox.moods = {"b@example.org": ["450 greylisted"]}
    async with mailbox.serving() as port:
        receiver = smtp(port, to="[a@example.org, b@example.org]")
        assert await send(receiver, notification()) == Retry("not yet taken: b@example.org: 450 greylisted")
        assert await send(receiver, notification()) == Delivered()
    assert [to for to, *_ in mailbox.mails] == [["a@example.org"], ["b@example.org"]]


async def test_a_recipient_refused_for_good_is_told_even_though_the_others_have_it(mailbox):
    mailbox.moods = {"b@example.org": ["550 unknown"], "c@example.org": ["450 busy", "450 busy"]}
    async with mailbox.serving() as port:
        receiver = smtp(port, to="[a@example.org, b@example.org, c@example.org]")
        for _ in range(2):
            assert await send(receiver, notification()) == Retry("not yet taken: c@example.org: 450 busy")
        outcome = await send(receiver, notification())
    assert outcome == Rejected("refused for b@example.org: 550 unknown (the other 2 have it)")
    assert [to for to, *_ in mailbox.mails] == [["a@example.org"], ["c@example.org"]]
    assert not receiver._partial


async def test_when_all_recipients_are_refused_the_mail_is_rejected(mailbox):
    mailbox.moods = {"ops@example.org": ["550 unknown"]}
    async with mailbox.serving() as port:
        assert await send(smtp(port), notification()) == Rejected("refused for ops@example.org: 550 unknown")


async def test_nobody_listening_and_a_server_that_hangs_up_are_retry(mailbox):
    outcome = await send(smtp(1), notification())
    assert isinstance(outcome, Retry)

    async def hang_up(_reader, writer):
        writer.write(b"220 hi\r\n")
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        assert isinstance(await send(smtp(server.sockets[0].getsockname()[1]), notification()), Retry)


async def test_a_server_that_hangs_leaves_no_connection_when_its_time_is_over():
    gone = asyncio.Event()

    async def hang(reader, writer):
        await reader.read()
        writer.close()
        gone.set()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(smtp(server.sockets[0].getsockname()[1]).send(notification()), 0.05)
        await asyncio.wait_for(gone.wait(), BOUND)


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        (
            "{host: h, from: a@b.c, to: ops}",
            "r.yaml:1:41: is no mail address: 'ops' (write user@host or Name <user@host>)",
        ),
        ("{host: h, from: 'a@b.c\tx', to: a@b.c}", "is no mail address"),
        ("{host: h, from: 'a@b.c, d@e.f', to: a@b.c}", "is no mail address"),
        ("{host: h, from: ä@b.c, to: a@b.c}", "is no mail address"),
        # Python's own parser ends in four ways at these
        ("{host: h, from: '.:', to: a@b.c}", "is no mail address"),
        ("{host: h, from: 'a@[', to: a@b.c}", "is no mail address"),
        ("{host: h, from: ':;a', to: a@b.c}", "is no mail address"),
        ("{host: h, from: ' .,', to: a@b.c}", "is no mail address"),
        ("{host: h, from: a@b.c, to: []}", "needs at least one recipient"),
        ("{host: h, from: a@b.c, to: a@b.c, tls: ssl}", "must be one of starttls, tls, none, not 'ssl'"),
        ("{host: h, from: a@b.c, to: a@b.c, username: u}", "needs both username and password, or neither"),
        ("{host: h, from: a@b.c, to: a@b.c, subject: '{sumary +}'}", "r.yaml:1:"),
        ("{host: h, from: a@b.c, too: a@b.c, to: a@b.c}", "did you mean 'to'?"),
    ],
)
def test_a_mistake_is_shown_with_its_place(yaml, message):
    _, problems = read(f"mail: {{smtp: {yaml}}}")
    assert len(problems) == 1
    assert message in problems[0]
