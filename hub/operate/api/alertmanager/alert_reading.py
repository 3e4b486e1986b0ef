"""Reads what Alertmanager's clients send, JSON and queries, into requests of the desk; all of it may be wrong."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hub.alerts.matchers import Matcher, parse_matchers
from hub.commands.request import instant
from hub.errors import RequestError
from hub.limits import POSTED_LABEL_BYTES, POSTED_LABELS, TEMPLATE_BYTES
from hub.printable import visible
from hub.rules.posted.posting import Posting

__all__ = ["asked_flag", "asked_matchers", "asked_pattern", "read_posting", "read_silence"]

_NAME_CHARS = 128
_URL_CHARS = 2048


def read_posting(item: Any) -> Posting:
    """Read one alert of POST /alerts.

    Raises:
        RequestError: it is no alert, or it is larger than the hub takes.

    """
    if not isinstance(item, dict):
        raise RequestError("an alert is a JSON object")
    # a label without a value is no label, as in Prometheus
    labels = {name: value for name, value in _texts(item, "labels").items() if value}
    for name in labels:
        if not name or visible(name) != name:
            raise RequestError(f"{name!r} is no name for a label: it is any text without control characters")
    if sum(len(f"{name}{value}".encode()) for name, value in labels.items()) > POSTED_LABEL_BYTES:
        raise RequestError(f"the labels of an alert are longer than {POSTED_LABEL_BYTES} bytes")
    if not 0 < len(labels.get("alertname", "")) <= _NAME_CHARS:
        raise RequestError(f"an alert needs the label alertname, of 1 to {_NAME_CHARS} characters")
    annotations = {name: value[:TEMPLATE_BYTES] for name, value in _texts(item, "annotations").items() if value}
    url = item.get("generatorURL") or ""
    if not isinstance(url, str) or len(url) > _URL_CHARS:
        raise RequestError(f"'generatorURL' must be text of at most {_URL_CHARS} characters")
    return Posting(labels, annotations, _moment(item, "startsAt"), _moment(item, "endsAt"), visible(url))


def _texts(item: Mapping[str, Any], key: str) -> dict[str, str]:
    """Read an object of texts. Annotations keep their line breaks; labels show them as escapes."""
    texts = item.get(key) or {}
    if not isinstance(texts, dict) or not all(isinstance(value, str) for value in texts.values()):
        raise RequestError(f"{key!r} must be an object of texts")
    if len(texts) > POSTED_LABELS:
        raise RequestError(f"{key!r} has more than {POSTED_LABELS} entries")
    return {name: visible(value, layout=key == "annotations") for name, value in texts.items()}


def _moment(item: Mapping[str, Any], key: str) -> float | None:
    """Read a time as seconds since 1970; None where it is absent, or in the year 1, which is Go's zero time."""
    text = item.get(key)
    if text is None:
        return None
    if not isinstance(text, str):
        raise RequestError(f"{key!r} must be a time with its zone, as in 2026-03-01T12:00:00Z")
    if text.startswith("0001-01-01T00:00:00"):
        return None
    return instant(text, key)


def read_silence(item: Any) -> dict[str, Any]:
    """Read the silence of POST /silences into a request of the desk.

    Raises:
        RequestError: it is no silence.

    """
    if not isinstance(item, dict):
        raise RequestError("a silence is a JSON object")
    written = item.get("matchers")
    if not isinstance(written, list) or not written:
        raise RequestError("'matchers' must be a list with at least one matcher")
    start, end = _moment(item, "startsAt"), _moment(item, "endsAt")
    if start is None or end is None:
        raise RequestError("a silence needs 'startsAt' and 'endsAt'")
    request = {"matchers": [str(_matcher(matcher)) for matcher in written], "start": start, "until": end}
    if item.get("annotations"):
        request["annotations"] = item["annotations"]
    words = {"id": item.get("id") or "", "by": item.get("createdBy") or "", "comment": item.get("comment") or ""}
    return request | {key: value for key, value in words.items() if value}


def _matcher(item: Any) -> Matcher:
    if not isinstance(item, dict):
        raise RequestError("a matcher is a JSON object")
    name, value = item.get("name"), item.get("value")
    regex, equal = item.get("isRegex", False), item.get("isEqual", True)
    if not isinstance(name, str) or not name or visible(name) != name or not isinstance(value, str):
        raise RequestError("a matcher needs 'name', the name of a label, and 'value', a text")
    if not isinstance(regex, bool) or not isinstance(equal, bool):
        raise RequestError("'isRegex' and 'isEqual' must be true or false")
    try:
        return Matcher(name, ("=~" if equal else "!~") if regex else ("=" if equal else "!="), value)
    except ValueError as error:
        raise RequestError(str(error)) from None


def asked_matchers(filters: Sequence[str]) -> list[Matcher]:
    """Read the query parameters `filter`, all of which must match.

    Raises:
        RequestError: one of them is no matcher.

    """
    try:
        return [matcher for text in filters for matcher in parse_matchers(text)]
    except ValueError as error:
        raise RequestError(f"bad matcher: {error}") from None


def asked_flag(query: Mapping[str, str], name: str) -> bool:
    """Read a query parameter; where it is absent, it is true.

    Raises:
        RequestError: it is neither true nor false.

    """
    text = query.get(name, "true")
    if text not in ("true", "false"):
        raise RequestError(f"{name!r} must be true or false")
    return text == "true"


def asked_pattern(text: str | None) -> Callable[[str], bool]:
    """Read the query parameter `receiver`, a pattern for a whole name; without it every name matches.

    Raises:
        RequestError: it is no regular expression.

    """
    if text is None:
        return lambda _: True
    try:
        pattern = Matcher("receiver", "=~", text)
    except ValueError as error:
        raise RequestError(str(error)) from None
    return lambda name: pattern.matches({"receiver": name})
