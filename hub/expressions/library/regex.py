"""Regular expressions: RE2, whose time is linear in the text, whoever wrote the pattern."""

import functools
from typing import Any

import re2

from hub.limits import REGEX_CHARS

__all__ = ["pattern"]

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 1 << 20  # bounds the automaton: `(a{500}){500}` is refused


@functools.lru_cache(maxsize=1024)
def pattern(text: str) -> Any:
    """Compile a pattern.

    Raises:
        ValueError: RE2 refuses it; the message says why.

    """
    if len(text) > REGEX_CHARS:
        raise ValueError(f"longer than {REGEX_CHARS} characters")
    try:
        return re2.compile(text, _OPTIONS)
    except (re2.error, UnicodeError) as error:
        reason = error.args[0] if error.args else "refused"
        raise ValueError(reason.decode() if isinstance(reason, bytes) else str(reason)) from None
