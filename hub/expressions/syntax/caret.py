"""Where in its text an expression is wrong, as people see it: the line, and a caret below the place."""

import unicodedata

from hub.errors import CompileError
from hub.printable import visible

__all__ = ["caret"]

_WINDOW = 100  # columns of a long line that are shown


def caret(error: CompileError) -> str:
    """Return the line of the expression with a caret under the place; empty where the error knows no text."""
    if not error.text:
        return ""
    offset = min(max(error.offset, 0), len(error.text))
    start = error.text.rfind("\n", 0, offset) + 1
    end = error.text.find("\n", offset)
    line = error.text[start : len(error.text) if end < 0 else end].rstrip("\r")
    before, behind = line[: offset - start], line[offset - start :]
    lead, tail = "", ""
    if len(before) > _WINDOW // 2 and len(line) > _WINDOW:
        lead, before = "… ", before[-_WINDOW // 2 :]
    if len(before) + len(behind) > _WINDOW:
        tail, behind = " …", behind[: _WINDOW - len(before)]
    shown = visible(lead + before.replace("\t", "    "))
    return f"{shown}{visible(behind.replace(chr(9), '    '))}{tail}\n{' ' * _columns(shown)}^"


def _columns(text: str) -> int:
    """Count the columns of a terminal that a text takes."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)
