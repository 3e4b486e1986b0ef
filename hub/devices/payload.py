"""Reading `payload` and `value`: a field is a constant, or a mapping whose one kind says what it does over time.

temperature: {walk: [-22, -18], step: 0.2, while: door_open, toward: 5, within: 10m}
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from hub.devices import signal_keys as keys
from hub.devices import signals
from hub.devices.payload_template import text_names
from hub.documents.document import Node, Problems
from hub.documents.value_schema import Schema
from hub.fields import Bad, Section, did_you_mean, text

__all__ = ["DevicePayload", "Signal", "read_payload", "read_value", "signal_schema"]


@dataclass(frozen=True, slots=True)
class Signal:
    """A field: how it is made, whether it is a number, and what it is while `on` (None where it is no switch)."""

    make: signals.Maker
    numeric: bool = False
    on: Any = None
    off: Any = None
    keys: frozenset[str] | None = None
    """Of a list: which keys all of its objects have numbers in (empty: it is a list of numbers)."""
    parts: frozenset[str] = frozenset()
    """Of an object: which keys it always has."""


@dataclass(frozen=True, slots=True)
class DevicePayload:
    """All fields in their order; `bare` means that the only one is sent as it is, not in an object."""

    fields: dict[str, Signal]
    bare: bool = False


@dataclass(slots=True)
class _Scope:
    """The names that a field may refer to: the fields above it and the names of the device."""

    fields: dict[str, Signal]
    names: Collection[str]
    problems: Problems


def read_payload(node: Node, names: Collection[str], problems: Problems) -> DevicePayload:
    """Read the mapping of fields; `names` are those that braces may hold."""
    if not isinstance(node.value, dict) or not node.value:
        raise Bad(node, "must be a mapping of fields (name: value or signal)", "a bare value is `value: …`")
    scope = _Scope({}, names, problems)
    return DevicePayload(_fields(node, scope))


def read_value(node: Node, names: Collection[str], problems: Problems) -> DevicePayload:
    """Read the one signal of a device that sends a bare value."""
    return DevicePayload({"value": _signal(node, _Scope({}, names, problems))}, bare=True)


def _fields(node: Node, scope: _Scope) -> dict[str, Signal]:
    for name, item in node.value.items():
        try:
            scope.fields[name] = _signal(item, scope)
        except Bad as error:
            scope.problems.append(error.problem)
            scope.fields[name] = Signal(signals.constant(None), True, True, False)  # so that others may refer to it
    return scope.fields


def _signal(node: Node, scope: _Scope) -> Signal:
    if not isinstance(node.value, dict):
        text_names(node, scope.names)
        plain = node.plain()
        return Signal(signals.constant(plain), _is_number(plain), keys=_number_keys(plain))
    kinds = [key for key in node.value if key in _KINDS]
    if len(kinds) != 1:
        first = next(iter(node.value), "")
        hint = did_you_mean(first, _KINDS) or f"known signals: {', '.join(sorted(_KINDS))}"
        raise Bad(node, f"must be one signal, not {' and '.join(kinds) or 'none'}", hint)
    section = Section(node, scope.problems, f"the signal {kinds[0]}", keys.SIGNALS[kinds[0]])
    signal = _KINDS[kinds[0]](section, scope)
    section.finish()
    return signal


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number_keys(value: Any) -> frozenset[str] | None:
    """Return which keys of a list's objects always hold numbers; None where it is no list that can be summed."""
    if not isinstance(value, list):
        return None
    if all(_is_number(item) for item in value):
        return frozenset()
    if not all(isinstance(item, dict) for item in value):
        return None
    keys = [{key for key, inner in item.items() if _is_number(inner)} for item in value]
    return frozenset(set.intersection(*keys)) or None


def _field(scope: _Scope, *, switch: bool = False) -> Callable[[Node], str]:
    """Make a reader of the name of a field above: one that is a number, or one that is on and off."""

    def convert(node: Node) -> str:
        name = text(node)
        if name not in scope.fields:
            hint = did_you_mean(name, scope.fields) or "a field can only follow one that stands above it"
            raise Bad(node, f"no field {name!r} above", hint)
        if switch and scope.fields[name].on is None:
            raise Bad(node, f"{name!r} is never on or off", f"make it a switch, {name}: {{on: 30s, every: 10m}}")
        if not switch and not scope.fields[name].numeric:
            raise Bad(node, f"{name!r} is not a number")
        return name

    return convert


def _number_signal(section: Section, scope: _Scope, make: signals.Maker, digits: int = 1) -> Signal:
    """Add what every number may have: `digits`, and `while`, `toward`, `within`."""
    if keys.WHILE in section:
        field = section.take(keys.WHILE, _field(scope, switch=True))
        section.need(keys.TOWARD)
        toward = section.take(keys.TOWARD)
        section.need(keys.WITHIN)
        within = section.take(keys.WITHIN)
        if field:
            make = signals.pulled(make, field, scope.fields[field].on, toward, within)
    return Signal(signals.rounded(make, section.take(keys.DIGITS, default=digits)), numeric=True)


def _sine(section: Section, scope: _Scope) -> Signal:
    low, high = section.take(keys.SINE)
    period = section.take(keys.PERIOD)
    shift = section.take(keys.SHIFT)
    make = signals.sine(low, high, period, shift, section.take(keys.SPREAD))
    return _number_signal(section, scope, make)


def _walk(section: Section, scope: _Scope) -> Signal:
    low, high = section.take(keys.WALK)
    return _number_signal(section, scope, signals.walk(low, high, section.take(keys.STEP, default=(high - low) / 20)))


