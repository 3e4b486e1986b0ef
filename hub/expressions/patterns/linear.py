"""Patterns that match in time linear in the text, whoever wrote them: RE2's syntax on the Rust engine of pydantic-core.

That engine has wheels for every machine that the hub runs on, 32-bit ARM and musl among them, and is asked by way of a
validator of texts: 0.1 µs a match. It reads a text anywhere; `whole` lets a pattern stand for all of it.
"""

from collections.abc import Callable

from pydantic_core import SchemaError, SchemaValidator, core_schema

from hub.expressions.patterns.dialect import PatternError, translate

__all__ = ["Linear"]


class Linear:
    """A compiled pattern: `matches` tells whether it is found in a text."""

    __slots__ = ("matches", "size")

    def __init__(self, text: str, *, whole: bool = False) -> None:
        """Compile it.

        Raises:
            PatternError: it is none; the message says why, and where.

        """
        made = translate(text)
        self.size = made.size
        """About how many instructions its automaton has."""
        self.matches = self.of_rust(made.text, whole=whole)

    @staticmethod
    def of_rust(text: str, *, whole: bool = True) -> Callable[[str], bool]:
        """Compile what is written for the engine already.

        Raises:
            PatternError: the engine refuses it.

        """
        pattern = rf"\A{text}\z" if whole else text
        try:
            validator = SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
        except SchemaError as error:
            raise PatternError(_reason(str(error))) from None
        return validator.isinstance_python


def _reason(text: str) -> str:
    """Return what the engine says, without the pattern, which it shows as it was written for it."""
    if "size limit" in text:
        return "its counts and classes make it too large: write shorter ones"
    return text.rpartition("error: ")[2].strip().lower() or "refused"
