"""The braces of fleet files: `{device}` as a level of a topic, `{n}` and attributes inside texts.

They are the rule language's braces, without expressions: a fleet file names things, it does not compute.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from hub.documents.document import Node
from hub.documents.value_schema import TEXT, with_schema
from hub.fields import Bad, did_you_mean, text
from hub.ingest.topics import check_topic
from hub.limits import TOPIC_BYTES

__all__ = ["IDENTIFIER", "DeviceTopic", "render", "text_names", "topic_level", "topic_template"]

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f/+#]")


@dataclass(frozen=True, slots=True)
class DeviceTopic:
    """A topic with captures: `levels` as written, `captures` by the index of their level."""

    text: str
    levels: tuple[str, ...]
    captures: Mapping[int, str]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the captures in their order."""
        return tuple(self.captures.values())

    @property
    def depth(self) -> int:
        """How many levels from the start say which device it is: up to the last capture, all where there is none."""
        return max(self.captures, default=len(self.levels) - 1) + 1

    def render(self, values: Mapping[str, str]) -> str:
        """Return the topic of the device with these captures."""
        levels = list(self.levels)
        for index, name in self.captures.items():
            levels[index] = values[name]
        return "/".join(levels)


@with_schema(TEXT)
def topic_template(node: Node) -> DeviceTopic:
    """Read a topic whose captures are whole levels."""
    whole = text(node)
    if not whole or len(whole.encode()) > TOPIC_BYTES:
        raise Bad(node, f"must be a topic of 1 to {TOPIC_BYTES} bytes")
    levels, captures = tuple(whole.split("/")), dict[int, str]()
    for index, level in enumerate(levels):
        if level.startswith("{") and level.endswith("}"):
            name = level[1:-1]
            if not IDENTIFIER.fullmatch(name):
                raise Bad(node, f"{level} is no capture", "write a name in braces: {device}")
            if name in captures.values():
                raise Bad(node, f"{level} stands twice", "give the second level another name")
            captures[index] = name
        elif "+" in level or "#" in level:
            raise Bad(node, f"a device publishes to one topic, {level!r} means many", "write {device} for the level")
        elif _UNFIT.search(level) or "{" in level or "}" in level:
            raise Bad(node, f"{level!r} cannot be a level of a topic", "a capture is a whole level: {device}")
    if why := check_topic(whole):
        raise Bad(node, why)
    return DeviceTopic(whole, levels, captures)


def topic_level(value: object) -> str:
    """Return a capture's value as text, or the empty text where it cannot be a level of a topic."""
    level = str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""
    return "" if _UNFIT.search(level) else level


def text_names(node: Node, known: Collection[str]) -> None:
    """Check that every brace in a text (and in the texts inside lists and mappings) holds a known name."""
    inner = node.value
    for item in inner if isinstance(inner, list) else inner.values() if isinstance(inner, dict) else ():
        text_names(item, known)
    if not isinstance(inner, str):
        return
    for match in _BRACES.finditer(inner):
        name = match[1]
        if name is None and match[0] in "{}":
            raise Bad(node, f"a single {match[0]} in {inner!r}", f"write {match[0] * 2} for a brace in a text")
        if name is not None and name not in known:
            hint = did_you_mean(name, known) or f"known names: {', '.join(sorted(known))}"
            raise Bad(node, f"unknown name {{{name}}} in {inner!r}", hint)


def render(value: Any, names: Mapping[str, Any]) -> Any:
    """Fill the braces of a text, or of the texts inside lists and mappings; `{x}` alone keeps the type of x."""
    if isinstance(value, list):
        return [render(item, names) for item in value]
    if isinstance(value, dict):
        return {key: render(item, names) for key, item in value.items()}
    if not isinstance(value, str) or ("{" not in value and "}" not in value):
        return value
    whole = _BRACES.fullmatch(value)
    if whole and whole[1] is not None:
        return names[whole[1]]
    return _BRACES.sub(lambda match: match[0][0] if match[1] is None else str(names[match[1]]), value)
