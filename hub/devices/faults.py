"""What goes wrong with simulated devices: drift, spike, stuck, flapping, silence, bad JSON, by chance or by the clock.

{fault: drift, field: temperature, by: 12, every: 6h, for: 20m}     each device, every 6 hours on average
{fault: silence, only: {device: f3}, at: 10s, for: 20s}             this one, 10 s after the start
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from hub.devices.fleet_devices import Device
from hub.devices.payload import DevicePayload, Signal
from hub.documents.document import Node, Problems
from hub.fields import Bad, Key, KeyTable, Section, did_you_mean, duration, late, number, one_of, text

__all__ = ["FAULT", "Fault", "Running", "read_fault"]

_NEVER = float("inf")
_KINDS = ("bad_json", "drift", "flapping", "silence", "spike", "stuck")
_ONE_MESSAGE = ("bad_json", "spike")  # those that need no `for`


_FAULT = Key("fault", one_of(*_KINDS), "", "What goes wrong.", required=True)
_FIELD = Key("field", text, "", "In which field.", "temperature")
_BY = Key("by", number, None, "How much more it is.", 12)
_TO: Key[Any] = Key("to", late, None, "What it is instead.", 85, schema={})
_EVERY = Key("every", duration, 0.0, "How often on average, or with 'at' exactly.", "6h")
_AT = Key("at", duration, None, "When, after the start.", "10s")
_FOR = Key("for", duration, 0.0, "How long it lasts.", "30m")
_ONLY: Key[Any] = Key(
    "only",
    late,
    None,
    "Only devices with these captures or attributes.",
    {"device": ["f1", "f2"]},
    schema={"type": "object"},
)
FAULT = KeyTable("a fault", _FAULT, _FIELD, _BY, _TO, _EVERY, _AT, _FOR, _ONLY)


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault and when it comes: at an offset (again after each `every`), or by chance (`every`: mean time).

    Times are simulated seconds.
    """

    kind: str
    field: str
    by: float | None
    to: Any
    every: float
    at: float | None
    lasts: float
    only: Mapping[str, tuple[Any, ...]]
    other: Mapping[Any, Any]
    """Of flapping: what a value turns into, where `by` and `to` do not say."""

    def concerns(self, device: Device) -> bool:
        """Tell whether a device can have the fault."""
        return _matches(device, self.only)

    def start(self, rng: Random) -> "Running":
        """Begin the fault in one device, with the device's own random numbers."""
        return Running(self, rng)


class Running:
    """A fault in one device: when it comes next, and what it does to a value."""

    __slots__ = ("end", "fault", "flip", "held", "rng", "start")

    def __init__(self, fault: Fault, rng: Random) -> None:
        """Schedule the first time."""
        self.fault, self.rng = fault, rng
        self.start = self.end = 0.0
        self.flip, self.held = False, _Unset
        self._schedule(fault.at if fault.at is not None else self._pause())

    def active(self, now: float) -> bool:
        """Tell whether the fault is present; one without a duration is so for the first message after its time."""
        if now < self.start:
            return False
        if now < self.end:
            return True
        hit = self.start == self.end
        while now >= self.end:
            fixed = self.fault.at is not None
            self._schedule(self.start + (self.fault.every or _NEVER) if fixed else self.end + self._pause())
            if hit:
                break
        return hit or now >= self.start

    def apply(self, now: float, value: Any) -> Any:
        """Return what the device sends instead of a value."""
        fault = self.fault
        if fault.kind == "drift":
            return round(value + (fault.by or 0.0) * (now - self.start) / (self.end - self.start), 2)
        if fault.kind == "stuck":
            if self.held is _Unset:
                self.held = value if fault.to is None else fault.to
            return self.held
        if fault.kind == "flapping":
            self.flip = not self.flip
            if not self.flip:
                return value
        if fault.to is not None:
            return fault.to
        return round(value + fault.by, 3) if fault.by is not None else fault.other.get(value, value)

    def _schedule(self, start: float) -> None:
        lasts = self.fault.lasts
        if self.fault.at is None:
            lasts *= 0.5 + self.rng.random()
        self.start, self.end = start, start + lasts
        self.flip, self.held = False, _Unset

    def _pause(self) -> float:
        return self.rng.expovariate(1 / self.fault.every)


