"""A mail as bytes, in which no text from a device can become a header or a part; the receiver `smtp` sends it.

Headers hold no encoded words (RFC 2047): Python decodes them when it reads a header, and some versions of 3.11 and 3.12
write their content back as it is, line ends included. The bytes that come out are checked once more, by rules so plain
that they need no parser.
"""

import re
from collections.abc import Mapping
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP as WIRE

from hub.limits import MAIL_LINE_BYTES

__all__ = ["Unsound", "check", "mail_bytes", "unencoded"]

_WORD = re.compile(r"=(?=\?)")
# C0 and C1 controls, the separators U+2028 and U+2029, what turns the reading around, lone surrogates
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
_STEERING_TEXT = re.compile(f"(?![\n\t]){_STEERING.pattern[:-1]}")
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n|\x00")
_FIELD = re.compile(rb"([!-9;-~]+):(?: |$)[\t -~]*")  # RFC 5322, 2.2: in ASCII, as no header of ours needs more
_FOLDED = re.compile(rb"[\t ][\t -~]*[!-~][\t -~]*")  # a line that goes on, with something to be seen in it
_MIME = {
    "Content-Type": {b'text/plain; charset="utf-8"'},
    "Content-Transfer-Encoding": {b"7bit", b"8bit", b"quoted-printable", b"base64"},
    "MIME-Version": {b"1.0"},
}


class Unsound(ValueError):
    """The mail would hold a header, a part or a line that the hub did not write."""


def unencoded(text: str) -> str:
    """Return one line in which nothing is an encoded word, for Python's reader and for any mail program."""
    return _WORD.sub("= ", _STEERING.sub(" ", text))


def mail_bytes(headers: Mapping[str, str], text: str) -> bytes:
    """Return a mail of these headers and one part of plain text.

    Raises:
        Unsound: what Python makes of them is not that.

    """
    mail = EmailMessage(policy=WIRE)
    try:
        for name, value in headers.items():
            mail[name] = unencoded(value)
        mail.set_content(_STEERING_TEXT.sub(" ", text))
        raw = mail.as_bytes()
    # what email's reader and folder are known to raise of text that they do not understand
    except (MessageError, ValueError, LookupError, AttributeError, TypeError, AssertionError) as error:
        raise Unsound(f"Python cannot write it: {type(error).__name__}") from None
    check(raw, headers)
    return raw


def check(raw: bytes, headers: Mapping[str, str]) -> None:
    """Look at what goes over the wire: these headers, each once and in their order, then those of one part of text.

    Raises:
        Unsound: there is another header or another kind of part, or a line that a server might read in its own way.

    """
    if _BARE.search(raw):
        raise Unsound("a line end that is none")
    head, blank, _ = raw.partition(b"\r\n\r\n")
    if not blank or any(len(line) > MAIL_LINE_BYTES for line in raw.split(b"\r\n")):
        raise Unsound("no end of its headers, or a line that is too long")
    found: list[tuple[str, bytes]] = []
    for line in head.split(b"\r\n"):
        field = _FIELD.fullmatch(line)
        if field:
            found.append((field[1].decode(), line[field.end(1) + 2 :]))
        elif found and _FOLDED.fullmatch(line):
            found[-1] = (found[-1][0], found[-1][1] + line)
        else:
            raise Unsound("a line among its headers that is none")
    if [name for name, _ in found] != [*headers, *_MIME]:
        raise Unsound("other headers than it was given")
    if any(value not in _MIME[name] for name, value in found[len(headers) :]):
        raise Unsound("another kind of content than plain text")
