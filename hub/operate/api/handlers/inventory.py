"""The views of what the hub watches, under /api/hub: rules, devices, last messages, and last values for charts."""

from collections.abc import Iterator, Mapping
from typing import Any

from starlette.responses import Response

from hub.clock import rfc3339
from hub.commands.seams import RuleCounts
from hub.contracts.answered import AlertBody
from hub.contracts.json_schema import TEXT, WHOLE, ok, said, schema_of
from hub.contracts.viewed import DeviceBody, LastEventBody, RuleBody, SeriesBody
from hub.documents.duration import format_duration
from hub.ingest.decode import decode_again
from hub.ingest.topics import check_filter, matches
from hub.limits import VALUES_POINTS, VIEW_ROWS
from hub.model import Phase
from hub.operate.api.answers import answer
from hub.operate.api.feed.feed import payload_shown
from hub.operate.api.front.actor import VIEWER, Refused
from hub.operate.api.gathered.attendance import Attendance
from hub.operate.api.site import Asked, Endpoint, Site
from hub.operate.specs.described import Described
from hub.rules.reading.rule import Rule

__all__ = ["ENDPOINTS"]


async def _rules(asked: Asked) -> Response:
    """List the rules in force, each with the number of its alerts in each state."""
    site = asked.site
    phases = _phases(site)
    in_force = list(site.files().rules.rules.values())  # a copy: a reload may come between two slices
    rules = (_rule(site, rule, phases.get(rule.name, {})) for rule in in_force)
    return answer({"ok": True, "rules": await site.reads.write(rules)})


async def _one_rule(asked: Asked) -> Response:
    """Show a rule with its conditions, and its alerts, of which VIEW_ROWS at most."""
    site = asked.site
    rule = _named(site, asked.request.path_params["name"])
    current = [
        (fingerprint, alert)
        for fingerprint, alert in site.mirror.alerts.items()
        if alert.alertname == rule.name and alert.state is not Phase.INACTIVE
    ][:VIEW_ROWS]
    alerts = await site.reads.write({**alert.body(), "fingerprint": fingerprint} for fingerprint, alert in current)
    details = {
        "clear": rule.clear.text if rule.clear else None,
        "absent": rule.absent,
        "by": rule.by,
        "unless": rule.unless,
    }
    body = _rule(site, rule, _phases(site).get(rule.name, {})) | details
    return answer({"ok": True, "rule": body, "alerts": alerts})


def _named(site: Site, name: str) -> Rule:
    rule = site.files().rules.rules.get(name)
    if rule is None:
        raise Refused(404, f"no rule {name!r}")
    return rule


def _phases(site: Site) -> Mapping[str, Mapping[str, int]]:
    """Count the firing and the pending alerts of each rule, by the rule's name."""
    phases: dict[str, dict[str, int]] = {}
    for alert in site.mirror.alerts.values():
        if alert.state in (Phase.FIRING, Phase.PENDING):
            counts = phases.setdefault(alert.alertname, {})
            counts[alert.state.value] = counts.get(alert.state.value, 0) + 1
    return phases


def _rule(site: Site, rule: Rule, phases: Mapping[str, int]) -> dict[str, Any]:
    """Return a rule as the API shows it: what its file says, how often it was evaluated, its cost and errors."""
    counts = site.ask.counts(rule.name) or RuleCounts()
    return {
        "name": rule.name,
        "kind": "alert" if rule.alert else "event",
        "topics": [pattern.text for pattern in rule.patterns],
        "when": rule.when.text if rule.when else None,
        "for": format_duration(rule.hold) if rule.hold else None,
        "severity": rule.severity,
        "notify": rule.notify,
        "shadow": rule.shadow,
        "enabled": rule.enabled,
        "file": rule.path,
        "line": rule.line,
        "instances": counts.instances,
        "firing": phases.get("firing", 0),
        "pending": phases.get("pending", 0),
        "evaluations": counts.evaluations,
        "matches": counts.matches,
        "cost_microseconds": site.costs.microseconds(rule.name),
        **site.standing.rule(rule.name),
    }


async def _devices(asked: Asked) -> Response:
    """List the devices: those heard last come first, then those that are registered and were never heard."""
    site = asked.site
    now, registry = site.clock.now(), site.files().registry
    heard = {topic: at for topic, at in site.ask.heard() if topic[0] != "$"}  # what the broker says is no device
    registered = {device.topic for device in registry.devices()}
    unheard = (topic for topic in registered if topic not in heard)
    latest = sorted(heard, key=lambda topic: -heard[topic])
    listed_topics = [*latest, *unheard][:VIEW_ROWS]
    attendance = Attendance(site.ask, site.recent, site.standing.listening, now)
    devices = (_device(site, topic, heard.get(topic), attendance, registered) for topic in listed_topics)
    body = {"ok": True, "devices": await site.reads.write(devices)}
    return answer({**body, "heard": len(heard), "registered": len(registered)})


