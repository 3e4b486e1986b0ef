"""The topics of one user's rules and receivers, as channels of the AsyncAPI document.

`$hub/…` are channels, too: no broker has them, but rules may listen there. Pure.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hub.contracts.json_schema import ANY, TEXT, Schema, made_of
from hub.contracts.own_voice import OWN_FIELDS
from hub.expressions import TopicTemplate, short_level
from hub.model import ALERT_TOPICS, OWN_TOPICS
from hub.notify.receiver import ReceiverSettings
from hub.notify.receivers.mqtt import MqttOptions
from hub.operate.specs.described import JSON
from hub.rules.reading.rule import Rule
from hub.rules.reading.subjects import HOMIE, SPARKPLUG, presence_filters
from hub.rules.topics.topic_pattern import TopicPattern

__all__ = ["PROTOBUF", "TopicChannel", "alerts", "events", "inside", "notifications"]

PROTOBUF = "application/x-protobuf"
_PLAIN = "text/plain"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ENCODED = "As a label has it; / + # % are percent-encoded."


@dataclass(frozen=True, slots=True)
class TopicChannel:
    """A topic and what is published there; its address has `{parameters}`, and `parameters` explains each.

    `filter` subscribes to all that the address may be; it is empty if there are no parameters. `action` is what the hub
    does there: send, receive, or nothing (empty).
    """

    name: str
    address: str
    action: str
    summary: str
    message: str
    payload: Schema
    media: str = JSON
    parameters: Mapping[str, str] = field(default_factory=dict)
    filter: str = ""
    qos: int = 1
    retain: bool = False


def events(rules: Sequence[Rule]) -> Iterator[TopicChannel]:
    """Yield the topics of rules with the fields that they read, and the topics of births and deaths of devices."""
    listening: dict[str, tuple[TopicPattern, list[Rule]]] = {}
    for rule in rules:
        for pattern in rule.patterns:
            if not pattern.filter.startswith(OWN_TOPICS):
                listening.setdefault(pattern.text, (pattern, []))[1].append(rule)
    for pattern, of in listening.values():
        yield _of_pattern(pattern, of)
    for topic_filter in presence_filters(rules):
        yield _of_presence(topic_filter)


def _of_pattern(pattern: TopicPattern, rules: Sequence[Rule]) -> TopicChannel:
    address, parameters = _address(pattern.filter, dict(zip(pattern.levels, pattern.captures, strict=True)))
    name, summary = f"events_{_slug(pattern.text)}", f"Events for {', '.join(rule.name for rule in rules)}."
    message, payload, media = "JSON, or text.", _fields(rules), JSON
    if pattern.filter.startswith(f"{SPARKPLUG}/"):
        message, payload, media = "Metrics in Sparkplug B; rules read them by name.", ANY, PROTOBUF
    return TopicChannel(name, address, "receive", summary, message, payload, media, parameters, _wild(pattern.filter))


def _fields(rules: Iterable[Rule]) -> Schema:
    """Return the payload's schema: the fields that rules read, each with the names of these rules."""
    readers: dict[str, dict[str, None]] = {}
    for rule in rules:
        programs = [*rule.conditions, *([rule.timestamp] if rule.timestamp is not None else [])]
        read = [*(each.fields for each in programs), *(each.fields for each in rule.texts.templates)]
        for name in sorted(frozenset().union(*read, (way[0] for way in rule.ways.values()))):
            readers.setdefault(name, {})[rule.name] = None
    return {"properties": {name: {"description": f"Read by {', '.join(of)}."} for name, of in readers.items()}}


def _of_presence(topic_filter: str) -> TopicChannel:
    address, parameters = _address(topic_filter)
    message, payload, media = "A birth or a death in Sparkplug B.", ANY, PROTOBUF
    if topic_filter.startswith(f"{HOMIE}/"):
        message, payload, media = "The state of a Homie device.", TEXT, _PLAIN
    summary = "Who is there; heard beside the topics of rules."
    name = f"presence_{_slug(address)}"
    return TopicChannel(name, address, "receive", summary, message, payload, media, parameters, _wild(topic_filter))


