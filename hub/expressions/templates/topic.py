"""Publish topics with `{…}`: whatever an event brings, the topic stays valid, with the same levels, not too long.

Mosquitto disconnects a publisher for one bad character in a topic; the event would come again, and so on for ever.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.errors import CompileError
from hub.expressions.names import Context, Scope
from hub.expressions.templates.template import Filler, fillers
from hub.limits import TOPIC_BYTES

__all__ = ["TopicTemplate", "compile_topic", "encode_level", "short_level"]

# what MQTT forbids in a topic name (5.0, 1.5.4 and 4.7.1) or Mosquitto refuses, and % because it marks the others
_PLANES = "".join(chr(plane << 16 | low) for plane in range(1, 17) for low in (0xFFFE, 0xFFFF))
_UNFIT = f"\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff{_PLANES}"
_UNSAFE = re.compile(f"[/+#%{_UNFIT}]")
_UNSAFE_LITERAL = re.compile(f"[+#{_UNFIT}]")
_HASHED = 18  # what `~` and the hash of a value that had to be cut take
_SHORTEST = 24  # a share below which a cut value would tell nothing


def encode_level(value: str) -> str:
    """Return a value as one level of a topic: `/ + # %` and controls percent-encoded, `_` for an empty one."""
    return _UNSAFE.sub(_encoded, value) or "_"


def short_level(value: str) -> str:
    """Return one level in at most TOPIC_BYTES; a longer value becomes its beginning and a hash of the whole."""
    return _cut(encode_level(value), TOPIC_BYTES)


def _encoded(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match.group().encode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class TopicTemplate:
    """A compiled topic. `filter` covers every topic that it can become; `prefix` is the text before the first hole."""

    text: str
    parts: tuple[str | Filler, ...]
    filter: str
    prefix: str
    needs_context: bool
    fields: frozenset[str]
    captures: frozenset[str]
    share: int

    def render(self, fields: Mapping[str, Any], captures: tuple[str, ...], context: Context | None) -> str:
        """Fill in the values of an event; a value that fails is `?`.

        Where the topic would be too long, its long values are cut and end in a hash of the whole value.
        """
        failures: list[str] = []
        pieces = [
            part if isinstance(part, str) else encode_level(part.fill(fields, captures, context, failures))
            for part in self.parts
        ]
        if not self.prefix and pieces and pieces[0].startswith("$"):
            pieces[0] = "%24" + pieces[0][1:]  # topics that begin with $ are the broker's own
        topic = "".join(pieces)
        if len(topic.encode()) <= TOPIC_BYTES:
            return topic
        pairs = zip(pieces, self.parts, strict=True)
        return "".join(piece if isinstance(part, str) else _cut(piece, self.share) for piece, part in pairs)


def _cut(level: str, share: int) -> str:
    data = level.encode()
    if len(data) <= share:
        return level
    head = re.sub("%[0-9A-F]?$", "", data[: share - _HASHED].decode("utf-8", "ignore"))
    return f"{head}~{hashlib.sha256(data).hexdigest()[: _HASHED - 1]}"


def compile_topic(text: str, scope: Scope) -> TopicTemplate:
    """Compile a topic with `{expression}` in it.

    Raises:
        CompileError: as for a template, or it could never be a topic to publish to.

    """
    if not text:
        raise CompileError("a topic cannot be empty", 0, text)
    parts = fillers(text, scope)
    literals = [part for part in parts if isinstance(part, str)]
    for literal in literals:
        if bad := _UNSAFE_LITERAL.search(literal):
            hint = "+ and # are for subscriptions" if bad.group() in "+#" else ""
            raise CompileError(f"a topic to publish to cannot hold {bad.group()!r}", text.find(bad.group()), text, hint)
    holes = [part.program for part in parts if isinstance(part, Filler)]
    fixed = sum(len(literal.encode()) for literal in literals)
    share = (TOPIC_BYTES - fixed) // max(len(holes), 1)
    if fixed > TOPIC_BYTES or (holes and share < _SHORTEST):
        raise CompileError(f"a topic is at most {TOPIC_BYTES} bytes", 0, text, "shorten it, or substitute less")
    return TopicTemplate(
        text,
        tuple(parts),
        _filter(parts),
        parts[0] if isinstance(parts[0], str) else "",
        any(program.needs_context for program in holes),
        frozenset().union(*(program.fields for program in holes)),
        frozenset().union(*(program.captures for program in holes)),
        share,
    )


def _filter(parts: list[str | Filler]) -> str:
    """Return the filter in which each level with a hole is `+`."""
    whole = "".join(part if isinstance(part, str) else "+" for part in parts)  # no literal holds a + itself
    return "/".join("+" if "+" in level else level for level in whole.split("/"))
