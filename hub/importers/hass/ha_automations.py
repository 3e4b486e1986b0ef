"""Makes rules of Home Assistant's automations that tell somebody: one of each trigger and entity.

A trigger that can last (a number beyond a limit, a state) is an alert, one that is a moment an event. What an
automation does beside telling somebody is not the hub's business; it is told.
"""

import re
from collections.abc import Iterator

from hub.documents.duration import format_duration
from hub.importers.draft import NOWHERE, Draft, DraftEntry, Value
from hub.importers.hass.jinja import message
from hub.importers.imported_texts import literal, payload_field
from hub.importers.yaml_source import ForeignValue
from hub.ingest.itself import HUB
from hub.ingest.topics import check_filter, check_topic

__all__ = ["AutomationReader", "is_automation"]

_ENTITY = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::[0-5][0-9])?")
_FIELD = re.compile(
    r"\{\{\s*value_json((?:\.\w+|\[['\"]\w+['\"]\])+)\s*(?:\|\s*(?:float|int|string)(?:\(0\))?\s*)?\}\}"
)
_SECONDS = {"days": 86_400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0, "milliseconds": 0.001}
_TO, _FROM = "trigger.to_state.state", "trigger.from_state.state"
_UNSAID = ("choose", "if", "repeat", "wait_for_trigger", "wait_template", "delay", "parallel", "sequence", "stop")


class _NotCarried(Exception):  # a way out of a reader, not an error that leaves this module
    """No rule says this; the message tells the user why."""

    def __init__(self, place: ForeignValue, why: str) -> None:
        super().__init__(why)
        self.place = place


def is_automation(value: ForeignValue) -> bool:
    """Tell whether a mapping is an automation, in the words of any version."""
    return any(key in value.pairs for key in ("trigger", "triggers")) and any(
        key in value.pairs for key in ("action", "actions")
    )


