"""Cuts a text with `{…}` into literal parts and holes; templates and topics are made of these."""

from collections.abc import Iterator
from dataclasses import dataclass

from hub.errors import CompileError
from hub.expressions.names import Scope
from hub.expressions.program import Program, compile_expression

__all__ = ["Hole", "cut"]

_CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Hole:
    """A substitution: the program, the format behind the colon, where they stand in the text."""

    program: Program
    spec: str
    at: int
    spec_at: int


def cut(text: str, scope: Scope) -> list[str | Hole]:
    """Cut a text into literal parts and holes; `{{` and `}}` are braces.

    Raises:
        CompileError: a brace without its fellow, or an expression that is none; the offset is that in the whole text.

    """
    parts: list[str | Hole] = []
    literal = ""
    at = 0
    while at < len(text):
        char = text[at]
        if char in "{}" and text.startswith(char * 2, at):
            literal += char
            at += 2
        elif char == "}":
            raise CompileError("'}' without '{'", at, text, "a brace itself is written }}")
        elif char == "{":
            if literal:
                parts.append(literal)
            literal = ""
            hole, at = _hole(text, at, scope)
            parts.append(hole)
        else:
            end = min((found for found in (text.find("{", at), text.find("}", at)) if found >= 0), default=len(text))
            literal += text[at:end]
            at = end
    return [*parts, literal] if literal else parts


def _hole(text: str, opening: int, scope: Scope) -> tuple[Hole, int]:
    colon, end = _ends(text, opening)
    source = text[opening + 1 : colon]
    if not source.strip():
        raise CompileError("nothing between the braces", opening, text, "write a name, or {{ for a brace")
    try:
        program = compile_expression(source, scope)
    except CompileError as error:
        raise CompileError(error.message, opening + 1 + error.offset, text, error.hint) from None
    return Hole(program, text[colon + 1 : end], opening, colon + 1), end + 1


def _ends(text: str, opening: int) -> tuple[int, int]:
    """Find where a hole's expression ends (its colon or its brace) and where the hole does."""
    brackets: list[str] = []
    conditions = 0
    for at, char in _outside_strings(text, opening + 1):
        if char in _CLOSING:
            brackets.append(_CLOSING[char])
        elif brackets:
            brackets = brackets[:-1] if char == brackets[-1] else brackets
        elif char == "}":
            return at, at
        elif char == "?":
            conditions += text[at - 1] != "."
        elif char == ":" and conditions:
            conditions -= 1
        elif char == ":" and (end := text.find("}", at)) >= 0:
            return at, end
    raise CompileError("'{' without '}'", opening, text, "a brace itself is written {{")


def _outside_strings(text: str, at: int) -> Iterator[tuple[int, str]]:
    while at < len(text):
        if text[at] in "\"'":
            at = _string_end(text, at)
        else:
            yield at, text[at]
            at += 1


def _string_end(text: str, start: int) -> int:
    """Return the offset behind a string; where it does not end, that of the text's end (the lexer will say so)."""
    quotes = text[start] * 3 if text.startswith(text[start] * 3, start) else text[start]
    prefix = text[max(0, start - 2) : start].lower()
    raw = prefix[-1:] == "r" or prefix in ("rb", "br")
    at = start + len(quotes)
    while at < len(text) and not text.startswith(quotes, at):
        at += 2 if text[at] == "\\" and not raw else 1
    return min(at + len(quotes), len(text))
