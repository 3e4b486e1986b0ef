"""Plays one fleet: which messages are due up to an offset. Pure: seed and file alone decide, no clock, no I/O."""

from collections.abc import Callable
from heapq import heapify, heapreplace
from random import Random
from typing import Any, NamedTuple

import orjson

from hub.devices.faults import Running
from hub.devices.fleet import Fleet
from hub.devices.fleet_devices import Device
from hub.devices.payload import DevicePayload
from hub.devices.signals import Next

__all__ = ["DeviceMessage", "Player"]


class DeviceMessage(NamedTuple):
    """What a device sends, `offset` simulated seconds after the start."""

    offset: float
    topic: str
    payload: bytes


class Player:
    """The devices of a fleet, each with its next message in a heap.

    `stretch` multiplies the intervals and nothing else: below 1 there are more events from the same story.
    """

    def __init__(self, fleet: Fleet, seed: int = 0, stretch: float = 1.0) -> None:
        """Start at offset 0; the first messages are spread over one interval. The fleet has a payload and devices."""
        self.every, self.jitter = fleet.pace.every * stretch, fleet.pace.jitter * stretch
        self._devices = [_Playing(device, n, fleet, seed) for n, device in enumerate(fleet.devices, 1)]
        self._heap = [(each.rng.random() * self.every, index) for index, each in enumerate(self._devices)]
        heapify(self._heap)

    @property
    def next_due(self) -> float:
        """The offset of the next message."""
        return self._heap[0][0]

    def due(self, until: float, most: int) -> list[DeviceMessage]:
        """Return the messages due up to and at an offset, in order, at most so many of them."""
        messages: list[DeviceMessage] = []
        heap, devices, every, low, width = self._heap, self._devices, self.every, -self.jitter, 2 * self.jitter
        while heap[0][0] <= until and len(messages) < most:
            offset, index = heap[0]
            device = devices[index]
            payload = device.send(offset)
            heapreplace(heap, (offset + max(every + low + width * device.rng.random(), 1e-6), index))
            if payload is not None:
                messages.append(DeviceMessage(offset, device.topic, payload))
        return messages


class _Playing:
    """One device at play: its random numbers, its fields, its faults."""

    __slots__ = ("encode", "fields", "hidden", "rng", "topic", "whole")

    def __init__(self, device: Device, n: int, fleet: Fleet, seed: int) -> None:
        # a device's story is its own: it stays the same when others are added to the fleet
        self.rng = rng = Random(f"{seed}/{device.topic}")
        self.topic = device.topic
        payload = fleet.payload or DevicePayload({})
        names = {"n": n, **device.attributes}
        running = [fault.start(rng) for fault in fleet.faults if fault.concerns(device)]
        self.whole = [each for each in running if not each.fault.field]
        self.fields: list[tuple[str, Next, list[Running]]] = [
            (name, signal.make(rng, names), [each for each in running if each.fault.field == name])
            for name, signal in payload.fields.items()
        ]
        self.hidden = [name for name in payload.fields if name.startswith("_")]
        self.encode: Callable[[dict[str, Any]], bytes] = _bare if payload.bare else orjson.dumps

    def send(self, now: float) -> bytes | None:
        """Return the payload sent at an offset, None when the device is silent."""
        values: dict[str, Any] = {}
        for name, signal, faults in self.fields:
            value = signal(now, values)
            for each in faults:
                if each.active(now):
                    value = each.apply(now, value)
            values[name] = value
        for name in self.hidden:
            del values[name]
        payload: bytes | None = self.encode(values)
        for each in self.whole:
            if each.active(now):
                payload = None if each.fault.kind == "silence" or payload is None else _broken(payload)
        return payload


def _bare(values: dict[str, Any]) -> bytes:
    value = values["value"]
    return value.encode() if isinstance(value, str) else orjson.dumps(value)


def _broken(payload: bytes) -> bytes:
    """Return what is left of a payload when the device is cut off while it writes; never JSON by accident."""
    return b"{" + payload[1 : max(2, len(payload) // 2)]
