"""A rule's topic: an MQTT filter with named captures, `site/{site}/freezer/{device}/telemetry`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub.ingest.topics import check_filter, matches, overlaps
from hub.printable import first_odd
from hub.rules.topics.topic_shape import LevelShape, TopicShape

__all__ = ["TopicPattern", "parse_pattern"]

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_CAPTURE = re.compile(rf"\{{({_NAME})(\.\.\.)?\}}")
_INSIDE = re.compile(rf"\{{({_NAME})\}}")


@dataclass(frozen=True, slots=True)
class TopicPattern:
    """A parsed topic. `captures` are the names in their order, `levels` the level of the topic where each stands.

    `rest` is the level from which the last capture takes everything (`{x...}`), or None. `filter` is what is
    subscribed; where it asks for more than the topic means, `shape` says what fits, and `levels` says less. `name` is
    its name in a map of topics; there it may lack captures of the rule, whose level is -1 then.
    """

    text: str
    filter: str
    captures: tuple[str, ...]
    levels: tuple[int, ...]
    rest: int | None
    shape: TopicShape | None = None
    name: str = ""

    @property
    def is_shared(self) -> bool:
        """Whether it lacks a capture of its rule, so that all instances share it that agree in the others."""
        return -1 in self.levels

    def fits(self, topic: Sequence[str]) -> bool:
        """Tell whether the levels of a topic that matches the filter are what the pattern means."""
        return self.shape is None or self.shape.read(topic) is not None

    def matches(self, topic: str) -> bool:
        """Tell whether a topic is one that the pattern means."""
        return matches(self.filter, topic) and self.fits(topic.split("/"))

    def values(self, topic: Sequence[str]) -> tuple[str, ...]:
        """Return what each capture takes from the levels of a topic that fits."""
        if self.shape is not None:
            found = self.shape.read(topic) or {}
            return tuple([found.get(name, "") for name in self.captures])
        if self.rest is None:
            return tuple([topic[level] if level >= 0 else "" for level in self.levels])
        return tuple([self._value(topic, level) for level in self.levels])

    def _value(self, topic: Sequence[str], level: int) -> str:
        if level < 0:
            return ""
        return "/".join(topic[level:]) if level == self.rest else topic[level]

    def ordered(self, names: Sequence[str]) -> "TopicPattern":
        """Return the same pattern with its captures in this order; those that it lacks are empty."""
        place = dict(zip(self.captures, self.levels, strict=True))
        return replace(self, captures=tuple(names), levels=tuple(place.get(name, -1) for name in names))

    def overlaps(self, other: str) -> bool:
        """Tell whether some topic matches both this pattern and that filter."""
        return overlaps(self.filter, other)


def _why(text: str, level: str) -> str:
    """Say what is wrong with a level that has braces which make no capture."""
    if re.search(r"[,;]\s", text):
        return "several topics are a list, each quoted"
    if re.fullmatch(r"\{\{.*\}\}", level):
        return "a capture has one pair of braces"
    inside = level[1:-1].removesuffix("...")
    if level[0] == "{" and level[-1] == "}" and not set("{}") & set(inside):
        name = re.sub(r"[^A-Za-z0-9_]+", "_", inside).strip("_")
        name = f"_{name}" if name[:1].isdigit() else name
        return f"a capture's name has letters, digits and _, and begins with no digit: {{{name or 'name'}}}"
    if "...}" in level:
        return "a capture of several levels, {name...}, stands alone between two /"
    return "a capture is {name}, or {name...} for several levels"


def _level(text: str, level: str) -> tuple[LevelShape, bool]:
    """Read one level; the flag tells whether its capture takes several levels.

    Raises:
        ValueError: with what is wrong and what to do.

    """
    whole = _CAPTURE.fullmatch(level)
    if whole is not None:
        return LevelShape((whole[1],), ("", "")), whole[2] is not None
    parts = _INSIDE.split(level)
    texts, names = parts[::2], parts[1::2]
    is_odd = bool(names) and (re.search(r"[,;]\s", text) is not None or first_odd(level) >= 0)
    if is_odd or any("{" in each or "}" in each for each in texts):
        raise ValueError(f"{level!r} is no level of a topic: {_why(text, level)}")
    if names and any("+" in each or "#" in each for each in texts):
        raise ValueError(f"{level!r} is no level of a topic: + and # stand alone between two /")
    if "" in texts[1:-1]:
        raise ValueError(f"{level!r} is no level of a topic: nothing divides one capture from the next")
    return LevelShape(tuple(names), tuple(texts)), False


def parse_pattern(text: str) -> TopicPattern:
    """Read a topic of a rule.

    Raises:
        ValueError: with what is wrong and what to do.

    """
    levels = text.split("/")
    shapes = [_level(text, level) for level in levels]
    names = [name for shape, _ in shapes for name in shape.names]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"capture {{{name}}} stands twice")
    several = [number for number, (_, takes_more) in enumerate(shapes) if takes_more]
    if len(several) > 1:
        raise ValueError("only one capture of a topic takes several levels")
    rest = several[0] if several else None
    asked = ["+" if shape.names else level for (shape, _), level in zip(shapes, levels, strict=True)]
    made = "/".join(asked if rest is None else [*asked[:rest], "#"])
    if why := _refused(asked, rest, made):
        raise ValueError(why)
    places = [number for number, (shape, _) in enumerate(shapes) for _ in shape.names]
    return TopicPattern(text, made, tuple(names), tuple(places), rest, _shape([each for each, _ in shapes], rest))


def _refused(asked: Sequence[str], rest: int | None, made: str) -> str | None:
    """Say why the filter is none; the fixed end behind a capture of several levels is looked at too."""
    if rest is None or rest == len(asked) - 1:
        return check_filter(made)
    end = "/".join(asked[rest + 1 :])
    if "#" in end:
        return "behind a capture of several levels there is no #"
    return check_filter(made) or check_filter(end)


def _shape(shapes: Sequence[LevelShape], rest: int | None) -> TopicShape | None:
    """Return the shape of a topic that its filter does not say, None where the filter says all."""
    plain = all(not each.names or each.texts == ("", "") for each in shapes)
    if rest is None:
        return None if plain else TopicShape(tuple(shapes), None, ())
    if plain and rest == len(shapes) - 1:
        return None
    return TopicShape(tuple(shapes[:rest]), shapes[rest].names[0], tuple(shapes[rest + 1 :]))
