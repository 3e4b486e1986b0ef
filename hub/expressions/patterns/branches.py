"""The pieces of a pattern while it is read: parts that can be repeated, groups of alternatives, flags in force."""

from dataclasses import dataclass, field, replace

from hub.expressions.patterns.nodes import Captured, Choice, PatternNode, Sequence

__all__ = ["Flags", "Part", "PatternGroup"]


@dataclass(frozen=True, slots=True)
class Flags:
    """The flags in force: case is ignored, ^ and $ match at lines, a dot matches a line end too, U swaps greedy."""

    fold: bool = False
    lines: bool = False
    dot_all: bool = False
    lazy: bool = False

    def switched(self, mark: str, *, on: bool) -> "Flags":
        """Return them with one switched on or off."""
        if mark == "U":
            return replace(self, lazy=on)
        if mark == "i":
            return replace(self, fold=on)
        if mark == "m":
            return replace(self, lines=on)
        return replace(self, dot_all=on) if mark == "s" else self


@dataclass(slots=True)
class Part:
    """What a repetition counts: `repeats` is the product of the counts inside it; `unary` has one already.

    `node` is the same for the matcher that finds groups (captures.py).
    """

    text: str
    size: int
    node: PatternNode
    repeats: int = 1
    unary: bool = False


@dataclass(slots=True)
class PatternGroup:
    """The content of a pair of brackets so far; `flags` are those that are in force again after it.

    `number` is its place among the groups that capture, 0 for none.
    """

    at: int
    flags: Flags
    number: int = 0
    done: list[str] = field(default_factory=list)
    nodes: list[PatternNode] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    size: int = 0
    repeats: int = 1

    def alternative(self) -> None:
        """End one of its alternatives."""
        self.done.append("".join(part.text for part in self.parts))
        self.nodes.append(Sequence(tuple(part.node for part in self.parts)))
        self.size += 1 + sum(part.size for part in self.parts)
        self.repeats = max([self.repeats, *(part.repeats for part in self.parts)])
        self.parts = []

    def close(self) -> Part:
        """Return it as one part."""
        self.alternative()
        node = self.nodes[0] if len(self.nodes) == 1 else Choice(tuple(self.nodes))
        whole = Captured(self.number, node) if self.number else node
        return Part(f"(?:{'|'.join(self.done)})", self.size, whole, self.repeats)
