"""What a topic must look like where an MQTT filter cannot say it: captures inside a level, or before a fixed end.

The filter then asks for more than the pattern means (`+` for `{app}@{tenant}`, `#` for `{name...}/availability`), and
the shape tells which of the topics fit. Each capture takes at least one character. Where a level can be divided in more
than one way, the earlier capture takes as much as it can: `{model}-{id}` makes `plug-s` and `7F` of `plug-s-7F`. The
work is linear in the length of a topic, because devices choose topics.
"""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["LevelShape", "TopicShape"]


@dataclass(frozen=True, slots=True)
class LevelShape:
    """One level: `texts` stand around and between its captures `names`, so there is one more of them.

    Without names it is a fixed level; `+` is a level without names whose text is `+`.
    """

    names: tuple[str, ...]
    texts: tuple[str, ...]

    def read(self, level: str) -> dict[str, str] | None:
        """Return what each capture takes of a level, None where it does not fit."""
        if not self.names:
            return {} if self.texts[0] in ("+", level) else None
        first, *between, last = self.texts
        if not (level.startswith(first) and level.endswith(last)):
            return None
        if not between and not first and not last:
            return {self.names[0]: level}  # a whole level may be empty, as for `+`
        end, found = len(level) - len(last), {}
        for name, text in zip(self.names[:0:-1], between[::-1], strict=True):
            at = level.rfind(text, len(first), end - 1)
            if at < 0:
                return None
            found[name], end = level[at + len(text) : end], at
        found[self.names[0]] = level[len(first) : end]
        return found if end > len(first) else None


@dataclass(frozen=True, slots=True)
class TopicShape:
    """A whole topic: the levels before and after the one capture `rest` that takes several; without it, all levels."""

    before: tuple[LevelShape, ...]
    rest: str | None
    after: tuple[LevelShape, ...]

    def read(self, topic: Sequence[str]) -> dict[str, str] | None:
        """Return what each capture takes of a topic's levels, None where the topic does not fit.

        A capture before a fixed end takes one level at least.
        """
        fixed = len(self.before) + len(self.after)
        least = fixed + (self.rest is not None and bool(self.after))
        if len(topic) < least or (self.rest is None and len(topic) > fixed):
            return None
        end = len(topic) - len(self.after)
        found = {} if self.rest is None else {self.rest: "/".join(topic[len(self.before) : end])}
        levels = [*topic[: len(self.before)], *topic[end:]]
        for shape, level in zip((*self.before, *self.after), levels, strict=True):
            taken = shape.read(level)
            if taken is None:
                return None
            found |= taken
        return found
