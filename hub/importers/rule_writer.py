"""Writes a draft as YAML, with its comments. `hub check` reads exactly the same values back."""

import json
import re
import textwrap

from hub.importers.draft import Draft, DraftEntry, Env, Imported, Value

__all__ = ["scalar", "write"]

_WIDTH = 118
# texts that need no quotes: on a line of their own, and inside [ ] or { }
_PLAIN = re.compile(r"""[A-Za-z_/](?:[A-Za-z0-9_./%+#{}=<>()*'"&|!?-]|,(?=\S)| (?![# ]))*(?<! )""")
_PLAIN_INSIDE = re.compile(r"[A-Za-z_/][A-Za-z0-9_./+-]*")
_DURATIONS = re.compile(r"[0-9]+(?:ms|[smhdw])(?:[0-9]+(?:ms|[smhdw])|, (?=[0-9]))*(?: until ack)?")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}  # YAML 1.1 readers know the last six


def write(draft: Draft) -> Imported:
    """Write a draft as the text of a rule file, with a blank line between its entries."""
    lines = _comments(draft.head, "")
    if draft.variables:
        lines += _comments([f"Set these in the environment first: {', '.join(draft.variables)}"], "")
    lines += [line for text in draft.lost for line in _lost(text, "")]
    if draft.receivers:
        lines += ["", "receivers:"]
        for name, receiver in draft.receivers.items():
            lines += _receiver(name, receiver)
    if draft.rules:
        lines += ["", "rules:"]
    for number, rule in enumerate(draft.rules):
        lines += [*([""] if number else []), *_above(rule), *_rule(rule)]
    if draft.tests:
        lines += ["", "tests:"]
    for test in draft.tests:
        lines += _rule(test)
    text = "\n".join(lines) + "\n"
    remarks = tuple(sorted(set(draft.remarks)))
    return Imported(text, len(draft.rules), len(draft.receivers), remarks, tuple(draft.variables.values()))


def scalar(text: str, *, inside: bool = False) -> str:
    """Write a text as a YAML scalar that is read as this text; `inside` of [ ] or { } more texts need quotes."""
    pattern = _PLAIN_INSIDE if inside else _PLAIN
    if (pattern.fullmatch(text) and text.lower() not in _WORDS) or (_DURATIONS.fullmatch(text) and not inside):
        return text
    return _shown(json.dumps(text, ensure_ascii=False))


def _shown(text: str) -> str:
    """Escape characters that are not printable: YAML forbids some of them, and reads others as the end of a line."""
    return text if text.isprintable() else "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xD800 <= code < 0xE000:  # half a character, which no UTF-8 can hold
        return "\N{REPLACEMENT CHARACTER}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _comments(texts: list[str], indent: str) -> list[str]:
    """Write texts as comments; a line that is too long is wrapped, with its own indent kept."""
    lines = []
    for text in texts:
        for line in text.split("\n"):
            lead = line[: len(line) - len(line.lstrip(" "))]
            width = _WIDTH - len(indent) - 2
            wrapped = textwrap.wrap(
                _shown(line), width, subsequent_indent=lead, break_long_words=False, break_on_hyphens=False
            )
            lines += [f"{indent}# {part}" for part in wrapped] or [f"{indent}#"]
    return lines


def _above(entry: DraftEntry) -> list[str]:
    """Write what stands above a rule or a receiver: its comments, and last what was not carried over."""
    lines = _comments(entry.comments, "  ")
    return lines + [line for text in entry.lost for line in _lost(text, "  ", off=text in entry.reasons)]


def _lost(text: str, indent: str, *, off: bool = False) -> list[str]:
    """Write what was not carried over as the comment that `hub check` finds; its further lines are indented."""
    first, *rest = f"{'disabled, ' if off else ''}not carried over: {text}".split("\n")
    wrapped = textwrap.wrap(_shown(first), _WIDTH - len(indent) - 4, break_long_words=False, break_on_hyphens=False)
    return _comments([wrapped[0], *(f"  {part}" for part in (*wrapped[1:], *rest))], indent)


def _receiver(name: str, receiver: DraftEntry | Env) -> list[str]:
    if isinstance(receiver, Env):
        return [f"  {scalar(name)}: {_value(receiver)}  # {_shown(receiver.holds)}"]
    return [*_above(receiver), f"  {scalar(name)}:", *_keys(receiver, "    ")]


def _rule(rule: DraftEntry) -> list[str]:
    entry = DraftEntry(rule.keys | {"enabled": False}, beside=rule.beside) if rule.off else rule
    lines = _keys(entry, "    ")
    return [f"  - {lines[0].lstrip()}", *lines[1:]]


def _keys(entry: DraftEntry, indent: str) -> list[str]:
    """Write the keys of an entry, a line for each; a mapping that is too long gets a line for each of its keys."""
    lines = []
    for key, value in entry.keys.items():
        beside = f"  # {_shown(entry.beside[key])}" if key in entry.beside else ""
        written = f"{indent}{scalar(key)}: {_value(value)}"
        if isinstance(value, dict) and len(written) > _WIDTH:
            inner = DraftEntry(value)
            lines += [f"{indent}{scalar(key)}:{beside}", *_keys(inner, indent + "  ")]
        elif isinstance(value, list) and len(written) > _WIDTH and all(isinstance(item, dict) for item in value):
            lines += [f"{indent}{scalar(key)}:{beside}", *(f"{indent}  - {_value(item)}" for item in value)]
        else:
            lines.append(written + beside)
    return lines


def _value(value: Value, *, inside: bool = False) -> str:
    if isinstance(value, Env):
        return f"!env {value.name}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(_value(item, inside=True) for item in value)}]"
    if isinstance(value, dict):
        pairs = (f"{scalar(key, inside=True)}: {_value(item, inside=True)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    return scalar(value, inside=inside)
