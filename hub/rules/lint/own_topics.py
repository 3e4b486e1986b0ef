"""Finds rules about the hub itself that listen to a topic below `$hub/` on which the hub never says anything."""

from collections.abc import Iterator, Mapping

from hub.contracts.own_voice import OWN_FIELDS
from hub.documents.document import Node
from hub.errors import Problem
from hub.expressions import short_level
from hub.fields import did_you_mean
from hub.ingest.topics import overlaps
from hub.model import ALERT_TOPICS, OWN_TOPICS
from hub.rules.listening import alert_topics
from hub.rules.reading.rule import Rule

__all__ = ["own"]


def own(rule: Rule, node: Node, rules: Mapping[str, Rule]) -> Iterator[Problem]:
    """Find topics below `$hub/` on which no event ever comes; `rules` are all that there are, by name."""
    for pattern in rule.patterns:
        if pattern.filter.startswith(ALERT_TOPICS):
            found = _unheard(pattern.filter, rules)
        elif pattern.filter.startswith(OWN_TOPICS) and not any(overlaps(pattern.filter, each) for each in OWN_FIELDS):
            hint = did_you_mean(pattern.filter, OWN_FIELDS)
            found = "the hub says nothing there", hint or f"it does on {', '.join(OWN_FIELDS)}"
        else:
            continue
        if found is not None:
            what, hint = found
            message = f"rule {rule.name!r} listens to {pattern.text}, and {what}"
            yield node.value["topic"].problem(message, hint)


def _unheard(topic_filter: str, rules: Mapping[str, Rule]) -> tuple[str, str] | None:
    """Say why no rule's alerts are heard there, and what to do; None where some are, or any name is meant."""
    level = topic_filter.removeprefix(ALERT_TOPICS).partition("/")[0]
    if level in {"+", "#"}:
        return None
    named = next((each for each in rules.values() if short_level(each.name) == level), None)
    if named is None:
        alerts = [each.name for each in rules.values() if each.alert]
        return f"there is no alert rule {level!r}", did_you_mean(level, alerts) or f"alerts: {', '.join(alerts)}"
    if not named.alert:
        return f"{level!r} is an event, which has no alerts", "name an alert"
    if any(overlaps(topic_filter, each) for each in alert_topics(named)):
        return None
    labels = "/".join([ALERT_TOPICS + level, *(f"{{{name}}}" for name in named.by)])
    return "no alert comes there", f"those of {level!r} come on {labels}"
