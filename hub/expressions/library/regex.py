"""Regular expressions: RE2, whose time is linear in the text, whoever wrote the pattern.

Linear, but up to about 6 ns per character and instruction of the compiled pattern, so both are charged beforehand.
"""

import functools
from typing import Any

import re2

from hub.errors import EvaluationError
from hub.expressions.library.steps import charge
from hub.limits import REGEX_CHARS

__all__ = ["Pattern", "found_pattern", "pattern"]

_FOUND_CHARS = 100  # of a pattern that comes with an event: compiling it takes time too
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.never_capture = True  # groups would cost an automaton that knows them
_OPTIONS.max_mem = 1 << 20  # bounds the automaton


class Pattern:
    """A compiled pattern."""

    __slots__ = ("find", "size")

    def __init__(self, text: str) -> None:
        """Compile it; RE2 raises its own error."""
        compiled = re2.compile(text, _OPTIONS)
        self.find = compiled.search
        self.size = compiled.programsize

    def search(self, text: str) -> bool:
        """Say whether it matches anywhere in the text."""
        data = text.encode()  # what RE2 works on; handed a str it would translate positions back too
        charge(12 + (len(data) * self.size >> 5))
        return self.find(data) is not None


@functools.lru_cache(maxsize=1024)
def pattern(text: str) -> Pattern:
    """Compile a pattern that a rule holds.

    Raises:
        ValueError: RE2 refuses it; the message says why.

    """
    if len(text) > REGEX_CHARS:
        raise ValueError(f"longer than {REGEX_CHARS} characters")
    try:
        return Pattern(text)
    except (re2.error, UnicodeError) as error:
        reason: Any = error.args[0] if error.args else "refused"
        raise ValueError(reason.decode() if isinstance(reason, bytes) else str(reason)) from None


@functools.lru_cache(maxsize=128)
def found_pattern(text: str) -> Pattern:
    """Compile a pattern that came with an event.

    Raises:
        EvaluationError: RE2 refuses it, or it is too long.

    """
    if len(text) > _FOUND_CHARS:
        raise EvaluationError(
            f"a regular expression that is not written in the rule has at most {_FOUND_CHARS} characters"
        )
    charge(100 * len(text))
    try:
        return Pattern(text)
    except (re2.error, UnicodeError):
        raise EvaluationError("not a regular expression") from None
