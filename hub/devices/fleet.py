"""A fleet file as a value: which devices there are, what they send and when, what goes wrong, what a demo shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hub.devices.faults import FAULT, Fault, read_fault
from hub.devices.fleet_devices import DEVICE, Device, FleetDevices, read_attributes, read_roster
from hub.devices.known.settable import Allowed, read_settable, written
from hub.devices.payload import DevicePayload, read_payload, read_value, signal_schema
from hub.devices.payload_template import IDENTIFIER, DeviceTopic, topic_template
from hub.documents.document import Node, Problems
from hub.documents.value_schema import LASTING, TEXT, with_schema
from hub.fields import Bad, Key, KeyTable, Section, boolean, duration, integer, late, text
from hub.ingest.mqtt.session import Will
from hub.limits import FLEET_DEVICES

__all__ = ["DEMO", "FLEET", "WILL", "Fleet", "read_fleet"]

_JITTER = 0.1  # of the interval: enough that devices switched on together do not stay in step


@dataclass(frozen=True, slots=True)
class FleetPace:
    """How often each device sends: the interval, and by how much it varies at most, both in seconds."""

    every: float
    jitter: float


@dataclass(frozen=True, slots=True)
class DemoPlay:
    """What `hub demo` plays instead: its own pace, number of devices and faults."""

    pace: FleetPace
    size: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Fleet:
    """Everything one fleet file says. Without `payload` it is a registry only and is not played."""

    name: str
    path: str
    line: int
    topic: DeviceTopic
    roster: FleetDevices
    devices: tuple[Device, ...]
    pace: FleetPace
    payload: DevicePayload | None
    faults: tuple[Fault, ...]
    qos: int
    retain: bool
    will: Will | None
    birth: bytes
    demo: DemoPlay | None
    interval: float | None = None
    """How often each device sends, seconds, where the file says it."""
    settable: Mapping[str, Allowed] = field(default_factory=dict)
    """Which attributes people may set, and to what."""

    @property
    def rate(self) -> float:
        """Events per second as written."""
        return len(self.devices) / self.pace.every if self.payload else 0.0

    def sized(self, size: int) -> "Fleet":
        """Return the fleet with so many devices, more of the same sort or fewer."""
        return self if size == len(self.devices) else replace(self, devices=tuple(self.roster.sized(size)))

    def for_demo(self) -> "Fleet":
        """Return the fleet as its `demo` section wants it, or as it is where there is none."""
        if self.demo is None:
            return self
        return replace(self.sized(self.demo.size), pace=self.demo.pace, faults=self.demo.faults)


def read_fleet(node: Node, problems: Problems) -> Fleet | None:
    """Read one fleet; None where it has problems, all of them reported."""
    before = len(problems)
    section = Section(node, problems, "the fleet", FLEET)
    name = section.take(_FLEET)
    topic = section.take(_TOPIC)
    shared = section.take(_ATTRIBUTES)
    roster = _roster(section, name, topic, shared)
    devices = tuple(device for _, device in roster.written)
    payload = _payload(section, devices)
    pace = _pace(section, required=payload is not None)
    faults = _faults(section, payload, devices)
    qos = section.take(_QOS)
    retain = section.take(_RETAIN)
    will, birth = _will(section, name)
    demo = _demo(section, pace, faults, payload, devices)
    interval = pace.every if _EVERY in section else None
    settable = _settable(section, topic, devices)
    section.finish()
    if len(problems) > before:
        return None
    return Fleet(
        *(name, node.path, node.line, topic, roster, devices, pace, payload, faults),
        *(qos, retain, will, birth, demo, interval, settable),
    )


def _settable(section: Section, topic: DeviceTopic, devices: tuple[Device, ...]) -> Mapping[str, Allowed]:
    """Read `settable`. What the files give must be within the bounds, too: else nobody could go back to it."""
    found = section.take(_SETTABLE)
    for name, bound in found.items():
        node = section.values[_SETTABLE.name].value[name]
        given = [device.attributes[name] for device in devices if name in device.attributes]
        if name in topic.names or name == "fleet":
            section.report(node.problem(f"{name!r} says which device it is, and cannot be set"))
        wrong = next((value for value in given if not bound.allows(value)), None)
        if wrong is not None:
            hint = "widen the bounds, or give the devices a value within them"
            section.report(node.problem(f"a device has {name}={written(wrong)}, and allowed is {bound}", hint))
    return found


@with_schema({**TEXT, "pattern": r"^[A-Za-z_][A-Za-z0-9_-]*$"})
def _name(node: Node) -> str:
    name = text(node)
    if not IDENTIFIER.fullmatch(name.replace("-", "_")):
        raise Bad(node, f"{name!r} cannot be a fleet's name", "letters, digits, _ and -")
    return name


def _roster(section: Section, name: str, topic: DeviceTopic, shared: Mapping[str, Node]) -> FleetDevices:
    node = section.get(_DEVICES)
    if node is None and topic.captures:
        section.report(section.node.problem("the fleet needs the key 'devices'", "a number, or a list of devices"))
        return FleetDevices(name, topic, ())
    # without captures there is one device, and its topic says all
    only = node or Node([Node({}, section.node.path, section.node.line, section.node.column)], section.node.path, 0, 0)
    return read_roster(only, name, topic, shared, section.problems)


def _payload(section: Section, devices: tuple[Device, ...]) -> DevicePayload | None:
    names = {"n", "fleet"}.union(*(device.attributes for device in devices)) if devices else {"n", "fleet"}
    if _PAYLOAD in section and _VALUE in section:
        section.report(section.node.key_problem("value", "payload or value, not both"))
    found = section.take(_PAYLOAD, lambda node: read_payload(node, names, section.problems))
    return section.take(_VALUE, lambda node: read_value(node, names, section.problems), found)


def _pace(section: Section, *, required: bool, default: FleetPace | None = None) -> FleetPace:
    if required:
        section.need(_EVERY)
    every = section.take(_EVERY, default=default.every if default else 1.0)
    same = default is not None and _EVERY not in section
    jitter = section.take(_JITTER_KEY, default=default.jitter if default and same else every * _JITTER)
    if jitter > every:
        section.report(section.values["jitter"].problem("must not be longer than 'every'"))
    return FleetPace(every, jitter)


@with_schema(LASTING)
def _interval(node: Node) -> float:
    seconds = duration(node)
    if seconds < 0.001:
        raise Bad(node, "must be at least 1ms")
    return seconds


def _faults(section: Section, payload: DevicePayload | None, devices: tuple[Device, ...]) -> tuple[Fault, ...]:
    node = section.get(_FAULTS)
    if node is None:
        return ()
    if not isinstance(node.value, list):
        section.report(node.problem("must be a list of faults: - {fault: silence, every: 1d, for: 30m}"))
        return ()
    faults = []
    for item in node.value:
        try:
            faults.append(read_fault(item, payload or DevicePayload({}), devices, section.problems))
        except Bad as error:
            section.report(error.problem)
    return tuple(faults)


def _will(section: Section, name: str) -> tuple[Will | None, bytes]:
    node = section.get(_WILL)
    if node is None:
        return None, b""
    inner = Section(node, section.problems, "the will", WILL)
    topic = inner.take(_WILL_TOPIC, default=f"fleet/{name}/status")
    payload = inner.take(_WILL_PAYLOAD)
    birth = inner.take(_WILL_BIRTH)
    inner.finish()
    return Will(topic, payload.encode()), birth.encode()


@with_schema(TEXT)
def _plain_topic(node: Node) -> str:
    topic = topic_template(node)
    if topic.captures:
        raise Bad(node, "the will is the fleet's, so its topic has no captures", "for instance fleet/freezers/status")
    return topic.text


def _demo(
    section: Section,
    pace: FleetPace,
    faults: tuple[Fault, ...],
    payload: DevicePayload | None,
    devices: tuple[Device, ...],
) -> DemoPlay | None:
    node = section.get(_DEMO)
    if node is None:
        return None
    inner = Section(node, section.problems, "the demo", DEMO)
    pace = _pace(inner, required=False, default=pace)
    size = inner.take(_DEMO_DEVICES, default=len(devices))
    faults = _faults(inner, payload, devices) if _FAULTS in inner else faults
    inner.finish()
    return DemoPlay(pace, size, faults)


_EVERY = Key("every", _interval, 1.0, "How often each device sends.", "10s", sign=False)
_JITTER_KEY = Key(
    "jitter", duration, 0.0, "How far an interval strays from it, either way; a tenth of it.", "1s", sign=False
)
_FAULTS: Key[Any] = Key(
    "faults", late, None, "What goes wrong with devices.", schema={"type": "array", "items": FAULT.schema}
)

_WILL_TOPIC = Key("topic", _plain_topic, "", "Where the fleet says whether it is there.", "fleet/freezers/status")
_WILL_PAYLOAD = Key("payload", text, "offline", "What is there when it has gone.", "offline")
_WILL_BIRTH = Key("birth", text, "online", "What is there when it has come.", "online")
WILL = KeyTable("the will", _WILL_TOPIC, _WILL_PAYLOAD, _WILL_BIRTH)

_DEMO_DEVICES = Key("devices", integer(1, FLEET_DEVICES), 0, "How many devices.", 10)
DEMO = KeyTable("the demo", _EVERY, _JITTER_KEY, _DEMO_DEVICES, _FAULTS)

_FLEET = Key("fleet", _name, "fleet", "Its name: letters, digits, _ and -.", "freezers", required=True)
_TOPIC = Key(
    "topic",
    topic_template,
    DeviceTopic("fleet", ("fleet",), {}),
    "Where each device publishes; a level in braces is a capture.",
    "site/{site}/freezer/{device}",
    required=True,
    sign=False,  # rules of other tools have it, too
)
_NUMBER_OR_DEVICE = {"anyOf": [{"type": "integer", "minimum": 1}, DEVICE]}
_DEVICES: Key[Any] = Key(
    "devices",
    late,
    None,
    "A number of devices, one entry, or a list of entries with captures and attributes.",
    *(10, [{"site": "berlin", "device": 1}]),
    schema={"anyOf": [*_NUMBER_OR_DEVICE["anyOf"], {"type": "array", "items": _NUMBER_OR_DEVICE}]},
)
_NONE: Mapping[str, Node] = {}
_ATTRIBUTES = Key(
    "attributes",
    read_attributes,
    _NONE,
    "What all devices have unless they say otherwise; rules read device.name.",
    {"max_temperature": -15},
)
_NO_BOUNDS: Mapping[str, Allowed] = {}
_SETTABLE = Key(
    "settable",
    read_settable,
    _NO_BOUNDS,
    "Which attributes people may set while the hub runs (hub set), and between what.",
    {"max_temperature": {"min": -25, "max": -10}},
    sign=False,
)
_PAYLOAD: Key[DevicePayload | None] = Key(
    "payload",
    late,
    None,
    "The fields of the JSON object that each device sends: constants and signals.",
    {"temperature": {"walk": [-22, -18]}},
    schema={"type": "object", "minProperties": 1, "additionalProperties": signal_schema()},
    sign=False,
)
_VALUE: Key[DevicePayload | None] = Key(
    "value",
    late,
    None,
    "In place of payload: one constant or signal, sent bare.",
    schema=signal_schema(),
    sign=False,
)
_QOS = Key("qos", integer(0, 1), 1, "Quality of service of all messages.", sign=False)
_RETAIN = Key("retain", boolean, False, "Whether the broker keeps them.", usual=False, sign=False)
_WILL: Key[Any] = Key("will", late, None, "What the fleet says of itself, retained.", schema=WILL.schema)
_DEMO: Key[Any] = Key("demo", late, None, "What hub demo plays instead.", schema=DEMO.schema)
FLEET = KeyTable(
    "fleet file",
    *(_FLEET, _TOPIC, _DEVICES, _ATTRIBUTES, _SETTABLE, _EVERY, _JITTER_KEY, _PAYLOAD, _VALUE, _FAULTS),
    *(_QOS, _RETAIN, _WILL, _DEMO),
    words="A fleet file of the MQTT notification hub: which devices there are, and how they are played.",
)