class AutomationReader:
    """Reads automations into a draft; `told` gathers the notifiers that they name, for their receivers."""

    def __init__(self, draft: Draft, base: str, told: dict[str, bool]) -> None:
        """Take the first levels of the topics on which Home Assistant publishes states."""
        self.draft, self.base, self.told = draft, base, told

    def read(self, written: ForeignValue) -> None:
        """Make the rules of an automation; none where it tells nobody anything."""
        name = written.text("alias") or written.text("id") or "automation"
        tells = [each for each in _actions(written) if _notifier(each) or _publishes(each)]
        if not tells:
            say = f"automation {name}: it tells nobody anything"
            if any(key in each.pairs for each in _actions(written) for key in _UNSAID):
                say = f"automation {name}: what it does depends on more than its trigger; write rules for it"
            self.draft.remark(None, written.line, say, written.column)
            return
        triggers = _listed(written, "trigger", "triggers")
        if not triggers:
            self.draft.remark(None, written.line, f"automation {name}: it has no trigger", written.column)
        for trigger in triggers:
            for entity in _entities(trigger) or [""]:
                self._rule(name, written, trigger, entity, tells)

    def _rule(
        self, name: str, written: ForeignValue, trigger: ForeignValue, entity: str, tells: list[ForeignValue]
    ) -> None:
        rule = DraftEntry({"alert": self.draft.name(name), "topic": NOWHERE, "when": "false"})
        try:
            self._trigger(rule, trigger, entity)
            self._conditions(rule, written, entity)
        except _NotCarried as why:
            self.draft.disable(rule, why.place.line, f"automation {name}: {why}", why.place.column)
            if "event" not in rule.keys:
                rule.keys["when"] = "false"
        self._tell(name, rule, tells, entity)
        for each in _actions(written):
            if each not in tells:
                what = each.text("action") or each.text("service") or next(iter(each.pairs), "?")
                say = f"automation {name}: the action {what}"
                if any(key in each.pairs for key in _UNSAID):
                    self.draft.disable(rule, each.line, say, each.column)
                else:
                    self.draft.remark(rule, each.line, say, each.column)
        if written.text("initial_state").lower() in ("false", "no", "off"):
            rule.keys["enabled"] = False
        self.draft.rules.append(rule)

    # when

    def _trigger(self, rule: DraftEntry, trigger: ForeignValue, entity: str) -> None:
        """Write topic and condition of a trigger."""
        kind = trigger.text("platform") or trigger.text("trigger")
        if trigger.text("enabled").lower() in ("false", "no"):
            raise _NotCarried(trigger, "this trigger is disabled")
        if kind == "mqtt":
            self._mqtt(rule, trigger)
            return
        if kind not in ("numeric_state", "state"):
            raise _NotCarried(trigger, f"a trigger of the kind {kind or '?'}: no message brings it")
        if not _ENTITY.fullmatch(entity):
            raise _NotCarried(trigger, f"{entity!r} is no entity")
        last = trigger.text("attribute") or "state"
        rule.keys["topic"] = f"{self.base}/{entity.replace('.', '/')}/{last}"
        condition = _number(trigger) if kind == "numeric_state" else _state(trigger)
        lasts = kind == "numeric_state" or (trigger.get("to") and not trigger.get("from"))
        if not lasts and not trigger.get("for"):
            self._event(rule)
            rule.keys["when"] = condition
            return
        if not lasts:
            raise _NotCarried(trigger, "a change that must have lasted; write an alert on the new state")
        rule.keys["when"] = condition
        if trigger.get("for"):
            rule.keys["for"] = _for(trigger)

    def _event(self, rule: DraftEntry) -> None:
        rule.keys = {"event": rule.keys["alert"], "topic": rule.keys["topic"]}

    def _mqtt(self, rule: DraftEntry, trigger: ForeignValue) -> None:
        topic = trigger.text("topic")
        self._event(rule)
        if check_filter(topic) or HUB.named_by(topic) or topic == "#" or "{" in topic:
            raise _NotCarried(trigger, f"the topic {topic}, to which the hub cannot listen; write another")
        rule.keys["topic"] = topic
        payload, template = trigger.text("payload"), trigger.text("value_template")
        if not payload:
            return
        if "{{" in payload or "{%" in payload:
            raise _NotCarried(trigger, f"the payload is a template: {payload}")
        subject = "value"
        if template:
            path = _FIELD.fullmatch(template.strip())
            if not path:
                raise _NotCarried(trigger, f"value_template {template}; write the field in `when`")
            first, *rest = re.findall(r"\w+", path[1])
            subject = payload_field(first) + "".join(f".{step}" for step in rest)
        rule.keys["when"] = f"{subject} == {_literal(payload)}"

    def _conditions(self, rule: DraftEntry, written: ForeignValue, entity: str) -> None:
        """Add the conditions that look at the same entity, or at the time."""
        parts = []
        whole = written.get("condition") or written.get("conditions")
        if whole is not None and any(isinstance(each.value, str) for each in whole.items):
            raise _NotCarried(whole, f"the condition {', '.join(whole.texts)}, a template; add it to `when`")
        for each in _listed(written, "condition", "conditions"):
            if each.text("condition") == "time":
                rule.keys["mute"] = _outside(each)
                rule.beside["mute"] = "the automation had a condition on the time"
            else:
                parts.append(_condition(each, entity))
        if parts:
            before = str(rule.keys.get("when", ""))
            rule.keys["when"] = " && ".join(filter(None, (f"({before})" if "||" in before else before, *parts)))

    # who is told, and what

    def _tell(self, name: str, rule: DraftEntry, tells: list[ForeignValue], entity: str) -> None:
        names: dict[str, None] = {}
        texts: dict[str, str] = {}
        for action in tells:
            data = action.get("data")
            if notifier := _notifier(action):
                names[notifier] = None
                self.told.setdefault(notifier, False)
            elif data is not None and (made := self._publish(name, rule, data, entity)):
                names[made] = None
            for key in ("title", "message") if data is not None and _notifier(action) else ():
                written = data.get(key) if data else None
                if written is not None and key not in texts and isinstance(written.value, str):
                    said = message(written.value, entity, _own(rule))
                    if said is None:
                        say = f"automation {name}: {key} is a Jinja template, write it with {{…}}: {written.value}"
                        self.draft.remark(rule, written.line, say, written.column)
                    else:
                        texts[key] = said.text
        rule.keys["notify"] = list(names)
        summary = texts.get("title") or texts.get("message") or name.replace("{", "{{").replace("}", "}}")
        rule.keys["summary"] = summary
        if "title" in texts and "message" in texts:
            rule.keys["details"] = texts["message"]

    def _publish(self, name: str, rule: DraftEntry, data: ForeignValue, entity: str) -> str:
        """Make a receiver of `mqtt.publish`; "" where the hub cannot publish there."""
        topic, payload = data.text("topic"), data.text("payload")
        said = message(payload, entity) if payload and "{" in payload else None
        if check_topic(topic) is not None or "{" in topic or HUB.named_by(topic) or (said is None and "{{" in payload):
            say = f"automation {name}: mqtt.publish to {topic} of {payload or 'nothing'}; write a receiver `mqtt`"
            self.draft.remark(rule, data.line, say, data.column)
            return ""
        keys: dict[str, Value] = {"topic": topic, "payload": payload.replace("{", "{{").replace("}", "}}")}
        if said is not None:
            keys["payload"] = "{summary}" if "{{" in payload else keys["payload"]
        if data.text("retain").lower() in ("true", "yes", "on"):
            keys["retain"] = True
        key = "mqtt_" + re.sub(r"\W+", "_", topic).strip("_")
        free, number = key, 2
        made = DraftEntry({"mqtt": keys, "send_resolved": False})
        while self.draft.receivers.get(free, made) != made:
            free, number = f"{key}_{number}", number + 1
        self.draft.receivers[free] = made
        return free


def _own(rule: DraftEntry) -> dict[str, str]:
    """Return what a trigger's own variables are in our words."""
    if str(rule.keys["topic"]).rpartition("/")[2] == "state" or "when" in rule.keys:
        return {_TO: "value", "trigger.payload": "payload", "trigger.topic": "topic", _FROM: "previous(value)"}
    return {"trigger.payload": "payload", "trigger.topic": "topic"}


