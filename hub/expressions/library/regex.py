"""Regular expressions: RE2's syntax on an engine whose time is linear in the text, whoever wrote the pattern.

Linear, but up to some ns per character and instruction of the compiled pattern, so both are charged beforehand.
"""

import functools
from collections.abc import Iterator
from typing import Any

from hub.errors import EvaluationError
from hub.expressions.patterns.captures import CapturePattern, Spans
from hub.expressions.patterns.dialect import PatternError, translate
from hub.expressions.patterns.linear import Linear
from hub.expressions.runtime.functions import cel
from hub.expressions.runtime.steps import charge
from hub.expressions.values import Optional, no_overload
from hub.limits import REGEX_CHARS, REGEX_FOUND_SIZE

__all__ = ["OPERATIONS", "LinearPattern", "capture_pattern", "found_pattern", "pattern"]

OPERATIONS: tuple[str, ...] = ()

_FOUND_CHARS = 100  # of a pattern that comes with an event: compiling it takes time too


class LinearPattern(Linear):
    """A compiled pattern."""

    __slots__ = ()

    def search(self, text: str) -> bool:
        """Say whether it matches anywhere in the text."""
        length = len(text) if text.isascii() else len(text.encode())  # the engine works on bytes
        charge(12 + (length * self.size >> 5))
        return self.matches(text)


@functools.lru_cache(maxsize=1024)
def pattern(text: str) -> LinearPattern:
    """Compile a pattern that a rule holds.

    Raises:
        ValueError: it is refused; the message says why, and at which character.

    """
    if len(text) > REGEX_CHARS:
        raise ValueError(f"longer than {REGEX_CHARS} characters")
    return LinearPattern(text)


@functools.lru_cache(maxsize=128)
def found_pattern(text: str) -> LinearPattern:
    """Compile a pattern that came with an event.

    Raises:
        EvaluationError: it is refused, too long or too large.

    """
    if len(text) > _FOUND_CHARS:
        raise EvaluationError(
            f"a regular expression that is not written in the rule has at most {_FOUND_CHARS} characters"
        )
    charge(100 * len(text))
    try:
        if translate(text).size > REGEX_FOUND_SIZE:
            raise EvaluationError("a regular expression that is not written in the rule is too large")
        return LinearPattern(text)
    except PatternError:
        raise EvaluationError("not a regular expression") from None


@functools.lru_cache(maxsize=1024)
def capture_pattern(text: str) -> CapturePattern:
    """Compile a pattern that a rule holds and whose matches are looked for.

    Raises:
        ValueError: it is refused; the message says why, and at which character.

    """
    pattern(text)
    return CapturePattern(text)


@functools.lru_cache(maxsize=128)
def _capturing(text: str) -> CapturePattern:
    """Compile a pattern whose matches are looked for.

    Raises:
        EvaluationError: it is refused, too long or too large.

    """
    found_pattern(text)
    return CapturePattern(text)


def _matches(text: str, compiled: CapturePattern) -> Iterator[Spans]:
    """Yield all matches, which do not overlap; an empty one not where the one before has ended."""
    at, ended = 0, -1
    while at <= len(text) and (spans := compiled.find(text, at, charge)) is not None:
        begin, end = spans[:2]
        if begin < end or begin != ended:
            yield spans
        ended, at = end, end if begin < end else end + 1


def _asked(name: str, text: Any, regex: Any) -> CapturePattern:
    """Return the pattern, which was compiled at load or came with the event."""
    if text.__class__ is not str or regex.__class__ not in (str, CapturePattern):
        raise no_overload(f"regex.{name}", text, regex)
    compiled: CapturePattern = regex if regex.__class__ is CapturePattern else _capturing(regex)
    if name != "replace" and compiled.groups > 1:
        raise EvaluationError(
            f"regex.{name}: a pattern has at most one group ( ) here; one for grouping alone is (?: )"
        )
    return compiled


@cel("regex.extract(string, string) -> optional", costly=True)
def extract(text: Any, regex: Any) -> Optional:
    """What the group of the pattern holds, or the pattern where it has none, at its first match."""
    compiled = _asked("extract", text, regex)
    for spans in _matches(text, compiled):
        begin, end = spans[-2:]
        return Optional(True, text[begin:end]) if begin >= 0 else Optional()
    return Optional()


@cel("regex.extractAll(string, string) -> list", costly=True)
def extract_all(text: Any, regex: Any) -> list[str]:
    """The same at each match; a group that took no part is left out."""
    compiled = _asked("extractAll", text, regex)
    return [text[begin:end] for *_, begin, end in _matches(text, compiled) if begin >= 0]


@cel(
    "regex.replace(string, string, string) -> string", "regex.replace(string, string, string, int) -> string",
    costly=True,
)  # fmt: skip
def replace_matches(text: Any, regex: Any, by: Any, count: Any = -1) -> str:
    r"""The text with each match replaced, or only the first `count`; `\1` stands for the first group, `\0` for all."""
    if by.__class__ is not str or count.__class__ is not int:
        raise no_overload("regex.replace", text, regex, by, count)
    compiled = _asked("replace", text, regex)
    parts, made, ended = list(_pieces(by, compiled.groups)), list[str](), 0
    if count:
        for number, spans in enumerate(_matches(text, compiled), start=1):
            made.append(text[ended : spans[0]])
            made += [each if isinstance(each, str) else _group(text, spans, each) for each in parts]
            charge(1 + sum(map(len, made[-len(parts) :])) // 64 if parts else 1)
            ended = spans[1]
            if number == count:
                break
    return "".join([*made, text[ended:]])


def _group(text: str, spans: Spans, number: int) -> str:
    begin, end = spans[2 * number : 2 * number + 2]
    return text[begin:end] if begin >= 0 else ""


def _pieces(by: str, groups: int) -> Iterator[str | int]:
    """Yield texts and numbers of groups of what replaces a match."""
    first, *rest = by.split("\\\\")
    for number, between in enumerate((first, *rest)):
        if number:
            yield "\\"
        begin, *marked = between.split("\\")
        yield begin
        for each in marked:
            digit = each[:1]
            if not (digit.isascii() and digit.isdigit()):
                raise EvaluationError(r"regex.replace: \ stands before the digit of a group, or another \ ")
            if int(digit) > groups:
                raise EvaluationError(f"regex.replace: the pattern has {groups} groups, and no \\{digit}")
            yield int(digit)
            yield each[1:]
