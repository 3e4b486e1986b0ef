"""Text from devices made fit to be shown: it can steer no terminal, forge no line, turn no reading around."""

import re

__all__ = ["shorten", "visible"]

# C0 and C1 controls, line and paragraph separators, bidirectional controls, zero width and invisible signs, surrogates
_INVISIBLE = "\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
_UNSEEN = re.compile(f"[{_INVISIBLE}]")
_UNSEEN_BUT_LAYOUT = re.compile(f"(?![\n\t])[{_INVISIBLE}]")
_NAMED = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def visible(text: str, *, layout: bool = False) -> str:
    r"""Return the text with every character that cannot be seen written out: `\n`, `\x1b`, `\u202e`.

    With `layout`, line ends and tabs stay.
    """
    if text.isprintable():  # the fast way: almost every text
        return text
    return (_UNSEEN_BUT_LAYOUT if layout else _UNSEEN).sub(_written, text)


def _written(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    return _NAMED.get(char) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def shorten(text: str, limit: int) -> str:
    """Return the text in at most `limit` bytes of UTF-8, an ellipsis at its end where it was cut."""
    data = text.encode("utf-8", "replace")
    if len(data) <= limit:
        return text
    return data[: limit - 3].decode("utf-8", "ignore") + "…"
