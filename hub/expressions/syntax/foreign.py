"""Hints for people who write another language's words: Python's `not`, Jinja's braces, `20%`, a comma in a number.

They are looked for only where a text is no expression, at the place where it stops being one; each says what to write.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from hub.errors import CompileError

__all__ = ["FUNCTIONS_OF_OTHERS", "function_of_others", "in_our_words"]

_STRING = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")
_WORD = r"[A-Za-z_]\w*(?:\.\w+)*"
_END = r"(?=\s*(?:$|&&|\|\||[)\]?:,]))"
_JINJA = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
_OF_JINJA = re.compile(r"\b(?:value_json|trigger\.payload_json|trigger\.payload|payload_json|this)\.(?=\w)")
_FILTERS = "abs|bool|default|first|float|int|is_defined|last|length|lower|max|min|round|string|to_json|trim|upper"
_LOOK = 100  # characters on either side of the place; what is longer nobody has slipped in
_METHODS = {"contains": "contains", "startswith": "startsWith", "endswith": "endsWith", "matches": "matches"}
_METHODS |= {"starts": "startsWith", "ends": "endsWith", "like": "contains", "includes": "contains"}
_SQL = {(True, True): "contains", (False, True): "startsWith", (True, False): "endsWith"}  # % before it, and behind


class _Found(NamedTuple):
    """A match in the text itself: `part(1)` is what a group of the pattern stands on."""

    text: str
    match: re.Match[str]

    def part(self, group: int) -> str:
        begin, end = self.match.span(group)
        return self.text[begin:end] if begin >= 0 else ""


class _Saying(NamedTuple):
    """`moves`: the place is where the match begins, and not where the parser stopped."""

    pattern: re.Pattern[str]
    say: Callable[[_Found], tuple[str, str]]
    moves: bool


def in_our_words(error: CompileError, *, is_read: bool = False) -> CompileError:
    """Return the error with a better message and hint, where the text shows which language was meant; else unchanged.

    `is_read`: the text was read as an expression, but cannot be compiled.
    """
    text, offset = error.text, error.offset
    masked = _STRING.sub(lambda found: "'" + "_" * (len(found[0]) - 2) + "'", text)
    begin = max(0, offset - _LOOK)
    for saying in _SAYINGS:
        if is_read and saying.say not in _READ:
            continue
        for match in saying.pattern.finditer(masked, begin, offset + _LOOK):
            if match.start() <= offset <= match.end():
                message, hint = saying.say(_Found(text, match))
                return CompileError(message, match.start() if saying.moves else offset, text, hint)
    return error


def _jinja(found: _Found) -> tuple[str, str]:
    plain = _OF_JINJA.sub("", _JINJA.sub(r"\1", found.text)).strip()
    return "double braces are Jinja's", f"here a name stands alone: {plain}"


def _statement(_: _Found) -> tuple[str, str]:
    return "{% … %} is Jinja's", 'a choice is written {x > 3 ? "warm" : "cold"}'


def _filter(found: _Found) -> tuple[str, str]:
    value, name = found.part(1), found.part(2)
    ways = {"float": f"double({value})", "int": f"int({value})", "string": f"string({value})"}
    ways |= {"length": f"size({value})", "lower": f"{value}.lowerAscii()", "upper": f"{value}.upperAscii()"}
    ways |= {"default": f"payload.?{value}.orValue(0)", "abs": f"math.abs({value})", "trim": f"{value}.trim()"}
    ways |= {"round": f"math.round({value}), and in a text {{{value}:.1f}}"}
    return f"'|{name}' is a filter of Jinja", f"write {ways[name]}" if name in ways else "here functions do that"


def _not(found: _Found) -> tuple[str, str]:
    rest = found.part(2)
    simple = re.fullmatch(rf"{_WORD}|\(.*\)", rest)
    return f"{found.part(1)!r} is no operator", f"write !{rest}" if simple else f"write !({rest})"


def _not_in(found: _Found) -> tuple[str, str]:
    return "'not in' is no operator", f"write !({found.part(1)} in …)"


def _is(found: _Found) -> tuple[str, str]:
    sign = "!=" if found.part(2) else "=="
    return f"{found.part(1)!r} is no operator", f"write {sign}"


def _sign(found: _Found) -> tuple[str, str]:
    sign = found.match.group()
    return f"{sign!r} is no operator", f"write {_SIGNS[sign]}"


_SIGNS = {"<>": "!=", "===": "==", "!==": "!=", "=>": ">=", "=<": "<=", ":=": "=="}


def _like(found: _Found) -> tuple[str, str]:
    return f"{found.part(2)!r} is no operator", f'write {found.part(1)}.matches("…")'


def _infix(found: _Found) -> tuple[str, str]:
    value, word, rest = found.part(1), found.part(2), found.part(3)
    method = _METHODS[word.split()[0].lower()]
    if sides := _SQL.get((rest[1:2] == "%", rest[-2:-1] == "%")):
        method, rest = sides, rest.replace("%", "")
    return f"{word!r} is no operator", f"write {value}.{method}({rest})"


def _between(found: _Found) -> tuple[str, str]:
    value, low, high = found.part(1), found.part(2), found.part(3)
    return "'between' is no operator", f"write {value} >= {low} && {value} <= {high}"


def _range(found: _Found) -> tuple[str, str]:
    value, low, high = found.part(1), found.part(2), found.part(3)
    return "'in' looks into a list", f"write {value} >= {low} && {value} <= {high}"


def _tuple(found: _Found) -> tuple[str, str]:
    return "a list stands in square brackets", f"write in [{found.part(1).strip()}]"


def _plus(found: _Found) -> tuple[str, str]:
    return f"+{found.part(1)} is no number", f"write {found.part(1)}"


def _member(found: _Found) -> tuple[str, str]:
    return "'?.' is no operator", f"a member that may not be there: {found.part(1)}.?{found.part(2)}.orValue(0)"


def _else(found: _Found) -> tuple[str, str]:
    name = found.part(1).removeprefix("payload.")
    return f"{found.part(2)!r} is no operator", f"a value for what may not be there: payload.?{name}.orValue(0)"


def _clock(found: _Found) -> tuple[str, str]:
    time = found.match.group()
    return f"{time} is no value", f"times of the day are a schedule, named under schedules: daily {time:0>5}-24:00"


def _then(found: _Found) -> tuple[str, str]:
    return f"{found.part(1)!r} is no part of a condition", "it stands alone, and what follows from it in other keys"


def _braced(found: _Found) -> tuple[str, str]:
    return f"{found.match.group()} is a text's way to name a value", f"here a name stands alone: {found.part(1)}"


def _comma(found: _Found) -> tuple[str, str]:
    if re.fullmatch(r"-?[1-9][0-9]{0,2}", found.part(1)) and re.fullmatch("[0-9]{3}", found.part(2)):
        before, behind = found.part(1), found.part(2)
        hint = f"a thousand has no mark: {before}{behind}; a fraction has a point: {before}.{behind}"
        return f"{found.match.group()} is no number", hint
    whole = found.part(1).replace(".", "")  # 1.000,5 is a thousand and a half
    return f"{found.match.group()} is no number", f"a number has a point: {whole}.{found.part(2)}"


def _percent(found: _Found) -> tuple[str, str]:
    number = found.part(1)
    return (
        f"{found.match.group().rstrip()} is no number",
        f"write {number}, without a unit: % is what a division leaves",
    )


def _unit(found: _Found) -> tuple[str, str]:
    return f"{found.match.group()} is no number", f"write {found.part(1)}, without a unit"


def _duration(found: _Found) -> tuple[str, str]:
    unit = found.part(2)
    short = "ms" if unit.startswith(("ms", "mil")) else unit[0].lower()
    return f"{found.match.group()} is no duration", f"write {found.part(1)}{short}"


def _again(found: _Found) -> tuple[str, str]:
    value, logic, sign = (found.part(group) for group in (1, 2, 3))
    return f"{sign!r} where a value is expected", f"name the value again: … {logic} {value} {sign} …"


def _both(found: _Found) -> tuple[str, str]:
    value, sign, logic, rest = (found.part(group) for group in (1, 2, 3, 4))
    return f"{rest} is neither true nor false", f"name the value again: … {logic} {value} {sign} {rest}"


def _held(found: _Found) -> tuple[str, str]:
    return "'for' is no part of a condition", f"it is a key of the rule: for: {found.part(1) or '5m'}"


def _if(_: _Found) -> tuple[str, str]:
    return "'if' is no function", "write condition ? value : other"


def _name(found: _Found) -> tuple[str, str]:
    return f"{found.part(1)!r} is no part of a name", f"a name stands alone: {found.part(2)}"


def _arrow(_: _Found) -> tuple[str, str]:
    return "'->' is no operator", "a member is written with a point: payload.x"


def _power(found: _Found) -> tuple[str, str]:
    return f"{found.part(1)!r} is no operator", "multiply: x * x"


def _other(found: _Found) -> tuple[str, str]:
    return f"{found.part(1)!r} is no operator", "one of the two: a != b"


def _pointed(found: _Found) -> tuple[str, str]:
    return "a format stands behind a colon", f"write {{{found.part(1)}:{found.part(2)}}}"


def _behind(found: _Found) -> tuple[str, str]:
    name, unit = found.part(1), found.part(2)
    return f"{unit} is no part of a name", f"a unit stands behind the brace: {{{name}}} {unit}"


def _inside(found: _Found) -> tuple[str, str]:
    return "'!' is no format", f"write {{{found.part(1)}}}"


def _formatted(found: _Found) -> tuple[str, str]:
    return "a format stands behind a colon", f"write {{{found.part(1)}:{found.part(2)}}}"


def _field(found: _Found) -> tuple[str, str]:
    whole = found.match.group().removeprefix("payload.")
    return f"{found.part(1)!r} where an operator or the end is expected", f'a field of that name: payload["{whole}"]'


FUNCTIONS_OF_OTHERS: Mapping[str, str] = {
    **dict.fromkeys(("len", "length"), "size(x)"),
    **dict.fromkeys(("average", "avg_over_time"), "avg(x, 10m)"),
    **dict.fromkeys(("deriv", "derivative", "trend"), "slope(x, 1h)"),
    **dict.fromkeys(("forecast", "predict_linear"), "predict(x, 1h, 6h)"),
    **dict.fromkeys(("timeleft", "time_left"), "reaches(x, 0, 6h)"),
    **dict.fromkeys(("integrate", "integration"), "integral(x, 1h)"),
    **dict.fromkeys(("haversine", "distance"), "geo.distance(lat, lon, lat, lon)"),
    **dict.fromkeys(("from_json", "parse_json"), "json.parse(text)"),
    **dict.fromkeys(("regex_search", "regexp_extract"), "regex.extract(text, pattern)"),
    **dict.fromkeys(("median", "quantile"), "percentile(x, 50, 10m)"),
    **dict.fromkeys(("abs", "round", "floor", "ceil", "sqrt"), "math.{name}(x)"),
    **dict.fromkeys(("float", "number", "Number", "parseFloat"), "double(x)"),
    **dict.fromkeys(("str", "toString", "to_string"), "string(x)"),
    **dict.fromkeys(("integer", "parseInt"), "int(x)"),
    **dict.fromkeys(("now", "utcnow", "time"), "now, which is a name and no function"),
    **dict.fromkeys(("states", "is_state", "state_attr"), "the field's name: it is that of the message"),
    **dict.fromkeys(("defined", "exists", "is_number", "isset"), "has(payload.x)"),
}
"""Functions of other languages, each with what to write here."""


def function_of_others(name: str) -> str:
    """Say what to write for a function of another language; empty for any other name."""
    return f"write {ways}" if (ways := FUNCTIONS_OF_OTHERS.get(name, "").replace("{name}", name)) else ""


_READ = (_not, _if, _both)
_WHERE_IT_STOPPED = (_like, _infix, _between, _again, _both, _other, _field, _range, _else, _plus)
_OPERAND = r"[-+]?[\w.']+"
_COMPARE = r"(?:<=?|>=?|==|!=)"
_OURS = r"(?!(?:in|and|or|not|for|is|xor|between)\b)"
_PLAIN = rf"{_OURS}[A-Za-z_]\w*"
_SAYINGS = [
    _Saying(re.compile(pattern, re.IGNORECASE), say, say not in _WHERE_IT_STOPPED)
    for pattern, say in (
        (r"\{\{.*?\}\}", _jinja),
        (r"^\s*%.*%\s*$|\{%.*?%\}", _statement),
        (rf"({_WORD})\s*\|\s*({_FILTERS})\b(?:\([^)]*\))?", _filter),
        (rf"({_WORD})\s+not\s+in\b", _not_in),
        (r"^\s*(if)\s+(?![-+*/%<>=!&|?.])", _then),
        (r"\b(then)\s*$", _then),
        (r"\b(not)\b\s*([^&|]*[^&|\s])", _not),
        (r"\b(is(\s+not)?)\b", _is),
        (r"<>|!==|===|=>|=<|:=", _sign),
        (rf"({_WORD})\s*(=~|~=|!~|~)", _like),
        (rf"({_WORD})\s+((?:{'|'.join(_METHODS)})(?:\s+with)?)\s+('[^']*'|{_WORD})", _infix),
        (rf"({_WORD})\s+between\s+({_OPERAND})\s+and\s+({_OPERAND})", _between),
        (r"\b(xor)\b", _other),
        (rf"({_WORD})\s+in\s+(-?[0-9]+)\s*\.\.+\s*(-?[0-9]+)", _range),
        (r"\bin\s*\(([^()]*,[^()]*)\)", _tuple),
        (rf"({_WORD})\s*(\?\?|\?:)", _else),
        (rf"({_WORD})\?\.([A-Za-z_]\w*).*", _member),
        (rf"\$?\{{\s*({_WORD})\s*\}}", _braced),
        (r"(?<![\w.:])[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?![\w.:])", _clock),
        (r"(?<![\w.)\]\s])\s*\+([0-9.]+)", _plus),
        (rf"^\s*({_WORD}?)(\.[0-9]f)\s*$", _pointed),
        (rf"^\s*({_WORD})\s*([°º€$£µΩ%][A-Za-z]?)\s*$", _behind),
        (rf"^\s*({_WORD})\s*,\s*(\.[0-9]f)\s*$", _formatted),
        (r"(?<![\w.)\]])(-?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)),([0-9]+)(?![\w.])", _comma),
        (rf"(?<![\w.)\]])(-?[0-9.]+)\s*%\s*{_END}", _percent),
        (r"(?<![\w.])([0-9]+)\s*(milli\w*|msec|sec\w*|min\w*|hours?|hrs?|days?|weeks?)\b", _duration),
        (r"(?<![\w.])([0-9]+)\s+(ms|[smhdw])\b", _duration),
        (rf"\bfor\s+((?:[0-9]+[smhdw])*){_END}", _held),
        (r"(?<![\w.)\]])(-?[0-9.]+)\s*(?:[°º]\s*[CFK]?|[€$£µΩ]\w*)", _unit),
        (rf"(?<![\w.)\]])(-?[0-9.]+)\s*{_OURS}[A-Za-z]\w*(?:/\w+)?{_END}", _unit),
        (rf"({_WORD})\s*{_COMPARE}\s*{_OPERAND}\s*(&&|\|\|)\s*({_COMPARE})", _again),
        (rf"({_WORD})\s*({_COMPARE})\s*{_OPERAND}\s*(&&|\|\|)\s*([0-9.]+|'[^']*'){_END}", _both),
        (r"\bif\b(?=\s*\()", _if),
        (rf"([$@#])\.?({_WORD})", _name),
        (r"->", _arrow),
        (r"(\*\*|\^)", _power),
        (rf"^\s*({_WORD})\s*![rsa]\s*$", _inside),
        (rf"(?<![\w.\])])(?:payload\.)?{_PLAIN}(?:\s+({_PLAIN}))+(?:{_END}|(?=\s*[-+*/%<>=!]))", _field),
    )
]
"""The first that fits is said, so what is more particular stands before what is less."""
