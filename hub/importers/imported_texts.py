"""Makes our templates of other tools' texts. The compiler of expressions checks each text and each expression."""

import json

from hub.errors import CompileError
from hub.expressions import Scope, compile_condition, compile_expression, compile_template
from hub.rules.reading.rule import TEXT_NAMES

__all__ = ["TAKEN", "braces", "fits", "is_condition", "is_name", "literal", "payload_field"]

TAKEN = frozenset({"payload", "value", "topic", "event", "device", "labels", "now", "summary"}) | TEXT_NAMES
"""Names that mean something else in our texts: a field of the payload with such a name must be written `payload.x`."""

_SCOPE = Scope((), TEXT_NAMES | {"summary"}, history=True)


def braces(text: str) -> str:
    """Return a text with its braces doubled, so that a template shows it as it is."""
    return text.replace("{", "{{").replace("}", "}}")


def fits(text: str) -> bool:
    """Tell whether a text compiles as a template of a rule."""
    try:
        compile_template(text, _SCOPE)
    except CompileError:
        return False
    return True


def is_condition(text: str) -> bool:
    """Tell whether a text compiles as a condition of a rule."""
    try:
        compile_condition(text, _SCOPE)
    except CompileError:
        return False
    return True


def literal(text: str) -> str:
    """Return a text as a quoted string of the expression language."""
    return json.dumps(text, ensure_ascii=False)


def payload_field(name: str, *, bare: bool = True) -> str:
    """Return the expression for a field of the payload; with `bare`, its name alone where that means nothing else."""
    if bare and name not in TAKEN and is_name(name):
        return name
    return f"payload.{name}" if name.isidentifier() and _compiles(f"payload.{name}") else f"payload[{literal(name)}]"


def is_name(name: str) -> bool:
    """Tell whether a bare name can stand in an expression; `in` and `namespace` are words of the language."""
    return name.isascii() and name.isidentifier() and _compiles(name)


def _compiles(expression: str) -> bool:
    try:
        compile_expression(expression, _SCOPE)
    except CompileError:
        return False
    return True
