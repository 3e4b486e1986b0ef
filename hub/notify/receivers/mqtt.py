"""Receiver `mqtt`: publishes on the hub's own broker; topic and payload are templates over the notification."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.errors import PublishRefused, SessionError
from hub.expressions import Template, TopicTemplate
from hub.fields import Key, KeyTable, Section, boolean, integer
from hub.limits import BROKER_PATIENCE_SECONDS, SEND_WINDOW
from hub.model import Delivered, Notification, Outcome, Rejected, Retry
from hub.notify.client_keys import PAYLOAD, TEMPLATE
from hub.notify.receiver import Toolbox
from hub.notify.wording.templating import names, template, topic
from hub.notify.wording.text import as_json
from hub.printable import one_line

__all__ = ["Mqtt", "MqttOptions"]

_TOPIC = Key(
    "topic",
    topic,
    None,
    f"Where to publish, {TEMPLATE}; the first level is fixed.",
    "notify/{site}/{device}",
    required=True,
)
_PAYLOAD = Key("payload", template, None, PAYLOAD.words, *PAYLOAD.examples)
_QOS = Key("qos", integer(0, 1), 1, "Quality of service.")
_RETAIN = Key("retain", boolean, False, "Whether the broker keeps it.", usual=False)
_ACK_LINK = Key(
    "ack_link",
    boolean,
    False,
    "Whether it carries the link that acknowledges: all who read there could.",
    usual=False,
)


@dataclass(frozen=True, slots=True)
class MqttOptions:
    """`topic_text` and `payload_text` are what the templates were made of, to compare options by."""

    topic: TopicTemplate | None = field(compare=False)
    payload: Template | None = field(compare=False)
    topic_text: str = ""
    payload_text: str = ""
    qos: int = 1
    retain: bool = False
    ack_link: bool = False

    def publishes(self) -> str:
        """Return the filter of all topics it can publish to; rules must not listen there."""
        return self.topic.filter if self.topic else ""


class Mqtt:
    """Publishes; delivered is what the broker has acknowledged (QoS 1) or what is written (QoS 0)."""

    keys = KeyTable("mqtt", _TOPIC, _PAYLOAD, _QOS, _RETAIN, _ACK_LINK, words="Publishes on the hub's own broker.")
    concurrency = SEND_WINDOW
    timeout = BROKER_PATIENCE_SECONDS

    def __init__(self, options: MqttOptions, toolbox: Toolbox) -> None:
        """Publish with the session of the hub's broker, which the toolbox lends.

        Raises:
            ValueError: the options have problems, which `read` has reported.

        """
        if options.topic is None:
            raise ValueError("options with problems")
        self._options, self._topic, self._publisher = options, options.topic, toolbox.publisher

    @classmethod
    def read(cls, section: Section) -> MqttOptions:
        """Take all of its keys, and the texts of the templates, by which options are compared."""
        topic_text, payload_text = (node.text if (node := section.get(key)) else "" for key in (_TOPIC, _PAYLOAD))
        return MqttOptions(
            section.take(_TOPIC),
            section.take(_PAYLOAD),
            topic_text,
            payload_text,
            section.take(_QOS),
            section.take(_RETAIN),
            section.take(_ACK_LINK),
        )

    async def send(self, notification: Notification) -> Outcome:
        """Publish once; the session waits for a broker that is away, and a broker that refuses is final."""
        options, body = self._options, notification.body
        known = names(body)
        topic = self._topic.render(*known)
        payload = options.payload.render(*known).text.encode() if options.payload else as_json(body)
        try:
            if trace := body.get("traceparent"):
                await self._publisher.publish(topic, payload, options.qos, options.retain, _carrying(trace))
            else:
                await self._publisher.publish(topic, payload, options.qos, options.retain)
        except PublishRefused as error:
            return Rejected(one_line(f"the broker refuses it: {error}"))
        except SessionError as error:
            return Retry(one_line(f"the broker went away: {error}"))
        return Delivered()

    async def close(self) -> None:
        """Close nothing: the session is the hub's."""


def _carrying(trace: str) -> Mapping[str, Any]:
    """Return the properties by which a trace goes on; MQTT 3.1.1 has none."""
    return {"user_properties": [("traceparent", trace)]}
