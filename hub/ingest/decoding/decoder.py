"""What a rule's `decode` makes of a payload: steps from bytes to bytes, then one that gives a value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from hub.ingest.decoding.cbor import read_cbor
from hub.ingest.decoding.msgpack import read_msgpack
from hub.ingest.decoding.wrapping import from_base64, from_gzip
from hub.ingest.payload_reading import read_payload
from hub.model import Event, traced

__all__ = ["READERS", "WRAPPERS", "Decoder", "decoder"]

WRAPPERS: Mapping[str, Callable[[bytes], bytes]] = {"gzip": from_gzip, "base64": from_base64}
"""Steps that give bytes."""
READERS: Mapping[str, Callable[[bytes], Any]] = {"cbor": read_cbor, "msgpack": read_msgpack}
"""Steps that give a value, and have no options."""
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Decoder:
    """The steps of one `decode`, in order. `text` is what the user wrote, `folder` where what it names is looked for.

    Two with the same text and folder are equal: a message is decoded once for all their rules.
    """

    text: str
    wrappers: tuple[Callable[[bytes], bytes], ...] = field(compare=False)
    last: Callable[[bytes], Any] = field(compare=False)
    folder: str = ""

    def read(self, payload: bytes) -> Any:
        """Return what a payload says; None where it is empty, which is mostly a retained message that is cleared.

        Raises:
            Unreadable: it is broken, or beyond what a payload may have.

        """
        if not payload:
            return None
        if payload.__class__ is not bytes:
            payload = bytes(payload)  # orjson takes no TypedPayload
        for step in self.wrappers:
            payload = step(payload)
        return self.last(payload)

    def event(self, event: Event) -> Event:
        """Return an event with its payload as these rules see it.

        Raises:
            Unreadable: as `read`.

        """
        value = self.read(event.raw)
        fields = value if type(value) is dict else _NOTHING
        made = Event(event.topic, event.raw, fields, value, event.time, event.qos, event.retain)
        return traced(made, event.trace) if event.trace else made


def decoder(*names: str) -> Decoder:
    """Make one of names of WRAPPERS, then perhaps one of READERS; without that, JSON, a number or text is inside."""
    *wrapped, last = names if names[-1] in READERS else (*names, "")
    return Decoder(", ".join(names), tuple(WRAPPERS[name] for name in wrapped), READERS.get(last, read_payload))
