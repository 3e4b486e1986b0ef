"""Rule files: rules, defaults, schedules; receivers and tests stand beside."""

from typing import Any

from hub.describe.parts import (
    DURATION,
    NAME,
    WAY,
    Key,
    boolean,
    condition,
    duration,
    key,
    listed,
    mapping,
    names,
    text,
    word,
)
from hub.describe.receivers import receivers
from hub.describe.trials import trial

__all__ = ["DEFAULTS", "RULE", "SCHEDULE", "STEP", "rule_file"]

_SCHEDULE = "daily 02:00-02:30", "weekly mon-fri 08:00-18:00", "defrost", "not office"
_NOTIFY = names("Who is told: names of receivers; [] for nobody.", "chat", ["chat", "email"])
_SEVERITY = word(
    "How bad it is; the label severity. An unknown word is refused.", "info", "warning", "critical", default="warning"
)
_LABELS = key(
    "More labels for the notification and the published state; texts with {…}.",
    {"team": "cooling", "building": "{device.building}"},
    type="object",
    additionalProperties={"type": ["string", "number", "boolean"]},
    propertyNames={"pattern": NAME},
)
_REPEAT = key(
    "When it is told again while it fires: after each interval, the last one for ever, perhaps until somebody"
    " acknowledges it.",
    *("1h", "1h until ack", "5m, 15m, 1h until ack"),
    type="string",
    pattern=rf"^{DURATION[1:-1]}(,\s*{DURATION[1:-1]})*((,\s*|\s+)until\s+ack)?$",
)
_GROUP_BY = names(
    "Labels whose equal values fold alerts into one notification; [] folds all of the rule.", ["site"], [], pattern=NAME
)
_GROUP_WAIT = duration("How long a group waits for more before it is told; 10s where nothing is said.", "30s", "0s")
_GROUP_INTERVAL = duration("How often a group is told at most; 5m where nothing is said.", "5m", zero=False)
_LIMIT = key(
    "The most notifications of one instance in a time; what is held back is counted and told.",
    *("10/h", "3/10m"),
    type="string",
    pattern=r"^[0-9]+\s*/\s*[0-9a-z.]+$",
)
_TZ = text("The time zone of schedules that name none, by its IANA name.", "Europe/Berlin")
_DEFAULT_TZ = text("The time zone of schedules and times that name none, by its IANA name.", "Europe/Berlin")

STEP: dict[str, Key] = {
    "after": duration("Since the first telling.", "15m"),
    "to": names("Names of receivers who are told then.", ["boss"]),
}

CAUSE: dict[str, Key] = {
    "alert": text("The name of the alert that explains this one.", "GatewayOffline"),
    "after": duration("For how long it still does when it has ended, at most 1d; 10s where nothing is said.", "2m"),
}

RULE: dict[str, Key] = {
    "alert": text("A condition that begins and ends; its name, unique, also the label alertname.", "FreezerTooWarm"),
    "event": text("A moment: every match is one notification. Its name, also the label alertname.", "ParcelArrived"),
    "topic": listed(
        key(
            "MQTT filter with captures: {x} takes one level, {x...} the rest; + and # match without taking. A list"
            " joins several topics into the same instances.",
            *("site/{site}/freezer/{device}/telemetry", "gateway/{path...}"),
        ),
        {"type": ["string", "number"], "minLength": 1, "pattern": r"^[^\x00]*$"},
        least=1,
    ),
    "by": names(
        "What makes an instance: captures or payload fields, also inside of objects. Without it, all captures.",
        *(["site"], "after.id"),
        pattern=WAY,
    ),
    "when": condition(
        "The condition, in CEL over captures, payload fields, device, topic, labels, now and schedules by name.",
        *("temperature > -15", 'state == "open" && !has(payload.test)', "avg(temperature, 10m) > 25"),
    ),
    "for": duration("How long it must hold before it fires (on-delay).", "5m", "1h30m"),
    "clear": condition("The condition that ends it (hysteresis). Without it: when is false.", "temperature < -18"),
    "clear_for": duration("How long the end must hold (off-delay).", "10m"),
    "absent": key(
        "Fires when an instance says nothing for this long; auto learns each device's interval.",
        *("10m", "auto"),
        anyOf=[{"type": "string", "pattern": DURATION}, {"const": "auto"}],
    ),
    "pause": condition(
        "Schedule or condition, which may name schedules, in which it is not evaluated and timers reset.", *_SCHEDULE
    ),
    "mute": condition(
        "Schedule or condition, which may name schedules, in which it is evaluated and nobody is told.",
        *(*_SCHEDULE, 'night && severity != "critical"'),
    ),
    "unless": listed(
        key(
            "Alerts that hold this one's notifications back while they fire with equal labels, and for 10s after, or"
            " for the time in 'after'.",
            *("PowerCut", ["PowerCut", {"alert": "GatewayOffline", "after": "2m"}]),
        ),
        {"anyOf": [{"type": ["string", "number"], "pattern": "."}, mapping("a cause", CAUSE, required=("alert",))]},
    ),
    "notify": _NOTIFY,
    "repeat": _REPEAT,
    "escalate": listed(
        key("Who is told beside, while it fires and nobody has acknowledged it.", [{"after": "15m", "to": ["boss"]}]),
        mapping("a step", STEP, required=("after", "to")),
    ),
    "group_by": _GROUP_BY,
    "group_wait": _GROUP_WAIT,
    "group_interval": _GROUP_INTERVAL,
    "limit": _LIMIT,
    "timestamp": text("Expression for the event's own time: a number since 1970 or RFC 3339.", "payload.ts"),
    "shadow": boolean("Evaluate and record, tell nobody.", default=False),
    "severity": _SEVERITY,
    "labels": _LABELS,
    "summary": text(
        "What is told, in a line: a text with {expressions} and formats.", "{device} at {site} is {temperature:.1f} °C"
    ),
    "details": text("More text, for receivers that have room for it.", "{summary}, since {since:%H:%M}"),
    "runbook": text("Where it says what to do, a text: mostly a URL.", "https://wiki.example.org/{alertname}"),
    "enabled": boolean("Whether the rule is at work; it is checked anyway.", default=True),
}

