"""Rules that listen to the alerts of other rules: `topic: $hub/alerts/FreezerTooWarm/{site}/{device}`. Pure.

The topics are those of the alerts' retained states, with `$hub` in place of the prefix. A rule that could hear itself,
directly or through others, would never come to rest; so every load asks which rule can hear which.
"""

from collections.abc import Iterable, Iterator, Mapping

from hub.expressions import short_level
from hub.ingest.topics import overlaps
from hub.model import ALERT_TOPICS
from hub.rules.reading.rule import Rule

__all__ = ["alert_topics", "can_hear", "circles", "listens"]


def listens(rule: Rule) -> bool:
    """Tell whether a rule listens to alerts."""
    return any(pattern.filter.startswith(ALERT_TOPICS) for pattern in rule.patterns)


def alert_topics(rule: Rule) -> list[str]:
    """Return the filters of the topics on which other rules hear a rule's alerts; none for an event rule."""
    if not rule.alert:
        return []
    start = ALERT_TOPICS + "/".join([short_level(rule.name), *("+" for _ in rule.by)])
    beside = rule.absent is not None and rule.when is not None  # absence is another alert, with one label more
    return [start, f"{start}/absent"] if beside else [start]


def can_hear(listener: Rule, rule: Rule) -> bool:
    """Tell whether a listener can hear an alert of a rule; the number of labels counts, too."""
    filters = [pattern.filter for pattern in listener.patterns if pattern.filter.startswith(ALERT_TOPICS)]
    return any(overlaps(each, topic) for each in filters for topic in alert_topics(rule))


def circles(rules: Iterable[Rule]) -> Iterator[list[Rule]]:
    """Yield the circles of alert rules of which each hears the next one; a rule that hears itself is one, too."""
    listeners = {rule.name: rule for rule in rules if rule.alert and listens(rule)}
    heard = {
        name: [other.name for other in listeners.values() if can_hear(rule, other)] for name, rule in listeners.items()
    }
    for circle in _circles(heard):
        yield [listeners[name] for name in circle]


def _circles(heard: Mapping[str, list[str]]) -> Iterator[list[str]]:
    """Follow what each hears, each name once, and yield each circle that this finds."""
    done: set[str] = set()
    for root in heard:
        path = {} if root in done else {root: iter(heard[root])}
        while path:
            here = next(reversed(path))
            other = next(path[here], None)
            if other is None:
                done.add(here)
                del path[here]
            elif other in path:
                names = list(path)
                yield names[names.index(other) :]
            elif other not in done:
                path[other] = iter(heard[other])
