"""Characters that look like others or like nothing: a blank that is none, a word processor's quotes, a long minus.

They come with what is pasted from a web page or a chat, and nobody sees them; who reads a text asks what they are.
"""

import re

__all__ = ["first_odd", "odd", "plain"]

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
    **dict.fromkeys("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", "a sign of direction"),
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
_UNSEEN = re.compile(f"[{''.join(_BLANKS)}{''.join(_NOTHINGS)}]")


def odd(char: str) -> tuple[str, str]:
    """Return what a character is called, and what to do about it; both empty where it is none of these."""
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
    """Return where the first character stands that nobody sees for what it is; -1 where there is none."""
    found = None if text.isascii() else _UNSEEN.search(text)
    return -1 if found is None else found.start()


def plain(text: str) -> str:
    """Return the text as it looks: odd blanks are blanks, and what cannot be seen is gone."""
    return _UNSEEN.sub(lambda found: " " if found[0] in _BLANKS else "", text)
