"""Turns Python's format strings, as in mqttwarn (`{name}: {temp:.1f}`), into our templates."""

import re
import string
from collections.abc import Iterator

from hub.importers.imported_texts import braces, fits, payload_field

__all__ = ["convert"]

_BUILT_IN = {
    "payload": ("payload", ""),
    "topic": ("topic", ""),
    "_dtepoch": ("int(event.time)", ""),
    "_dtiso": ("event.time", ""),
    "_ltiso": ("event.time", ""),
    "_dthhmm": ("event.time", "%H:%M"),
    "_dthhmmss": ("event.time", "%H:%M:%S"),
}
"""mqttwarn's own names, each with our expression and the format that shows it in the same way."""

_FIELD = re.compile(r"([^.\[\]]+)((?:\.[^.\[\]]+|\[[^\[\]]+\])*)")
_STEP = re.compile(r"\.([^.\[\]]+)|\[([^\[\]]+)\]")


def convert(text: str, *, bare: bool = True) -> tuple[str, list[str]]:
    """Return our template, and the parts that could not be carried over.

    With `bare`, a field of the payload is written as its name alone, as in a rule's texts; else as `payload.x`.
    """
    text = text.replace("\\n", "\n")
    lost: list[str] = []
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        return braces(text), [f"no format that Python can read ({error})"]
    template = "".join(_parts(parts, bare, lost))
    return (template, lost) if fits(template) else (braces(text), [*lost, "this format"])


def _parts(parts: list[tuple[str, str | None, str | None, str | None]], bare: bool, lost: list[str]) -> Iterator[str]:
    for before, field, spec, _ in parts:
        yield braces(before)
        if field is not None:
            yield _hole(field, spec or "", bare, lost)


def _hole(field: str, spec: str, bare: bool, lost: list[str]) -> str:
    """Convert `{field:spec}`; a field that no expression can name stays as text, a format that is not ours goes."""
    expression, usual = _BUILT_IN.get(field) or (_path(field, bare), "")
    if not expression:
        lost.append(f"{{{field}}}")
        return braces(f"{{{field}}}")
    shown = spec or usual
    if shown and not fits(f"{{{expression}:{shown}}}"):
        lost.append(f"the format {spec!r} of {{{field}}}")
        shown = ""
    return f"{{{expression}:{shown}}}" if shown else f"{{{expression}}}"


def _path(field: str, bare: bool) -> str:
    """Return the expression for `a`, `a.b`, `a[0]`, `a[key]`; "" where the field is none of these."""
    path = _FIELD.fullmatch(field)
    if not path:
        return ""
    expression = payload_field(path[1], bare=bare)
    for name, key in _STEP.findall(path[2]):
        expression += f"[{key}]" if key.isdigit() else f'["{name or key}"]'
    return expression if fits(f"{{{expression}}}") else ""
