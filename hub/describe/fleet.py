"""Fleet files: the devices that there are, and how they are played (docs/devices.md)."""

from typing import Any

from hub.describe.parts import NAME, Key, anything, boolean, duration, key, listed, mapping, number, text, whole, word

__all__ = ["DEMO", "FAULT", "FLEET", "SIGNALS", "WILL", "fleet_file"]

_PAIR = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
_FIELD = "a field that stands above"

_NUMBERS: dict[str, Key] = {
    "digits": whole("Digits behind the point; 0 makes whole numbers.", 0, 9, 1),
    "while": text(f"The switch, {_FIELD}, while which the number is drawn to another.", "door_open"),
    "toward": number("Where to, while the switch is on.", 5),
    "within": duration("How long two thirds of the way take.", "10m", zero=False),
}


def _pair(description: str, *examples: list[float]) -> Key:
    return key(description, *examples, **_PAIR)


SIGNALS: dict[str, dict[str, Key]] = {
    "sine": {
        "sine": _pair("A curve between these, in the middle and rising at the start.", [18, 24]),
        "period": duration("The length of one turn.", "24h", zero=False),
        "shift": duration("How much later in its period it begins.", "6h"),
        "spread": number("The deviation added to it.", 0.1, minimum=0),
        **_NUMBERS,
    },
    "walk": {
        "walk": _pair("A random walk within these.", [-22, -18]),
        "step": number("Its deviation for each message.", 0.2, minimum=0),
        **_NUMBERS,
    },
    "noise": {
        "noise": number("Normally distributed values around this.", 230),
        "spread": number("The standard deviation.", 1.2, minimum=0),
        **_NUMBERS,
    },
    "between": {"between": _pair("Anything between these; whole numbers between whole bounds.", [1, 40]), **_NUMBERS},
    "counter": {
        "counter": number("A number that begins here and grows with each message.", 0),
        "by": listed(key("By how much, or [least, most].", 1, [1, 3]), {"type": "number"}),
        **_NUMBERS,
    },
    "total": {
        "total": text(f"What {_FIELD} adds up to, as a meter does.", "power"),
        "per": duration("The time that one unit of it is for.", "1h", zero=False),
        "times": number("A factor.", 0.001),
        "from": number("Where it begins.", 8000),
        **_NUMBERS,
    },
    "of": {
        "of": text(f"What follows {_FIELD}.", "power"),
        "key": text("One part of it, where it is an object.", "name"),
        "times": number("A factor.", 2),
        "plus": number("What is added.", 5),
        "spread": number("The deviation added to it.", 0.1, minimum=0),
        **_NUMBERS,
    },
    "sum": {
        "sum": text(f"The sum of a list, {_FIELD}.", "items"),
        "key": text("What of its objects is summed.", "price"),
        **_NUMBERS,
    },
    "drain": {
        "drain": duration("A battery that lasts so long, then a new one.", "90d", zero=False),
        "from": number("What it is when full.", 100),
        "to": number("What it is when empty.", 0),
        **_NUMBERS,
    },
    "on": {
        "on": duration("A switch that is on for about so long.", "40s", zero=False),
        "every": duration("How long it is off on average.", "20m", zero=False),
        "values": key("What it is: [off, on].", [False, True], type="array", minItems=2, maxItems=2),
    },
    "choice": {
        "choice": key("One of these.", ["a", "b"], type="array", minItems=1),
        "weights": key("How likely each of them is.", [3, 1], type="array", items={"type": "number", "minimum": 0}),
        "take": _pair("A list of several: [least, most].", [1, 3]),
    },
    "object": {"object": key("An object of fields.", {"lat": 52.5}, type="object")},
}
_FIRST = {"on": ("on", "every"), "noise": ("noise", "spread")}

FAULT: dict[str, Key] = {
    "fault": word("What goes wrong.", "bad_json", "drift", "flapping", "silence", "spike", "stuck"),
    "field": text("In which field.", "temperature"),
    "by": number("How much more it is.", 12),
    "to": anything("What it is instead.", 85),
    "every": duration("How often on average, or with 'at' exactly.", "6h"),
    "at": duration("When, after the start.", "10s"),
    "for": duration("How long it lasts.", "30m"),
    "only": key("Only devices with these captures or attributes.", {"device": ["f1", "f2"]}, type="object"),
}

WILL: dict[str, Key] = {
    "topic": text("Where the fleet says whether it is there.", "fleet/freezers/status"),
    "payload": text("What is there when it has gone.", "offline"),
    "birth": text("What is there when it has come.", "online"),
}

_FAULTS = key("What goes wrong with devices.", type="array", items=mapping("a fault", FAULT, required=("fault",)))
DEMO: dict[str, Key] = {
    "every": duration("How often each device sends.", "1s", zero=False),
    "jitter": duration("How far an interval strays from it.", "100ms"),
    "devices": whole("How many devices.", 1, 100_000, 10),
    "faults": _FAULTS,
}

_DEVICE: Key = {
    "title": "a device, or many of a sort",
    "type": "object",
    "properties": {
        "count": {"title": "count", **whole("So many devices; {n} is the number, a list is taken in turn.", 1, 100_000)}
    },
    "propertyNames": {"pattern": NAME},
}


def _signal() -> Key:
    made = [mapping(f"signal {kind}", keys, required=_FIRST.get(kind, (kind,))) for kind, keys in SIGNALS.items()]
    return {"anyOf": [{"not": {"type": "object"}}, *made]}


FLEET: dict[str, Key] = {
    "fleet": text("Its name: letters, digits, _ and -.", "freezers", pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$"),
    "topic": text("Where each device publishes; a level in braces is a capture.", "site/{site}/freezer/{device}"),
    "devices": key(
        "A number of devices, one entry, or a list of entries with captures and attributes.",
        *(10, [{"site": "berlin", "device": 1}]),
        anyOf=[
            {"type": "integer", "minimum": 1},
            _DEVICE,
            {"type": "array", "items": {"anyOf": [{"type": "integer", "minimum": 1}, _DEVICE]}},
        ],
    ),
    "attributes": key(
        "What all devices have unless they say otherwise; rules read device.name.",
        {"max_temperature": -15},
        type="object",
        propertyNames={"pattern": NAME},
    ),
    "every": duration("How often each device sends.", "10s", zero=False),
    "jitter": duration("How far an interval strays from it, either way; a tenth of it.", "1s"),
    "payload": key(
        "The fields of the JSON object that each device sends: constants and signals.",
        {"temperature": {"walk": [-22, -18]}},
        type="object",
        minProperties=1,
        additionalProperties=_signal(),
    ),
    "value": {"description": "In place of payload: one constant or signal, sent bare.", **_signal()},
    "faults": _FAULTS,
    "qos": whole("Quality of service of all messages.", 0, 1),
    "retain": boolean("Whether the broker keeps them.", default=False),
    "will": {"description": "What the fleet says of itself, retained.", **mapping("the will", WILL)},
    "demo": {"description": "What hub demo plays instead.", **mapping("the demo", DEMO)},
}


def fleet_file() -> dict[str, Any]:
    """Return the schema of a fleet file."""
    what = "A fleet file of the MQTT notification hub: which devices there are, and how they are played."
    return {**mapping("fleet file", FLEET, required=("fleet", "topic")), "description": what}
