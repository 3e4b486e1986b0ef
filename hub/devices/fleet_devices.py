"""The `devices` of a fleet: those written one by one and those a `count` makes, each with captures and attributes.

A list in an entry with `count` is taken in turn (`site: [berlin, hamburg]`); `{n}` is the number within the entry.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count as numbers
from typing import Any

from hub.devices.known.settable import Allowed
from hub.devices.payload_template import IDENTIFIER, DeviceTopic, render, text_names, topic_level
from hub.documents.document import Node, Problems
from hub.documents.secret import Secret
from hub.documents.value_schema import NAME, Schema, with_schema
from hub.fields import Bad, Key, Section, integer
from hub.limits import FLEET_DEVICES

__all__ = ["DEVICE", "Device", "FleetDevices", "read_attributes", "read_roster"]


_COUNT = Key(
    "count",
    integer(1, FLEET_DEVICES),
    0,
    "So many devices; {n} is the number, a list is taken in turn.",
)
DEVICE: Schema = {
    "title": "a device, or many of a sort",
    "type": "object",
    "properties": {_COUNT.name: _COUNT.schema},
    "propertyNames": {"pattern": NAME},
}
"""The schema of an entry: all its other keys are captures and attributes."""


@dataclass(frozen=True, slots=True)
class Device:
    """One device: what its topic's captures are, and what is known of it (its captures among the attributes)."""

    fleet: str
    topic: str
    captures: Mapping[str, str]
    attributes: Mapping[str, Any]
    settable: Mapping[str, Allowed] | None = None
    """What may be set of this device alone; None: what its fleet says."""


@dataclass(frozen=True, slots=True)
class DeviceEntry:
    """One item of `devices`: plain values, with braces; `count` is None for a single device."""

    values: Mapping[str, Any]
    count: int | None


class FleetDevices:
    """Makes the devices of a fleet, as many as written or any other number of the same sort."""

    def __init__(self, fleet: str, topic: DeviceTopic, entries: tuple[DeviceEntry, ...]) -> None:
        """Take the entries with the fleet's `attributes` already in them."""
        self.fleet, self.topic, self.entries = fleet, topic, entries
        self.written = [(index, device) for index, entry in enumerate(entries) for device in self._all(entry)]

    def _all(self, entry: DeviceEntry) -> Iterable[Device]:
        return (self.device(entry, n) for n in range(1, (1 if entry.count is None else entry.count) + 1))

    def device(self, entry: DeviceEntry, n: int, suffix: str = "") -> Device:
        """Make device `n` (from 1) of an entry; `suffix` goes behind the last capture."""
        values = dict(entry.values)
        if entry.count is not None:
            values = {key: _in_turn(value, n) for key, value in values.items()}
        known: dict[str, Any] = {"n": n, "fleet": self.fleet}
        captures: dict[str, str] = {}
        for name in self.topic.names:
            captures[name] = topic_level(render(values.pop(name, "{n}"), known))
            known[name] = captures[name]
        if suffix and captures:
            captures[self.topic.names[-1]] += suffix
        attributes = {**known, **captures, **{key: render(value, known | captures) for key, value in values.items()}}
        del attributes["n"]
        return Device(self.fleet, self.topic.render(captures), captures, attributes)

    def sized(self, size: int) -> list[Device]:
        """Return the first `size` devices; beyond those of the file, more like the last counted entry makes."""
        devices = [device for _, device in self.written[:size]]
        return [*devices, *self._more(devices, size - len(devices))] if devices else []

    def _more(self, devices: list[Device], size: int) -> Iterable[Device]:
        known = {device.topic for device in devices}
        entry = next((entry for entry in reversed(self.entries) if entry.count), None)
        singles = self.entries
        for n in numbers(1):
            if size <= 0 or not self.topic.captures:
                return
            if entry is not None:
                device = self.device(entry, (entry.count or 0) + n)
            else:
                device = self.device(singles[(n - 1) % len(singles)], n, f"-{n}")
            if device.topic in known:
                device = self.device(entry or singles[0], n, f"-{n}")
            if device.topic not in known:
                known.add(device.topic)
                size -= 1
                yield device


def _in_turn(value: Any, n: int) -> Any:
    return value[(n - 1) % len(value)] if isinstance(value, list) and value else value


@with_schema({"type": "object", "propertyNames": {"pattern": NAME}})
def read_attributes(node: Node) -> dict[str, Node]:
    """Read a mapping of attributes; their names are used as `device.name` in rules."""
    if not isinstance(node.value, dict):
        raise Bad(node, "must be a mapping of attributes (name: value)")
    for key, value in node.value.items():
        if not IDENTIFIER.fullmatch(key):
            raise Bad(value, f"{key!r} cannot be an attribute's name", "rules say device.name: letters, digits and _")
        _no_secret(value)
    return node.value


def _no_secret(node: Node) -> None:
    if isinstance(node.value, Secret):
        raise Bad(node, "attributes are shown in texts and topics, so a secret cannot be one")
    inner = node.value
    for item in inner if isinstance(inner, list) else inner.values() if isinstance(inner, dict) else ():
        _no_secret(item)


def read_roster(
    node: Node | None, fleet: str, topic: DeviceTopic, shared: Mapping[str, Node], problems: Problems
) -> FleetDevices:
    """Read `devices`: a number, one entry or a list of entries. What is wrong is added to the problems."""
    items = [] if node is None else node.value if isinstance(node.value, list) else [node]
    entries, places = [], []
    for item in items:
        try:
            entries.append(_entry(item, topic, shared, problems))
            places.append(item)
        except Bad as error:
            problems.append(error.problem)
    if sum(entry.count or 1 for entry in entries) > FLEET_DEVICES:
        problems.append(places[0].problem(f"more than {FLEET_DEVICES} devices in one fleet"))
        entries = []
    roster = FleetDevices(fleet, topic, tuple(entries))
    _check(roster, places, problems)
    return roster


def _entry(node: Node, topic: DeviceTopic, shared: Mapping[str, Node], problems: Problems) -> DeviceEntry:
    count, own = None, dict[str, Node]()
    if isinstance(node.value, int):
        count = integer(1, FLEET_DEVICES)(node)
    else:
        section = Section(node, problems, "a device")
        count = section.take(_COUNT) or None
        rest = {key: value for key, value in section.values.items() if key != _COUNT.name}
        own = read_attributes(Node(rest, node.path, node.line, node.column))
    values = {**shared, **own}
    for name in topic.names:
        if name not in values and (count is None or name != topic.names[-1]):
            raise Bad(node, f"the device needs '{name}', a level of its topic {topic.text}")
    for key, value in values.items():
        text_names(value, ("n", "fleet") if key in topic.names else ("n", "fleet", *topic.names))
    return DeviceEntry({key: value.plain() for key, value in values.items()}, count)


def _check(roster: FleetDevices, places: list[Node], problems: Problems) -> None:
    """Report devices whose topic cannot be, or is there twice; once for each entry."""
    seen: set[str] = set()
    bad: set[int] = set()
    for index, device in roster.written:
        empty = next((name for name, value in device.captures.items() if not value), None)
        if empty is not None and index not in bad:
            bad.add(index)
            message = f"{empty!r} must be one level of a topic: text without / + # and control characters"
            problems.append(places[index].problem(message))
        elif device.topic in seen and index not in bad:
            bad.add(index)
            hint = "each device needs captures of its own; {n} numbers those of a count"
            problems.append(places[index].problem(f"the device {device.topic} is there twice", hint))
        seen.add(device.topic)