def alerts(prefix: str, rules: Iterable[Rule], payload: Schema) -> Iterator[TopicChannel]:
    """Yield the retained topics of each alert rule; `payload` is the schema of an alert."""
    for rule in rules:
        if rule.alert:
            start = f"{prefix}/alerts/{short_level(rule.name)}"
            address = "/".join([start, *(f"{{{name}}}" for name in rule.by)])
            wild = _wild("/".join([start, *("+" for _ in rule.by)]))
            says = ("send", f"How {rule.name} stands.", "Its state; empty when it is long over.", payload, JSON)
            parameters = dict.fromkeys(rule.by, _ENCODED)
            yield TopicChannel(f"alerts_{_slug(rule.name)}", address, *says, parameters, wild, retain=True)


def notifications(receivers: Mapping[str, ReceiverSettings], payload: Schema) -> Iterator[TopicChannel]:
    """Yield the topic of each `mqtt` receiver; `payload` is the schema of a notification, unless it has its own."""
    for name, settings in receivers.items():
        options = settings.options
        if isinstance(options, MqttOptions) and options.topic is not None:
            address, parameters = _filled(options.topic)
            message = (
                ("The notification.", payload, JSON)
                if options.payload is None
                else (options.payload_text, TEXT, _PLAIN)
            )
            says = ("send", f"What the receiver {name} is told.", *message, parameters, _wild(options.topic.filter))
            yield TopicChannel(f"notifications_{_slug(name)}", address, *says, options.qos, options.retain)


def _filled(topic: TopicTemplate) -> tuple[str, dict[str, str]]:
    """Return the address of a topic with `{…}`: a name stays a parameter, an expression becomes `part1` and so on."""
    address, parameters = "", dict[str, str]()
    for number, part in enumerate(topic.parts, 1):
        if isinstance(part, str):
            address += part
            continue
        text = part.program.text
        name = text if _NAME.fullmatch(text) else f"part{number}"
        parameters[name] = f"{{{text}}} of the notification; / + # % are percent-encoded."
        address += f"{{{name}}}"
    return address, parameters


def inside(alert: Schema) -> Iterator[TopicChannel]:
    """Yield the topics on which the hub's figures of itself and its alerts come; only rules hear them."""
    summary = "Inside the hub only: rules may listen to the alerts of others."
    parameters = {"alertname": _ENCODED, "labels": f"The values of its labels, a level each. {_ENCODED}"}
    says = ("", summary, "How the alert stands.", alert, JSON, parameters, f"{ALERT_TOPICS}#")
    yield TopicChannel("own_alerts", f"{ALERT_TOPICS}{{alertname}}/{{labels}}", *says)
    for topic, fields in OWN_FIELDS.items():
        address, parameters = _address(topic, {2: "name"} if topic.endswith("/+") else None)
        said = made_of({name: {"description": f"{text[0].upper()}{text[1:]}."} for name, text in fields.items()})
        summary = "Inside the hub only: a rule may listen here; it never comes from a broker, nor goes to one."
        name = f"own_{_slug(topic.removeprefix(OWN_TOPICS))}"
        yield TopicChannel(name, address, "", summary, "What it measured.", said, JSON, parameters, _wild(topic))


def _address(topic_filter: str, names: Mapping[int, str] | None = None) -> tuple[str, dict[str, str]]:
    """Return a filter as an address with its parameters; `names` are the names of levels, by place."""
    given, levels, parameters = names or {}, list[str](), dict[str, str]()
    for place, level in enumerate(topic_filter.split("/")):
        if level not in ("+", "#"):
            levels.append(level)
            continue
        name = given.get(place) or f"level{place + 1}"
        while place not in given and name in given.values():
            name += "_"
        parameters[name] = "One level." if level == "+" else "All further levels."
        levels.append(f"{{{name}}}")
    return "/".join(levels), parameters


def _wild(topic_filter: str) -> str:
    return topic_filter if "+" in topic_filter or "#" in topic_filter else ""


def _slug(text: str) -> str:
    """Return a text as part of a channel's name, which may have letters, digits and _ only."""
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")
