"""Finds where a character of a YAML scalar's text stands in its file; `document` shows the column of a mistake by it.

Quotes, escapes, indentation and folding change the text, but never the order of what is not white space: the n-th
character of the text is the n-th of the source.
"""

import re
from collections.abc import Iterator

__all__ = ["place"]

_SPACE = " \t\r\n\x85\u2028\u2029"
_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_CHARACTER = re.compile(f"[^{_SPACE}]")
_IN_SINGLE_QUOTES = re.compile(f"''|[^{_SPACE}]")
_IN_DOUBLE_QUOTES = re.compile(
    rf"\\(?:x([0-9a-fA-F]{{2}})|u([0-9a-fA-F]{{4}})|U([0-9a-fA-F]{{8}})|(\r\n|[^xuU]))|[^{_SPACE}]", re.DOTALL
)
_SPACE_ESCAPES = set("ntrNLP \t\r\n") | {"\r\n"}  # yaml.org/spec/1.2.2, 5.7; behind a line end it joins two lines


def place(source: str, start: int, style: str, text: str, offset: int) -> tuple[int, int]:
    """Return how many lines below the scalar's start, and in which column (from 0), `text[offset]` was written.

    `start` is the scalar's index in `source`, the column is one of the whole line where lines are below, else counted
    from `start`; `style` is YAML's sign for it: `'`, `"`, `|`, `>` or nothing.
    """
    at = _index(source, start, style, text, offset)
    breaks = list(_BREAK.finditer(source, start, at))
    return len(breaks), at - (breaks[-1].end() if breaks else start)


def _index(source: str, start: int, style: str, text: str, offset: int) -> int:
    before = text[:offset]
    wanted = len(_CHARACTER.findall(before))
    inside = _CHARACTER.match(text, offset) is not None
    behind = _begin(source, start, style)
    for first, end in _written(source, behind, style):
        if not wanted and inside:
            return first
        if not wanted:
            break
        wanted, behind = wanted - 1, end
    trailing = before[len(before.rstrip(_SPACE)) :]
    return behind + (0 if _BREAK.search(trailing) else len(trailing))


def _begin(source: str, start: int, style: str) -> int:
    if style in ("|", ">"):
        header = _BREAK.search(source, start)
        return header.end() if header else len(source)
    return start + (style in ("'", '"'))


def _written(source: str, at: int, style: str) -> Iterator[tuple[int, int]]:
    """Find where each character of the text that is not white space begins and ends."""
    pattern = {"'": _IN_SINGLE_QUOTES, '"': _IN_DOUBLE_QUOTES}.get(style, _CHARACTER)
    return (found.span() for found in pattern.finditer(source, at) if style != '"' or not _space(found))


def _space(found: re.Match[str]) -> bool:
    code = found[1] or found[2] or found[3]
    return chr(int(code, 16)) in _SPACE if code else found[4] in _SPACE_ESCAPES
