"""A pattern as a tree, for the matcher that finds what groups hold."""

from dataclasses import dataclass

__all__ = ["Captured", "Choice", "OneOf", "PatternNode", "Repeated", "Sequence"]


@dataclass(frozen=True, slots=True)
class OneOf:
    r"""A character of a set, or a place (`^`, `$`, `\b`), as it is written for the Rust engine."""

    text: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other."""

    nodes: tuple["PatternNode", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of them, the first that leads to a match."""

    nodes: tuple["PatternNode", ...]


@dataclass(frozen=True, slots=True)
class Captured:
    """A group whose text is asked for; the first has number 1."""

    number: int
    node: "PatternNode"


@dataclass(frozen=True, slots=True)
class Repeated:
    """So many times; `most` None stands for any number. `greedy`: rather more than fewer."""

    node: "PatternNode"
    least: int
    most: int | None
    greedy: bool


PatternNode = OneOf | Sequence | Choice | Captured | Repeated
