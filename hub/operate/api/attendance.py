"""Whether a device is there, as far as the hub can know: by its last message, its usual interval, its alert of silence.

What is not known is said to be `unknown`: who was heard once, who had to leave the memory, who spoke last before nobody
listened. Nobody is `online` of whom an alert says that he is silent.
"""

from hub.commands.seams import Ask
from hub.operate.api.recent import Recent
from hub.rules.rule_runner import RuleRunner

__all__ = ["Attendance"]

LATE, SILENT = 2.5, 5.0
"""Intervals without a message, after which a device is late, and silent."""
SHORTEST_SECONDS = 5.0
"""Intervals are looked at once a second: what is shorter than this is not told apart."""
JUST_NOW_SECONDS = 60.0
"""Who was heard since then is there, though nothing is known of an interval."""


class Attendance:
    """The devices at one moment; `listening` is since when the hub has heard its broker, None while it is deaf."""

    def __init__(self, ask: Ask, recent: Recent, listening: float | None, now: float) -> None:
        """Look at the alerts that stand; for one answer."""
        self._ask, self._recent, self._listening, self._now = ask, recent, listening, now
        self._is_absent = ask.absent()

    def of(self, topic: str, at: float | None) -> str:
        """Return online, late, silent or unknown; `at` is when the topic was last heard."""
        if self._is_absent(topic):
            return "silent"
        if at is None:
            return "unknown" if self._ask.has_forgotten else "silent"
        if self._recent.is_full and self._recent.of(topic) is None:
            return "unknown"
        interval = self._ask.interval(topic)
        if not interval:
            return "online" if self._now - at < JUST_NOW_SECONDS else "unknown"
        return self._by(max(interval, SHORTEST_SECONDS), at)

    def _by(self, interval: float, at: float) -> str:
        """Go by the interval; while nobody listened, nobody was silent."""
        if self._now - at < LATE * interval:
            return "online"
        if self._listening is None:
            return "unknown"
        missed = (self._now - max(at, self._listening)) / interval
        if missed < LATE:
            return "unknown"
        return "late" if missed < SILENT else "silent"


def _silent(core: Core) -> "list[tuple[RuleRunner, set[tuple[str, ...]], set[str]]]":
    """Return the rules whose alerts of silence fire: of which instances, and on which topics these spoke last."""
    found: dict[str, tuple[RuleRunner, set[tuple[str, ...]], set[str]]] = {}
    for alert in core.book.alerts.values():
        state = core.engine.states.get(alert.alertname) if alert.state is Phase.FIRING else None
        if state is None or state.rule.absent is None:
            continue
        key = tuple(alert.labels.get(name, "") for name in state.rule.by)
        instance = state.instances.get(key)
        if instance is not None and instance.absent_since:
            _, keys, topics = found.setdefault(alert.alertname, (state, set(), set()))
            keys.add(key)
            topics.add(instance.topic)
    return list(found.values())


def _concerns(state: RuleRunner, keys: set[tuple[str, ...]], topics: set[str], topic: str) -> bool:
    if topic in topics:
        return True
    pattern = next((each for each in state.rule.patterns if matches(each.filter, topic)), None)
    return pattern is not None and state.instances.key_of(pattern.values(topic.split("/"))) in keys
