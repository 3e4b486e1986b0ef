"""Alerts, groups and silences in the shape of Alertmanager's API v2, and a configuration for tools that want one."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.alerts.alert import Alert
from hub.alerts.suppression.silences import Silence
from hub.clock import rfc3339
from hub.commands.seams import Mirror
from hub.limits import POSTED_SECONDS
from hub.model import Suppressor
from hub.rules.reading.rule import Rule

__all__ = ["ALERTMANAGER", "NOBODY", "Shown", "config_text", "groups", "shown", "silence_body", "silences"]

ALERTMANAGER = "0.34.0"
"""The version of Alertmanager whose API this is: karma and other tools choose their requests by this number."""
NOBODY = "nobody"
"""The receiver of alerts of which no receiver is told: in Alertmanager each alert has a receiver."""
_STATES = ("active", "pending", "expired")


@dataclass(frozen=True, slots=True)
class Shown:
    """One firing alert, the receivers that are told of it, and the labels by which its rule groups."""

    body: dict[str, Any]
    receivers: tuple[str, ...]
    group_by: tuple[str, ...]

    @property
    def state(self) -> str:
        """`active` or `suppressed`."""
        state: str = self.body["status"]["state"]
        return state


def shown(mirror: Mirror, fingerprint: str, alert: Alert, now: float, link: str) -> Shown:
    """Return a firing alert. `link` is a page about it, for alerts that were not posted with a page of their own."""
    rule = mirror.rules.get(alert.alertname)
    receivers = tuple(dict.fromkeys((*(rule.notify if rule else ()), *alert.told))) or (NOBODY,)
    posted = mirror.posted(alert)
    heard = posted.heard if posted else max(alert.since, alert.said.last)
    body = {
        "annotations": _annotations(alert) if posted is None else {**posted.annotations, **_acknowledged(alert)},
        "endsAt": rfc3339(posted.ends if posted else now + POSTED_SECONDS),
        "fingerprint": fingerprint,
        "receivers": [{"name": name} for name in receivers],
        "startsAt": rfc3339(alert.since),
        "status": _status(mirror, alert, rule),
        "updatedAt": rfc3339(heard),
        "labels": alert.labels,
    }
    url = posted.url if posted else link
    if url:
        body["generatorURL"] = url
    return Shown(body, receivers, (rule.group_by or ()) if rule else ())


def _annotations(alert: Alert) -> dict[str, str]:
    written = {"summary": alert.summary, "description": alert.details, "runbook_url": alert.runbook}
    return {name: text for name, text in written.items() if text} | _acknowledged(alert)


def _acknowledged(alert: Alert) -> dict[str, str]:
    """Say who has acknowledged the alert, as an annotation: Alertmanager has no field for that."""
    if alert.ack is None:
        return {}
    return {"acknowledged": f"by {alert.ack.by}" + (f": {alert.ack.comment}" if alert.ack.comment else "")}


def _status(mirror: Mirror, alert: Alert, rule: Rule | None) -> dict[str, Any]:
    """Say what suppresses an alert. `limit` and `group` only delay it, so for Alertmanager's clients it is active."""
    by, detail = alert.held or (None, "")
    silenced = [detail] if by is Suppressor.SILENCE else []
    inhibited = mirror.held_back_by(alert) if by is Suppressor.UNLESS and rule else []
    muted = [detail or by.value] if by is Suppressor.MUTE or by is Suppressor.SHADOW else []
    state = "suppressed" if silenced or inhibited or muted else "active"
    return {"state": state, "silencedBy": silenced, "inhibitedBy": inhibited, "mutedBy": muted}


def groups(alerts: Iterable[Shown]) -> list[dict[str, Any]]:
    """Gather alerts by receiver, alertname and the labels that their rule groups by."""
    gathered: dict[tuple[str, tuple[str, ...]], dict[str, Any]] = {}
    for alert in alerts:
        labels = {name: alert.body["labels"].get(name, "") for name in ("alertname", *alert.group_by)}
        key = tuple(text for label in labels.items() for text in label)
        for receiver in alert.receivers:
            empty = {"labels": labels, "receiver": {"name": receiver}, "alerts": []}
            gathered.setdefault((receiver, key), empty)["alerts"].append(alert.body)
    return [gathered[key] for key in sorted(gathered)]


def silences(all_of_them: Iterable[Silence], now: float) -> list[dict[str, Any]]:
    """Return silences in Alertmanager's order: active (the next to end first), pending (the next to begin), expired."""
    return [silence_body(each, now) for each in sorted(all_of_them, key=lambda each: _order(each, now))]


def _order(silence: Silence, now: float) -> tuple[int, float]:
    state = silence.state(now)
    return _STATES.index(state), {"active": silence.end, "pending": silence.start, "expired": -silence.end}[state]


def silence_body(silence: Silence, now: float) -> dict[str, Any]:
    """Return one silence, without what the hub has and Alertmanager has not."""
    return {key: value for key, value in silence.body(now).items() if key != "matchers_text"}


def config_text(rules: Mapping[str, Rule], receivers: Sequence[str], notify: Sequence[str]) -> str:
    """Return who is told of what as a configuration of Alertmanager, in YAML. `notify` are told of posted alerts.

    It is for tools that ask for a configuration. The hub does not read it back, and it holds no secret.
    """
    names: dict[str, list[str]] = {}
    for rule in rules.values():
        for receiver in rule.notify:
            names.setdefault(receiver, []).append(re.escape(rule.name))
    lines = ["# what the hub's rules say, in Alertmanager's words", "global:", "  resolve_timeout: 5m", "route:"]
    lines += [f"  receiver: {json.dumps(notify[0] if notify else NOBODY)}", "  group_by: [alertname]", "  routes:"]
    for receiver, matched in sorted(names.items()):
        matcher = json.dumps(f"alertname=~{json.dumps('|'.join(matched))}")
        lines.append(f"  - {{receiver: {json.dumps(receiver)}, matchers: [{matcher}], continue: true}}")
    if not names:
        lines[-1] = "  routes: []"
    named = [*receivers, *([] if NOBODY in receivers else [NOBODY])]
    return "\n".join([*lines, "receivers:", *(f"- name: {json.dumps(name)}" for name in named), ""])