class _Unset:
    """Marks that a stuck field has not been caught yet; None is a value a field can have."""


def read_fault(node: Node, payload: DevicePayload, devices: Collection[Device], problems: Problems) -> Fault:
    """Read one fault of a fleet with these fields and devices."""
    section = Section(node, problems, "a fault", FAULT)
    kind = section.take(_FAULT)
    field, signal = _field(section, kind, payload)
    by = section.take(_BY) if signal is None or signal.numeric else None
    to = section.get(_TO)
    if signal is not None and kind != "drift" and to is not None and signal.numeric:
        number(to)
    if kind == "drift" and by is None:
        raise Bad(node, "drift needs 'by', how far it goes within its 'for'")
    other = {} if signal is None or signal.on is None else {signal.on: signal.off, signal.off: signal.on}
    if kind in ("spike", "flapping") and by is None and to is None and not (kind == "flapping" and other):
        raise Bad(node, f"{kind} needs 'to' (a value) or 'by' (a difference)")
    at = section.take(_AT)
    every = section.take(_EVERY)
    lasts = section.take(_FOR)
    if at is None and every <= 0:
        raise Bad(node, "a fault needs 'every' (the mean time between) or 'at' (after the start)")
    if lasts <= 0 and kind not in (*_ONE_MESSAGE, ""):
        raise Bad(node, f"{kind} needs 'for', how long it lasts")
    if at is not None and 0 < every <= lasts:
        raise Bad(node, "with 'at', 'every' must be longer than 'for'")
    fault = Fault(kind, field, by, to.plain() if to else None, every, at, lasts, _only(section, devices), other)
    section.finish()
    return fault


def _field(section: Section, kind: str, payload: DevicePayload) -> tuple[str, Signal | None]:
    """Take the field that a fault changes; `silence` and `bad_json` concern the whole message."""
    if kind in ("silence", "bad_json", ""):
        return "", None
    field = section.take(_FIELD, default="value" if payload.bare else "")
    signal = payload.fields.get(field)
    if signal is None:
        at = section.values.get("field", section.node)
        hint = did_you_mean(field, payload.fields) or f"fields: {', '.join(payload.fields)}"
        raise Bad(at, f"no field {field!r} in the payload" if field else f"{kind} needs 'field'", hint)
    if kind == "drift" and not signal.numeric:
        raise Bad(section.values.get("field", section.node), f"{field!r} is not a number, so it cannot drift")
    return field, signal


def _only(section: Section, devices: Collection[Device]) -> dict[str, tuple[Any, ...]]:
    node = section.get(_ONLY)
    if node is None:
        return {}
    if not isinstance(node.value, dict):
        raise Bad(node, "must be a mapping: only: {device: f3}")
    only = {key: _several(item.plain()) for key, item in node.value.items()}
    known: set[str] = set()
    known.update(*(device.attributes for device in devices))
    for key, item in node.value.items():
        if devices and key not in known:
            raise Bad(item, f"no device has {key!r}", did_you_mean(key, known))
    if devices and not any(_matches(device, only) for device in devices):
        raise Bad(node, "no device of the fleet is meant by this")
    return only


def _several(value: Any) -> tuple[Any, ...]:
    """Return the values, each also as the text that a capture would be."""
    values: Iterable[Any] = value if isinstance(value, list) else [value]
    return tuple(form for each in values for form in ((each, str(each)) if isinstance(each, int) else (each,)))


def _matches(device: Device, only: Mapping[str, tuple[Any, ...]]) -> bool:
    return all(device.attributes.get(name) in wanted for name, wanted in only.items())