def _listed(written: ForeignValue, *keys: str) -> list[ForeignValue]:
    found = next((value for key in keys if (value := written.get(key)) is not None), None)
    return [each for each in found.items if each.pairs] if found is not None else []


def _actions(written: ForeignValue) -> list[ForeignValue]:
    return _listed(written, "action", "actions")


def _notifier(action: ForeignValue) -> str:
    """Return the name of the notify service that an action calls; "" where it calls none."""
    called = action.text("action") or action.text("service")
    if called == "notify.send_message" and (target := action.get("target")):
        return target.text("entity_id").removeprefix("notify.")
    return called.removeprefix("notify.") if called.startswith("notify.") else ""


def _publishes(action: ForeignValue) -> bool:
    return (action.text("action") or action.text("service")) == "mqtt.publish"


def _entities(trigger: ForeignValue) -> list[str]:
    listed = trigger.get("entity_id")
    return [part.strip().lower() for text in (listed.texts if listed else ()) for part in text.split(",")]


def _number(written: ForeignValue) -> str:
    """Return the condition of above and below."""
    if written.get("value_template"):
        raise _NotCarried(written, f"value_template {written.text('value_template')}")
    parts = []
    for key, sign in (("above", ">"), ("below", "<")):
        limit = written.text(key)
        if limit and not _NUMBER.fullmatch(limit):
            raise _NotCarried(written, f"{key} {limit} is no number")
        parts += [f"value {sign} {limit}"] if limit else []
    if not parts:
        raise _NotCarried(written, "it has neither above nor below")
    return " && ".join(parts)


def _state(written: ForeignValue) -> str:
    """Return the condition of to, from, not_to, not_from; without any, that it has changed."""
    parts = []
    for key, subject, sign in (
        ("to", "value", "=="),
        ("not_to", "value", "!="),
        ("from", "previous(value)", "=="),
        ("not_from", "previous(value)", "!="),
    ):
        listed = written.get(key)
        if listed is None:
            continue
        one = [f"{subject} {sign} {_literal(text)}" for text in listed.texts]
        joined = (" || " if sign == "==" else " && ").join(one)
        parts.append(f"({joined})" if len(one) > 1 and sign == "==" else joined)
    if not any(written.get(key) for key in ("from", "not_from")) and not written.get("to"):
        parts.append("changed(value)")
    return " && ".join(filter(None, parts))


def _condition(written: ForeignValue, entity: str) -> str:
    """Return a condition on the entity of the trigger; and, or, not hold others."""
    kind = written.text("condition")
    for word in ("and", "or", "not"):
        if kind == word or written.get(word):
            inner = [_condition(each, entity) for each in _listed(written, word, "conditions")]
            joined = (" && " if word == "and" else " || ").join(f"({each})" for each in inner)
            return f"!({joined})" if word == "not" else f"({joined})"
    if kind not in ("state", "numeric_state") or written.get("for") or written.get("attribute"):
        raise _NotCarried(written, f"a condition of the kind {kind or 'template'}")
    if _entities(written) != [entity]:
        others = ", ".join(_entities(written))
        raise _NotCarried(written, f"a condition on {others}, another entity than that of the trigger")
    if kind == "numeric_state":
        return _number(written)
    listed = written.get("state")
    one = [f"value == {_literal(text)}" for text in (listed.texts if listed else ())]
    if not one:
        raise _NotCarried(written, "a condition without a state")
    return f"({' || '.join(one)})" if len(one) > 1 else one[0]


def _outside(written: ForeignValue) -> str:
    """Return the time of day at which a condition on the time does not hold."""
    after, before = written.text("after"), written.text("before")
    clocks = [_CLOCK.fullmatch(each or "00:00") for each in (before, after)]
    if written.get("weekday") or not all(clocks) or not (after or before):
        raise _NotCarried(written, "a condition on weekdays or on a helper's time; write `mute`")
    first, second = (f"{clock[1]}:{clock[2]}" for clock in clocks if clock)
    return f"daily {first}-{second}"


def _literal(text: str) -> str:
    return text if _NUMBER.fullmatch(text) else literal(text)


def _for(trigger: ForeignValue) -> str:
    """Return the time that a trigger must hold: seconds, 00:05:00, or a mapping."""
    written = trigger.get("for")
    seconds = sum(_spans(trigger, written)) if written is not None else 0
    if not seconds:
        raise _NotCarried(trigger, "a time in `for` that is a template, or none")
    return format_duration(seconds)


def _spans(trigger: ForeignValue, written: ForeignValue) -> Iterator[float]:
    try:
        if written.pairs:
            for key, value in written.pairs.items():
                yield float(str(value.value)) * _SECONDS[key]
        else:
            parts = [float(part) for part in str(written.value).split(":")]
            for size, part in zip((1.0, 60.0, 3600.0), reversed(parts), strict=False):
                yield part * size
    except (KeyError, ValueError):
        raise _NotCarried(trigger, "a time in `for` that is a template") from None