DEFAULTS: dict[str, Key] = {
    "notify": _NOTIFY,
    "severity": _SEVERITY,
    "labels": _LABELS,
    "repeat": _REPEAT,
    "group_by": _GROUP_BY,
    "group_wait": _GROUP_WAIT,
    "group_interval": _GROUP_INTERVAL,
    "limit": _LIMIT,
    "tz": _DEFAULT_TZ,
}

_RANGES = {"type": "string", "pattern": "[0-9]{1,2}:[0-9]{2}"}
SCHEDULE: dict[str, Key] = {
    "daily": listed(key("Each day between these times.", "02:00-02:30", ["06:00-07:00", "18:00-19:00"]), _RANGES),
    "weekly": listed(
        key("On these days of the week, between these times or the whole day.", "mon-fri 08:00-18:00", "sat,sun"),
        {"type": "string", "pattern": "(?i)mon|tue|wed|thu|fri|sat|sun"},
    ),
    "cron": text("From each time that a cron expression names, for the time in 'for'.", "0 2 * * sun"),
    "for": duration("How long it holds from each time of cron, at most 7d.", "2h", zero=False),
    "from": text("Once, from this time; beside 'to'.", "2026-12-24T18:00"),
    "to": text("The end of 'from'.", "2026-12-27"),
    "not": text("Whenever that schedule does not hold.", "office"),
    "tz": _TZ,
}
_KINDS = ("daily", "weekly", "cron", "from", "not")
_EVENT_LACKS = ("for", "clear", "clear_for", "absent", "repeat", "escalate")


def _rule() -> Key:
    needs = [{"required": ["when"]}, {"required": ["absent"]}]
    lacks = {"anyOf": [{"required": [name]} for name in _EVENT_LACKS]}
    alert = {"required": ["alert"], "anyOf": needs, "not": {"required": ["event"]}}
    event = {"required": ["event"], "not": {"anyOf": [{"required": ["alert"]}, *lacks["anyOf"]]}}
    return mapping("a rule", RULE, required=("topic",), oneOf=[alert, event])


def _schedule() -> Key:
    one = [{"required": [kind]} for kind in _KINDS]
    both = {"for": ["cron"], "cron": ["for"], "to": ["from"], "from": ["to"]}
    written = {"type": "string", "pattern": f"^\\s*({'|'.join(_KINDS)})\\s"}
    return {"anyOf": [mapping("a schedule", SCHEDULE, oneOf=one, dependencies=both), written]}


def rule_file() -> dict[str, Any]:
    """Return the schema of a rule file."""
    sections = {
        "rules": key("What matters, when it begins and ends, who is told.", type="array", items=_rule()),
        "receivers": receivers(),
        "schedules": key(
            "Times by which rules pause or are muted, by name; each is true or false in every expression.",
            {"office": {"weekly": "mon-fri 08:00-18:00", "tz": "Europe/Berlin"}, "away": "not office"},
            type="object",
            propertyNames={"pattern": NAME, "not": {"enum": list(_KINDS)}},
            additionalProperties=_schedule(),
        ),
        "defaults": {
            "description": "What the rules of this file have where they say nothing; in a file without rules: of all.",
            **mapping("defaults", DEFAULTS),
        },
        "tests": key("Tests of the rules, which hub test runs.", type="array", items=trial()),
    }
    what = "A rule file of the MQTT notification hub: rules, receivers, schedules, defaults, tests."
    return {**mapping("rule file", sections), "description": what}
