"""Takes a condition apart, to say why it was true: each thing that it compares, without constants, as a program."""

from collections.abc import Iterator, Sequence

from hub.errors import CompileError
from hub.expressions.program import Program, compile_expression
from hub.expressions.syntax.lexer import Token, tokenize

__all__ = ["parts"]

_BETWEEN = {"&&", "||", "?", ":", "<", "<=", ">", ">=", "==", "!=", "in"}
_OPENING, _CLOSING = {"(", "[", "{", "[?"}, {")", "]", "}"}
_PARTS = 16


def parts(program: Program) -> list[tuple[str, Program]]:
    """Return the things that a condition looks at: `temperature > -15 && open` looks at `temperature` and `open`."""
    found: dict[str, Program] = {}
    tokens = tokenize(program.text)
    for text in _leaves(program.text, tokens[:-1], tokens[-1].at):
        if text in found or len(found) == _PARTS:
            continue
        try:
            part = compile_expression(text, program.scope)
        except CompileError:  # it means nothing alone
            continue
        if not (part.schedules <= program.schedules and set(part.history) <= set(program.history)):
            continue  # what can never decide was left out of the whole: `true ? x > 1 : night` asks no schedule
        if part.needs_context or part.fields or part.captures or part.history:
            found[text] = part
    return list(found.items())


def _leaves(text: str, tokens: Sequence[Token], end: int) -> Iterator[str]:
    """Yield the pieces between the operators of a condition; a piece in brackets is taken apart again."""
    first = depth = 0
    for place, token in enumerate([*tokens, None]):
        if token is None or (depth == 0 and _is_between(token)):
            yield from _leaf(text, tokens[first:place], end if token is None else token.at)
            first = place + 1
        elif token.kind not in ("literal", "quoted"):
            depth += (token.text in _OPENING) - (token.text in _CLOSING)


def _is_between(token: Token) -> bool:
    return token.kind not in ("literal", "quoted") and token.text in _BETWEEN


def _leaf(text: str, tokens: Sequence[Token], end: int) -> Iterator[str]:
    while tokens and tokens[0].kind == "!":
        tokens = tokens[1:]
    if not tokens:
        return
    if tokens[0].kind == "(" and _closes(tokens):
        yield from _leaves(text, tokens[1:-1], tokens[-1].at)
    else:
        yield text[tokens[0].at : end].strip()


def _closes(tokens: Sequence[Token]) -> bool:
    """Tell whether the last token closes the bracket that the first one opens."""
    depth = 0
    for place, token in enumerate(tokens):
        if token.kind not in ("literal", "quoted"):
            depth += (token.text in _OPENING) - (token.text in _CLOSING)
        if depth == 0:
            return place == len(tokens) - 1
    return False
