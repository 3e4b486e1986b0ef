"""The registry: which device a topic belongs to, its attributes, and which devices a filter matches.

`rules` asks it for `device` in expressions, and for the devices that `absent` watches before they were ever heard.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hub.devices.fleet import Fleet, read_fleet
from hub.devices.fleet_devices import Device
from hub.devices.known.device_table import TABLE_ENDING, read_table
from hub.devices.known.settable import Allowed
from hub.devices.known.settings import NamedDevice
from hub.documents.document import Node, Problems, read_document, yaml_files
from hub.errors import Problem

__all__ = ["Device", "Registry", "load_fleets"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def load_fleets(paths: Sequence[Path], problems: Problems) -> tuple[Fleet, ...]:
    """Read fleet files, tables and folders; those with problems (all of them reported) are left out."""
    fleets: list[Fleet] = []
    named: dict[str, str] = {}
    topics: dict[str, str] = {}
    for path in yaml_files(paths, problems, paths):
        if path.suffix == TABLE_ENDING:
            found, name, line = read_table(path, problems), path.stem, 1
        else:
            node = read_document(path, problems)
            if node is None:
                continue
            fleet, name, line = read_fleet(node, problems), _name_of(node), node.line
            found = () if fleet is None else (fleet,)
        first = named.setdefault(name, str(path)) if name else str(path)
        if first != str(path):
            message = f"a fleet {name!r} is already in {first}"
            problems.append(Problem(str(path), line, 1, message, "give one of them another name"))
            continue
        other = next((topics[d.topic] for each in found for d in each.devices if d.topic in topics), None)
        if other is not None:
            message = f"the fleet {other!r} has devices with the same topics"
            problems.append(Problem(str(path), found[0].line, 1, message, "each topic belongs to one fleet"))
        topics.update((device.topic, each.name) for each in found for device in each.devices)
        fleets += found
    return tuple(fleets)


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
        self._bounds: dict[str, dict[str, Allowed]] = {}
        self._selections: dict[tuple[str, str, tuple[int, ...]], dict[tuple[str, ...], list[str]]] = {}
        for fleet in self._fleets:
            for device in fleet.devices:
                self._topics[device.topic] = device
                identity = "/".join(device.topic.split("/", fleet.topic.depth)[: fleet.topic.depth])
                before = self._known.get(identity)
                attributes = device.attributes if before is None else {**device.attributes, **before}
                self._known[identity] = attributes
                settable = fleet.settable if device.settable is None else device.settable
                if settable:
                    self._bounds.setdefault(identity, {}).update(settable)
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

    def identity(self, topic: str) -> str | None:
        """Return the levels of a topic that say which registered device it belongs to; None where it is not one's."""
        for depth in self._depths:
            found = "/".join(topic.split("/", depth)[:depth])
            if found in self._known:
                return found
        return None

    def settable(self) -> Iterable[NamedDevice]:
        """Return the devices of which people may set something."""
        return (NamedDevice(identity, self._known[identity], bounds) for identity, bounds in self._bounds.items())

    def known(self, identity: str) -> NamedDevice | None:
        """Return a device by the levels that say which it is."""
        found = self._known.get(identity)
        return None if found is None else NamedDevice(identity, found, self._bounds.get(identity, {}))

    def named(self, name: str) -> list[NamedDevice]:
        """Return the devices that a name may mean: a topic of one, its last levels, or its last level or attribute.

        The whole topic is looked up; else all devices are walked: people ask this, no event does.
        """
        whole = self.identity(name)
        if whole is not None:
            return [each for each in (self.known(whole),) if each is not None]
        end = f"/{name}"
        by_end = [each for each in self._known if each.endswith(end)]
        found = by_end or [each for each, known in self._known.items() if known.get("name") == name]
        return [each for identity in found if (each := self.known(identity)) is not None]

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
        key = (fleet.name, fleet.topic.text, positions)
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
