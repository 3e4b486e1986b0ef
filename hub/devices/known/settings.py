"""What people have set of devices while the hub runs, over what the files say: within the bounds of the files' author.

Rules ask `KnownDevices` for attributes, and it asks the registry of the files. A setting that the files no longer allow
stays and does not count, so that a mistake in a file loses nothing. Durable: a row for each device.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import orjson

from hub.devices.known.settable import Allowed, written
from hub.errors import Code, RequestError
from hub.limits import SETTING_CHARS, SETTINGS
from hub.store.keeper import Keeper

__all__ = ["FiledDevices", "KnownDevices", "NamedDevice", "Setting", "SettingChange"]

_SHOWN = 5


class NamedDevice(NamedTuple):
    """A device of the files: the levels of its topics that say which it is, its attributes, what may be set."""

    identity: str
    attributes: Mapping[str, Any]
    settable: Mapping[str, Allowed]


class Setting(NamedTuple):
    """A value that somebody has set: when, in seconds since 1970, and who."""

    value: Any
    at: float
    by: str


class SettingChange(NamedTuple):
    """An attribute before and after it was set; None where it is not there."""

    device: str
    name: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.device}: {self.name} {_shown(self.before)} → {_shown(self.after)}"


class FiledDevices(Protocol):
    """The registry of the files."""

    def attributes(self, topic: str, /) -> Mapping[str, Any]:
        """Return the attributes of the device that a topic belongs to."""
        ...

    def topics(self, topic_filter: str, /) -> Iterable[str]:
        """Return the topics of registered devices that a filter matches."""
        ...

    def identity(self, topic: str, /) -> str | None:
        """Return the levels of a topic that say which device it belongs to."""
        ...

    def known(self, identity: str, /) -> NamedDevice | None:
        """Return a device by these levels."""
        ...

    def named(self, name: str, /) -> Sequence[NamedDevice]:
        """Return the devices that a name may mean."""
        ...

    def settable(self) -> Iterable[NamedDevice]:
        """Return the devices of which people may set something."""
        ...


class KnownDevices(Keeper):
    """The registry as rules see it: what the files say, and over it what people have set."""

    kind = "setting"

    def __init__(self, files: FiledDevices) -> None:
        """Begin with nothing set."""
        self._files = files
        self.all: dict[str, dict[str, Setting]] = {}
        """What is set, by device and attribute."""
        self._over: dict[str, Mapping[str, Any]] = {}
        self._dirty: set[str] = set()

    # asked by rules

    def attributes(self, topic: str) -> Mapping[str, Any]:
        """Return what is known of the device that a topic belongs to; where nothing is set, it costs what it did."""
        if self._over:
            identity = self._files.identity(topic)
            found = None if identity is None else self._over.get(identity)
            if found is not None:
                return found
        return self._files.attributes(topic)

    def topics(self, topic_filter: str) -> Iterable[str]:
        """Return the topics of the registered devices that an MQTT filter matches."""
        return self._files.topics(topic_filter)

    def identity(self, topic: str) -> str | None:
        """Return the levels of a topic that say which device it belongs to; None where it belongs to none."""
        return self._files.identity(topic)

    # state in

    def restore(self, rows: Iterable[tuple[str, str]]) -> None:
        """Take what was stored."""
        for identity, text in rows:
            self.all[identity] = {name: Setting(*found) for name, found in orjson.loads(text).items()}
            self._apply(identity)

    def follow(self, files: FiledDevices) -> None:
        """Take the files as they are read anew: what they still allow goes on."""
        self._files = files
        self._over.clear()
        for identity in self.all:
            self._apply(identity)

    def _apply(self, identity: str) -> None:
        """Put together what is known of a device of which something is set."""
        device = self._files.known(identity)
        found = {} if device is None else _in_force(device, self.all.get(identity, {}))
        if device is not None and found:
            self._over[identity] = {**device.attributes, **found}
        else:
            self._over.pop(identity, None)

    # at work

    def set(self, name: str, wanted: Mapping[str, Any], by: str, now: float) -> list[SettingChange]:
        """Set attributes of a device, all or none; None goes back to the value of the files.

        Raises:
            RequestError: no such device, or a value that its author does not allow; nothing has changed.

        """
        device = self.find(name)
        for attribute, value in wanted.items():
            _check(device, attribute, value)
        identity = device.identity
        if identity not in self.all and len(self.all) >= SETTINGS:
            raise RequestError(f"something is set of {SETTINGS:,} devices already", Code.CONFLICT)
        before, kept = self._of(device), dict(self.all.get(identity, {}))
        for attribute, value in wanted.items():
            if value is None:
                kept.pop(attribute, None)
            else:
                kept[attribute] = Setting(value, now, by)
        if kept:
            self.all[identity] = kept
        else:
            self.all.pop(identity, None)
        self._dirty.add(identity)
        self._apply(identity)
        after = self._of(device)
        return [SettingChange(identity, each, before.get(each), after.get(each)) for each in wanted]

    def find(self, name: str) -> NamedDevice:
        """Return the one device that a name means.

        Raises:
            RequestError: there is none, or there are several.

        """
        found = self._files.named(name) if name else ()
        if not found:
            hint = "name it by its topic, or its last levels: freezer/7"
            raise RequestError(f"no device {name[:SETTING_CHARS]!r} in the registry; {hint}", Code.MISSING)
        if len(found) > 1:
            some = ", ".join(each.identity for each in found[:_SHOWN])
            more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            raise RequestError(f"{name!r} may mean {some}{more}; write more of its topic", Code.CONFLICT)
        return found[0]

    def _of(self, device: NamedDevice) -> Mapping[str, Any]:
        return self._over.get(device.identity, device.attributes)

    # shown

    def body(self, device: NamedDevice) -> dict[str, Any]:
        """Return what may be set of a device, and is, as the API shows it."""
        kept, now = self.all.get(device.identity, {}), self._of(device)
        return {
            "device": device.identity,
            "settable": {
                name: {
                    "value": now.get(name),
                    "author": device.attributes.get(name),
                    "bounds": bound.body(),
                    "set": _set(kept.get(name), bound),
                }
                for name, bound in device.settable.items()
            },
        }

    def settable(self) -> Iterable[NamedDevice]:
        """Return the devices of which people may set something."""
        return self._files.settable()

    def device_of(self, topic: str) -> NamedDevice | None:
        """Return the device that a topic belongs to."""
        identity = self._files.identity(topic)
        return None if identity is None else self._files.known(identity)

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the rows that changed since the last call."""
        dirty, self._dirty = self._dirty, set()
        return [(each, self._row(each)) for each in sorted(dirty)]

    def _row(self, identity: str) -> str | None:
        kept = self.all.get(identity)
        return None if kept is None else orjson.dumps({name: list(each) for name, each in kept.items()}).decode()


def _in_force(device: NamedDevice, kept: Mapping[str, Setting]) -> dict[str, Any]:
    bounds = device.settable
    return {name: each.value for name, each in kept.items() if name in bounds and bounds[name].allows(each.value)}


def _set(setting: Setting | None, bound: Allowed) -> dict[str, Any] | None:
    if setting is None:
        return None
    return {"value": setting.value, "at": setting.at, "by": setting.by, "counts": bound.allows(setting.value)}


def _check(device: NamedDevice, attribute: str, value: Any) -> None:
    bound = device.settable.get(attribute)
    if bound is None:
        may = ", ".join(f"{name} ({each})" for name, each in device.settable.items()) or "nothing"
        raise RequestError(f"{attribute[:SETTING_CHARS]!r} of {device.identity} cannot be set; what can be: {may}")
    if value is not None and not bound.allows(value):
        raise RequestError(
            f"{attribute} of {device.identity} cannot be {_shown(value)[:SETTING_CHARS]}: its author allows {bound}"
        )


def _shown(value: Any) -> str:
    return "nothing" if value is None else written(value)
