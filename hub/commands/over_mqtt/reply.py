"""Where answers go: below `{prefix}/answers/`, a branch on which nobody else speaks and to which no rule may listen.

The asker names the topic (MQTT 5, 4.10), and it is the hub that publishes there, with the hub's rights. Were any topic
allowed, whoever may ask could make the hub say things in a device's name, or overwrite an alert.
"""

from hub.ingest.mqtt.packet import Packet
from hub.ingest.topics import check_topic
from hub.limits import TOPIC_BYTES

__all__ = ["answers_below", "response_topic", "why_no_reply"]

_SHOWN_CHARS = 80


def answers_below(prefix: str) -> str:
    """Return what topics of answers begin with; `prefix` is the hub's."""
    return f"{prefix}/answers/"


def response_topic(delivery: Packet) -> str:
    """Return where a request wants its answer, nothing where it wants none; MQTT 3.1.1 cannot say it."""
    return getattr(delivery, "response_topic", None) or ""


def why_no_reply(topic: str, prefix: str) -> str:
    """Return why no answer can be published to `topic`, nothing when it can."""
    below = answers_below(prefix)
    shown = repr(topic[:_SHOWN_CHARS]) + ("…" if len(topic) > _SHOWN_CHARS else "")
    if not topic.startswith(below) or topic == below:
        return f"its response topic {shown} is not below {below}, the only place where the hub answers"
    if len(topic) > TOPIC_BYTES or len(topic.encode("utf-8", "replace")) > TOPIC_BYTES:
        return f"its response topic {shown} is longer than {TOPIC_BYTES} bytes"
    why = check_topic(topic)
    return f"its response topic {shown} is none: {why}" if why else ""
