"""A mail has the headers it was given, each once, and one part of text, whatever stands in them."""

import base64
import email
import email.policy
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.documents.document import Problems, parse_document
from hub.notify.receiver_settings import read_receivers
from hub.notify.receivers.smtp import Smtp
from hub.notify.wording import mail
from hub.notify.wording.mail import Unsound, check, mail_bytes, unencoded
from tests.notify.fakes import notification, toolbox

MIME = ["Content-Type", "Content-Transfer-Encoding", "MIME-Version"]
OURS = ["From", "To", "Subject", "Date", "Message-ID", "References", "In-Reply-To", "Auto-Submitted"]
EVIL = "x\r\nBcc: evil@example.org\r\n\r\n--part"


def q(text):
    return "=?utf-8?q?" + "".join(f"={byte:02X}" for byte in text.encode()) + "?="


def b(text):
    return f"=?utf-8?b?{base64.b64encode(text.encode()).decode()}?="


ATTACKS = [
    q(EVIL),
    b(EVIL),
    f"30 °C {q(EVIL)} 4",
    f"{q('a')} {b(EVIL)}{q(EVIL)}",
    f"=?utf-8?q?{q(EVIL)}?=",
    q(q(EVIL)),
    "=?utf-8?q?x=0ABcc:_a?=",
    "=?utf-8?q?x=0DBcc:_a?=",
    "=?utf-8?q?=E2=80=A8Bcc:_a?=",
    "=?utf-8*en?Q?x=0D=0ABcc:_a?=",
    "=?us-ascii?q?x=0D=0ABcc:_a?=",
    "=?utf-16?b?AA0ACgBCAGMAYw==?=",
    "=?utf-7?q?x+AA0ACg-Bcc:?=",
    f"={q(EVIL)}=",
    "=\x00?utf-8?q?x=0D=0ABcc:_a?=",
    "=\u202e?utf-8?q?x=0D=0ABcc:_a?=",
    "=\r\n ?utf-8?q?x=0D=0ABcc:_a?=",
    "=?utf-8?q?x=0D=0A" + "y" * 300 + "?=",
    "a\r\nBcc: b",
    "a\nBcc: b",
    "a\rBcc: b",
    "a\x00b\x1b[2J\x85\u2028\u2029\x0b\x0cBcc: b",
    "x" * 5000,
    "\ud800",
    '"<@>" (;,: [[ \\',
]
TEXTS = (
    st.text() | st.sampled_from(ATTACKS) | st.lists(st.sampled_from([*"=?\r\n _qb", "=?", "?=", "utf-8"])).map("".join)
)


def receiver(more=""):
    problems = Problems()
    text = f"mail: {{smtp: {{host: h, from: Hub <hub@example.org>, to: [a@example.org, B <b@example.org>]{more}}}}}"
    found = read_receivers(parse_document(text, "r.yaml", problems), problems)
    assert problems == []
    return Smtp(found["mail"].options, toolbox())


def fields(raw):
    """Read the names of the headers as the plainest of readers would: at any line end there is."""
    head = re.split(rb"\r\n\r\n|\n\n|\r\r", raw, maxsplit=1)[0]
    return [line.partition(b":")[0].decode() for line in re.split(rb"[\r\n]+", head) if line[:1] not in b" \t"]


@pytest.mark.parametrize("text", ATTACKS)
@pytest.mark.parametrize("more", ["", ", subject: '{summary}'", ", subject: '{labels.device}{device}'"])
def test_no_byte_of_an_event_becomes_a_header_or_a_part(text, more):
    labels = {"device": text, text: text}
    raw = receiver(more)._mail(notification(summary=text, details=text, severity=text, labels=labels))
    assert fields(raw) == OURS + MIME
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert not read.is_multipart()
    assert read.get_content_type() == "text/plain"
    assert read.defects == []
    assert str(read["To"]) == "a@example.org, B <b@example.org>"
    assert "=?" not in str(read["Subject"])


