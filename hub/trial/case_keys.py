"""The keys of `tests` in rule files: what is sent and done when, what is expected (docs/testing.md)."""

import re
from datetime import UTC, datetime
from typing import Any

from hub.alerts.matchers import Matcher, parse_matchers
from hub.documents.document import Node
from hub.documents.value_schema import DURATION, NAMES, SPAN, TEXT, Schema, list_schema, one_required, with_schema
from hub.fields import Bad, Key, KeyTable, boolean, duration, integer, late, list_of, one_of, text
from hub.ingest.decoding.wrapping import from_base64
from hub.ingest.payload_reading import Unreadable
from hub.ingest.topics import check_topic
from hub.model import OWN_TOPICS

__all__ = ["DEED", "EXPECTATION", "MESSAGE", "MOMENT", "STAGES", "TEST"]

STAGES = ("pause", "shadow", "mute", "silence", "unless", "limit", "flapping", "group", "condition")
"""What can keep everybody from being told: the words of `not_notified`."""
RANGE = re.compile(r"\{([0-9]{1,6})\.\.([0-9]{1,6})\}")
_START = datetime(2026, 1, 1, tzinfo=UTC)


@with_schema(TEXT)
def _topic(node: Node) -> str:
    name = text(node)
    plain = RANGE.sub("0", name)
    if why := check_topic(plain.removeprefix("$") if plain.startswith(OWN_TOPICS) else plain):
        raise Bad(node, f"not a topic: {why}", "a test sends to topics, {1..100} in one makes a hundred")
    return name


@with_schema(TEXT)
def _instant(node: Node) -> datetime:
    try:
        found = datetime.fromisoformat(text(node))
    except ValueError:
        raise Bad(node, f"{node.text!r} is not a time", "write it as 2026-03-01T01:55:00+01:00") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


@with_schema(NAMES)
def _matchers(node: Node) -> tuple[Matcher, ...]:
    found: list[Matcher] = []
    for line in list_of(text)(node):
        try:
            found += parse_matchers(line)
        except ValueError as error:
            raise Bad(node, str(error)) from None
    return tuple(found)


@with_schema(TEXT)
def _base64(node: Node) -> bytes:
    try:
        return from_base64(text(node).encode())
    except Unreadable as error:
        raise Bad(node, str(error)) from None


@with_schema(TEXT)
def _hex(node: Node) -> bytes:
    try:
        return bytes.fromhex(text(node))
    except ValueError:
        raise Bad(node, "no hexadecimal digits", "write two for each byte, as a1 61 74; quote them") from None


LABELS: Key[Any] = Key(
    "labels",
    late,
    None,
    "Labels that choose the instance.",
    {"device": "7"},
    schema={"type": "object", "additionalProperties": TEXT},
)
AT = Key("at", duration, 0.0, "When, since the start of the test.", "10m")
AT_NEEDED = Key("at", duration, 0.0, AT.words, "10m", required=True)

TOPIC = Key("topic", _topic, "", "Where to; {1..100} in it makes a hundred.", "site/a/freezer/7/telemetry")
PAYLOAD: Key[Any] = Key("payload", late, None, "What is sent.", {"temperature": -9}, schema={})
BASE64: Key[bytes | None] = Key("base64", _base64, None, "What is sent, as base64, in place of 'payload'.", "oWF0OCc=")
HEX: Key[bytes | None] = Key("hex", _hex, None, "What is sent, as hexadecimal digits.", "a1 61 74 38 27")
CONTENT_TYPE: Key[str | None] = Key(
    "content_type", text, None, "MQTT 5's content type, which may say how it is read.", "application/cbor"
)
RETAIN = Key("retain", boolean, False, "Whether it is a retained message.", usual=False)
EVERY = Key("every", duration, 0.0, "Sends it again so often, between 'from' and 'to'.", "1m")
FROM = Key("from", duration, 0.0, "The first time, beside 'every'.", "0m")
TO = Key("to", duration, 0.0, "The last time, beside 'every'.", "24h")
MESSAGE = KeyTable(
    "a message",
    *(AT, TOPIC, PAYLOAD, BASE64, HEX, CONTENT_TYPE, RETAIN, EVERY, FROM, TO),
    anyOf=[{"required": [AT.name]}, {"required": [EVERY.name]}],
)

