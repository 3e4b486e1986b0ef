"""An expression's text as tokens, by the lexis of the CEL specification, plus durations (`90s`)."""

import re
from datetime import timedelta
from itertools import takewhile
from string import ascii_letters, digits
from typing import Any, NamedTuple

from hub.documents.duration import parse_duration
from hub.errors import CompileError
from hub.expressions.values import INT_MAX, UINT_MAX, UInt
from hub.limits import EXPRESSION_CHARS
from hub.printable import odd

__all__ = ["RESERVED", "Token", "tokenize"]

RESERVED = frozenset(
    """as break const continue else for function if import let loop package namespace return var void
    while""".split()  # noqa: SIM905 - a list of words
)
_WORDS = {"true": True, "false": False, "null": None}


class Token(NamedTuple):
    """`kind`: `name`, `quoted` (a name in backticks), `literal`, `end`, or an operator that stands for itself."""

    kind: str
    text: str
    at: int
    value: Any = None


_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n\f]+|//[^\n]*)
  | (?P<string>(?:[rR][bB]|[bB][rR]|[rRbB])?(?:\"\"\"|'''|\"|'))
  | (?P<duration>(?:[0-9]+(?:\.[0-9]+)?(?:ms|[smhdw]))+(?![0-9A-Za-z_]))
  | (?P<float>[0-9]*\.[0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)
  | (?P<int>0[xX][0-9a-fA-F]+|[0-9]+)(?P<unsigned>[uU]?)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | `(?P<quoted>[A-Za-z0-9_./ -]+)`
  | (?P<operator>&&|\|\||<=|>=|==|!=|\.\?|\[\?|[-+*/%!<>?:.,()\[\]{}])
    """,
    re.VERBOSE,
)
_LETTERS = ascii_letters + digits + "_"
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPES |= {mark: mark for mark in "\\?\"'`"}
_ESCAPE = re.compile(
    r"""\\(?:([abfnrtv\\?"'`])|([0-3][0-7]{2})|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|)""",
)
_HINTS = {
    "=": "compare with ==",
    "&": "write && for and",
    "|": "write || for or",
    ";": "an expression has no end mark",
    "`": "a name in backticks is letters, digits, _ . / - and spaces, for members: payload.`a-b`",
}


def tokenize(text: str) -> list[Token]:
    """Cut the text into tokens; the last one is `end`.

    Raises:
        CompileError: something is no token, a string does not end, a number is too large.

    """
    if len(text) > EXPRESSION_CHARS:
        raise CompileError(f"longer than {EXPRESSION_CHARS} characters", EXPRESSION_CHARS, text, "split the rule")
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _stray(text, at)
        kind = match.lastgroup or ""
        if kind == "string":
            token = _string(text, at, match.end())
            at += len(token.text)
        else:
            token = _token(kind, match, text, at)
            at = match.end()
        if kind != "space":
            tokens.append(token)
    tokens.append(Token("end", "", at))
    return tokens


def _in_a_name(char: str) -> bool:
    return char.isalnum() or char == "_"


def _stray(text: str, at: int) -> CompileError:
    """Name a character that is part of no token, and say what to write instead."""
    char = text[at]
    called, hint = odd(char)
    if char.isalpha() or (not hint and char not in _HINTS and _in_a_name(text[at - 1 : at])):
        begun = len(text[:at].rstrip(_LETTERS))
        word = text[begun : at + 1] + "".join(takewhile(_in_a_name, text[at + 1 :]))
        hint = f'a name with such letters is written payload["{word}"]'
    return CompileError(f"{called or repr(char)} is not part of an expression", at, text, _HINTS.get(char, hint))


def _token(kind: str, match: re.Match[str], text: str, at: int) -> Token:
    word = match.group()
    if kind == "operator":
        return Token(word, word, at)
    if kind == "name":
        return Token("literal", word, at, _WORDS[word]) if word in _WORDS else Token("name", word, at)
    if kind == "quoted":
        return Token("quoted", match["quoted"], at)
    if kind == "space":
        return Token(kind, word, at)
    if text[match.end() : match.end() + 1].isidentifier():
        hint = "a number and a name need an operator between them; a duration is written 90s, 5m, 1h30m"
        raise CompileError(f"{text[match.end()]!r} behind a number", match.end(), text, hint)
    return Token("literal", word, at, _number(kind, match, text, at))


def _number(kind: str, match: re.Match[str], text: str, at: int) -> Any:
    if kind == "float":
        return float(match.group())
    if kind == "duration":
        try:
            return timedelta(seconds=parse_duration(match.group()))
        except ValueError as error:
            raise CompileError(str(error), at, text) from None
    digits, unsigned = match["int"], match["unsigned"]
    number = int(digits, 16) if digits[:2] in ("0x", "0X") else int(digits) if len(digits.lstrip("0")) < 21 else 1 << 64
    # the largest is one too many, so that -9223372036854775808 can be read; the parser refuses it without the minus
    if number > (UINT_MAX if unsigned else INT_MAX + 1):
        raise CompileError("the number does not fit into 64 bits", at, text, "write a double: 1e30")
    return UInt(number) if unsigned else number


def _string(text: str, at: int, start: int) -> Token:
    """Read a string whose opening quotes end at `start`."""
    opening = text[at:start].lower()
    prefix = opening.rstrip("\"'")
    quotes = opening[len(prefix) :]
    raw, is_bytes = "r" in prefix, "b" in prefix
    end = start
    while not text.startswith(quotes, end):
        if end >= len(text) or (len(quotes) == 1 and text[end] in "\r\n"):
            raise CompileError("the string does not end", at, text, f"close it with {quotes}")
        end += 2 if text[end] == "\\" and not raw else 1
    if end > len(text):
        raise CompileError("the string does not end", at, text, f"close it with {quotes}")
    body = text[start:end]
    value: Any = body.encode("utf-8", "surrogatepass") if is_bytes else body
    if not raw and "\\" in body:
        value = _unescape(body, is_bytes, start, text)
    elif not is_bytes and not body.isascii() and any("\ud800" <= char <= "\udfff" for char in body):
        raise CompileError("half of a surrogate pair is not a character", at, text)
    return Token("literal", text[at : end + len(quotes)], at, value)


def _unescape(body: str, is_bytes: bool, start: int, text: str) -> str | bytes:
    parts: list[Any] = []
    last = 0
    for match in _ESCAPE.finditer(body):
        parts.append(body[last : match.start()])
        last = match.end()
        simple, octal, hexadecimal, *wide = match.groups()
        code = next((digits for digits in wide if digits), None)
        if simple:
            parts.append(_ESCAPES[simple])
        elif octal or hexadecimal:
            number = int(octal, 8) if octal else int(hexadecimal, 16)
            parts.append(bytes([number]) if is_bytes else chr(number))
        elif code and not is_bytes and int(code, 16) < 0x110000 and not 0xD800 <= int(code, 16) < 0xE000:
            parts.append(chr(int(code, 16)))
        else:
            hint = 'a backslash itself is written \\\\, or use a raw string: r"…"'
            raise CompileError("the escape sequence is not known", start + match.start(), text, hint)
    parts.append(body[last:])
    if is_bytes:
        return b"".join(part if isinstance(part, bytes) else part.encode() for part in parts)
    return "".join(parts)
