"""A rule's topic: an MQTT filter with named captures, `site/{site}/freezer/{device}/telemetry`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hub.ingest.topics import check_filter, overlaps

__all__ = ["TopicPattern", "parse_pattern"]

_CAPTURE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(\.\.\.)?\}")


@dataclass(frozen=True, slots=True)
class TopicPattern:
    """A parsed topic. `captures` are the names in their order, `levels` the level of the topic where each stands.

    `rest` is the level from which the last capture takes everything (`{x...}`), or None.
    """

    text: str
    filter: str
    captures: tuple[str, ...]
    levels: tuple[int, ...]
    rest: int | None

    def values(self, topic: Sequence[str]) -> tuple[str, ...]:
        """Return what each capture takes from the levels of a topic that matches."""
        if self.rest is None:
            return tuple([topic[level] for level in self.levels])
        return tuple(["/".join(topic[level:]) if level == self.rest else topic[level] for level in self.levels])

    def ordered(self, names: Sequence[str]) -> "TopicPattern":
        """Return the same pattern with its captures in this order."""
        place = dict(zip(self.captures, self.levels, strict=True))
        return TopicPattern(self.text, self.filter, tuple(names), tuple(place[name] for name in names), self.rest)

    def overlaps(self, other: str) -> bool:
        """Tell whether some topic matches both this pattern and that filter."""
        return overlaps(self.filter, other)


def _why(text: str, level: str) -> str:
    """Say what is wrong with a level that has braces and is no capture."""
    if re.search(r"[,;]\s", text):
        return "several topics are a list, each quoted"
    if re.fullmatch(r"\{\{.*\}\}", level):
        return "a capture has one pair of braces"
    inside = level[1:-1].removesuffix("...")
    if level[0] == "{" and level[-1] == "}" and not set("{}") & set(inside):
        name = re.sub(r"[^A-Za-z0-9_]+", "_", inside).strip("_")
        name = f"_{name}" if name[:1].isdigit() else name
        return f"a capture's name has letters, digits and _, and begins with no digit: {{{name or 'name'}}}"
    return "a capture is a whole level, {name} or {name...}"


def parse_pattern(text: str) -> TopicPattern:
    """Read a topic of a rule.

    Raises:
        ValueError: with what is wrong and what to do.

    """
    names: list[str] = []
    levels: list[int] = []
    parts: list[str] = []
    rest: int | None = None
    for number, level in enumerate(text.split("/")):
        capture = _CAPTURE.fullmatch(level)
        if capture is None:
            if "{" in level or "}" in level:
                raise ValueError(f"{level!r} is no level of a topic: {_why(text, level)}")
            parts.append(level)
            continue
        if capture[1] in names:
            raise ValueError(f"capture {{{capture[1]}}} stands twice")
        names.append(capture[1])
        levels.append(number)
        parts.append("#" if capture[2] else "+")
        rest = number if capture[2] else rest
    made = "/".join(parts)
    if why := check_filter(made):
        raise ValueError(why)
    return TopicPattern(text, made, tuple(names), tuple(levels), rest)
