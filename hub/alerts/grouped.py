"""The notification of a group: what its alerts have in common, and each of them in `alerts`."""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.alerts.grouping import Group
from hub.limits import GROUP_ALERTS
from hub.rules.rule import Rule

__all__ = ["group_body", "member"]

_NAMES = ("id", "state", "labels", "summary", "since", "until", "runbook", "event")
_HEADS = 3  # summaries in that of the group


def member(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a grouped notification shows of one alert or event."""
    return {name: body[name] for name in _NAMES}


def group_body(
    group: Group, rule: Rule, identity: str, firing: Sequence[Mapping[str, Any]], hub: Mapping[str, str]
) -> dict[str, Any]:
    """Build the notification: what fires now, then what is over or has happened since the last one."""
    shown = [*firing, *group.news]
    count = len(firing) + group.count
    alone = shown[0] if count == 1 and shown else None
    return {
        "id": identity,
        "alertname": rule.name,
        "state": "firing" if firing else (shown[-1]["state"] if shown else "resolved"),
        "severity": rule.severity,
        "labels": {"alertname": rule.name, "severity": rule.severity} | group.labels,
        "summary": alone["summary"] if alone else _summary(group, shown, count),
        "details": "",
        "runbook": shown[0]["runbook"] if shown else "",
        "reason": "",
        "since": min((each["since"] for each in shown), default=None),
        "until": None if firing or not shown else shown[-1]["until"],
        "episode": group.serial + 1,
        "acknowledged": None,
        "event": alone["event"] if alone else None,
        "count": count,
        "alerts": shown[:GROUP_ALERTS],
        "hub": hub,
    }


def _summary(group: Group, shown: Sequence[Mapping[str, Any]], count: int) -> str:
    of = ", ".join(f"{name}={value}" for name, value in group.labels.items())
    heads = "; ".join(each["summary"] for each in shown[:_HEADS])
    more = f"; and {count - _HEADS} more" if count > _HEADS else ""
    return f"{count} {group.rule}{f' ({of})' if of else ''}: {heads}{more}"
