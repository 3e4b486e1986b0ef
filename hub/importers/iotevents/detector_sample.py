"""Writes a test beside an imported rule: messages that a detector would begin and end its alarm with.

The messages are found from the conditions, and judged by an evaluator of theirs, so that the test holds the rule
against what the model says, not against itself.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from hub.documents.duration import format_duration
from hub.importers.draft import DraftEntry, Value
from hub.importers.iotevents.detector_expression import NotSaid, Term, negated
from hub.importers.iotevents.detector_shape import DetectorAlarm, either

__all__ = ["judged", "payload_for", "sample_test"]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_STEP = 60  # seconds between the messages of a test


def sample_test(rule: DraftEntry, alarm: DetectorAlarm, topic: str, key: str) -> DraftEntry | None:
    """Return a test of a rule as `tests` of a rule file has it; None where no messages for it are found."""
    name = str(rule.keys["alert"])
    if not alarm.when:
        return None
    when, clear = either(alarm.when), either(alarm.clear)
    bad, good = payload_for(when), payload_for(negated(when), clear)
    if bad is None or good is None or judged(clear, bad) is True:
        return None
    begins = _STEP + round(alarm.hold)
    ends = begins + _STEP + round(alarm.clear_hold)
    if alarm.absent is not None and max(alarm.hold, alarm.clear_hold, _STEP) + _STEP >= alarm.absent:
        return None  # it would be silent between the messages
    payloads = [_payload(fields, key) for fields in (good, bad, good)]
    if None in payloads:
        return None
    sent = zip((0, _STEP, begins + _STEP), payloads, strict=True)
    topic = topic.replace("+", "x").replace("#", "x")
    expected: list[Value] = [
        {"at": _at(begins - 1), "alert": name, "state": "pending" if alarm.hold > 1 else "inactive"},
        {"at": _at(begins + 1), "alert": name, "state": "firing", "notified": rule.keys["notify"]},
        {"at": _at(ends + 1), "alert": name, "state": "resolved"},
    ]
    return DraftEntry(
        {
            "name": f"{name} begins and ends as the detector did",
            "topic": topic,
            "send": {_at(at): payload or {} for at, payload in sent},
            "expect": expected,
        }
    )


def _at(seconds: int) -> str:
    text = format_duration(seconds) if seconds else "0s"
    return text if seconds < 86_400 else f"{seconds}s"


def _payload(fields: Mapping[tuple[Any, ...], Any], key: str) -> dict[str, Value] | None:
    """Make a payload of values by path, with the key of the detector; None where one path is a part of another."""
    payload: dict[str, Any] = {}
    for path, value in {**({tuple(key.split(".")): "k1"} if key else {}), **fields}.items():
        place = payload
        for step in path[:-1]:
            place = place.setdefault(step, {})
            if not isinstance(place, dict):
                return None
        if isinstance(path[-1], int) or isinstance(place.get(path[-1]), dict) or not all(map(str, path)):
            return None
        place[path[-1]] = value
    return payload


def payload_for(*terms: Term) -> dict[tuple[Any, ...], Any] | None:
    """Return values by path with which all conditions hold; None where none are found."""
    choices = [choice for choice in _choices(terms[0]) if all(judged(term, choice) is True for term in terms)]
    if not choices and len(terms) > 1:
        choices = [choice for choice in _choices(terms[1]) if all(judged(term, choice) is True for term in terms)]
    return choices[0] if choices else None


def _choices(term: Term) -> list[dict[tuple[Any, ...], Any]]:  # noqa: PLR0911 - a kind of term each
    """Return values to try, at most 64."""
    match term:
        case ("&&", left, right):
            return [{**one, **other} for one in _choices(left)[:8] for other in _choices(right)[:8]]
        case ("||", left, right):
            both = [{**one, **other} for one in _choices(left)[:4] for other in _choices(right)[:4]]
            return (both + _choices(left) + _choices(right))[:64]
        case ("not", inner):
            return _choices(inner)
        case (compare, ("input", _, path), other) | (compare, other, ("input", _, path)) if compare in _COMPARE:
            if any(isinstance(step, int) for step in path):
                return []
            return [{path: value} for value in _near(other)]
        case ("input", _, path) if not any(isinstance(step, int) for step in path):
            return [{path: True}, {path: False}]
        case ("bool", _):
            return [{}]
    return []


def _near(constant: Term) -> list[Any]:
    if constant[0] == "minus" and constant[1][0] == "num":
        return [-value for value in _near(constant[1])]
    if constant[0] == "num":
        number = float(constant[1])
        if number.is_integer():
            return [int(number), int(number) + 1, int(number) - 1]
        return [round(number + off, 6) for off in (0, 1, -1)]
    return {"str": [constant[1], f"not {constant[1]}"], "bool": [True, False]}.get(constant[0], [])


def judged(term: Term, values: Mapping[tuple[Any, ...], Any]) -> bool | None:
    """Return whether a condition holds, as the service judges it; None where it does not say."""
    try:
        found = _value(term, values)
    except (NotSaid, TypeError):
        return None
    return found if isinstance(found, bool) else None


def _value(term: Term, values: Mapping[tuple[Any, ...], Any]) -> Any:  # noqa: PLR0911 - a kind of term each
    match term:
        case ("num", text):
            return float(text)
        case ("str" | "bool", plain):
            return plain
        case ("input", _, path) if path in values:
            return values[path]
        case ("minus", inner):
            return -_value(inner, values)
        case ("not", inner):
            return not _value(inner, values)
        case ("&&", left, right):
            return _value(left, values) and _value(right, values)
        case ("||", left, right):
            return judged(left, values) is True or _value(right, values)
        case (compare, left, right) if compare in _COMPARE:
            return _COMPARE[compare](_value(left, values), _value(right, values))
    raise NotSaid("it asks for more than the message")