def _noise(section: Section, scope: _Scope) -> Signal:
    mean = section.take(keys.NOISE)
    return _number_signal(section, scope, signals.noise(mean, section.take(keys.DEVIATION)))


def _between(section: Section, scope: _Scope) -> Signal:
    low, high = section.take(keys.BETWEEN)
    digits = section.get(keys.DIGITS)
    whole = digits is None and low.is_integer() and high.is_integer()
    return _number_signal(section, scope, signals.between(low, high, whole), 0 if whole else 1)


def _counter(section: Section, scope: _Scope) -> Signal:
    start = section.take(keys.COUNTER)
    low, high = section.take(keys.BY)
    whole = all(value.is_integer() for value in (start, low)) and low == high
    return _number_signal(section, scope, signals.counter(start, low, high), 0 if whole else 3)


def _choice(section: Section, scope: _Scope) -> Signal:
    node = section.get(keys.CHOICE)
    if node is None or not isinstance(node.value, list) or not node.value:
        raise Bad(node or section.node, "must be a list of what can be chosen: choice: [a, b]")
    text_names(node, scope.names)
    options = node.plain()
    weights = section.take(keys.WEIGHTS)
    if weights and (len(weights) != len(options) or sum(weights) <= 0):
        raise Bad(section.values["weights"], f"must be one weight for each of the {len(options)} choices")
    least, most = section.take(keys.TAKE)
    if not 0 <= least <= most <= len(options):
        raise Bad(section.values["take"], f"must be how many of the {len(options)} choices: [least, most]")
    make = signals.choice(options, weights, int(least), int(most))
    if most:
        return Signal(make, keys=_number_keys(options))
    objects = all(isinstance(option, dict) for option in options)
    parts = frozenset(set.intersection(*map(set, options))) if objects else frozenset()
    return Signal(make, all(map(_is_number, options)), parts=parts)


def _switch(section: Section, scope: _Scope) -> Signal:
    on_for, every = section.take(keys.ON), section.take(keys.EVERY)
    off, on = False, True
    node = section.get(keys.VALUES)
    if node is not None:
        if not isinstance(node.value, list) or len(node.value) != 2 or node.value[0].value == node.value[1].value:
            raise Bad(node, "must be two different values: [off, on]")
        text_names(node, scope.names)
        off, on = node.plain()
    return Signal(signals.switch(on_for, every, off, on), on=on, off=off)


def _drain(section: Section, scope: _Scope) -> Signal:
    over = section.take(keys.DRAIN)
    full, empty = section.take(keys.FULL), section.take(keys.EMPTY)
    return _number_signal(section, scope, signals.drain(over, full, empty), 0)


def _of(section: Section, scope: _Scope) -> Signal:
    if keys.KEY in section:
        return _part(section, scope)
    field = section.take(keys.OF, _field(scope))
    times, plus = section.take(keys.FACTOR), section.take(keys.PLUS)
    return _number_signal(section, scope, signals.of(field, times, plus, section.take(keys.SPREAD)))


def _part(section: Section, scope: _Scope) -> Signal:
    """Read `of: field, key: name`: one part of an object above."""
    field, key = section.take(keys.OF, text), section.take(keys.KEY)
    parts = scope.fields[field].parts if field in scope.fields else frozenset()
    if key not in parts:
        hint = did_you_mean(field, scope.fields) if field not in scope.fields else did_you_mean(key, parts)
        raise Bad(section.values["key"], f"no field {field!r} above that always has the key {key!r}", hint)
    return Signal(signals.part(field, key))


def _total(section: Section, scope: _Scope) -> Signal:
    field = section.take(keys.TOTAL, _field(scope))
    per, times = section.take(keys.PER), section.take(keys.TIMES)
    start = section.take(keys.BEGIN)
    return _number_signal(section, scope, signals.total(field, per, times, start), 3)


def _sum(section: Section, scope: _Scope) -> Signal:
    node = section.get(keys.SUM)
    field = section.take(keys.SUM)
    key = section.take(keys.SUM_KEY)
    parts = scope.fields[field].keys if field in scope.fields else None
    if node is not None and parts is None:
        hint = did_you_mean(field, scope.fields) or "sum adds up a list of numbers, or of objects by their key"
        raise Bad(node, f"no list {field!r} above that could be summed", hint)
    if parts and key not in parts:
        raise Bad(
            section.get(keys.SUM_KEY) or section.node, f"needs a key that holds a number: {', '.join(sorted(parts))}"
        )
    return _number_signal(section, scope, signals.summed(field, key), 2)


def _object(section: Section, scope: _Scope) -> Signal:
    node = section.get(keys.OBJECT)
    if node is None or not isinstance(node.value, dict):
        raise Bad(node or section.node, "must be a mapping of fields: object: {name: value}")
    inner = _Scope({}, scope.names, scope.problems)
    return Signal(signals.nested([(name, signal.make) for name, signal in _fields(node, inner).items()]))


_KINDS: dict[str, Callable[[Section, _Scope], Signal]] = {
    "between": _between,
    "choice": _choice,
    "counter": _counter,
    "drain": _drain,
    "noise": _noise,
    "object": _object,
    "of": _of,
    "on": _switch,
    "sine": _sine,
    "sum": _sum,
    "total": _total,
    "walk": _walk,
}
if _KINDS.keys() != keys.SIGNALS.keys():
    raise AssertionError("each signal has a reader here and a table of its keys in signal_keys.py")


def signal_schema() -> Schema:
    """Return the schema of a field: a constant, or one of the signals."""
    return {"anyOf": [{"not": {"type": "object"}}, *(table.schema for table in keys.SIGNALS.values())]}
