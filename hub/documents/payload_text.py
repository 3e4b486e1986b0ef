"""The text of a payload: UTF-8, or Windows-1252 (which contains Latin-1) where that is plausible."""

import re

__all__ = ["BRACKETS", "CONTROL", "raw_text", "text_of"]

BRACKETS = {"{": "}", "[": "]", '"': '"'}
"""What JSON begins with, and how it ends then."""
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Characters that no text has."""
_PADDING = "\0 \t\r\n"


def text_of(payload: bytes) -> str | None:
    """Return a payload as text, without byte order mark, NULs and white space around it; None where it is no text."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return _western(payload)
    return text.removeprefix("\ufeff").rstrip(_PADDING).strip()


def raw_text(payload: bytes) -> str | None:
    """Return a payload as text as it came, without byte order mark and NULs at the end; None where it is no text."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return _western(payload)
    return text.removeprefix("\ufeff").rstrip("\0")


def _western(payload: bytes) -> str | None:
    """Read Windows-1252 where that is plausible: no control characters, and most of it ASCII, or JSON by its ends."""
    try:
        text = payload.rstrip(_PADDING.encode()).decode("cp1252").strip()
    except UnicodeDecodeError:
        return None
    strange = sum(char > "\x7f" for char in text)
    plausible = 2 * strange <= len(text) or text[-1] == BRACKETS.get(text[0])
    return text if plausible and not CONTROL.search(text) else None
