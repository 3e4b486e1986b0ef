"""A notification as title and text of one message of a service: in its notation, within its limits.

What is kept when room is short: the links that acknowledge, then the head line, then the table of labels, then as much
of the details as fits, with a mark that says how much is missing. One notification is one message: of several, a
service may refuse the second, and all come again.
"""

import bisect
import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote

from hub.limits import CUT_MARK_CHARS, TITLE_LEAST_CHARS
from hub.notify.wording.inert import as_html, defuse, marked
from hub.notify.wording.mail import unencoded
from hub.notify.wording.text import details, links, summary, table, title
from hub.printable import one_line

__all__ = ["BARE", "HTML", "MAIL", "MARKDOWN", "MARKED", "PLAIN", "Form", "Room", "compose", "octets"]

_ENDLESS = 1 << 40
_ORIGIN = re.compile(r"https?://[\w.:\[\]-]+")
_IN_A_URL = ":/?#&=+,;%-._~"  # behind the host; what else there is, a mention or an end of the link, is percent-encoded


def _as_is(text: str) -> str:
    return text


def _title(text: str) -> str:
    """Write a title; many services use it as the subject of a mail, so nothing in it may be an encoded word."""
    return unencoded(defuse(text))


def _encoded(url: str) -> str:
    """Return the URL with all characters encoded that could end it early in some notation, or mention somebody."""
    origin = _ORIGIN.match(url)
    start = origin.end() if origin else 0
    return url[:start] + quote(url[start:], safe=_IN_A_URL)


@dataclass(frozen=True, slots=True)
class Form:
    """A notation: how text is written in it, a head line, and a link of the hub's own."""

    text: Callable[[str], str]
    head: str = "{}"
    link: str = "{label}: {url}"
    noted: str = "{label} {note}: {url}"
    """As `link`, with what it is for."""
    newline: str = "\n"
    title: Callable[[str], str] = _title
    """Writes a title that stands beside the text, in a field of its own."""
    url: Callable[[str], str] = field(default=_encoded)


BARE = Form(_as_is, title=_as_is, url=_as_is)
PLAIN = Form(defuse)
MAIL = Form(_as_is, title=unencoded, url=_as_is)
MARKED = Form(marked, title=lambda text: unencoded(marked(text)))
MARKDOWN = Form(marked, head="**{}**", link="[{label}]({url})", noted="{note}: [{label}]({url})")
HTML = Form(
    as_html,
    head="<b>{}</b>",
    link='{label}: <a href="{url}">{url}</a>',
    noted='{label} {note}: <a href="{url}">{url}</a>',
    newline="<br/>",
    url=lambda url: html.escape(_encoded(url)),
)


@dataclass(frozen=True, slots=True)
class Room:
    """What one message takes. A service without titles (0) has the head line above the text."""

    text: int = _ENDLESS
    title: int = _ENDLESS
    lines: int = 0
    together: bool = False
    """Whether `text` is for the title and the text together."""
    size: Callable[[str], int] = len
    """How much of `text` a text takes."""


def octets(text: str) -> int:
    """Return how many bytes a text has, for a service that counts bytes and not characters."""
    return len(text.encode("utf-8", "replace"))


def compose(body: Mapping[str, Any], form: Form, room: Room) -> tuple[str, str]:
    """Return title and text; the title is empty where it is a line of the text."""
    size, newline = room.size, form.newline
    above = room.title == 0
    tail = _tail(body, form, room)
    left = room.text - (size(newline + tail) if tail else 0)
    most = left - size(form.head.format("")) if above else min(room.title, left // 2 if room.together else room.title)
    write = form.text if above else form.title
    head = _cut(title(body), write, most, size if above else len)
    told = summary(body) in title(body) and (above or head == write(title(body)))
    top = form.head.format(head) if above else ""
    left -= size(top + newline) if above else size(head) + 2 if room.together else 0
    said = details(body) if told else "\n\n".join(filter(None, (summary(body), details(body))))
    text = _middle(said, body, form, room, left)
    whole = newline.join(part for part in (top, text, tail) if part)
    return ("" if above else head), whole or head


def _tail(body: Mapping[str, Any], form: Form, room: Room) -> str:
    """Return the links, shorter where they leave no room for a head line, and none where even that is too long."""
    found = links(body)
    lines = [_link(form, "Acknowledge", url, note) for note, url in found]
    short = [_link(form, "Ack", url) for _, url in found[:1]]
    bare = [form.url(url) for _, url in found[:1]]
    for choice in (form.newline.join(lines), *lines[:1], *short, *bare):
        if room.size(choice) + TITLE_LEAST_CHARS <= room.text:
            return choice
    return ""


def _link(form: Form, label: str, url: str, note: str = "") -> str:
    return (form.noted if note else form.link).format(label=label, note=form.text(note), url=form.url(url))


def _middle(said: str, body: Mapping[str, Any], form: Form, room: Room, left: int) -> str:
    """Return details and table: the table whole where it takes at most half of what is left."""
    rows = [form.text(f"{name}: {value}") for name, value in table(body)]
    plain = [f"{name}: {value}" for name, value in table(body)]
    if body.get("runbook"):
        rows.append(_runbook(str(body["runbook"]), form))
        plain.append(f"Runbook: {body['runbook']}")
    below = form.newline.join(rows)
    cut = partial(_cut, write=form.text, size=room.size)
    if room.lines:
        lines = room.lines - (room.title == 0) - len(links(body))
        return cut(_lines([*said.splitlines(), *plain], max(lines, 1)), room=left)
    gap = form.newline * 2
    whole = form.text(said) + gap + below if said else below
    if room.size(whole) <= left:
        return whole
    if said and room.size(gap + below) <= left // 2:
        return cut(said, room=left - room.size(gap + below)) + gap + below
    return cut("\n".join([said, "", *plain] if said else plain), room=left)


def _runbook(runbook: str, form: Form) -> str:
    """Write the runbook as a link: the author of the rule has said that it is one."""
    if runbook.startswith(("https://", "http://")) and not any(char.isspace() for char in runbook):
        return _link(form, "Runbook", runbook)
    return form.text(f"Runbook: {one_line(runbook)}")


def _lines(all_: list[str], most: int) -> str:
    kept = [line for line in all_ if line]
    return "\n".join(kept) if len(kept) <= most else "\n".join(kept[:most]) + "…"


def _cut(text: str, write: Callable[[str], str], room: int, size: Callable[[str], int]) -> str:
    """Return the text in its notation, within `room`: whole, or its beginning and how many characters are missing."""
    whole = write(text)
    if size(whole) <= room:
        return whole
    mark = f"… ({len(text)} characters cut)" if room >= CUT_MARK_CHARS else "…"
    if size(mark) > room:
        return ""

    def taken(keep: int) -> int:
        return size(write(text[:keep].rstrip())) + size(mark)

    keep = bisect.bisect_right(range(len(text)), room, key=taken) - 1
    begin = text[: max(keep, 0)].rstrip()
    return write(begin) + (f"… ({len(text) - len(begin)} characters cut)" if mark != "…" else mark)
