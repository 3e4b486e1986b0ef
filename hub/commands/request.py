"""Reads the values of a request: texts, times, matchers, ids. contract.py says which keys there are."""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import orjson

from hub.alerts.alert import Alert
from hub.alerts.matchers import Matcher, parse_matchers
from hub.clock import rfc3339
from hub.documents.duration import format_duration, parse_duration
from hub.errors import Code, RequestError
from hub.ids import read_alert
from hub.limits import PAYLOAD_DEPTH, POSTED_LABELS, TEMPLATE_BYTES
from hub.model import Labels
from hub.printable import visible

__all__ = [
    "TEXT_CHARS",
    "KnownAlerts",
    "Request",
    "annotations_of",
    "chosen",
    "fingerprint_of",
    "flag_of",
    "instant",
    "matcher_texts",
    "matchers_of",
    "object_of",
    "read_request",
    "span",
    "text_of",
    "texts_of",
    "whole_from",
]

Request = Mapping[str, Any]
TEXT_CHARS = 1000
"""The most characters of a text in a request, such as a comment."""
_LAST = 253_370_764_800.0
"""The year 9999: later times cannot be written as RFC 3339."""


def read_request(text: bytes) -> dict[str, Any]:
    """Read a request as it comes; an empty one is {}.

    One that is nested deeper than the audit log can write is refused here: else it would be done, and not be in the
    log.

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


def text_of(found: Any, key: str) -> str:
    """Read a text; control characters become visible.

    Raises:
        RequestError: it is no text, or too long.

    """
    if not isinstance(found, str):
        raise RequestError(f"{key!r} must be text")
    if len(found) > TEXT_CHARS:
        raise RequestError(f"{key!r} is longer than {TEXT_CHARS} characters")
    return visible(found)


def object_of(found: Any, key: str) -> dict[str, Any]:
    """Read an object.

    Raises:
        RequestError: it is none.

    """
    if not isinstance(found, dict):
        raise RequestError(f"{key!r} must be an object")
    return found


def texts_of(what: str = "texts") -> Callable[[Any, str], list[str]]:
    """Return a reader of a list of texts; `what` is the word for them in the message."""

    def read(found: Any, key: str) -> list[str]:
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise RequestError(f"{key!r} must be a list of {what}")
        return found

    return read


def whole_from(least: int) -> Callable[[Any, str], int]:
    """Return a reader of a whole number that is at least `least`."""

    def read(found: Any, key: str) -> int:
        if type(found) is not int or found < least:
            raise RequestError(f"{key!r} must be a whole number from {least} on")
        return found

    return read


def flag_of(found: Any, key: str) -> bool:
    """Read true or false.

    Raises:
        RequestError: it is neither.

    """
    if not isinstance(found, bool):
        raise RequestError(f"{key!r} must be true or false")
    return found


def matcher_texts(found: Any, key: str) -> list[str]:
    """Read matchers as they are written: one text, or a list of such.

    Raises:
        RequestError: it is neither.

    """
    texts = [found] if isinstance(found, str) else found
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise RequestError(f"{key!r} must be text such as 'alertname=X', or a list of such")
    return texts


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


def span(until: Any, lasting: Any, now: float, *, default: float | None, start: float | None = None) -> float | None:
    """Return the end in seconds since 1970: `until` (a time), or `lasting` (a duration) after `start`, else after now.

    Without both it is `default` seconds after that; None where there is no default either.

    Raises:
        RequestError: both are given, one cannot be read, or the end is over already.

    """
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


def matchers_of(texts: Iterable[str], alertname: str | None, labels: Mapping[str, Any]) -> list[Matcher]:
    """Read matchers in Alertmanager's notation; an alertname and labels become matchers, too.

    Raises:
        RequestError: there are none, or they cannot be read.

    """
    try:
        found = [matcher for text in texts for matcher in parse_matchers(text)]
    except ValueError as error:
        raise RequestError(str(error)) from None
    if alertname is not None:
        found.append(Matcher("alertname", "=", alertname))
    found += [Matcher(str(name), "=", str(value)) for name, value in labels.items()]
    if not found:
        raise RequestError("which alerts? give 'matchers', 'id', or 'alertname' and 'labels'")
    return found


def annotations_of(given: Any, key: str) -> Labels:
    """Read an object of texts, which programs note beside a comment; return them in the order of their names.

    Raises:
        RequestError: it is no such object, or too large.

    """
    found = given or {}
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise RequestError(f"{key!r} must be an object of texts")
    size = sum(len(f"{name}{text}".encode()) for name, text in found.items())
    if len(found) > POSTED_LABELS or size > TEMPLATE_BYTES:
        raise RequestError(f"{key!r} has more than {POSTED_LABELS} entries, or more than {TEMPLATE_BYTES} bytes")
    return tuple((visible(name), visible(found[name], layout=True)) for name in sorted(found))


class KnownAlerts(Protocol):
    """Where alerts are looked up: the book, or a Mirror."""

    @property
    def alerts(self) -> Mapping[str, Alert]:
        """All alerts by fingerprint."""
        ...

    def find(self, matchers: Sequence[Matcher]) -> list[tuple[str, Alert]]:
        """Return the alerts that are not over and match."""
        ...


def chosen(
    identity: str | None, matchers: Callable[[], Sequence[Matcher]], book: KnownAlerts
) -> list[tuple[str, Alert]]:
    """Find the firing alerts that are meant: by the id of one or of its notification, else by matchers.

    Raises:
        RequestError: the id cannot be read, or no firing alert is meant.

    """
    if identity is not None:
        return [_by_id(identity, book)]
    found = [(fingerprint, alert) for fingerprint, alert in book.find(matchers()) if alert.open]
    if not found:
        raise RequestError("no firing alert matches", Code.MISSING)
    return found


def fingerprint_of(identity: str) -> str:
    """Return the fingerprint in an id, whatever its episode.

    Raises:
        RequestError: it is no id.

    """
    return _alert(identity)[0]


def _alert(identity: str) -> tuple[str, int | None]:
    try:
        return read_alert(identity)
    except ValueError as error:
        raise RequestError(str(error)) from None


def _by_id(identity: str, book: KnownAlerts) -> tuple[str, Alert]:
    fingerprint, episode = _alert(identity)
    alert = book.alerts.get(fingerprint)
    if alert is None or not alert.open:
        raise RequestError("no such alert is firing", Code.MISSING)
    if episode is not None and episode != alert.episode:
        raise RequestError(f"that was episode {episode}, which is over; the alert fires anew", Code.CONFLICT)
    return fingerprint, alert
