"""Finds matches and what their groups hold, in time linear in the text: all ways through the pattern at once.

The Rust engine that is at hand only tells whether a text matches. So this is a machine of Thompson and Pike: a thread
for each place in the pattern that can be reached, in order of preference, each with the groups found on its way. Which
characters are in a set, the engine tells, once for each character.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from hub.expressions.patterns.dialect import translate
from hub.expressions.patterns.linear import Linear
from hub.expressions.patterns.nodes import Captured, Choice, OneOf, PatternNode, Repeated, Sequence

__all__ = ["CapturePattern", "Spans"]

Spans = tuple[int, ...]
"""Where the match and each group begin and end; -1 for a group that took no part."""

_TAKE, _PLACE, _SPLIT, _MARK, _DONE = range(5)
_WORD = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")


class _Step(NamedTuple):
    """A step of the machine: what to do, with what, where to go on; `other` is the second choice of a split."""

    kind: int
    what: object
    then: int
    other: int = -1


class _Members(dict[str, bool]):
    """Which characters are in a set: each is asked once."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.matches = Linear.of_rust(text)

    def __missing__(self, mark: str) -> bool:
        found = self.matches(mark)
        if len(self) < 1024:
            self[mark] = found
        return found


def _at_word(text: str, at: int) -> bool:
    return (at > 0 and text[at - 1] in _WORD) is not (at < len(text) and text[at] in _WORD)


_PLACES: dict[str, Callable[[str, int], bool]] = {
    r"\A": lambda _, at: at == 0,
    r"\z": lambda text, at: at == len(text),
    "(?m:^)": lambda text, at: at == 0 or text[at - 1] == "\n",
    "(?m:$)": lambda text, at: at == len(text) or text[at] == "\n",
    r"(?-u:\b)": _at_word,
    r"(?-u:\B)": lambda text, at: not _at_word(text, at),
}


class CapturePattern:
    """A compiled pattern whose matches can be found; `groups` is how many of its groups capture."""

    __slots__ = ("_begin", "_steps", "groups")

    def __init__(self, text: str) -> None:
        """Compile it.

        Raises:
            PatternError: it is none; the message says why, and where.

        """
        made = translate(text)
        self.groups = made.groups
        self._steps: list[_Step] = []
        writer = _Writer(self._steps)
        end = writer.put(_DONE, None, -1)
        self._begin = writer.write(made.node, end)

    def find(self, text: str, start: int, charge: Callable[[int], None]) -> Spans | None:
        """Return the first match at `start` or behind it; `charge` hears how many steps are taken."""
        steps, found = self._steps, None
        threads: list[tuple[int, Spans]] = []
        nothing = (-1,) * (2 * self.groups)
        for at in range(start, len(text) + 1):
            seen = {step for step, _ in threads}
            if found is None:
                threads += self._follow(self._begin, at, (at, *nothing), text, seen)
            elif not threads:
                break
            charge(4 * len(seen) + 2)
            mark = text[at] if at < len(text) else ""
            going: list[tuple[int, Spans]] = []
            seen = set()
            for number, spans in threads:
                step = steps[number]
                if step.kind == _DONE:
                    found = (spans[0], at, *spans[1:])
                    break
                if mark and step.what[mark]:  # type: ignore[index]
                    going += self._follow(step.then, at + 1, spans, text, seen)
            threads = going
        return found

    def _follow(self, number: int, at: int, spans: Spans, text: str, seen: set[int]) -> Iterator[tuple[int, Spans]]:
        """Yield where a thread comes to without another character, best first; never to a place where one has been."""
        waiting = [(number, spans)]
        while waiting:
            number, spans = waiting.pop()
            if number in seen:
                continue
            seen.add(number)
            kind, what, then, other = self._steps[number]
            if kind == _SPLIT:
                waiting += ((other, spans), (then, spans))
            elif kind == _MARK:
                place: int = what  # type: ignore[assignment]
                waiting.append((then, (*spans[:place], at, *spans[place + 1 :])))
            elif kind == _PLACE:
                if what(text, at):  # type: ignore[operator]
                    waiting.append((then, spans))
            else:
                yield number, spans


class _Writer:
    """Writes the steps of a tree from its end to its beginning, so that each knows where to go on."""

    def __init__(self, steps: list[_Step]) -> None:
        self.steps = steps
        self.sets: dict[str, _Members] = {}

    def put(self, kind: int, what: object, then: int, other: int = -1) -> int:
        self.steps.append(_Step(kind, what, then, other))
        return len(self.steps) - 1

    def write(self, node: PatternNode, then: int) -> int:
        """Write a node that goes on at `then`; return where it begins."""
        if isinstance(node, OneOf):
            if node.text in _PLACES:
                return self.put(_PLACE, _PLACES[node.text], then)
            return self.put(_TAKE, self.sets.setdefault(node.text, _Members(node.text)), then)
        if isinstance(node, Sequence):
            for each in reversed(node.nodes):
                then = self.write(each, then)
            return then
        if isinstance(node, Choice):
            begin = self.write(node.nodes[-1], then)
            for each in reversed(node.nodes[:-1]):
                begin = self.put(_SPLIT, None, self.write(each, then), begin)
            return begin
        if isinstance(node, Captured):
            place = 2 * node.number - 1
            inside = self.write(node.node, self.put(_MARK, place + 1, then))
            return self.put(_MARK, place, inside)
        return self.repeated(node, then)

    def repeated(self, node: Repeated, then: int) -> int:
        inner = node.node
        if node.most is None:
            then = self.loop(node, then) if node.least else self.optional(node, self.loop(node, then), then)
            copies = node.least - 1
        else:
            end = then
            for _ in range(node.most - node.least):
                then = self.optional(node, self.write(inner, then), end)
            copies = node.least
        for _ in range(copies):
            then = self.write(inner, then)
        return then

    def optional(self, node: Repeated, inside: int, then: int) -> int:
        return self.put(_SPLIT, None, inside, then) if node.greedy else self.put(_SPLIT, None, then, inside)

    def loop(self, node: Repeated, then: int) -> int:
        """Write once or more often."""
        again = self.put(_SPLIT, None, -1, -1)
        begin = self.write(node.node, again)
        first, second = (begin, then) if node.greedy else (then, begin)
        self.steps[again] = _Step(_SPLIT, None, first, second)
        return begin
