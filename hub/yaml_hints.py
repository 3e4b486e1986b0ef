"""What to do about a line that YAML reads as something else than text; `document` asks where it cannot read on."""

import re

__all__ = ["quoted", "yaml_hint"]

_LINE = re.compile(r"(?P<before>\s*(?:-\s+)*(?P<key>[\w-]+):[ \t]+|\s*-[ \t]+)(?P<value>\S.*?)\s*$")
_SIGNS = "!&*@%`|>{[,?"
_QUOTES = {"'": "inside '…' a quote is written twice", '"': 'inside "…" a quote is written \\" and a backslash \\\\'}


def yaml_hint(text: str, line: int) -> str:
    """Return what to write in place of a line (from 1) that cannot be read; nothing where that is not clear."""
    lines = text.splitlines()
    written = lines[line - 1] if 0 < line <= len(lines) else ""
    if re.match(r" *\t", written):
        return "indent with spaces, not with tabs"
    found = _LINE.match(written)
    if found is None:
        return ""
    hint = _of_value(found["value"])
    if not hint and found["key"] and re.search(r":(\s|$)", found["value"]):
        hint = f"text with a colon and a space in it must be quoted: {quoted(found['value'])}"
    return hint or ("all keys of one mapping begin in the same column" if written.startswith(" ") else "")


def _of_value(value: str) -> str:
    if value[0] in _SIGNS:
        return f"text that begins with {value[0]} must be quoted: {quoted(value)}"
    if value[0] not in _QUOTES:
        return ""
    if value[-1] != value[0]:
        return f"the quotes belong around the whole text: {quoted(value)}"
    return _QUOTES[value[0]]


def quoted(value: str) -> str:
    """Return the text as it is written in quotes."""
    if '"' not in value and "\\" not in value:
        return f'"{value}"'
    return "'" + value.replace("'", "''") + "'"
