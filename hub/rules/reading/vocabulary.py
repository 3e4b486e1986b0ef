"""The keys of a rule, each declared once: reader, default, words, examples, and whether a change restarts instances.

A key that stands here and declares a field of Rule (rule.py) is read, checked, described and documented; `defaults` of
a file use some of the same keys. The longer readers are in rule_values.py.
"""

from hub.documents.document import Node
from hub.documents.value_schema import CONDITION, LABEL, NAMES, TEXT, list_schema, schema_of
from hub.expressions import Program, Template, literal
from hub.fields import boolean, duration, late, one_of
from hub.ingest.decoding.decoder import Decoder
from hub.limits import GROUP_INTERVAL_SECONDS, GROUP_WAIT_SECONDS
from hub.rules.reading.decode_key import DECODE_SCHEMA
from hub.rules.reading.key_parts import KeyPart, ways
from hub.rules.reading.rule_key import RuleKey
from hub.rules.reading.rule_values import (
    CAUSE,
    STAMP,
    STEP,
    Cause,
    Gate,
    Limit,
    Offline,
    Repeat,
    Stamp,
    Step,
    absent,
    group_interval,
    group_wait,
    labels_of,
    limit,
    repeat,
    rule_name,
    stale,
    topic,
)
from hub.rules.reading.rule_values import OFFLINE as OFFLINE_FORM
from hub.rules.topics.topic_pattern import TopicPattern

__all__ = [
    "ABSENT",
    "ACROSS",
    "ALERT",
    "BY",
    "CLEAR",
    "CLEAR_FOR",
    "DECODE",
    "DETAILS",
    "EACH",
    "ENABLED",
    "ESCALATE",
    "EVENT",
    "FOR",
    "GROUP_BY",
    "GROUP_INTERVAL",
    "GROUP_WAIT",
    "LABELS",
    "LIMIT",
    "MUTE",
    "NOTIFY",
    "OFFLINE",
    "PAUSE",
    "REPEAT",
    "RUNBOOK",
    "SEVERITIES",
    "SEVERITY",
    "SHADOW",
    "STALE",
    "SUMMARY",
    "TIMESTAMP",
    "TOPIC",
    "UNLESS",
    "WHEN",
    "WHERE",
]

SEVERITIES = ("info", "warning", "critical")

