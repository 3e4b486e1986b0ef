"""A fleet file as a value: who the devices are, what they send and when, what goes wrong, what a demo shows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hub.devices.faults import Fault, read_fault
from hub.devices.payload import Payload, read_payload, read_value
from hub.devices.roster import Device, Roster, read_attributes, read_roster
from hub.devices.template import IDENTIFIER, TopicTemplate, topic_template
from hub.document import Node, Problems
from hub.fields import Bad, Section, boolean, duration, integer, text
from hub.ingest.session import Will
from hub.limits import FLEET_DEVICES

__all__ = ["Fleet", "read_fleet"]

_JITTER = 0.1  # of the interval: enough that devices switched on together do not stay in step


@dataclass(frozen=True, slots=True)
class Pace:
    """How often each device sends: the interval and how far it strays from it, seconds."""

    every: float
    jitter: float


@dataclass(frozen=True, slots=True)
class Demo:
    """What `hub demo` plays instead: its own pace, number of devices and faults."""

    pace: Pace
    size: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Fleet:
    """Everything one fleet file says. Without `payload` it is a registry only and is not played."""

    name: str
    path: str
    line: int
    topic: TopicTemplate
    roster: Roster
    devices: tuple[Device, ...]
    pace: Pace
    payload: Payload | None
    faults: tuple[Fault, ...]
    qos: int
    retain: bool
    will: Will | None
    birth: bytes
    demo: Demo | None
    interval: float | None = None
    """How often each device sends, seconds, where the file says it."""

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
    section = Section(node, problems, "the fleet")
    name = section.require("fleet", _name, "fleet")
    topic = section.require("topic", topic_template, TopicTemplate("fleet", ("fleet",), {}))
    shared: Mapping[str, Node] = section.take("attributes", read_attributes, {})
    roster = _roster(section, name, topic, shared)
    devices = tuple(device for _, device in roster.written)
    payload = _payload(section, devices)
    pace = _pace(section, required=payload is not None)
    faults = _faults(section, payload, devices)
    qos = section.take("qos", integer(0, 1), 1)
    retain = section.take("retain", boolean, False)
    will, birth = _will(section, name)
    demo = _demo(section, pace, faults, payload, devices)
    interval = pace.every if "every" in section else None
    section.finish()
    if len(problems) > before:
        return None
    return Fleet(
        *(name, node.path, node.line, topic, roster, devices, pace, payload, faults),
        *(qos, retain, will, birth, demo, interval),
    )


def _name(node: Node) -> str:
    name = text(node)
    if not IDENTIFIER.fullmatch(name.replace("-", "_")):
        raise Bad(node, f"{name!r} cannot be a fleet's name", "letters, digits, _ and -")
    return name


def _roster(section: Section, name: str, topic: TopicTemplate, shared: Mapping[str, Node]) -> Roster:
    node = section.get("devices")
    if node is None and topic.captures:
        section.report(section.node.problem("the fleet needs the key 'devices'", "a number, or a list of devices"))
        return Roster(name, topic, ())
    # without captures there is one device, and its topic says all
    only = node or Node([Node({}, section.node.path, section.node.line, section.node.column)], section.node.path, 0, 0)
    return read_roster(only, name, topic, shared, section.problems)


def _payload(section: Section, devices: tuple[Device, ...]) -> Payload | None:
    names = {"n", "fleet"}.union(*(device.attributes for device in devices)) if devices else {"n", "fleet"}
    if "payload" in section and "value" in section:
        section.report(section.node.key_problem("value", "payload or value, not both"))
    found = section.take("payload", lambda node: read_payload(node, names, section.problems), None)
    return section.take("value", lambda node: read_value(node, names, section.problems), found)


def _pace(section: Section, *, required: bool, default: Pace | None = None) -> Pace:
    every = (section.require if required else section.take)("every", _interval, default.every if default else 1.0)
    same = default is not None and "every" not in section
    jitter = section.take("jitter", duration, default.jitter if default and same else every * _JITTER)
    if jitter > every:
        section.report(section.values["jitter"].problem("must not be longer than 'every'"))
    return Pace(every, jitter)


def _interval(node: Node) -> float:
    seconds = duration(node)
    if seconds < 0.001:
        raise Bad(node, "must be at least 1ms")
    return seconds


def _faults(section: Section, payload: Payload | None, devices: tuple[Device, ...]) -> tuple[Fault, ...]:
    node = section.get("faults")
    if node is None:
        return ()
    if not isinstance(node.value, list):
        section.report(node.problem("must be a list of faults: - {fault: silence, every: 1d, for: 30m}"))
        return ()
    faults = []
    for item in node.value:
        try:
            faults.append(read_fault(item, payload or Payload({}), devices, section.problems))
        except Bad as error:
            section.report(error.problem)
    return tuple(faults)


def _will(section: Section, name: str) -> tuple[Will | None, bytes]:
    node = section.get("will")
    if node is None:
        return None, b""
    inner = Section(node, section.problems, "the will")
    topic = inner.take("topic", _plain_topic, f"fleet/{name}/status")
    payload = inner.take("payload", text, "offline")
    birth = inner.take("birth", text, "online")
    inner.finish()
    return Will(topic, payload.encode()), birth.encode()


def _plain_topic(node: Node) -> str:
    topic = topic_template(node)
    if topic.captures:
        raise Bad(node, "the will is the fleet's, so its topic has no captures", "for instance fleet/freezers/status")
    return topic.text


def _demo(
    section: Section, pace: Pace, faults: tuple[Fault, ...], payload: Payload | None, devices: tuple[Device, ...]
) -> Demo | None:
    node = section.get("demo")
    if node is None:
        return None
    inner = Section(node, section.problems, "the demo")
    pace = _pace(inner, required=False, default=pace)
    size = inner.take("devices", integer(1, FLEET_DEVICES), len(devices))
    faults = _faults(inner, payload, devices) if "faults" in inner else faults
    inner.finish()
    return Demo(pace, size, faults)
