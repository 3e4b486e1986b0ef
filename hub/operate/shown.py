"""Text from devices made fit for a terminal and a log line: one line, control characters visible, never too long."""

import re
from collections.abc import Mapping
from typing import Any

import orjson

__all__ = ["shown", "shown_event", "shown_json", "shown_labels"]

# C0, DEL, C1, line and paragraph separators, zero-width and bidirectional controls, lone surrogates, BOM: whatever
# moves the cursor, ends the line or lets text read otherwise than it is
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb]")
_UNFIT_IN_JSON = re.compile(f"(?!\n){_UNFIT.pattern}")  # its own line ends are no part of a value
_CHARS = 2000  # more of one value than any terminal line shows


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def shown(text: object, chars: int = _CHARS) -> str:
    """Return text as one line in which nothing can hide; cut to `chars` characters with an ellipsis."""
    line = text if isinstance(text, str) else str(text)
    if len(line) > chars:
        line = f"{line[: chars - 1]}…"
    return line if line.isascii() and line.isprintable() else _UNFIT.sub(_escape, line)


def shown_event(topic: str, raw: bytes) -> str:
    """Return topic and payload of an event as one line."""
    return f"{shown(topic)} {shown(raw[: _CHARS * 4].decode('utf-8', 'backslashreplace'))}"


def shown_json(value: Any, *, indent: bool = True) -> str:
    """Return JSON in which nothing can hide either: the same to a program, and harmless on a terminal."""
    layout = orjson.OPT_INDENT_2 if indent else 0
    text = orjson.dumps(value, default=str, option=layout | orjson.OPT_NON_STR_KEYS).decode()
    return _UNFIT_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def shown_labels(labels: Mapping[str, Any], without: tuple[str, ...] = ("alertname", "severity")) -> str:
    """Return `site=a device=7`; values with a space or a quote stand in quotes."""
    return " ".join(f"{shown(name)}={_value(shown(value))}" for name, value in labels.items() if name not in without)


def _value(text: str) -> str:
    if text and not any(mark in text for mark in ' "='):
        return text
    quoted = text.replace('"', '\\"')
    return f'"{quoted}"'
