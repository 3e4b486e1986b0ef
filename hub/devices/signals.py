"""What a simulated field does over time: each signal makes, for one device, a function from offset to value.

Offsets are simulated seconds from the start of the play; nothing here knows the time of day, so a seed tells all.
A function is called once for each message, with the fields above it in `values`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from hub.devices.payload_template import render

__all__ = [
    "Maker",
    "Next",
    "between",
    "choice",
    "constant",
    "counter",
    "drain",
    "nested",
    "noise",
    "of",
    "part",
    "pulled",
    "rounded",
    "sine",
    "summed",
    "switch",
    "total",
    "walk",
]

Next = Callable[[float, dict[str, Any]], Any]
"""(offset, the fields so far) → the value."""

Maker = Callable[[Random, Mapping[str, Any]], Next]
"""(the device's random numbers, its names) → its own Next."""


def constant(value: Any) -> Maker:
    """Make the same value each time; braces in texts are filled with the device's names."""

    def make(_rng: Random, names: Mapping[str, Any]) -> Next:
        filled = render(value, names)
        return lambda _now, _values: filled

    return make


def sine(low: float, high: float, period: float, shift: float, spread: float) -> Maker:
    """Make a curve such as a day's: in the middle and rising at first, `shift` later in its period."""
    middle, half, turn = (low + high) / 2, (high - low) / 2, math.tau / period

    def make(rng: Random, _names: Mapping[str, Any]) -> Next:
        gauss = rng.gauss
        return lambda now, _values: middle + half * math.sin(turn * (now + shift)) + gauss(0.0, spread)

    return make


def walk(low: float, high: float, step: float) -> Maker:
    """Make a random walk, `step` its deviation from message to message, turned back at the bounds."""

    def make(rng: Random, _names: Mapping[str, Any]) -> Next:
        at = rng.uniform(low, high)

        def move(_now: float, _values: dict[str, Any]) -> float:
            nonlocal at
            at += rng.gauss(0.0, step)
            if at > high:
                at = max(low, 2 * high - at)
            elif at < low:
                at = min(high, 2 * low - at)
            return at

        return move

    return make


def noise(mean: float, spread: float) -> Maker:
    """Make values around a mean, normally distributed."""

    def make(rng: Random, _names: Mapping[str, Any]) -> Next:
        gauss = rng.gauss
        return lambda _now, _values: gauss(mean, spread)

    return make


def between(low: float, high: float, whole: bool) -> Maker:
    """Make any value from low to high, all equally likely."""

    def make(rng: Random, _names: Mapping[str, Any]) -> Next:
        if whole:
            return lambda _now, _values: rng.randint(int(low), int(high))
        return lambda _now, _values: rng.uniform(low, high)

    return make


def counter(start: float, low: float, high: float) -> Maker:
    """Make a number that grows by low to high with each message."""

    def make(rng: Random, _names: Mapping[str, Any]) -> Next:
        count = start - low

        def grow(_now: float, _values: dict[str, Any]) -> float:
            nonlocal count
            count += low if low == high else rng.uniform(low, high)
            return count

        return grow

    return make


def choice(options: Sequence[Any], weights: Sequence[float], least: int, most: int) -> Maker:
    """Make one of the options; with `most` above 0, a list of least to most different ones."""

    def make(rng: Random, names: Mapping[str, Any]) -> Next:
        filled = [render(option, names) for option in options]
        if most:
            return lambda _now, _values: rng.sample(filled, rng.randint(least, most))
        if weights:
            return lambda _now, _values: rng.choices(filled, weights)[0]
        return lambda _now, _values: rng.choice(filled)

    return make


def switch(on_for: float, every: float, off: Any, on: Any) -> Maker:
    """Make `on` for half to one and a half times `on_for`, `off` for `every` on average between."""

    def make(rng: Random, _names: Mapping[str, Any]) -> Next:
        is_on, until = False, rng.expovariate(1 / every)

        def state(now: float, _values: dict[str, Any]) -> Any:
            nonlocal is_on, until
            while now >= until:
                is_on = not is_on
                until += on_for * (0.5 + rng.random()) if is_on else rng.expovariate(1 / every)
            return on if is_on else off

        return state

    return make


def drain(over: float, full: float, empty: float) -> Maker:
    """Make a battery: from full to empty in `over` seconds, then a new one; each device begins somewhere between."""

    def make(rng: Random, _names: Mapping[str, Any]) -> Next:
        begin = rng.random() * over
        return lambda now, _values: full + (empty - full) * ((now + begin) % over / over)

    return make


def of(field: str, times: float, plus: float, spread: float) -> Maker:
    """Make a value that follows another field."""

    def make(rng: Random, _names: Mapping[str, Any]) -> Next:
        gauss = rng.gauss
        return lambda _now, values: values[field] * times + plus + gauss(0.0, spread)

    return make


def part(field: str, key: str) -> Maker:
    """Make what stands under a key of an object above."""

    def make(_rng: Random, _names: Mapping[str, Any]) -> Next:
        return lambda _now, values: values[field][key]

    return make


def total(field: str, per: float, times: float, start: float) -> Maker:
    """Make what another field adds up to over time, as a meter does: W `per` 3600 s are Wh."""

    def make(rng: Random, _names: Mapping[str, Any]) -> Next:
        reading: float = start * rng.uniform(0.5, 1.5)
        last = 0.0

        def add(now: float, values: dict[str, Any]) -> float:
            nonlocal reading, last
            reading += values[field] * times * (now - last) / per
            last = now
            return reading

        return add

    return make


def summed(field: str, key: str) -> Maker:
    """Make the sum over a list that stands above: of its numbers, or of their `key`."""

    def make(_rng: Random, _names: Mapping[str, Any]) -> Next:
        if key:
            return lambda _now, values: sum(item[key] for item in values[field])
        return lambda _now, values: sum(values[field])

    return make


def nested(fields: Sequence[tuple[str, Maker]]) -> Maker:
    """Make an object inside the object."""

    def make(rng: Random, names: Mapping[str, Any]) -> Next:
        made = [(name, maker(rng, names)) for name, maker in fields]
        return lambda now, values: {name: follow(now, values) for name, follow in made}

    return make


def pulled(inner: Maker, field: str, on: Any, toward: float, within: float) -> Maker:
    """Draw a number toward another while `field` is `on`, and let it go again after.

    `within` seconds bring it two thirds of the way: warm air into an open freezer, heat into a running pump.
    """

    def make(rng: Random, names: Mapping[str, Any]) -> Next:
        base, gap, last = inner(rng, names), 0.0, 0.0

        def draw(now: float, values: dict[str, Any]) -> float:
            nonlocal gap, last
            value: float = base(now, values)
            goal = toward - value if values[field] == on else 0.0
            gap = goal + (gap - goal) * math.exp((last - now) / within)
            last = now
            return value + gap

        return draw

    return make


def rounded(inner: Maker, digits: int) -> Maker:
    """Round to what a device of its kind shows; no digits make whole numbers."""
    places = digits or None

    def make(rng: Random, names: Mapping[str, Any]) -> Next:
        base = inner(rng, names)
        return lambda now, values: round(base(now, values), places)

    return make
