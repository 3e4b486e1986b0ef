"""`tests` of rule files: what is sent and done when, what is expected (docs/testing.md)."""

from hub.describe.parts import (
    DURATION,
    Key,
    anything,
    boolean,
    duration,
    key,
    listed,
    mapping,
    names,
    text,
    whole,
    word,
)

__all__ = ["DEED", "EXPECTATION", "MESSAGE", "MOMENT", "TEST", "trial"]

_AT = duration("When, since the start of the test.", "10m")
_LABELS = key(
    "Labels that choose the instance.",
    {"device": "7"},
    type="object",
    additionalProperties={"type": ["string", "number"]},
)
_STAGES = ("pause", "shadow", "mute", "silence", "unless", "limit", "flapping", "group", "condition")

MESSAGE: dict[str, Key] = {
    "at": _AT,
    "topic": text("Where to; {1..100} in it makes a hundred.", "site/a/freezer/7/telemetry"),
    "payload": anything("What is sent.", {"temperature": -9}),
    "retain": boolean("Whether it is a retained message.", default=False),
    "every": duration("Sends it again so often, between 'from' and 'to'.", "1m", zero=False),
    "from": duration("The first time, beside 'every'.", "0m"),
    "to": duration("The last time, beside 'every'.", "24h"),
}

DEED: dict[str, Key] = {
    "at": _AT,
    "alert": text("The name of the alerts that are meant.", "FreezerTooWarm"),
    "labels": _LABELS,
    "matchers": names("Which alerts, as Alertmanager's matchers.", 'site="a"', ['site=~"a|b"', "team!=cooling"]),
    "by": text("Who does it.", "night shift"),
    "for": duration("For how long.", "1h"),
}
MOMENT: dict[str, Key] = {"at": _AT}

EXPECTATION: dict[str, Key] = {
    "at": _AT,
    "alert": text("The alert rule.", "FreezerTooWarm"),
    "event": text("The event rule.", "ParcelArrived"),
    "labels": _LABELS,
    "state": word("Where the alert stands.", "inactive", "pending", "firing", "resolved"),
    "acknowledged": boolean("Whether it is acknowledged."),
    "notified": names("Exactly who was told since the last such expectation; [] for nobody.", ["chat", "email"]),
    "not_notified": word("What kept everybody from being told since then.", *_STAGES),
    "text": text("What the summary of one of these notifications contains.", "-9.0 °C"),
    "times": whole("How many notifications there were since then.", 0, 1_000_000, 1),
}

_DEED = mapping("a deed", DEED, required=("at",))
_TIME = {"anyOf": [{"type": "string", "pattern": DURATION}, {"const": 0}]}


def _deed(description: str, *examples: object) -> Key:
    return listed(key(description, *examples), _DEED)


def _moment(description: str) -> Key:
    return listed(key(description, "20m"), {"anyOf": [*_TIME["anyOf"], mapping("a time", MOMENT, required=("at",))]})


TEST: dict[str, Key] = {
    "name": text("What it shows; a sentence.", "defrost is not an alarm, a broken door is"),
    "start": text("When it begins; its offset is the zone of schedules that name none.", "2026-03-01T01:55:00+01:00"),
    "topic": text("The topic of what names none.", "site/a/freezer/7/telemetry"),
    "send": key(
        "Messages: payloads by their times, or a list.",
        {"0m": {"temperature": -20}, "10m": {"temperature": -9}},
        anyOf=[
            {"type": "object", "propertyNames": {"anyOf": [{"pattern": DURATION}, {"const": "0"}]}},
            {
                "type": "array",
                "items": mapping("a message", MESSAGE, anyOf=[{"required": ["at"]}, {"required": ["every"]}]),
            },
        ],
    ),
    "ack": _deed("Somebody acknowledges.", {"at": "20m", "alert": "FreezerTooWarm"}),
    "unack": _deed("Somebody takes an acknowledgement back."),
    "silence": _deed("Somebody silences alerts.", {"at": "5m", "matchers": 'site="a"', "for": "1h"}),
    "unsilence": _deed("Somebody ends silences; without matchers all."),
    "restart": _moment("The hub ends and starts again: what is not stored is lost."),
    "reload": _moment("The rules are read anew."),
    "expect": listed(
        key("What must be so at a time.", [{"at": "20m", "alert": "FreezerTooWarm", "state": "firing"}]),
        mapping(
            "an expectation", EXPECTATION, required=("at",), oneOf=[{"required": ["alert"]}, {"required": ["event"]}]
        ),
    ),
}


def trial() -> Key:
    """Return the schema of one test."""
    return mapping("a test", TEST, required=("name", "expect"))
