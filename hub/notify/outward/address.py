"""Where in a queue a notification goes, and as what: subjects, routing keys, channels and payloads as templates.

A value that a device chose stays in its place: it brings no separator, no wildcard and no space into an address.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.documents.document import Node
from hub.documents.value_schema import TEXT, with_schema
from hub.errors import CompileError
from hub.expressions import Template
from hub.expressions.templates.template import Filler, fillers
from hub.fields import Bad, text
from hub.limits import ADDRESS_CHARS, ADDRESS_VALUE_CHARS
from hub.notify.wording.templating import SCOPE, mistake, names, template
from hub.notify.wording.text import as_json

__all__ = ["Address", "QueuePayload", "address", "payload"]

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class Address:
    """A compiled address; two are equal when their texts are."""

    text: str
    parts: tuple[str | Filler, ...] = field(default=(), compare=False)

    def render(self, body: Mapping[str, Any]) -> str:
        """Fill in a notification; of a value only letters, digits, `-` and `_` are left, all else becomes `_`."""
        known = names(body)
        filled = [part if isinstance(part, str) else _safe(part.fill(*known, [])) for part in self.parts]
        return "".join(filled)[:ADDRESS_CHARS]


@dataclass(frozen=True, slots=True)
class QueuePayload:
    """What is sent: a template, or the notification as JSON where there is none."""

    text: str = ""
    template: Template | None = field(default=None, compare=False)

    @property
    def content_type(self) -> str:
        """The media type that queues and consumers are told."""
        return "application/json" if self.template is None else "text/plain; charset=utf-8"

    def render(self, body: Mapping[str, Any]) -> bytes:
        """Return the bytes of a notification."""
        return as_json(body) if self.template is None else self.template.render(*names(body)).text.encode()


def address(allowed: str, what: str) -> Callable[[Node], Address]:
    """Make a reader of an address whose fixed text consists of what the character class `allowed` names."""
    good = re.compile(f"[{allowed}]*")

    @with_schema(TEXT)
    def convert(node: Node) -> Address:
        whole = text(node)
        try:
            parts = fillers(whole, SCOPE)
        except CompileError as error:
            raise mistake(node, error) from None
        fixed = "".join(part for part in parts if isinstance(part, str))
        if not whole or not good.fullmatch(fixed) or len(fixed) > ADDRESS_CHARS:
            raise Bad(node, f"is no {what}: {whole[:80]!r}")
        return Address(whole, tuple(parts))

    return convert


@with_schema(TEXT)
def payload(node: Node) -> QueuePayload:
    """Read the template of a payload."""
    return QueuePayload(node.text, template(node))


def _safe(value: str) -> str:
    return _UNSAFE.sub("_", value)[:ADDRESS_VALUE_CHARS] or "_"
