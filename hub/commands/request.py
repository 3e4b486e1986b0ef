"""A request's fields, read from JSON: which alerts are meant, until when, by whom."""

import contextlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import orjson

from hub.alerts.alert import Alert
from hub.alerts.matchers import Matcher, parse_matchers
from hub.clock import rfc3339
from hub.duration import format_duration, parse_duration
from hub.errors import Code, RequestError
from hub.ids import read_alert
from hub.limits import PAYLOAD_DEPTH, POSTED_LABELS, TEMPLATE_BYTES
from hub.model import Labels
from hub.printable import visible

__all__ = [
    "Request",
    "annotations_of",
    "chosen",
    "fingerprint_of",
    "instant",
    "matchers_of",
    "read_request",
    "span",
    "words",
]

Request = Mapping[str, Any]
_WORDS_CHARS = 1000
_LAST = 253_370_764_800.0
"""The year 9999: later times cannot be written."""


def read_request(text: bytes) -> dict[str, Any]:
    """Read a request as it comes; an empty one is {}.

    What is nested deeper than the audit log can write is refused before anything is done: it would be done, and no log
    would have it.

    Raises:
        RequestError: it is no JSON object, or nested too deep.

    """
    try:
        found = orjson.loads(text or b"{}")
    except orjson.JSONDecodeError as error:
        raise RequestError(f"not JSON: {error}") from None
    if not isinstance(found, dict):
        raise RequestError("a request is a JSON object")
    if _deeper(found, PAYLOAD_DEPTH):
        raise RequestError(f"a request is JSON nested no deeper than {PAYLOAD_DEPTH}")
    return found


def _deeper(value: Any, depth: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return not depth or any(_deeper(each, depth - 1) for each in inner)


def words(request: Request, key: str, default: str = "") -> str:
    """Read a text; control characters become visible.

    Raises:
        RequestError: it is no text, or too long.

    """
    found = request.get(key, default)
    if not isinstance(found, str):
        raise RequestError(f"{key!r} must be text")
    if len(found) > _WORDS_CHARS:
        raise RequestError(f"{key!r} is longer than {_WORDS_CHARS} characters")
    return visible(found)


def instant(text: Any, key: str) -> float:
    """Read an RFC 3339 time, or seconds since 1970.

    Raises:
        RequestError: it is neither.

    """
    at = -1.0
    if isinstance(text, int | float) and not isinstance(text, bool):
        at = float(text)
    elif isinstance(text, str):
        with contextlib.suppress(ValueError):
            found = datetime.fromisoformat(text)
            at = -1.0 if found.tzinfo is None else found.timestamp()
    if not 0 <= at <= _LAST:
        raise RequestError(f"{key!r} must be a time with its zone, as in 2026-03-01T12:00:00Z")
    return at


def span(request: Request, now: float, *, default: float | None, start: float | None = None) -> float | None:
    """Read until when: `until` (a time), or `for` (a duration, as `default` is) from `start`, without one from now.

    Raises:
        RequestError: both, or neither can be read, or it is over already.

    """
    until, lasting = request.get("until"), request.get("for")
    if until is not None and lasting is not None:
        raise RequestError("'until' and 'for' exclude each other")
    seconds = default if lasting is None else _seconds(str(lasting))
    if until is not None:
        end, what = instant(until, "until"), "'until'"
    elif seconds is not None:
        since = now if start is None else start
        end, what = since + seconds, f"{format_duration(seconds)} from {rfc3339(since)}"
    else:
        return None
    if end <= now:
        raise RequestError(f"{what} is over already")
    return min(end, _LAST)


def _seconds(lasting: str) -> float:
    try:
        seconds = parse_duration(lasting)
    except ValueError as error:
        raise RequestError(str(error)) from None
    if seconds <= 0:
        raise RequestError(f"'for' is {lasting}, which is no time at all; write it as 90s, 5m, 1h30m or 7d")
    return seconds


def matchers_of(request: Request) -> list[Matcher]:
    """Read `matchers` (text as Alertmanager has it, or a list of such), or `alertname` and `labels`.

    Raises:
        RequestError: there are none, or they cannot be read.

    """
    written = request.get("matchers", [])
    texts = [written] if isinstance(written, str) else written
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise RequestError("'matchers' must be text such as 'alertname=X', or a list of such")
    try:
        found = [matcher for text in texts for matcher in parse_matchers(text)]
    except ValueError as error:
        raise RequestError(str(error)) from None
    if "alertname" in request:
        found.append(Matcher("alertname", "=", words(request, "alertname")))
    labels = request.get("labels", {})
    if not isinstance(labels, dict):
        raise RequestError("'labels' must be an object")
    found += [Matcher(str(name), "=", str(value)) for name, value in labels.items()]
    if not found:
        raise RequestError("which alerts? give 'matchers', 'id', or 'alertname' and 'labels'")
    return found


def annotations_of(request: Request) -> Labels:
    """Read `annotations`, an object of texts that somebody notes beside a comment, in the order of their names.

    Raises:
        RequestError: it is none, or larger than what is kept.

    """
    found = request.get("annotations") or {}
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise RequestError("'annotations' must be an object of texts")
    size = sum(len(f"{name}{text}".encode()) for name, text in found.items())
    if len(found) > POSTED_LABELS or size > TEMPLATE_BYTES:
        raise RequestError(f"'annotations' has more than {POSTED_LABELS} entries, or more than {TEMPLATE_BYTES} bytes")
    return tuple((visible(name), visible(found[name], layout=True)) for name in sorted(found))


class Known(Protocol):
    """Where alerts are looked up: the book, or a mirror of it."""

    @property
    def alerts(self) -> Mapping[str, Alert]:
        """All alerts by fingerprint."""
        ...

    def find(self, matchers: Sequence[Matcher]) -> list[tuple[str, Alert]]:
        """Return the alerts that are not over and match."""
        ...


def chosen(request: Request, book: Known) -> list[tuple[str, Alert]]:
    """Find the alerts that are meant: by `id` (of a notification, or the fingerprint), else by matchers; firing ones.

    Raises:
        RequestError: it cannot be read, or no firing alert is meant.

    """
    if "id" in request:
        return [_by_id(words(request, "id"), book)]
    found = [(mark, alert) for mark, alert in book.find(matchers_of(request)) if alert.open]
    if not found:
        raise RequestError("no firing alert matches", Code.MISSING)
    return found


def fingerprint_of(request: Request) -> str:
    """Read of which one alert `id` is, whatever its episode; "" where none is named.

    Raises:
        RequestError: it is no id.

    """
    return _alert(words(request, "id"))[0] if "id" in request else ""


def _alert(identity: str) -> tuple[str, int | None]:
    try:
        return read_alert(identity)
    except ValueError as error:
        raise RequestError(str(error)) from None


def _by_id(identity: str, book: Known) -> tuple[str, Alert]:
    parts = _parts(identity)
    alert = book.alerts.get(parts[1])
    if alert is None or not alert.open:
        raise RequestError("no such alert is firing", Code.MISSING)
    if episode is not None and episode != alert.episode:
        raise RequestError(f"that was episode {episode}, which is over; the alert fires anew", Code.CONFLICT)
    return mark, alert