@given(
    summary=TEXTS, details=TEXTS, label=TEXTS, name=TEXTS, severity=TEXTS, topic=TEXTS, identity=st.text(max_size=80)
)
@example(q(EVIL), q(EVIL), q(EVIL), q(EVIL), q(EVIL), q(EVIL), q(EVIL))
def test_whatever_an_event_brings_the_mail_has_our_headers_and_one_part(
    summary, details, label, name, severity, topic, identity
):
    made = notification(
        identity, order=identity, summary=summary, details=details, severity=severity, labels={"a": label, name: name},
        event={"topic": topic, "payload": label},
    )  # fmt: skip
    raw = receiver(", subject: '{summary} {a} {severity} {topic}'")._mail(made)
    assert fields(raw) == OURS + MIME
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert read.keys() == OURS + MIME
    assert not read.is_multipart()
    assert max(map(len, raw.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("line", ["--part", "From me", ".", "..", "Bcc: a@example.org", "\r\n.\r\nMAIL FROM:<a@b>"])
def test_a_line_of_the_text_is_a_line_of_the_text(line):
    raw = receiver()._mail(notification(details=f"a\n{line}\nb"))
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert line.split()[-1] in read.get_content()
    assert fields(raw) == OURS + MIME


def test_what_people_read_stays_and_cannot_turn_around():
    assert unencoded("7 at a is -9.0 °C, = ok? Größe=3") == "7 at a is -9.0 °C, = ok? Größe=3"
    assert unencoded("a\u202eb\x1b[2Jc\u2028d") == "a b [2Jc d"
    assert unencoded("==?utf-8?q?a?=") == "== ?utf-8?q?a?="


def raw_fold(text):
    """Fold as some Python 3.11 and 3.12 do: what an encoded word holds is written as it is."""
    return lambda _policy, name, _value: f"{name}: {text}\r\n".encode()


@pytest.mark.parametrize(
    "text", ["x\r\nBcc: evil@example.org", "x\r\n\r\n--part", "x\nBcc: a", "x\rBcc: a", "x\x00", "x\r\n "]
)
def test_what_is_written_is_looked_at_again_and_a_fault_below_is_no_mail(monkeypatch, text):
    fold = raw_fold(text)
    real = mail.WIRE.fold_binary

    def fold_binary(policy, name, value):
        return fold(policy, name, value) if name == "Subject" else real(name, value)

    monkeypatch.setattr(type(mail.WIRE), "fold_binary", fold_binary)
    with pytest.raises(Unsound):
        mail_bytes({"From": "a@example.org", "Subject": "x"}, "text")


async def test_a_subject_that_cannot_be_one_is_replaced_and_where_no_mail_is_sound_it_is_refused(monkeypatch):
    made = receiver(", subject: '{summary}'")
    real = mail.check

    def strict(raw, headers):
        if "evil" in headers["Subject"] or spoiled:
            raise Unsound("spoiled")
        real(raw, headers)

    spoiled = False
    monkeypatch.setattr(mail, "check", strict)
    read = email.message_from_bytes(made._mail(notification(summary="evil")), policy=email.policy.default)
    assert read["Subject"] == "[firing] FreezerTooWarm"
    assert read.get_content().startswith("evil")
    spoiled = True
    outcome = await made.send(notification(summary="evil"))
    assert outcome.reason == "this mail is not sent, it would not be what it should: spoiled"


GOOD = (
    b'A: b\r\nContent-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: 7bit\r\n'
    b"MIME-Version: 1.0\r\n\r\nx\r\n"
)


def test_the_look_takes_a_plain_mail():
    check(GOOD, {"A": "b"})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"A: b", b"A: b\r\nA: b"),
        (b"A: b", b"A: b\r\nB: b"),
        (b"A: b", b"B: b"),
        (b"A: b\r\n", b""),
        (b"A: b", b"A : b"),
        (b"A: b", b" A: b"),
        (b"A: b", b"A: b\r\n "),
        (b"A: b", b"A: \xc3\xbc"),
        (b"A: b", b"A: b\r\n\r\nc"),
        (b"A: b", b"A: " + b"b" * 1000),
        (b"text/plain", b"multipart/mixed"),
        (b'"utf-8"', b'"utf-8"; boundary=x'),
        (b"\r\n\r\nx", b"\r\nx"),
        (b"x\r\n", b"x\n"),
        (b"x\r\n", b"\rx\r\n"),
        (b"x\r\n", b"x\x00\r\n"),
    ],
)
def test_the_look_refuses_what_nobody_put_there(old, new):
    with pytest.raises(Unsound):
        check(GOOD.replace(old, new, 1), {"A": "b"})


@pytest.mark.parametrize("name", [q("Hub\r\nBcc: a@example.org"), b("Hub\nx"), q("Hub\u2028x")])
def test_a_name_of_ours_that_hides_a_line_end_is_refused_at_load(name):
    problems = Problems()
    text = f"mail: {{smtp: {{host: h, from: '{name} <a@example.org>', to: a@example.org}}}}"
    read_receivers(parse_document(text, "r.yaml", problems), problems)
    assert str(problems[0]).startswith("r.yaml:1:31: is no mail address")


def test_a_name_of_ours_that_is_an_encoded_word_is_what_it_says():
    made = receiver()
    problems = Problems()
    text = f"mail: {{smtp: {{host: h, from: '{q('Jürgen')} <a@example.org>', to: a@example.org}}}}"
    found = read_receivers(parse_document(text, "r.yaml", problems), problems)
    assert problems == []
    made = Smtp(found["mail"].options, toolbox())
    read = email.message_from_bytes(made._mail(notification()), policy=email.policy.default)
    assert read["From"] == "Jürgen <a@example.org>"