DEED_ALERT = Key("alert", text, "", "The name of the alerts that are meant.", "FreezerTooWarm")
MATCHERS: Key[tuple[Matcher, ...]] = Key(
    "matchers",
    _matchers,
    (),
    "Which alerts, as Alertmanager's matchers.",
    *('site="a"', ['site=~"a|b"', "team!=cooling"]),
)
DEED_BY = Key("by", text, "test", "Who does it.", "night shift")
LASTING_FOR = Key("for", duration, None, "For how long.", "1h")
DEED = KeyTable("a deed", AT_NEEDED, DEED_ALERT, LABELS, MATCHERS, DEED_BY, LASTING_FOR)
MOMENT = KeyTable("a time", AT_NEEDED)
SET_DEVICE = Key("device", text, "", "Its topic, or the last levels of it.", "freezer/7", required=True)
_SET: Schema = {
    "title": "what is set",
    "type": "object",
    "properties": {"at": AT_NEEDED.schema, "device": SET_DEVICE.schema, "by": DEED_BY.schema},
    "required": ["at", "device"],
    "minProperties": 3,
}

ALERT: Key[str] = Key("alert", late, "", "The alert rule.", "FreezerTooWarm", schema=TEXT)
EVENT: Key[str] = Key("event", late, "", "The event rule.", "ParcelArrived", schema=TEXT)
STATE = Key("state", one_of("inactive", "pending", "firing", "resolved"), None, "Where the alert stands.")
ACKNOWLEDGED = Key("acknowledged", boolean, None, "Whether it is acknowledged.")
NOTIFIED: Key[tuple[str, ...] | None] = Key(
    "notified",
    late,
    None,
    "Exactly who was told since the last such expectation; [] for nobody.",
    ["chat", "email"],
    schema=NAMES,
)
NOT_NOTIFIED = Key("not_notified", one_of(*STAGES), None, "What kept everybody from being told since then.")
TEXT_SAID = Key("text", text, None, "What the summary of one of these notifications contains.", "-9.0 °C")
TIMES = Key("times", integer(0, 1_000_000), None, "How many notifications there were since then.", 1)
EXPECTATION = KeyTable(
    "an expectation",
    *(AT_NEEDED, ALERT, EVENT, LABELS, STATE, ACKNOWLEDGED, NOTIFIED, NOT_NOTIFIED, TEXT_SAID, TIMES),
    **one_required(ALERT.name, EVENT.name),
)


def _deed(name: str, words: str, *examples: object) -> Key[Any]:
    return Key(name, late, None, words, *examples, schema=list_schema(DEED.schema))


def _moment(name: str, words: str) -> Key[Any]:
    return Key(name, late, None, words, "20m", schema=list_schema({"anyOf": [*SPAN["anyOf"], MOMENT.schema]}))


NAME = Key("name", text, "", "What it shows; a sentence.", "defrost is not an alarm, a broken door is", required=True)
START = Key(
    "start",
    _instant,
    _START,
    "When it begins; its offset is the zone of schedules that name none.",
    "2026-03-01T01:55:00+01:00",
)
TEST_TOPIC = Key("topic", _topic, "", "The topic of what names none.", "site/a/freezer/7/telemetry")
SEND: Key[Any] = Key(
    "send",
    late,
    None,
    "Messages: payloads by their times, or a list.",
    {"0m": {"temperature": -20}, "10m": {"temperature": -9}},
    schema={
        "anyOf": [
            {"type": "object", "propertyNames": {"anyOf": [{"pattern": DURATION}, {"const": "0"}]}},
            {"type": "array", "items": MESSAGE.schema},
        ]
    },
)
DEEDS = (
    _deed("ack", "Somebody acknowledges.", {"at": "20m", "alert": "FreezerTooWarm"}),
    _deed("unack", "Somebody takes an acknowledgement back."),
    _deed("silence", "Somebody silences alerts.", {"at": "5m", "matchers": 'site="a"', "for": "1h"}),
    _deed("unsilence", "Somebody ends silences; without matchers all."),
)
SET: Key[Any] = Key(
    "set",
    late,
    None,
    "Somebody sets attributes of a device.",
    {"at": "20m", "device": "freezer/7", "limit": -16},
    schema=list_schema(_SET),
)
MOMENTS = (
    _moment("restart", "The hub ends and starts again: what is not stored is lost."),
    _moment("reload", "The rules are read anew."),
)
EXPECT: Key[Any] = Key(
    "expect",
    late,
    None,
    "What must be so at a time.",
    [{"at": "20m", "alert": "FreezerTooWarm", "state": "firing"}],
    required=True,
    schema=list_schema(EXPECTATION.schema),
)
TEST = KeyTable("a test", NAME, START, TEST_TOPIC, SEND, *DEEDS, SET, *MOMENTS, EXPECT)
