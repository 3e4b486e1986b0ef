"""The values that the stages hand to each other. They know nothing of any stage.

Delivery ──ingest──▶ Event ──rules──▶ Transition ──alerts──▶ Notification ──notify──▶ Outcome
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

__all__ = [
    "ALERT_TOPICS",
    "BROKER",
    "OWN",
    "OWN_TOPICS",
    "Delivered",
    "Delivery",
    "Event",
    "Kept",
    "Labels",
    "Notification",
    "Outcome",
    "Phase",
    "Position",
    "Reason",
    "Rejected",
    "Retry",
    "Suppressed",
    "Suppressor",
    "TypedPayload",
    "traced",
]

Labels = tuple[tuple[str, str], ...]
"""Label names and values, in the order in which they stand in a topic: part of an alert's identity."""


BROKER = "$broker"
"""The name of the hub's own MQTT session among the sources; users cannot give it to another."""


class Position(NamedTuple):
    """How far a source is, as a commit stores it. Only the source understands it, and gets it back at a start."""

    text: str | None = None
    """Replaces the text before; None leaves that."""
    entry: tuple[int, bytes] | None = None
    """Is added to the entries before; its number is higher than theirs."""
    forget: int = 0
    """Entries up to this number are deleted."""


class Kept(NamedTuple):
    """What the store holds of a source's position: the last text, and the entries, oldest first."""

    text: str = ""
    entries: Sequence[tuple[int, bytes]] = ()


class Delivery:
    """One message as a source hands it over, not yet acknowledged; from MQTT it is a hub.ingest.mqtt.packet.Packet.

    `time` is when it was sent, where the source knows that, in seconds since 1970; None: now. `user_properties` are
    names and values that came with it, such as a `traceparent`; `content_type` is as of MQTT 5, None where it has none.
    """

    __slots__ = ("content_type", "payload", "qos", "retain", "time", "topic", "user_properties")

    def __init__(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        time: float | None = None,
        user_properties: Sequence[tuple[str, str]] = (),
        content_type: str | None = None,
    ) -> None:
        """Keep what came; `topic` is the one that rules see."""
        self.topic, self.payload, self.qos, self.retain = topic, payload, qos, retain
        self.time, self.user_properties, self.content_type = time, user_properties, content_type


class TypedPayload(bytes):
    """A payload with the content type that says how it is read; others are plain bytes, so it costs them nothing."""

    content_type: str

    def __new__(cls, payload: bytes, content_type: str) -> Self:
        """Take the bytes; `content_type` is as it came."""
        made = super().__new__(cls, payload)
        made.content_type = content_type
        return made


class Event:
    """What arrived: a decoded message.

    `value` is the payload, whatever it is; `fields` is the same where it is an object, else an empty one.
    It is no frozen dataclass because there is one for each message: making it would cost three times the decoding.
    """

    __slots__ = ("fields", "qos", "raw", "retain", "time", "topic", "value")

    trace: str = ""
    """The `traceparent` of a traced event; other events have no slot for it, so it costs nothing."""

    def __init__(
        self, topic: str, raw: bytes, fields: Mapping[str, Any], value: Any, time: float, qos: int, retain: bool
    ) -> None:
        """Keep what arrived; `time` is the arrival in seconds since 1970."""
        self.topic = topic
        self.raw = raw
        self.fields = fields
        self.value = value
        self.time = time
        self.qos = qos
        self.retain = retain

    @property
    def said(self) -> bytes:
        """The payload as people see it; `raw` is what is remembered."""
        return self.raw

    def at(self, time: float) -> "Event":
        """Return the same message with a time of its own, in seconds since 1970."""
        return Event(self.topic, self.raw, self.fields, self.value, time, self.qos, self.retain)


class _TracedEvent(Event):
    """An event that brought a `traceparent`."""

    __slots__ = ("trace",)


def traced(event: Event, trace: str) -> Event:
    """Return the event with its `traceparent`."""
    if type(event) is Event:
        event = _TracedEvent(event.topic, event.raw, event.fields, event.value, event.time, event.qos, event.retain)
    event.trace = trace  # type: ignore[misc] # a Sparkplug event has the slot too
    return event


class Phase(enum.StrEnum):
    """Where an instance of a rule stands."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"
    EVENT = "event"


class Reason(enum.StrEnum):
    """Why a transition took place."""

    CONDITION = "condition"
    HELD = "held for its time"
    ABSENT = "no message within its time"
    CLEARED = "cleared"
    LATE = "began and ended in what came late"
    RETURNED = "message again"
    OFFLINE = "reported offline"
    ONLINE = "reported online"
    REMOVED = "device removed"
    RULE_REMOVED = "rule removed"
    RULE_CHANGED = "rule changed"
    PAUSED = "paused"
    MUTE_BEGAN = "mute began"
    MUTE_ENDED = "mute ended"
    DEVICE_REMOVED = "device removed from the registry"
    SET = "an attribute of the device was set"
    POSTED = "posted"
    POSTED_OVER = "posted as over"
    POSTED_ANEW = "posted with other words"
    POSTED_NO_MORE = "not posted again in time"
    NAME_TAKEN = "a rule has its name now"


class Suppressor(enum.StrEnum):
    """What keeps an alert or event from being told, in the order in which the hub asks."""

    SHADOW = "shadow"
    MUTE = "mute"
    SILENCE = "silence"
    UNLESS = "unless"
    LIMIT = "limit"
    FLAPPING = "flapping"
    GROUP = "group"


class Suppressed(NamedTuple):
    """What keeps an alert from being told, and a detail for people: the id of a silence, a limit, a schedule."""

    by: Suppressor
    detail: str = ""


OWN = "$hub"
"""The receiver of what the hub says about itself: its body is `topic`, `payload` (None empties it) and `retain`."""

OWN_TOPICS = f"{OWN}/"
"""The hub's measurements of itself are events on topics below this; none comes from a broker or goes to one."""

ALERT_TOPICS = f"{OWN_TOPICS}alerts/"
"""How alerts stand is said to rules on topics below this."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One thing to tell one receiver.

    `id` is stable: alert fingerprint, episode and step; `order` is the fingerprint, and those with the same one
    reach a receiver in order. `body` is the notification as users see it in JSON (docs/receivers.md).
    """

    id: str
    receiver: str
    order: str
    body: Mapping[str, Any] = field(repr=False)
    created: float
    """Seconds since 1970: when the event that caused it arrived, or the timer that caused it was due."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has it. `note` is a warning that somebody should hear of; it holds no secret."""

    note: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Retry:
    """Not now. `after`: seconds the receiver asked to wait, None if it did not say.

    `perhaps`: the receiver may have it all the same; False only where it certainly has not. `partly`: some recipients
    have it, so the receiver itself works, and its breaker does not count this as a failure.
    """

    reason: str
    after: float | None = None
    perhaps: bool = field(default=True, compare=False)
    partly: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Rejected:
    """Never: the same message will be refused every time."""

    reason: str


Outcome = Delivered | Retry | Rejected
