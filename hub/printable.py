r"""Makes text from devices and people safe to show: it steers no terminal, forges no line, hides nothing.

One table says which characters nobody sees, one form writes them out: `\n`, `\x1b`, `\u202e`, `\U000e0041`. `visible`
is for what people are told, `shown` for a line of a terminal or a log, `one_line` for reasons. `odd` names characters
that a text pasted from a web page or a chat brings along, for people who write rules.
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from hub.limits import REASON_CHARS

__all__ = [
    "first_odd",
    "odd",
    "one_line",
    "plain",
    "shorten",
    "shown",
    "shown_event",
    "shown_json",
    "shown_labels",
    "visible",
]

_UNSEEN = (
    "\x00-\x1f\x7f-\x9f"  # C0 and C1 controls: they move the cursor, end the line, colour, ring
    "\u2028\u2029"  # line and paragraph separators
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # signs of direction: text reads otherwise than it is
    "\u00ad\u034f\u180e\u200b-\u200d\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb"  # no width
    "\u115f\u1160\u17b4\u17b5\u3164\uffa0"  # letters without a form, fillers of Hangul and Khmer
    "\U0001d173-\U0001d17a\U000e0000-\U000e007f"  # marks of notes, and tags: a whole message fits into them
    "\ud800-\udfff"  # lone surrogates: no text at all
)
_WORD = f"[^\x00-\x7f{_UNSEEN}]"
_JOINED = f"(?<={_WORD})[\u200c\u200d](?={_WORD})"
"""Joiners within a word: Persian and Hindi are written with them, and emoji of several people."""
_HIDDEN = re.compile(f"[{_UNSEEN}]")
_HIDDEN_FROM_PEOPLE = re.compile(f"(?!{_JOINED})[{_UNSEEN}]")
_HIDDEN_BUT_LAYOUT = re.compile(f"(?![\n\t]|{_JOINED})[{_UNSEEN}]")
_HIDDEN_IN_JSON = re.compile(f"(?!\n)[{_UNSEEN}]")  # its own line ends are no part of a value
_NAMED = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
_CHARS = 2000  # more of one value than any terminal line shows


def visible(text: str, *, layout: bool = False) -> str:
    """Return a text for people in which every invisible character is written out.

    With `layout`, line ends and tabs stay. Joiners stay between characters that are not ASCII: they belong to words.
    """
    if (text.isascii() and text.isprintable()) or _HIDDEN.search(text) is None:  # the fast way: almost every text
        return text
    return (_HIDDEN_BUT_LAYOUT if layout else _HIDDEN_FROM_PEOPLE).sub(_written, text)


def _written(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    if code < 0x100:
        return _NAMED.get(char) or f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def shorten(text: str, limit: int) -> str:
    """Return the text in at most `limit` bytes of UTF-8, an ellipsis at its end where it was cut."""
    data = text.encode("utf-8", "replace")
    if len(data) <= limit:
        return text
    return data[: limit - 3].decode("utf-8", "ignore") + "…"


def one_line(text: str, limit: int = REASON_CHARS) -> str:
    """Return one line for people, its blanks single, cut to `limit` characters."""
    line = visible(" ".join(text[: limit * 4].split()))
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


# for a terminal and a log


def shown(text: object, chars: int = _CHARS) -> str:
    """Return anything as one line in which nothing can hide; cut to `chars` characters with an ellipsis."""
    line = text if isinstance(text, str) else str(text)
    if len(line) > chars:
        line = f"{line[: chars - 1]}…"
    return line if line.isascii() and line.isprintable() else _HIDDEN.sub(_written, line)


def shown_event(topic: str, raw: bytes) -> str:
    """Return topic and payload of an event as one line."""
    return f"{shown(topic)} {shown(raw[: _CHARS * 4].decode('utf-8', 'backslashreplace'))}"


def shown_json(value: Any, *, indent: bool = True) -> str:
    """Return JSON in which nothing can hide: the same for a program, and harmless on a terminal."""
    layout = orjson.OPT_INDENT_2 if indent else 0
    text = orjson.dumps(value, default=str, option=layout | orjson.OPT_NON_STR_KEYS).decode()
    return _HIDDEN_IN_JSON.sub(_written_in_json, text)


def _written_in_json(match: re.Match[str]) -> str:
    """Write a character as JSON does: one beyond U+FFFF as two halves (RFC 8259, 7)."""
    units = match[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def shown_labels(labels: Mapping[str, Any], without: tuple[str, ...] = ("alertname", "severity")) -> str:
    """Return `site=a device=7`; values with a space or a quote stand in quotes."""
    return " ".join(f"{shown(name)}={_value(shown(value))}" for name, value in labels.items() if name not in without)


def _value(text: str) -> str:
    if text and not any(mark in text for mark in ' "='):
        return text
    quoted = text.replace('"', '\\"')
    return f'"{quoted}"'


# for people who write rules

_BLANKS = {
    "\u00a0": "a no-break space",
    "\u202f": "a narrow no-break space",
    "\u2007": "a figure space",
    "\u3000": "an ideographic space",
    **dict.fromkeys("\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u205f", "a wide or thin space"),
}
_NOTHINGS = {
    "\u200b": "a zero width space",
    "\u200c": "a zero width non-joiner",
    "\u200d": "a zero width joiner",
    "\u2060": "a word joiner",
    "\ufeff": "a byte order mark",
    "\u00ad": "a soft hyphen",
    **dict.fromkeys("\u115f\u1160\u3164\uffa0", "a filler"),
    **dict.fromkeys("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", "a sign of direction"),
    **dict.fromkeys(map(chr, range(0xE0000, 0xE0080)), "a tag"),
}
_LIKE = {
    **dict.fromkeys("“”„‟«»＂", '"'),  # noqa: RUF001
    **dict.fromkeys("‘’‚‛´＇", "'"),  # noqa: RUF001 - that is what this is about
    **dict.fromkeys("−–—‐‑‒﹣－", "-"),  # noqa: RUF001
    **dict.fromkeys("＝", "=="),  # noqa: RUF001
    "×": "*",  # noqa: RUF001
    "÷": "/",
    "＞": ">",  # noqa: RUF001
    "＜": "<",  # noqa: RUF001
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
    "∧": "&&",
    "∨": "||",  # noqa: RUF001
    "¬": "!",
}
_ODD = re.compile(f"[{''.join(_BLANKS)}{''.join(_NOTHINGS)}]")


def odd(char: str) -> tuple[str, str]:
    """Return the name of a character and what to do about it; both empty for a character that is not odd."""
    code = f"(U+{ord(char):04X})"
    if char in _BLANKS:
        return f"{_BLANKS[char]} {code}", "it only looks like a blank: delete it and type one"
    if char in _NOTHINGS:
        return f"{_NOTHINGS[char]} {code}", "nobody sees it: delete it"
    if char in _LIKE:
        kind = "use straight quotes: " if _LIKE[char] in "\"'" else "write "
        return f"{char!r} {code}", f"{kind}{_LIKE[char]}"
    return "", ""


def first_odd(text: str) -> int:
    """Return the index of the first character that is invisible or looks like another one; -1 where there is none."""
    found = None if text.isascii() else _ODD.search(text)
    return -1 if found is None else found.start()


def plain(text: str) -> str:
    """Return the text as it looks: odd blanks become blanks, and invisible characters are removed."""
    return _ODD.sub(lambda found: " " if found[0] in _BLANKS else "", text)