def _device(site: Site, topic: str, at: float | None, attendance: Attendance, registered: set[str]) -> dict[str, Any]:
    interval = site.ask.interval(topic)
    attributes = site.files().registry.attributes(topic)
    return {
        "device": topic,
        "topics": [topic],
        "attributes": dict(attributes),
        "last_seen": rfc3339(at) if at else None,
        "interval_seconds": round(interval, 3) or None,
        "presence": attendance.of(topic, at),
        "registered": bool(attributes) or topic in registered,
    }


async def _events(asked: Asked) -> Response:
    """List the last message of each topic that a filter matches, the latest message first."""
    wanted = _filter(asked.request.query_params.get("topic", "#"))
    messages = [message for message in asked.site.ask.last_messages() if matches(wanted, message[0])]
    messages.sort(key=lambda message: -message[2])
    events = (
        {"topic": topic, "payload": payload_shown(raw, decode_again(topic, raw, at).value), "time": rfc3339(at)}
        for topic, raw, at in messages[:VIEW_ROWS]
    )
    return answer({"ok": True, "events": await asked.site.reads.write(events), "topics": len(messages)})


async def _values(asked: Asked) -> Response:
    """Return the last numbers for a chart: of a topic, or of a rule's topics, perhaps only those that labels name."""
    site = asked.site
    query = asked.request.query_params
    rule = _named(site, name) if (name := query.get("rule", "")) else None
    if rule is None and not query.get("topic", ""):
        raise Refused(400, "whose values? add ?rule=NAME or ?topic=TOPIC")
    wanted = _filter(query["topic"]) if rule is None else ""
    topics: list[str] = []

    def series() -> Iterator[dict[str, Any] | None]:
        left = VALUES_POINTS
        for topic in site.recent.topics():
            yield None  # a topic that does not match costs time, too: the slice may end here
            if not (matches(wanted, topic) if rule is None else _meant(rule, topic, query)):
                continue
            topics.append(topic)
            for name, points in site.recent.fields(topic).items() if left > 0 else ():
                left -= len(points)
                if left >= 0:  # a field is sent whole or not at all: half of it would look like an end
                    yield {"topic": topic, "field": name, "points": points}

    return answer({"ok": True, "series": await site.reads.write(series()), "topics": len(topics)})


def _meant(rule: Rule, topic: str, labels: Mapping[str, str]) -> bool:
    """Tell whether a topic belongs to an instance with these labels; those that its levels do not give are ignored."""
    levels = topic.split("/")
    pattern = next((each for each in rule.patterns if each.matches(topic)), None)
    if pattern is None:
        return False
    captured = dict(zip(rule.captures, pattern.values(levels), strict=True))
    return all(labels.get(name, value) == value for name, value in captured.items())


def _filter(text: str) -> str:
    if why := check_filter(text):
        raise Refused(400, f"{text[:200]!r} is no topic filter: {why}")
    return text


_RULES = Described(ok(rules=schema_of(list[RuleBody])))
_ONE_RULE = Described(ok(rule=schema_of(RuleBody), alerts=schema_of(list[AlertBody])), refusals=(404,))
_DEVICES = Described(ok(devices=schema_of(list[DeviceBody]), heard=WHOLE, registered=WHOLE))
_EVENTS = Described(
    ok(events=schema_of(list[LastEventBody]), topics=WHOLE),
    {"topic": said(TEXT, "A filter; where it is absent, all topics.")},
)
_VALUES = Described(
    ok(series=schema_of(list[SeriesBody]), topics=WHOLE),
    {
        "rule": said(TEXT, "The rule whose topics are meant; each further parameter is the value of a label."),
        "topic": said(TEXT, "A filter."),
    },
    refusals=(404,),
)

ENDPOINTS = (
    Endpoint("GET", "/api/hub/rules", VIEWER, _rules, "The rules at work", _RULES, long=True),
    Endpoint("GET", "/api/hub/rules/{name}", VIEWER, _one_rule, "A rule with its alerts", _ONE_RULE, long=True),
    Endpoint(
        "GET", "/api/hub/devices", VIEWER, _devices, "The devices, and whether they send as usual", _DEVICES, long=True
    ),
    Endpoint("GET", "/api/hub/events", VIEWER, _events, "The last message of each topic", _EVENTS, long=True),
    Endpoint("GET", "/api/hub/values", VIEWER, _values, "The last values of topics", _VALUES, long=True),
)
