"""The AsyncAPI 3.0 document of all topics: what the hub hears and says over MQTT, in the schemas that HTTP has, too.

Fields are those of https://www.asyncapi.com/docs/reference/specification/v3.0.0 and its MQTT bindings 0.2.0.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from hub import __version__
from hub.commands.contract import COMMANDS, CommandContract
from hub.contracts.answered import AckBody, AlertBody, SilenceBody
from hub.contracts.json_schema import (
    ANY,
    FLAG,
    TEXT,
    TIME,
    WHOLE,
    Schema,
    listed,
    made_of,
    mapped,
    maybe,
    one_of,
    said,
    schema_of,
)
from hub.errors import Code
from hub.operate.specs import user_topics
from hub.operate.specs.described import JSON
from hub.operate.specs.openapi import CONTACT
from hub.operate.specs.user_topics import PROTOBUF, TopicChannel
from hub.rules.reading.loader import RuleSet
from hub.selfwatch.watcher import DROPPED

__all__ = ["EVENT_OF_ITS_OWN", "NOTIFICATION", "STATUS", "asyncapi"]

_BINDING = "0.2.0"
_LABELS = mapped(TEXT)
_ALERT = schema_of(AlertBody)
_EVENT = made_of({"truncated": FLAG, "base64": TEXT}, topic=TEXT, payload=ANY, time=TIME)
_MEMBER = made_of(
    {"ack_url": TEXT},
    id=TEXT,
    state=one_of("firing", "resolved", "event"),
    labels=_LABELS,
    summary=TEXT,
    details=TEXT,
    since=TIME,
    until=maybe(TIME),
    runbook=TEXT,
    event=maybe(_EVENT),
)
NOTIFICATION: Schema = made_of(
    {
        "count": said(WHOLE, "Of a group: how many alerts and events it is about."),
        "alerts": said(listed(_MEMBER), "Of a group: each of them, the first ones where there are many."),
        "held_back": said(WHOLE, "How many `limit` has held back since the last one."),
        "holds_back": said(made_of(count=WHOLE, alerts=listed(mapped(ANY))), "Whom its alert holds back (`unless`)."),
        "first": said(FLAG, "Where its receiver has not heard of the episode before, and the id does not say so."),
        "flapping": said(WHOLE, "How often it has fired in this episode, where it flaps."),
        "ack_url": said(TEXT, "Acknowledges with one tap; where `http.url` is set."),
        "drill": said(FLAG, "true: a test of the receiver."),
    },
    id=said(TEXT, "Names it for ever: what comes twice has the same."),
    alertname=TEXT,
    state=one_of("firing", "resolved", "event"),
    severity=TEXT,
    labels=_LABELS,
    summary=TEXT,
    details=TEXT,
    runbook=TEXT,
    reason=TEXT,
    since=maybe(TIME),
    until=maybe(TIME),
    episode=WHOLE,
    acknowledged=maybe(schema_of(AckBody)),
    event=maybe(_EVENT),
    hub=made_of(client_id=TEXT, version=TEXT),
)
STATUS: Schema = made_of(status=one_of("online", "offline"), version=TEXT, since=TIME)
EVENT_OF_ITS_OWN: Schema = made_of(
    {"detail": TEXT, "alertname": TEXT, "labels": _LABELS, "since": TIME, "silence": maybe(schema_of(SilenceBody))},
    event=one_of("session_lost", "silence_hides_critical", "state_lost"),
    time=TIME,
)

_ERROR = made_of(
    ok={"const": False},
    error=said(TEXT, "What is wrong, and what to do."),
    code=said(one_of(*Code), "What kind of no it is."),
)
_WHO = {"send": "The hub publishes it.", "receive": "The hub subscribes to it; whoever the broker lets may publish it."}


def asyncapi(prefix: str = "hub", rules: RuleSet | None = None) -> dict[str, Any]:
    """Return the document; `prefix` is `publish_prefix` of hub.yaml. With rules their topics are told one by one."""
    made = _Document()
    if rules is None:
        _say_where(made)
    else:
        made.add_all(user_topics.events(list(rules.rules.values())))
        made.add_all(user_topics.notifications(rules.receivers, NOTIFICATION))
        made.add_all(user_topics.alerts(prefix, rules.rules.values(), _ALERT))
    _say_itself(made, prefix)
    for name, contract in COMMANDS.items():
        made.ask(name, f"{prefix}/command/{name}", contract)
    _hear_others(made)
    made.add_all(user_topics.inside())
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "MQTT notification hub",
            "version": __version__,
            "description": "What the hub hears and says over MQTT; `hub schema --openapi` has HTTP.",
            "contact": CONTACT,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
            "tags": [{"name": "mqtt", "description": "Events in, notifications out, the desk's commands"}],
        },
        "defaultContentType": JSON,
        "servers": {
            "broker": {
                "host": "localhost:1883",
                "protocol": "mqtt",
                "protocolVersion": "5",
                "description": "`broker.url` of hub.yaml; MQTT 3.1.1 works, too, without answers to commands.",
            }
        },
        "channels": made.channels,
        "operations": made.operations,
    }


def _say_where(made: "_Document") -> None:
    """Add what only rule files say: which topics there are."""
    made.add(
        "events", None, "receive", 1, "Events of devices, on every topic that a rule names.",
        {"event": _message("An event: JSON, or text; Sparkplug B where it is that.", ANY)},
    )  # fmt: skip
    made.add(
        "notifications", None, "send", 1, "What receivers of the kind `mqtt` are told, on the topics that they name.",
        {"notification": _message("The notification, unless the receiver has a `payload` of its own.", NOTIFICATION)},
    )  # fmt: skip


def _say_itself(made: "_Document", prefix: str) -> None:
    status = _message("`offline` is said at a clean end, and by the broker (will) at any other.", STATUS)
    made.add("status", f"{prefix}/status", "send", 1, "Whether the hub is there.", {"status": status}, retain=True)
    made.add(
        "alerts", f"{prefix}/alerts/{{alertname}}/{{instance}}", "send", 1, "How each alert stands.",
        {"alert": _message("Its state; empty when it is long over.", _ALERT)}, retain=True,
        parameters={
            "alertname": "The rule's name.",
            "instance": "A level for each value of the rule's `by`, in its order; none where that is empty.",
        },
    )  # fmt: skip
    made.channels["alerts"]["x-mqtt-filter"] = f"{prefix}/alerts/+/#"  # no address says that levels may be many
    made.add(
        "ownEvents", f"{prefix}/events/{{event}}", "send", 1, "What happens to the hub, for other programs.",
        {"event": _message("It was forgotten by the broker; a silence hides a critical alert.", EVENT_OF_ITS_OWN)},
        parameters={"event": "Its name, as in the payload."},
    )  # fmt: skip


def _hear_others(made: "_Document") -> None:
    """Add what others define."""
    text = {"type": "string", "pattern": "^[0-9]+$"}
    made.add(
        "brokerDrops", DROPPED, "receive", 0, "How much Mosquitto has dropped; for the hub's own alert.",
        {"dropped": _message("A number.", text, "text/plain")},
    )  # fmt: skip
    made.add(
        "homeAssistant", "{discovery}/{component}/{entity}/config", "send", 1,
        "Alerts for Home Assistant, where `discovery` of hub.yaml is set.",
        {"config": _message("An entity, as its MQTT discovery defines it; empty: it is gone.", mapped(ANY))},
        retain=True,
        parameters={"discovery": "homeassistant", "component": "binary_sensor, button", "entity": "Its id."},
    )  # fmt: skip
    made.add(
        "homeAssistantStatus", "{discovery}/status", "receive", 1, "That Home Assistant has started.",
        {"status": _message("`online`: the hub announces all alerts anew.", one_of("online", "offline"), "text/plain")},
        parameters={"discovery": "homeassistant"},
    )  # fmt: skip
    made.add(
        "rebirth", "{namespace}/{group}/NCMD/{node}", "send", 0,
        "Asks a Sparkplug node for its birth, where `sparkplug: {rebirth: true}`.",
        {"command": _message("A Sparkplug B payload.", {"type": "string"}, PROTOBUF)},
        parameters={"namespace": "spBv1.0", "group": "The node's group.", "node": "The node."},
    )  # fmt: skip


def _message(summary: str, payload: Schema, media: str = JSON) -> dict[str, Any]:
    return {"summary": summary, "contentType": media, "payload": dict(payload)}


class _Document:
    """Channels and operations, as they come together."""

    def __init__(self) -> None:
        self.channels: dict[str, dict[str, Any]] = {}
        self.operations: dict[str, dict[str, Any]] = {}

    def add(
        self,
        name: str,
        address: str | None,
        action: str,
        qos: int,
        summary: str,
        messages: Mapping[str, Mapping[str, Any]],
        *,
        retain: bool = False,
        parameters: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Add a channel with its one operation; an `address` of None is somebody else's to say."""
        self._channel(name, address, summary, messages, parameters)
        operation: dict[str, Any] = {
            "action": action,
            "channel": {"$ref": f"#/channels/{name}"},
            "summary": summary,
            "description": _WHO[action],
            "messages": [{"$ref": f"#/channels/{name}/messages/{each}"} for each in messages],
            "bindings": {"mqtt": {"qos": qos, "retain": retain, "bindingVersion": _BINDING}},
        }
        self.operations[f"{action}{name[0].upper()}{name[1:]}"] = operation
        return operation

    def _channel(
        self,
        name: str,
        address: str | None,
        summary: str,
        messages: Mapping[str, Mapping[str, Any]],
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        channel: dict[str, Any] = {"address": address, "summary": summary, "messages": messages}
        if parameters:
            channel["parameters"] = {key: {"description": text} for key, text in parameters.items()}
        self.channels[name] = channel

    def add_all(self, channels: Iterable[TopicChannel]) -> None:
        """Add what rules make; two topics that differ in signs only get names that differ in a number."""
        for each in channels:
            name, number = each.name, 1
            while name in self.channels:
                number += 1
                name = f"{each.name}_{number}"
            messages = {"message": _message(each.message, each.payload, each.media)}
            if each.action:
                of = (each.address, each.action, each.qos, each.summary, messages)
                self.add(name, *of, retain=each.retain, parameters=each.parameters)
            else:
                self._channel(name, each.address, each.summary, messages, each.parameters)
            if each.filter:
                self.channels[name]["x-mqtt-filter"] = each.filter

    def ask(self, name: str, address: str, contract: CommandContract) -> None:
        """Add a command with its answer."""
        key = "".join(word.capitalize() for word in name.split("-"))
        operation = self.add(
            f"command{key}",
            address,
            "receive",
            1,
            contract.summary,
            {"request": _message("What is asked for.", contract.request)},
        )
        answers = {
            "answer": _message("Sent when what was asked for is on disk.", contract.answer),
            "error": _message("It is not done.", _ERROR),
        }
        self.channels[f"answer{key}"] = {"address": None, "summary": f"The answer of {name}.", "messages": answers}
        operation["reply"] = {
            "address": {
                "location": "$message.header#/responseTopic",
                "description": "MQTT 5's response topic, below hub/answers/; correlation data comes back.",
            },
            "channel": {"$ref": f"#/channels/answer{key}"},
            "messages": [{"$ref": f"#/channels/answer{key}/messages/{each}"} for each in answers],
        }