ALERT = RuleKey(
    "alert",
    rule_name,
    "",
    "A condition that begins and ends; its name, unique, also the label alertname.",
    "FreezerTooWarm",
    restarts=lambda rule: [rule.name, str(rule.alert)],
)
EVENT = RuleKey(
    "event",
    rule_name,
    "",
    "A moment: every match is one notification. Its name, also the label alertname.",
    "ParcelArrived",
    restarts=False,  # its name and that it is no alert are in the signature already
)
TOPIC: RuleKey[tuple[TopicPattern, ...]] = RuleKey(
    "topic",
    topic,
    (),
    "MQTT filter with captures: {x} takes one level, {x...} the rest; + and # match without taking. A list"
    " joins several topics into the same instances; a map {name: topic} makes the latest message of each a name.",
    *("site/{site}/freezer/{device}/telemetry", "gateway/{path...}"),
    required=True,
    restarts=lambda rule: [f"{each.name}: {each.text}" if each.name else each.text for each in rule.patterns],
)
WHERE: RuleKey[Program | None] = RuleKey(
    "where",
    late,
    None,
    "Which messages the rule hears: one for which it is false or has no value was never there.",
    *('model == "TH-2"', "event.key.startsWith('t')"),
    within=lambda place: place.heard,
    restarts=lambda rule: [f"where={rule.where.text}"] if rule.where else [],
    schema=CONDITION,
)
EACH: RuleKey[Program | None] = RuleKey(
    "each",
    late,
    None,
    "Makes many readings of one message: a list or a map of the payload, each element is heard as a message.",
    *("payload.values", "sensors"),
    within=lambda place: place.alone,
    restarts=lambda rule: [f"each={rule.each.text}"] if rule.each else [],
    schema=TEXT,
)
BY: RuleKey[tuple[KeyPart, ...]] = RuleKey(
    "by",
    late,
    (),
    "What makes an instance: captures or payload fields, also inside of objects, or a map {label: expression}."
    " Without it, all captures.",
    *(["site"], "after.id", {"camera": "after.camera", "id": "after.id"}),
    within=lambda place: place.parts,
    restarts=lambda rule: rule.by_spelled,
    schema={"anyOf": [schema_of(ways), {"type": "object", "additionalProperties": TEXT}]},
)
ACROSS: RuleKey[tuple[KeyPart, ...]] = RuleKey(
    "across",
    late,
    (),
    "What names the members inside an instance: captures, payload fields, or a map {label: expression}. Functions"
    " without a window, such as count(temperature > -15), then look at the latest of all members.",
    *("freezer", ["rack", "id"], {"id": "after.id"}),
    within=lambda place: place.parts,
    restarts=lambda rule: [f"across={part.label}: {part.written}" for part in rule.across],
    alert_only=True,
    beside="when",
    schema={"anyOf": [schema_of(ways), {"type": "object", "additionalProperties": TEXT}]},
)
STALE: RuleKey[float | None] = RuleKey(
    "stale",
    stale,
    None,
    "A member that says nothing for longer does not count, and absent holds for it.",
    "15m",
    restarts=True,
    alert_only=True,
    beside="across",
)
WHEN: RuleKey[Program | None] = RuleKey(
    "when",
    late,
    None,
    "The condition, in CEL over captures, payload fields, device, topic, labels, now and schedules by name.",
    *("temperature > -15", 'state == "open" && !has(payload.test)', "avg(temperature, 10m) > 25"),
    within=lambda place: place.condition,
    restarts=lambda rule: [rule.when.text if rule.when else ""],
    schema=CONDITION,
)
FOR: RuleKey[float] = RuleKey(
    "for",
    duration,
    0.0,
    "How long it must hold before it fires (on-delay).",
    *("5m", "1h30m"),
    restarts=lambda rule: [str(rule.hold)],
    alert_only=True,
    beside="when",
)
CLEAR: RuleKey[Program | None] = RuleKey(
    "clear",
    late,
    None,
    "The condition that ends it (hysteresis). Without it: when is false.",
    "temperature < -18",
    within=lambda place: place.condition,
    restarts=False,
    alert_only=True,
    beside="when",
    schema=CONDITION,
)
CLEAR_FOR: RuleKey[float] = RuleKey(
    "clear_for",
    duration,
    0.0,
    "How long the end must hold (off-delay).",
    "10m",
    restarts=False,
    alert_only=True,
    beside="when",
)
ABSENT: RuleKey[float | None] = RuleKey(
    "absent",
    absent,
    None,
    "Fires when an instance says nothing for this long; auto learns each device's interval.",
    *("10m", "auto"),
    restarts=False,
    alert_only=True,
)
_GATES = "daily 02:00-02:30", "weekly mon-fri 08:00-18:00", "defrost", "not office"
OFFLINE: RuleKey[Offline | None] = RuleKey(
    "offline",
    late,
    None,
    "What says that the instance's device is gone, beside silence: a topic, and the condition over its message.",
    {"topic": "tele/{device}/LWT", "when": 'value == "Offline"'},
    within=lambda place: place.offline,
    restarts=False,
    alert_only=True,
    schema=OFFLINE_FORM.schema,
)
PAUSE: RuleKey[Gate | None] = RuleKey(
    "pause",
    late,
    None,
    "Schedule or condition, which may name schedules, in which it is not evaluated and timers reset.",
    *_GATES,
    within=lambda place: place.gate,
    restarts=False,
    schema=CONDITION,
)
MUTE: RuleKey[Gate | None] = RuleKey(
    "mute",
    late,
    None,
    "Schedule or condition, which may name schedules, in which it is evaluated and nobody is told.",
    *(*_GATES, 'night && severity != "critical"'),
    within=lambda place: place.gate,
    restarts=False,
    schema=CONDITION,
)
UNLESS: RuleKey[tuple[Cause, ...]] = RuleKey(
    "unless",
    late,
    (),
    "Alerts that hold this one's notifications back while they fire with equal labels, and for 10s after, or"
    " for the time in 'after'.",
    *("PowerCut", ["PowerCut", {"alert": "GatewayOffline", "after": "2m"}]),
    within=lambda place: place.causes,
    restarts=False,
    schema=list_schema({"anyOf": [{**TEXT, "pattern": "."}, CAUSE.schema]}),
)
NOTIFY: RuleKey[tuple[str, ...]] = RuleKey(
    "notify",
    late,
    (),
    "Who is told: names of receivers; [] for nobody.",
    *("chat", ["chat", "email"]),
    within=lambda place: place.receivers,
    restarts=False,
    schema=NAMES,
)
REPEAT: RuleKey[Repeat | None] = RuleKey(
    "repeat",
    repeat,
    None,
    "When it is told again while it fires: after each interval, the last one for ever, perhaps until somebody"
    " acknowledges it.",
    *("1h", "1h until ack", "5m, 15m, 1h until ack"),
    restarts=False,
    alert_only=True,
)
ESCALATE: RuleKey[tuple[Step, ...]] = RuleKey(
    "escalate",
    late,
    (),
    "Who is told beside, while it fires and nobody has acknowledged it.",
    [{"after": "15m", "to": ["boss"]}],
    within=lambda place: place.steps,
    restarts=False,
    alert_only=True,
    schema=list_schema(STEP.schema),
)
GROUP_BY: RuleKey[tuple[str, ...] | None] = RuleKey(
    "group_by",
    labels_of,
    None,
    "Labels whose equal values fold alerts into one notification; [] folds all of the rule.",
    *(["site"], []),
    restarts=False,
)
GROUP_WAIT = RuleKey(
    "group_wait",
    group_wait,
    GROUP_WAIT_SECONDS,
    "How long a group waits for more before it is told; 10s where nothing is said.",
    *("30s", "0s"),
    restarts=False,
)
GROUP_INTERVAL = RuleKey(
    "group_interval",
    group_interval,
    GROUP_INTERVAL_SECONDS,
    "How often a group is told at most; 5m where nothing is said.",
    "5m",
    restarts=False,
)
LIMIT: RuleKey[Limit | None] = RuleKey(
    "limit",
    limit,
    None,
    "The most notifications of one instance in a time; what is held back is counted and told.",
    *("10/h", "3/10m"),
    restarts=False,
)
TIMESTAMP: RuleKey[Stamp | None] = RuleKey(
    "timestamp",
    late,
    None,
    "Expression for the event's own time: a number since 1970 or RFC 3339. As a map also the zone of times without one,"
    " and how far out of order messages may come.",
    *("payload.ts", {"at": "Time", "tz": "Europe/Berlin", "late": "15m"}),
    within=lambda place: place.timestamp,
    restarts=False,
    schema={"anyOf": [TEXT, STAMP.schema]},
)
DECODE: RuleKey[Decoder | None] = RuleKey(
    "decode",
    late,
    None,
    "How a payload is read that is neither JSON nor text: cbor, msgpack, gzip, base64, packed or protobuf;"
    " a list is applied in order.",
    *("cbor", ["base64", "gzip", "cbor"], {"packed": "<hHB", "fields": ["t", "co2", "cell"]}),
    within=lambda place: place.decode,
    restarts=True,
    schema=DECODE_SCHEMA,
)
SHADOW: RuleKey[bool] = RuleKey(
    "shadow", boolean, False, "Evaluate and record, tell nobody.", restarts=False, usual=False
)
SEVERITY = RuleKey(
    "severity",
    one_of(*SEVERITIES),
    "warning",
    "How bad it is; the label severity. An unknown word is refused.",
    restarts=False,
    usual="warning",
)
LABELS: RuleKey[Node | None] = RuleKey(
    "labels",
    lambda node: node,  # its texts are read when all names of the rule are known
    None,
    "More labels for the notification and the published state; texts with {…}.",
    {"team": "cooling", "building": "{device.building}"},
    restarts=False,
    schema={
        "type": "object",
        "additionalProperties": {"type": ["string", "number", "boolean"]},
        "propertyNames": {"pattern": LABEL},
    },
)
SUMMARY: RuleKey[Template] = RuleKey(
    "summary",
    late,
    literal(""),  # a rule without one tells its name and captures
    "What is told, in a line: a text with {expressions} and formats.",
    "{device} at {site} is {temperature:.1f} °C",
    restarts=False,
    schema=TEXT,
)
DETAILS: RuleKey[Template | None] = RuleKey(
    "details",
    late,
    None,
    "More text, for receivers that have room for it.",
    "{summary}, since {since:%H:%M}",
    restarts=False,
    schema=TEXT,
)
RUNBOOK: RuleKey[Template | None] = RuleKey(
    "runbook",
    late,
    None,
    "Where it says what to do, a text: mostly a URL.",
    "https://wiki.example.org/{alertname}",
    restarts=False,
    schema=TEXT,
)
ENABLED: RuleKey[bool] = RuleKey(
    "enabled",
    boolean,
    True,
    "Whether the rule is at work; it is checked anyway.",
    restarts=False,
    usual=True,
)
