"""Hints for a line that YAML does not read as the text that was meant; `document` asks where it cannot read on."""

import re

from hub.printable import first_odd, odd

__all__ = ["quoted", "yaml_hint", "yaml_oddity"]

_LINE = re.compile(r"(?P<before>\s*(?:-\s+)*(?P<key>[\w-]+):[ \t]+|\s*-[ \t]+)(?P<value>\S.*?)\s*$")
_SIGNS = "!&*@%`|>{[,?"
_QUOTES = {"'": "inside '…' a quote is written twice", '"': 'inside "…" a quote is written \\" and a backslash \\\\'}
_COMMENT = re.compile(r"\s+#.*$")
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'")
# text with a capture or a field in it, as it stands in a list or a mapping in one line: a/{id}/t, {site}/door
_BRACED = re.compile(
    r"(?<![\w{}/+#.$\"'-])(?:[\w+#.$-]*/)*[\w+#.$-]*\{\w+(?:\.\.\.)?\}[\w+#.$/-]*(?:\{\w+(?:\.\.\.)?\}[\w+#.$/-]*)*"
)
_JINJA = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")


def yaml_hint(text: str, line: int) -> str:
    """Return what to write in place of a line (from 1) that cannot be read; empty where that is not clear."""
    written = _line(text, line)
    if re.match(r" *\t", written):
        return "indent with spaces, not with tabs"
    found = _LINE.match(written)
    if braces := _braces(_COMMENT.sub("", written)):
        return braces
    if found is None:
        return ""
    hint = _of_value(found["value"])
    if not hint and found["key"] and re.search(r":(\s|$)", found["value"]):
        hint = f"text with a colon and a space in it must be quoted: {quoted(found['value'])}"
    return hint or ("all keys of one mapping begin in the same column" if written.startswith(" ") else "")


def yaml_oddity(text: str, line: int) -> tuple[int, int, str, str] | None:
    """Find an invisible character on a line that cannot be read, or on the one before: line, column, name, remedy."""
    for number in (line, line - 1):
        written = _line(text, number)
        at = first_odd(written)
        if at >= 0:
            return number, at + 1, *odd(written[at])
    return None


def _line(text: str, line: int) -> str:
    lines = text.splitlines()
    return lines[line - 1] if 0 < line <= len(lines) else ""


def _braces(written: str) -> str:
    """Say how to write a text with braces that YAML takes for a mapping."""
    found = _LINE.match(written)
    value = found["value"] if found else written.strip()
    if "{{" in value and (jinja := _JINJA.search(value)):
        return _of_jinja(value, jinja, str(found["key"] or "") if found else "")
    if value[:1] == "{" and not value.rstrip().endswith("}"):
        return ""  # the whole of it is a text that begins with a brace
    bare = _STRING.sub(lambda string: '"' + "_" * (len(string[0]) - 2) + '"', value)
    texts = [value[match.start() : match.end()] for match in _BRACED.finditer(bare)]
    within = value[:1] in "[{" or found is None
    if not texts or not within or value in texts:
        return ""
    what = "topic" if found and found["key"] == "topic" else "text with braces"
    if value[:1] == "[" and value.endswith("]") and ": " not in bare:
        items = [each.strip() for each in re.split(r",(?![^{]*\})", value[1:-1])]
        listed = ", ".join(quoted(each) if each and each[0] not in "\"'" else each for each in items)
        return f"quote each {what}: [{listed}]"
    return f"quote {'each ' if len(texts) > 1 else ''}text with braces: {', '.join(map(quoted, texts))}"


def _of_jinja(value: str, jinja: re.Match[str], key: str) -> str:
    if key in ("when", "clear", "pause", "mute", "timestamp"):
        plain = _JINJA.sub(r"\1", value).strip("\"'")
        return f"double braces are Jinja's; here a name stands alone: {plain}"
    single = _JINJA.sub(r"{\1}", value).strip("\"'")
    return f"double braces are Jinja's; write {quoted(single)}" if jinja[1] else ""


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
