"""The keys of each signal of a fleet: how a field changes over time (docs/devices.md). See payload.py."""

from collections.abc import Mapping
from typing import Any

from hub.documents.document import Node
from hub.documents.value_schema import LASTING, TEXT, list_schema, with_schema
from hub.fields import Bad, Key, KeyTable, duration, integer, late, list_of, number, text

__all__ = ["SIGNALS"]

_DAY = 86400.0
_FIELD = "a field that stands above"


@with_schema({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2})
def pair(node: Node) -> tuple[float, float]:
    """Read `[low, high]`."""
    if not isinstance(node.value, list) or len(node.value) != 2:
        raise Bad(node, "must be two numbers: [low, high]")
    low, high = number(node.value[0]), number(node.value[1])
    if low > high:
        raise Bad(node, f"the lower bound {low:g} is above the upper bound {high:g}")
    return low, high


@with_schema(LASTING)
def span(node: Node) -> float:
    """Read a duration above zero."""
    seconds = duration(node)
    if seconds <= 0:
        raise Bad(node, "must be longer than 0")
    return seconds


@with_schema({"type": "number", "minimum": 0})
def spread(node: Node) -> float:
    """Read a deviation."""
    value = number(node)
    if value < 0:
        raise Bad(node, "must not be negative")
    return value


@with_schema(list_schema({"type": "number"}))
def pair_or_both(node: Node) -> tuple[float, float]:
    """Read `[low, high]`, or one number for both."""
    return pair(node) if isinstance(node.value, list) else (number(node),) * 2


def _whole(name: str, words: str, *examples: object) -> Key[tuple[float, float]]:
    return Key(name, pair, (0.0, 1.0), words, *examples, required=True)


DIGITS = Key("digits", integer(0, 9), 1, "Digits behind the point; 0 makes whole numbers.", 1)
WHILE: Key[str] = Key(
    "while",
    late,
    "",
    f"The switch, {_FIELD}, while which the number is drawn to another.",
    "door_open",
    schema=TEXT,
)
TOWARD = Key("toward", number, 0.0, "Where to, while the switch is on.", 5)
WITHIN = Key("within", span, 1.0, "How long two thirds of the way take.", "10m")
_NUMBERS = (DIGITS, WHILE, TOWARD, WITHIN)

SINE = _whole("sine", "A curve between these, in the middle and rising at the start.", [18, 24])
PERIOD = Key("period", span, _DAY, "The length of one turn.", "24h")
SHIFT = Key("shift", duration, 0.0, "How much later in its period it begins.", "6h")
SPREAD = Key("spread", spread, 0.0, "The deviation added to it.", 0.1)
WALK = _whole("walk", "A random walk within these.", [-22, -18])
STEP = Key("step", spread, 0.0, "Its deviation for each message.", 0.2)
NOISE = Key("noise", number, 0.0, "Normally distributed values around this.", 230, required=True)
DEVIATION = Key("spread", spread, 0.0, "The standard deviation.", 1.2, required=True)
BETWEEN = _whole("between", "Anything between these; whole numbers between whole bounds.", [1, 40])
COUNTER = Key("counter", number, 0.0, "A number that begins here and grows with each message.", 0, required=True)
BY = Key("by", pair_or_both, (1.0, 1.0), "By how much, or [least, most].", 1, [1, 3])
TOTAL: Key[str] = Key(
    "total",
    late,
    "",
    f"What {_FIELD} adds up to, as a meter does.",
    "power",
    required=True,
    schema=TEXT,
)
PER = Key("per", span, 3600.0, "The time that one unit of it is for.", "1h")
TIMES = Key("times", number, 1.0, "A factor.", 0.001)
BEGIN = Key("from", number, 0.0, "Where it begins.", 8000)
OF: Key[str] = Key("of", late, "", f"What follows {_FIELD}.", "power", required=True, schema=TEXT)
KEY = Key("key", text, "", "One part of it, where it is an object.", "name")
FACTOR = Key("times", number, 1.0, "A factor.", 2)
PLUS = Key("plus", number, 0.0, "What is added.", 5)
SUM = Key("sum", text, "", f"The sum of a list, {_FIELD}.", "items", required=True)
SUM_KEY = Key("key", text, "", "What of its objects is summed.", "price")
DRAIN = Key("drain", span, _DAY, "A battery that lasts so long, then a new one.", "90d", required=True)
FULL = Key("from", number, 100.0, "What it is when full.", 100)
EMPTY = Key("to", number, 0.0, "What it is when empty.", 0)
ON = Key("on", span, 1.0, "A switch that is on for about so long.", "40s", required=True)
EVERY = Key("every", span, 1.0, "How long it is off on average.", "20m", required=True)
VALUES: Key[Any] = Key(
    "values",
    late,
    None,
    "What it is: [off, on].",
    [False, True],
    schema={"type": "array", "minItems": 2, "maxItems": 2},
)
CHOICE: Key[Any] = Key(
    "choice", late, None, "One of these.", ["a", "b"], required=True, schema={"type": "array", "minItems": 1}
)
WEIGHTS: Key[tuple[float, ...]] = Key("weights", list_of(spread), (), "How likely each of them is.", [3, 1])
TAKE = Key("take", pair, (0.0, 0.0), "A list of several: [least, most].", [1, 3])
OBJECT: Key[Any] = Key(
    "object", late, None, "An object of fields.", {"lat": 52.5}, required=True, schema={"type": "object"}
)

SIGNALS: Mapping[str, KeyTable] = {
    keys[0].name: KeyTable(f"signal {keys[0].name}", *keys)
    for keys in (
        (SINE, PERIOD, SHIFT, SPREAD, *_NUMBERS),
        (WALK, STEP, *_NUMBERS),
        (NOISE, DEVIATION, *_NUMBERS),
        (BETWEEN, *_NUMBERS),
        (COUNTER, BY, *_NUMBERS),
        (TOTAL, PER, TIMES, BEGIN, *_NUMBERS),
        (OF, KEY, FACTOR, PLUS, SPREAD, *_NUMBERS),
        (SUM, SUM_KEY, *_NUMBERS),
        (DRAIN, FULL, EMPTY, *_NUMBERS),
        (ON, EVERY, VALUES),
        (CHOICE, WEIGHTS, TAKE),
        (OBJECT,),
    )
}
"""The keys of each signal, by the key that names it."""
