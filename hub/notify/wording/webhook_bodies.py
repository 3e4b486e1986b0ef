"""What a webhook's request says: the notification as JSON, as Alertmanager says or takes it, a CloudEvent, a template.

Sources: Alertmanager's webhook_config (version 4) and its API v2, CloudEvents 1.0 in structured JSON mode.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import orjson

from hub.clock import rfc3339
from hub.documents.document import Node
from hub.documents.secret import Secret
from hub.expressions import Template
from hub.fields import Bad, did_you_mean
from hub.ids import episode_id, fingerprint_in
from hub.limits import FED_SECONDS
from hub.model import Notification, Phase
from hub.notify.wording.templating import names, template
from hub.notify.wording.text import as_json

__all__ = ["JSON", "Body", "alertmanager", "body", "cloudevent", "postable_alerts"]

_JSON_TYPE = "application/json"
_NEVER = "0001-01-01T00:00:00Z"  # Go's zero time: what Alertmanager writes for an end that has not come
_ANNOTATIONS = {"summary": "summary", "details": "description", "runbook": "runbook_url", "ack_url": "ack_url"}


@dataclass(frozen=True, slots=True)
class Body:
    """How a body is made of a notification and the hub's client id; two are equal when they were written alike."""

    written: Any
    media: str
    render: Callable[[Notification, str], bytes] = field(compare=False, repr=False)
    secrets: tuple[str, ...] = field(default=(), compare=False, repr=False)
    templates: tuple[Template, ...] = field(default=(), compare=False, repr=False)


def alertmanager(notification: Notification, _client_id: str) -> bytes:
    """Return the body of Alertmanager's webhook: one alert, or all that a grouped notification shows."""
    body = notification.body
    shown: Sequence[Mapping[str, Any]] = body.get("alerts") or [body]
    alerts = [_alert(each) for each in shown]
    group = dict(body.get("labels") or {})
    return as_json(
        {
            "version": "4",
            "groupKey": "{}:{" + ", ".join(f'{name}="{_escaped(group[name])}"' for name in sorted(group)) + "}",
            "truncatedAlerts": max(int(body.get("count") or 0) - len(alerts), 0),
            "status": _status(body),
            "receiver": notification.receiver,
            "groupLabels": group,
            "commonLabels": _common([each["labels"] for each in alerts]),
            "commonAnnotations": _common([each["annotations"] for each in alerts]),
            "externalURL": "",
            "alerts": alerts,
        }
    )


def _alert(body: Mapping[str, Any]) -> dict[str, Any]:
    status, event = _status(body), body.get("event") or {}
    annotations = {name: str(body[key]) for key, name in _ANNOTATIONS.items() if body.get(key)}
    return {
        "status": status,
        "labels": dict(body.get("labels") or {}),
        "annotations": annotations,
        "startsAt": body.get("since") or event.get("time") or _NEVER,
        "endsAt": (body.get("until") or _NEVER) if status == Phase.RESOLVED else _NEVER,
        "generatorURL": "",
        "fingerprint": fingerprint_in(str(body.get("id", ""))),
    }


def postable_alerts(notification: Notification, _client_id: str) -> bytes:
    """Return the body of Alertmanager's POST /api/v2/alerts: its PostableAlerts, by which one is fed.

    Alertmanager takes for over, five minutes later, what has no end and is not posted again. So an alert that fires has
    an end far off, and the hub says surely when it is over; a moment (an event rule) is left to those five minutes.
    """
    shown: Sequence[Mapping[str, Any]] = notification.body.get("alerts") or [notification.body]
    return as_json([_postable(each, notification.created) for each in shown])


