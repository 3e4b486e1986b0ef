"""The AsyncAPI 3.0 document of all topics: what the hub hears and says over MQTT, with the schemas that HTTP has.

Its fields are those of https://www.asyncapi.com/docs/reference/specification/v3.0.0 and its MQTT bindings 0.2.0.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from hub.commands.contract import COMMANDS, CommandContract
from hub.contracts.answered import AlertBody
from hub.contracts.json_schema import ANY, Schema, mapped, one_of, schema_of
from hub.contracts.published import NotificationBody, OwnEventBody, StatusBody
from hub.errors import Code
from hub.operate.specs import user_topics
from hub.operate.specs.about import info, refusal
from hub.operate.specs.described import JSON
from hub.operate.specs.user_topics import PROTOBUF, TopicChannel
from hub.rules.reading.loader import RuleSet
from hub.selfwatch.watcher import DROPPED

__all__ = ["asyncapi"]

_BINDING = "0.2.0"
_ALERT = schema_of(AlertBody)
_NOTIFICATION = schema_of(NotificationBody)
_OWN_EVENT = schema_of(OwnEventBody)
_ERROR = refusal(Code, "What kind of no it is.")
_WHO = {"send": "The hub publishes it.", "receive": "The hub subscribes to it; whoever the broker lets may publish it."}


def asyncapi(prefix: str = "hub", rules: RuleSet | None = None) -> dict[str, Any]:
    """Return the document; `prefix` is `publish_prefix` of hub.yaml. With `rules` it has the topics of each of them."""
    document = _Document()
    if rules is None:
        _add_user_topics(document)
    else:
        document.add_all(user_topics.events(list(rules.rules.values())))
        document.add_all(user_topics.notifications(rules.receivers, _NOTIFICATION))
        document.add_all(user_topics.alerts(prefix, rules.rules.values(), _ALERT))
    _add_own_topics(document, prefix)
    for name, contract in COMMANDS.items():
        document.add_command(name, f"{prefix}/command/{name}", contract)
    _add_topics_of_others(document)
    document.add_all(user_topics.inside(_ALERT))
    return {
        "asyncapi": "3.0.0",
        "info": {
            **info(
                "What the hub hears and says over MQTT; `hub schema --openapi` has HTTP.",
                url="https://www.apache.org/licenses/LICENSE-2.0",
            ),
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
        "channels": document.channels,
        "operations": document.operations,
    }


def _add_user_topics(document: "_Document") -> None:
    """Add events and notifications without addresses: only rule files name their topics."""
    document.add(
        "events", None, "receive", 1, "Events of devices, on every topic that a rule names.",
        {"event": _message("An event: JSON, or text; Sparkplug B where it is that.", ANY)},
    )  # fmt: skip
    document.add(
        "notifications", None, "send", 1, "What receivers of the kind `mqtt` are told, on the topics that they name.",
        {"notification": _message("The notification, unless the receiver has a `payload` of its own.", _NOTIFICATION)},
    )  # fmt: skip


def _add_own_topics(document: "_Document", prefix: str) -> None:
    """Add what the hub publishes below its own prefix."""
    status = _message("`offline` is said at a clean end, and by the broker (will) at any other.", schema_of(StatusBody))
    document.add("status", f"{prefix}/status", "send", 1, "Whether the hub is there.", {"status": status}, retain=True)
    document.add(
        "alerts", f"{prefix}/alerts/{{alertname}}/{{instance}}", "send", 1, "How each alert stands.",
        {"alert": _message("Its state; empty when it is long over.", _ALERT)}, retain=True,
        parameters={
            "alertname": "The rule's name.",
            "instance": "A level for each value of the rule's `by`, in its order; none where that is empty.",
        },
    )  # fmt: skip
    # in an address a parameter is one level, but `by` may have several
    document.channels["alerts"]["x-mqtt-filter"] = f"{prefix}/alerts/+/#"
    document.add(
        "ownEvents", f"{prefix}/events/{{event}}", "send", 1, "What happens to the hub, for other programs.",
        {"event": _message("It was forgotten by the broker; a silence hides a critical alert.", _OWN_EVENT)},
        parameters={"event": "Its name, as in the payload."},
    )  # fmt: skip


def _add_topics_of_others(document: "_Document") -> None:
    """Add the topics whose names Mosquitto, Home Assistant and Sparkplug define."""
    text = {"type": "string", "pattern": "^[0-9]+$"}
    document.add(
        "brokerDrops", DROPPED, "receive", 0, "How much Mosquitto has dropped; for the hub's own alert.",
        {"dropped": _message("A number.", text, "text/plain")},
    )  # fmt: skip
    document.add(
        "homeAssistant", "{discovery}/{component}/{entity}/config", "send", 1,
        "Alerts for Home Assistant, where `discovery` of hub.yaml is set.",
        {"config": _message("An entity, as its MQTT discovery defines it; empty: it is gone.", mapped(ANY))},
        retain=True,
        parameters={"discovery": "homeassistant", "component": "binary_sensor, button", "entity": "Its id."},
    )  # fmt: skip
    document.add(
        "homeAssistantStatus", "{discovery}/status", "receive", 1, "That Home Assistant has started.",
        {"status": _message("`online`: the hub announces all alerts anew.", one_of("online", "offline"), "text/plain")},
        parameters={"discovery": "homeassistant"},
    )  # fmt: skip
    document.add(
        "rebirth", "{namespace}/{group}/NCMD/{node}", "send", 0,
        "Asks a Sparkplug node for its birth, where `sparkplug: {rebirth: true}`.",
        {"command": _message("A Sparkplug B payload.", {"type": "string"}, PROTOBUF)},
        parameters={"namespace": "spBv1.0", "group": "The node's group.", "node": "The node."},
    )  # fmt: skip


def _message(summary: str, payload: Schema, media: str = JSON) -> dict[str, Any]:
    return {"summary": summary, "contentType": media, "payload": dict(payload)}


class _Document:
    """The channels and operations of the document, which grows by its `add` methods."""

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
        """Add a channel with its one operation; `address` is None if a user's files or a request name it."""
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
        """Add topics of rules and receivers; if two topics give the same name, the second gets a number."""
        for topic in channels:
            name, number = topic.name, 1
            while name in self.channels:
                number += 1
                name = f"{topic.name}_{number}"
            messages = {"message": _message(topic.message, topic.payload, topic.media)}
            if topic.action:
                operation = (topic.address, topic.action, topic.qos, topic.summary, messages)
                self.add(name, *operation, retain=topic.retain, parameters=topic.parameters)
            else:
                self._channel(name, topic.address, topic.summary, messages, topic.parameters)
            if topic.filter:
                self.channels[name]["x-mqtt-filter"] = topic.filter

    def add_command(self, name: str, address: str, contract: CommandContract) -> None:
        """Add the topic of a command, and a channel for its answer, whose topic the request names."""
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
