"""Bounds: which attributes of devices people may set while the hub runs, and to what. The author of a fleet says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isclose, isfinite
from typing import Any

from hub.devices.payload_template import IDENTIFIER
from hub.documents.document import Node
from hub.documents.value_schema import NAME, Schema, with_schema
from hub.fields import Bad
from hub.limits import SETTING_CHARS, SETTING_CHOICES

__all__ = ["BOUND", "Allowed", "bound_of", "read_settable", "written"]

Scalar = bool | int | float | str
_KEYS = ("min", "max", "step", "of")
BOUND: Schema = {
    "type": "object",
    "properties": {
        "min": {"title": "min", "description": "The least number.", "type": "number"},
        "max": {"title": "max", "description": "The greatest number.", "type": "number"},
        "step": {
            "title": "step",
            "description": "From min on in such steps; any number where it is not said.",
            "type": "number",
            "exclusiveMinimum": 0,
        },
        "of": {
            "title": "of",
            "description": "In place of numbers: the values that are allowed.",
            "type": "array",
            "minItems": 1,
            "items": {"type": ["boolean", "number", "string"]},
        },
    },
    "additionalProperties": False,
    "anyOf": [{"required": ["min", "max"]}, {"required": ["of"]}],
}


@dataclass(frozen=True, slots=True)
class Allowed:
    """What an attribute may be set to: a number from `least` to `most` (in steps from `least`), or one of `choices`."""

    least: float = 0.0
    most: float = 0.0
    step: float = 0.0
    choices: tuple[Scalar, ...] = ()

    def __str__(self) -> str:
        if self.choices:
            return f"one of {', '.join(map(written, self.choices))}"
        steps = f" in steps of {written(self.step)}" if self.step else ""
        return f"a number from {written(self.least)} to {written(self.most)}{steps}"

    def allows(self, value: Any) -> bool:
        """Tell whether an attribute may have this value."""
        if self.choices:
            return any(type(value) is type(each) and value == each for each in self._alike(value))
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            return False
        return self.least <= value <= self.most and (not self.step or self._is_step(value))

    def _alike(self, value: Any) -> tuple[Any, ...]:
        """Return the choices; for a number, as numbers of its type, so that 1.0 is 1."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self.choices
        return tuple(type(value)(each) for each in self.choices if not isinstance(each, bool | str) and each == value)

    def _is_step(self, value: float) -> bool:
        steps = (value - self.least) / self.step
        return isclose(steps, round(steps), rel_tol=1e-9, abs_tol=1e-6)

    def body(self) -> dict[str, Any]:
        """Return it as the API shows it."""
        if self.choices:
            return {"of": list(self.choices)}
        return {"min": self.least, "max": self.most, **({"step": self.step} if self.step else {})}


def written(value: Any) -> str:
    """Write a value as people do: -16, not -16.0."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def bound_of(found: Mapping[str, Any]) -> Allowed:
    """Make a bound of `min`, `max`, `step`, or `of`.

    Raises:
        ValueError: they make none; it says why.

    """
    unknown = next((key for key in found if key not in _KEYS), None)
    if unknown is not None:
        raise ValueError(f"{unknown!r} is no bound; write min, max and step, or of")
    if "of" in found:
        return Allowed(choices=_choices(found))
    numbers = {key: found[key] for key in _KEYS if key in found}
    for key, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise ValueError(f"{key!r} must be a number")
    if "min" not in numbers or "max" not in numbers:
        raise ValueError("bounds need min and max, or of: a list of what is allowed")
    if numbers["min"] > numbers["max"]:
        raise ValueError("'min' must not be above 'max'")
    if numbers.get("step", 1) <= 0:
        raise ValueError("'step' must be above 0")
    return Allowed(numbers["min"], numbers["max"], numbers.get("step", 0))


def _choices(found: Mapping[str, Any]) -> tuple[Scalar, ...]:
    choices = found["of"]
    if len(found) > 1:
        raise ValueError("bounds are min, max and step, or of, not both")
    if not isinstance(choices, list) or not 0 < len(choices) <= SETTING_CHOICES:
        raise ValueError(f"'of' must be a list of 1 to {SETTING_CHOICES} values")
    for each in choices:
        if not isinstance(each, bool | int | float | str) or len(str(each)) > SETTING_CHARS:
            raise ValueError("each value of 'of' must be a number, a text or a truth value")
    return tuple(choices)


@with_schema({"type": "object", "propertyNames": {"pattern": NAME}, "additionalProperties": BOUND})
def read_settable(node: Node) -> dict[str, Allowed]:
    """Read `settable`: attributes and their bounds."""
    if not isinstance(node.value, dict):
        raise Bad(node, "must be a mapping of attributes to their bounds", "limit: {min: -25, max: -10}")
    found = {}
    for name, each in node.value.items():
        if not IDENTIFIER.fullmatch(name):
            raise Bad(each, f"{name!r} cannot be an attribute's name", "rules say device.name: letters, digits and _")
        if not isinstance(each.value, dict):
            raise Bad(each, f"{name!r} needs bounds", f"{name}: {{min: -25, max: -10}}, or {name}: {{of: [eco, full]}}")
        try:
            found[name] = bound_of(each.plain())
        except ValueError as error:
            raise Bad(each, str(error)) from None
    return found
