"""Regular expressions: RE2's syntax on an engine whose time is linear in the text, whoever wrote the pattern.

Linear, but up to some ns per character and instruction of the compiled pattern, so both are charged beforehand.
"""

import functools

from hub.errors import EvaluationError
from hub.expressions.patterns.dialect import PatternError, translate
from hub.expressions.patterns.linear import Linear
from hub.expressions.runtime.steps import charge
from hub.limits import REGEX_CHARS, REGEX_FOUND_SIZE

__all__ = ["LinearPattern", "found_pattern", "pattern"]

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
