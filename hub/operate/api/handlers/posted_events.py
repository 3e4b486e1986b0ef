"""POST /events: takes events as if they came by MQTT, durable before the answer, once for each idempotency key.

`POST /events/TOPIC` takes one event, whose payload is the body; or, as NDJSON, a payload in each line. `POST /events`
takes NDJSON with a record in each line, as `hub record` writes them. A batch is taken whole or not at all.
"""

import re

import orjson
from starlette.requests import Request
from starlette.responses import Response

from hub.contracts.json_schema import ANY, FLAG, TEXT, WHOLE, ok, said
from hub.ingest.decode import Undecodable, decode
from hub.ingest.topics import check_topic
from hub.limits import HTTP_BATCH_EVENTS, HTTP_BODY_BYTES, HTTP_POSTS, IDEMPOTENCY_KEY_CHARS
from hub.model import Delivery, Event
from hub.operate.api.answers import answer
from hub.operate.api.front.actor import OPERATOR, Refused
from hub.operate.api.site import Asked, Endpoint, Site
from hub.operate.specs.described import JSON, NDJSON, Described
from hub.trial.records import content_type_of, payload_of

__all__ = ["ENDPOINTS"]

_KEY = re.compile(r"[\x21-\x7e]+")
_LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl")


async def _post(asked: Asked) -> Response:
    """Take the posted events; answer 202 when all that they caused is on disk, or a post before had the same key."""
    site, request = asked.site, asked.request
    key = request.headers.get("idempotency-key", "")
    if key and (len(key) > IDEMPOTENCY_KEY_CHARS or not _KEY.fullmatch(key)):
        raise Refused(400, f"an Idempotency-Key is 1 to {IDEMPOTENCY_KEY_CHARS} printable ASCII characters")
    if site.posting >= HTTP_POSTS:
        raise Refused(503, f"{HTTP_POSTS} posts are under way; try again", 1.0)
    site.posting += 1
    try:
        events = _read(site, request, await site.bodies.read(request, HTTP_BODY_BYTES))
        if site.tracing is not None:
            site.tracing.adopt(events, request.headers.get("traceparent"))
        fresh = await site.desk.take_events(events, key)
    finally:
        site.posting -= 1
    return answer({"ok": True, "events": len(events) if fresh else 0, "duplicate": not fresh}, 202)


def _read(site: Site, request: Request, body: bytes) -> list[Event]:
    """Read the events of a body, for the topic of the path or for those of its records."""
    topic = request.path_params.get("topic", "")
    content_type = request.headers.get("content-type", "")
    batch = content_type.partition(";")[0].strip().lower() in _LINES
    if not topic and not batch:
        raise Refused(400, "which topic? POST /events/TOPIC, or records as application/x-ndjson, each with its topic")
    now, limit = site.clock.now(), site.settings.broker.payload_bytes
    if not batch:
        _check(site, topic, "")
        return [_event(Delivery(topic, body, content_type=content_type or None), now, limit, "")]
    lines = [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    if len(lines) > HTTP_BATCH_EVENTS:
        raise Refused(413, f"{len(lines)} events in one batch; the most are {HTTP_BATCH_EVENTS}")
    if topic:
        _check(site, topic, "")
        return [_event(Delivery(topic, line), now, limit, f"line {number}: ") for number, line in lines]
    return [_record(site, line, now, limit, f"line {number}: ") for number, line in lines]


def _record(site: Site, line: bytes, now: float, limit: int, place: str) -> Event:
    """Read one line of a recording. Its `time` is ignored: it says when it was recorded, not when it is posted."""
    try:
        record = orjson.loads(line)
        topic, retain = record["topic"], record.get("retain") is True
        payload = payload_of(record)
    except (KeyError, TypeError, AttributeError, ValueError):
        raise Refused(400, f"{place}no JSON object with 'topic' and 'payload' (or 'text', 'base64')") from None
    if not isinstance(topic, str):
        raise Refused(400, f"{place}'topic' must be text")
    _check(site, topic, place)
    return _event(Delivery(topic, payload, retain=retain, content_type=content_type_of(record)), now, limit, place)


def _event(posted: Delivery, now: float, limit: int, place: str) -> Event:
    event = decode(posted, now, limit)
    if isinstance(event, Undecodable):
        raise Refused(413 if len(posted.payload) > limit else 400, f"{place}{event.reason}")
    return event


def _check(site: Site, topic: str, place: str) -> None:
    """Refuse a topic that no device can publish to."""
    prefix = site.settings.publish_prefix
    why = check_topic(topic)
    if not why and topic.startswith("$"):
        why = "topics that begin with $ are the broker's and the hub's own"
    if not why and (topic == prefix or topic.startswith(f"{prefix}/")):
        why = f"topics below {prefix}/ are the hub's own"
    if why:
        raise Refused(400, f"{place}{topic[:200]!r} is no topic for an event: {why}")


_KEY_TEXT = {**TEXT, "maxLength": IDEMPOTENCY_KEY_CHARS}
_KEYED = {
    "Idempotency-Key": said(_KEY_TEXT, "Events with a key that was used before are not taken again."),
    "traceparent": said(TEXT, "The trace that goes on with these events (W3C Trace Context), where the hub traces."),
}
_TAKEN = ok(events=WHOLE, duplicate=FLAG)
_BATCH = Described(_TAKEN, headers=_KEYED, bodies={NDJSON: ANY}, status=202)
_PAYLOADS = {JSON: ANY, NDJSON: ANY, "application/octet-stream": ANY}
_ONE = Described(_TAKEN, headers=_KEYED, bodies=_PAYLOADS, bodiless=True, status=202)

ENDPOINTS = (
    Endpoint("POST", "/events", OPERATOR, _post, "Take a batch of events as NDJSON records with their topics", _BATCH),
    Endpoint("POST", "/events/{topic:path}", OPERATOR, _post, "Take an event, or a batch of payloads as NDJSON", _ONE),
)
