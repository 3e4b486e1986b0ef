"""One PUBLISH as an MQTT session hands it over: what the packets of both protocol versions have in common."""

from typing import Protocol

__all__ = ["Packet"]


class Packet(Protocol):
    """A PUBLISH that is not acknowledged yet; mqtt5.PublishPacket is one as it is."""

    @property
    def topic(self) -> str:
        """The topic name."""
        ...

    @property
    def payload(self) -> bytes:
        """The payload as it came."""
        ...

    @property
    def qos(self) -> int:
        """0 or 1. Compare it with ==: mqtt5's is no int and is always true. `packet_id` shows QoS 1 fastest."""
        ...

    @property
    def retain(self) -> bool:
        """Whether the broker kept this message from before we subscribed."""
        ...

    @property
    def packet_id(self) -> int | None:
        """The id to acknowledge; None at QoS 0."""
        ...

    @property
    def duplicate(self) -> bool:
        """Whether the broker has sent it before."""
        ...

    @property
    def content_type(self) -> str | None:
        """What the payload is, as its publisher says; None where it does not, and always in MQTT 3.1.1."""
        ...

    @property
    def subscription_ids(self) -> list[int]:
        """Which of our subscriptions this copy belongs to."""
        ...
