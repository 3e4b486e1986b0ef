"""Where answers go: below `{prefix}/answers/`, where nobody else publishes and no rule may listen.

The asker names the topic (MQTT 5, 4.10), and the hub publishes there, with the hub's rights. If every topic were
allowed, an asker could make the hub speak in a device's name, or overwrite an alert.
"""

from hub.ingest.mqtt.packet import Packet
from hub.ingest.topics import check_topic
from hub.limits import TOPIC_BYTES

__all__ = ["answers_below", "response_topic", "why_no_reply"]

_SHOWN_CHARS = 80


def answers_below(prefix: str) -> str:
    """Return how topics of answers begin; `prefix` is the hub's."""
    return f"{prefix}/answers/"


def response_topic(delivery: Packet) -> str:
    """Return the topic on which a request wants its answer, "" where it wants none; MQTT 3.1.1 has no such property."""
    return getattr(delivery, "response_topic", None) or ""


def why_no_reply(topic: str, prefix: str) -> str:
    """Return why no answer can be published to `topic`, "" where one can."""
    below = answers_below(prefix)
    shown = repr(topic[:_SHOWN_CHARS]) + ("…" if len(topic) > _SHOWN_CHARS else "")
    if not topic.startswith(below) or topic == below:
        return f"its response topic {shown} is not below {below}, the only place where the hub answers"
    if len(topic) > TOPIC_BYTES or len(topic.encode("utf-8", "replace")) > TOPIC_BYTES:
        return f"its response topic {shown} is longer than {TOPIC_BYTES} bytes"
    why = check_topic(topic)
    return f"its response topic {shown} is none: {why}" if why else ""
