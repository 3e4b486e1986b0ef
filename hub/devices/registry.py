"""The registry: which device a topic belongs to, its attributes, and which devices a filter matches.

`rules` asks it for `device` in expressions, and for the devices that `absent` watches before they were ever heard.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hub.devices.fleet import Fleet, read_fleet
from hub.devices.fleet_devices import Device
from hub.documents.document import Node, Problems, read_document, yaml_files
from hub.errors import Problem

__all__ = ["Device", "Registry", "load_fleets"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def load_fleets(paths: Sequence[Path], problems: Problems) -> tuple[Fleet, ...]:
    """Read fleet files and folders; those with problems (all of them reported) are left out."""
    fleets: dict[str, Fleet] = {}
    named: dict[str, Node] = {}
    topics: dict[str, str] = {}
    for path in yaml_files(paths, problems):
        node = read_document(path, problems)
        if node is None:
            continue
        fleet, name = read_fleet(node, problems), _name_of(node)
        first = named.setdefault(name, node) if name else node
        if first is not node:
            message = f"a fleet {name!r} is already in {first.path}"
            problems.append(Problem(str(path), node.line, 1, message, "give one of them another name"))
        if fleet is None or first is not node:
            continue
        other = next((topics[d.topic] for d in fleet.devices if d.topic in topics), None)
        if other is not None:
            message = f"the fleet {other!r} has devices with the same topics"
            problems.append(Problem(str(path), fleet.line, 1, message, "each topic belongs to one fleet"))
        topics.update((device.topic, fleet.name) for device in fleet.devices)
        fleets[fleet.name] = fleet
    return tuple(fleets.values())


def _name_of(node: Node) -> str:
    """Return a fleet's name, even where the rest of the file cannot be read."""
    name = node.value.get("fleet") if isinstance(node.value, dict) else None
    return "" if name is None else str(name.text)


class Registry:
    """Looks up devices by topic. Lookups are by dict, so ten devices or a hundred thousand cost the same."""

    def __init__(self, fleets: Iterable[Fleet] = ()) -> None:
        """Take the fleets; without any, every topic belongs to an unknown device."""
        self._fleets = tuple(fleets)
        self._topics: dict[str, Device] = {}
        self._known: dict[str, Mapping[str, Any]] = {}  # by the levels of the topic that say which device it is
        self._selections: dict[tuple[str, tuple[int, ...]], dict[tuple[str, ...], list[str]]] = {}
        for fleet in self._fleets:
            for device in fleet.devices:
                self._topics[device.topic] = device
                identity = "/".join(device.topic.split("/", fleet.topic.depth)[: fleet.topic.depth])
                before = self._known.get(identity)
                attributes = device.attributes if before is None else {**device.attributes, **before}
                self._known[identity] = attributes
        self._depths = sorted({fleet.topic.depth for fleet in self._fleets}, reverse=True)

    def __len__(self) -> int:
        return len(self._topics)

    def devices(self) -> Iterable[Device]:
        """Return all devices, fleet by fleet."""
        return self._topics.values()

    def attributes(self, topic: str) -> Mapping[str, Any]:
        """Return what is known of the device a topic belongs to, an empty mapping where it is not registered.

        The topic need not be the fleet's: what a freezer of `site/{site}/freezer/{device}/telemetry` publishes to
        `site/a/freezer/7/door` is also freezer 7's, since the levels up to the last capture are.
        """
        for depth in self._depths:
            found = self._known.get("/".join(topic.split("/", depth)[:depth]))
            if found is not None:
                return found
        return _NOTHING

    def topics(self, topic_filter: str) -> Iterable[str]:
        """Return the topics of the registered devices that an MQTT filter matches."""
        levels = topic_filter.split("/")
        for fleet in self._fleets:
            fixed = _fixed(levels, fleet)
            if fixed is not None:
                yield from self._select(fleet, tuple(fixed)).get(tuple(fixed.values()), ())

    def fleets(self, topic_filter: str) -> list[Fleet]:
        """Return the fleets some of whose devices an MQTT filter matches."""
        levels = topic_filter.split("/")
        fixed = [(fleet, _fixed(levels, fleet)) for fleet in self._fleets]
        return [fleet for fleet, at in fixed if at is not None and tuple(at.values()) in self._select(fleet, tuple(at))]

    def _select(self, fleet: Fleet, positions: tuple[int, ...]) -> dict[tuple[str, ...], list[str]]:
        """Return the fleet's topics by their levels at some positions; made once for each set of positions."""
        key = (fleet.name, positions)
        if key not in self._selections:
            selection: dict[tuple[str, ...], list[str]] = {}
            for device in fleet.devices:
                levels = device.topic.split("/")
                selection.setdefault(tuple(levels[i] for i in positions), []).append(device.topic)
            self._selections[key] = selection
        return self._selections[key]


def _fixed(levels: list[str], fleet: Fleet) -> dict[int, str] | None:
    """Return which captures of the fleet's topic the filter fixes, by level; None where it never matches."""
    topic, fixed = fleet.topic.levels, dict[int, str]()
    for index, level in enumerate(levels):
        if level == "#":
            return fixed  # also the parent of the level itself (MQTT 5, 4.7.1.2)
        if index == len(topic):
            return None
        if level == "+":
            continue
        if index in fleet.topic.captures:
            fixed[index] = level
        elif level != topic[index]:
            return None
    return fixed if len(levels) == len(topic) else None