def _postable(body: Mapping[str, Any], told: float) -> dict[str, Any]:
    """Return one; a label without a value is none there, and an end before the start is refused."""
    made = _alert(body)
    begun = made["startsAt"] if made["startsAt"] != _NEVER else rfc3339(told)
    labels = {str(name): str(value) for name, value in made["labels"].items() if value != ""}
    alert = {"labels": labels, "annotations": made["annotations"], "startsAt": begun}
    if body.get("state") == Phase.RESOLVED:
        alert["endsAt"] = max(begun, made["endsAt"] if made["endsAt"] != _NEVER else rfc3339(told))
    elif body.get("state") == Phase.FIRING:
        alert["endsAt"] = rfc3339(told + FED_SECONDS)
    return alert


def _status(body: Mapping[str, Any]) -> str:
    """Alertmanager knows firing and resolved; a moment (an event rule) fires and is never resolved."""
    return Phase.RESOLVED.value if body.get("state") == Phase.RESOLVED else Phase.FIRING.value


def _common(each: Sequence[Mapping[str, str]]) -> dict[str, str]:
    first, *others = each
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}


def _escaped(value: object) -> str:
    return str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def cloudevent(notification: Notification, client_id: str) -> bytes:
    """Return a CloudEvent in structured mode; `id` and `source` together are the same in every attempt."""
    body = notification.body
    return as_json(
        {
            "specversion": "1.0",
            "id": notification.id,
            "source": f"/mqtt-notification-hub/{quote(client_id, safe='')}",
            "type": f"mqtt-notification-hub.alert.{body.get('state', '')}",
            "subject": episode_id(notification.id),
            "time": rfc3339(notification.created),
            "datacontenttype": _JSON_TYPE,
            "data": body,
        }
    )


def _json(notification: Notification, _client_id: str) -> bytes:
    return as_json(notification.body)


JSON = Body("json", _JSON_TYPE, _json)
_KINDS = {
    "json": JSON,
    "alertmanager": Body("alertmanager", _JSON_TYPE, alertmanager),
    "alertmanager-alerts": Body("alertmanager-alerts", _JSON_TYPE, postable_alerts),
    "cloudevents": Body("cloudevents", "application/cloudevents+json", cloudevent),
}


def body(node: Node) -> Body:
    """Read `body`: a kind, a template, or a mapping whose texts are templates, which becomes JSON."""
    if isinstance(node.value, dict):
        secrets: list[str] = []
        tree = _compiled(node, secrets)
        return Body(node.plain(), _JSON_TYPE, _filled(tree), tuple(secrets), tuple(_templates(tree)))
    if isinstance(node.value, str) and node.value in _KINDS:
        return _KINDS[node.value]
    made = template(node)
    if made.constant is not None:
        hint = did_you_mean(node.text, _KINDS) or f"one of {', '.join(_KINDS)}, or a template with {{…}}"
        raise Bad(node, f"is not a kind of body: {node.text!r}", hint)
    return Body(node.text, "text/plain; charset=utf-8", _written(made), templates=(made,))


def _written(made: Template) -> Callable[[Notification, str], bytes]:
    return lambda notification, _: made.render(*names(notification.body)).text.encode()


def _compiled(node: Node, secrets: list[str]) -> Any:
    """Make templates of all texts in a tree; what is a secret is sent, and remembered as one."""
    if isinstance(node.value, dict):
        return {key: _compiled(child, secrets) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [_compiled(child, secrets) for child in node.value]
    if isinstance(node.value, Secret):
        secrets.append(node.value.reveal())
        return secrets[-1]
    return template(node) if isinstance(node.value, str) else node.value


def _templates(tree: Any) -> Iterator[Template]:
    if isinstance(tree, Template):
        yield tree
    for child in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _templates(child)


def _filled(tree: Any) -> Callable[[Notification, str], bytes]:
    def render(notification: Notification, _: str) -> bytes:
        known = names(notification.body)

        def fill(part: Any) -> Any:
            if isinstance(part, dict):
                return {key: fill(child) for key, child in part.items()}
            if isinstance(part, list):
                return [fill(child) for child in part]
            return part.render(*known).text if isinstance(part, Template) else part

        return orjson.dumps(fill(tree))

    return render
