"""The alert book: every alert by fingerprint; transitions in, notifications and changed rows out. Pure.

The state of each alert is published, retained, by a notification to the hub itself (OWN): it takes the same sure way.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hub.alerts import lifecycle
from hub.alerts.alert import Alert, fingerprint
from hub.alerts.texts import notification_body, render
from hub.limits import RESOLVED_KEPT_SECONDS
from hub.model import OWN, Notification, Phase, Reason
from hub.rules.rule import Rule
from hub.rules.transition import Transition

__all__ = ["Book"]


class Book:
    """All alerts. `hub` is what a notification says of its sender: client id and version."""

    def __init__(self, prefix: str, hub: Mapping[str, str], on_error: Callable[[str, str, str], None]) -> None:
        """Begin empty; `on_error` hears rule, topic and message of every text that could not be filled in."""
        self.alerts: dict[str, Alert] = {}
        self._silent_about_end: frozenset[str] = frozenset()
        self._prefix, self._hub, self._on_error = prefix, hub, on_error
        self._rules: Mapping[str, Rule] = {}
        self._dirty: set[str] = set()
        self._queue: list[Notification] = []
        self._changed: list[Mapping[str, Any]] = []
        self._over: list[tuple[float, str]] = []

    def follow(self, rules: Mapping[str, Rule], silent_about_end: frozenset[str]) -> None:
        """Take the rules as they are now, and which receivers have `send_resolved: false`."""
        self._rules, self._silent_about_end = rules, silent_about_end

    def restore(self, alerts: Iterable[tuple[str, str]], desk: Iterable[tuple[str, str, str]], now: float) -> None:
        """Bring in what a store held."""
        del desk, now
        for mark, text in alerts:
            alert = self.alerts[mark] = Alert.load(text)
            self._await_end(mark, alert)

    def apply(self, transitions: Sequence[Transition], now: float) -> None:
        """Take what the engine found."""
        del now
        for transition in transitions:
            if transition.phase is Phase.EVENT:
                self._event(transition)
            else:
                self._alert(transition)

    def _event(self, transition: Transition) -> None:
        """An event rule spoke: a notification, and nothing to keep."""
        rule, mark = transition.rule, fingerprint(transition.rule.name, transition.instance)
        identity = f"{mark}-{transition.serial}-event"
        texts = render(transition, transition.serial, identity)
        self._report(transition, texts.failures)
        said = Alert(
            rule.name,
            transition.instance,
            transition.serial,
            severity=rule.severity,
            labels=texts.labels,
            summary=texts.summary,
            details=texts.details,
            since=transition.at,
        )
        body = notification_body(said, Phase.EVENT, identity, transition.event, self._hub)
        self._tell(rule.notify, identity, mark, body, transition.at)

    def _alert(self, transition: Transition) -> None:
        rule, phase = transition.rule, transition.phase
        mark = fingerprint(rule.name, transition.instance)
        alert = self.alerts.get(mark) or Alert(rule.name, transition.instance)
        alert = lifecycle.advance(alert, phase, transition.reason, transition.at, transition.since)
        identity = alert.id(phase.value)
        texts = render(transition, alert.episode, identity)
        self._report(transition, texts.failures)
        alert = lifecycle.speak(alert, texts, rule.severity, rule.notify)
        body = notification_body(alert, phase, identity, transition.event, self._hub)
        self._enter(mark, alert, transition.at, body)

    def end(self, rules: Mapping[str, Reason], now: float) -> None:
        """End the alerts of rules that are gone or mean something else now."""
        for mark, alert in list(self.alerts.items()):
            if alert.alertname in rules and alert.state in (Phase.PENDING, Phase.FIRING):
                ended = lifecycle.end(alert, rules[alert.alertname], now)
                identity = ended.id(ended.state.value)
                body = notification_body(ended, ended.state, identity, None, self._hub)
                self._enter(mark, ended, now, body)

    def _enter(self, mark: str, alert: Alert, now: float, body: Any) -> None:
        """Write an alert's new state into the book, and tell those who must know."""
        self.alerts[mark] = alert
        self._dirty.add(mark)
        self._changed.append(alert.body())
        identity = alert.id(alert.state.value)
        if alert.state is Phase.FIRING:
            self._tell(alert.told, identity, mark, body, now)
        elif alert.state is Phase.RESOLVED:
            self._tell([name for name in alert.told if name not in self._silent_about_end], identity, mark, body, now)
        self._publish(mark, alert, now, None if alert.state is Phase.INACTIVE else alert.body())
        self._await_end(mark, alert)

    def _tell(self, receivers: Iterable[str], identity: str, mark: str, body: Any, now: float) -> None:
        self._queue.extend(Notification(identity, receiver, mark, body, now) for receiver in receivers)

    def _publish(self, mark: str, alert: Alert, now: float, state: Any) -> None:
        body = {"topic": alert.topic(self._prefix), "payload": state, "retain": True}
        self._queue.append(Notification(f"{mark}-v{alert.version}", OWN, mark, body, now))

    def _report(self, transition: Transition, failures: Iterable[str]) -> None:
        topic = transition.event.topic if transition.event is not None else ""
        for failure in failures:
            self._on_error(transition.rule.name, topic, failure)

    # resolved alerts stay visible for a while

    def _await_end(self, mark: str, alert: Alert) -> None:
        if alert.state is Phase.RESOLVED and alert.until is not None:
            heapq.heappush(self._over, (alert.until + RESOLVED_KEPT_SECONDS, mark))

    def next_due(self) -> float | None:
        """Return the time at which `tick` is wanted next."""
        return self._over[0][0] if self._over else None

    def tick(self, now: float) -> None:
        """Take resolved alerts that are over out of sight."""
        while self._over and self._over[0][0] <= now:
            due, mark = heapq.heappop(self._over)
            alert = self.alerts[mark]
            if alert.state is not Phase.RESOLVED or alert.until is None or alert.until + RESOLVED_KEPT_SECONDS > due:
                continue
            gone = self.alerts[mark] = lifecycle.forget(alert)
            self._dirty.add(mark)
            self._publish(mark, gone, now, None)

    # results

    def has_changes(self) -> bool:
        """Tell whether there is anything to take."""
        return bool(self._dirty or self._queue)

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the rows of all alerts that changed since the last call."""
        dirty, self._dirty = self._dirty, set()
        return [(mark, self.alerts[mark].dump()) for mark in dirty]

    def take_desk(self) -> list[tuple[str, str, str | None]]:
        """Take the rows of all else that changed since the last call."""
        return []

    def take_trace(self) -> list[tuple[float, str, str, str, str, str]]:
        """Take what is to be remembered of why things were told, or not."""
        return []

    def take_notifications(self) -> list[Notification]:
        """Take what is to be told, in order."""
        queue, self._queue = self._queue, []
        return queue

    def take_changed(self) -> list[Mapping[str, Any]]:
        """Take the states that alerts have entered, for onlookers."""
        changed, self._changed = self._changed, []
        return changed
