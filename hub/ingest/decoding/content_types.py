"""MQTT 5's content type chooses how a payload is read (MQTT 5, 3.3.2.3.9), for rules without a `decode`."""

from functools import lru_cache
from typing import Any

from hub.ingest.decoding.decoder import Decoder, decoder
from hub.ingest.payload_reading import Unreadable, read_payload, text_of
from hub.model import TypedPayload

__all__ = ["decoder_of_payload", "decoder_of_type", "typed"]


def _text(payload: bytes) -> Any:
    """Read what is said to be text: a number is one still, but what looks like broken JSON is text."""
    try:
        return read_payload(payload)
    except Unreadable:
        text = text_of(payload)
        return payload if text is None else text


_CBOR, _MSGPACK, _GZIP = decoder("cbor"), decoder("msgpack"), decoder("gzip")
_DECODERS = {
    "application/cbor": _CBOR,
    "application/msgpack": _MSGPACK,
    "application/x-msgpack": _MSGPACK,
    "application/vnd.msgpack": _MSGPACK,
    "application/gzip": _GZIP,
    "application/x-gzip": _GZIP,
    "text/plain": Decoder("text", (), _text),
}


@lru_cache(maxsize=256)
def decoder_of_type(content_type: str) -> Decoder | None:
    """Return what reads payloads of a content type; None where they are read as those that have none, as JSON is."""
    plain = content_type.partition(";")[0].strip().lower()
    return _CBOR if plain.endswith("+cbor") else _DECODERS.get(plain)


def typed(payload: bytes, content_type: str) -> bytes:
    """Return the payload with its content type, by which it is read again when it comes back from memory."""
    return TypedPayload(payload, content_type)


def decoder_of_payload(payload: bytes) -> Decoder | None:
    """Return what reads a payload that `typed` has made; None for any other."""
    return decoder_of_type(payload.content_type) if isinstance(payload, TypedPayload) else None
