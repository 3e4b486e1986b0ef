"""Event rules: each match is a notification unless it is suppressed. Only what their `limit` counts is stored."""

from collections.abc import Iterable
from typing import Any

from hub.alerts import lifecycle
from hub.alerts.alert import Alert, alert_fingerprint
from hub.alerts.outgoing import Outgoing
from hub.alerts.register import Register
from hub.alerts.suppression.event_limits import EventLimits
from hub.alerts.suppression.suppression import Suppression
from hub.alerts.telling.conversations import Conversations
from hub.alerts.telling.messages import member, notification_body, with_held_back
from hub.alerts.telling.texts import OnError, render_and_report
from hub.alerts.trace import Trace
from hub.ids import NotificationId
from hub.limits import LIMIT_EVENTS
from hub.model import Phase, Suppressed, Suppressor
from hub.rules.reading.rule import Rule
from hub.rules.reading.rule_values import Limit
from hub.rules.running.transition import Transition
from hub.store.keeper import Keeper

__all__ = ["Events"]

_TOO_MANY = (
    f"the `limit` of more than {LIMIT_EVENTS:,} instances counts: for the one that spoke longest ago it counts anew,"
    " and what it held back is not told"
)


class Events(Keeper):
    """Takes the book's transitions of event rules; as a keeper it stores what their limits have counted."""

    kind = "limit"

    def __init__(
        self,
        conversations: Conversations,
        register: Register,
        suppression: Suppression,
        out: Outgoing,
        trace: Trace,
        on_error: OnError,
    ) -> None:
        """Begin with empty limits; `on_error` gets rule, topic and message of what a user should know."""
        self._limits = EventLimits()
        self._conversations, self._register, self._suppression = conversations, register, suppression
        self._out, self._trace, self._on_error = out, trace, on_error

    def restore(self, rows: Iterable[tuple[str, str]]) -> None:
        """Restore the counts of limits from the store."""
        self._limits.restore(rows, self._limit_of_rule())

    def take(self, transition: Transition, now: float) -> None:
        """Tell of one match of an event rule, unless it is suppressed; called for each match, in order."""
        rule, fingerprint = transition.rule, alert_fingerprint(transition.rule.name, transition.instance)
        identity = str(NotificationId(fingerprint, transition.serial, "event"))
        texts = render_and_report(transition, transition.serial, identity, self._on_error)
        said = lifecycle.speak(
            Alert(rule.name, transition.instance, transition.serial, since=transition.at), texts, rule.severity
        )
        self._say(fingerprint, transition, said, Phase.EVENT, identity, now)

    def take_past(self, transition: Transition, until: float, now: float) -> None:
        """Tell once of an episode of an alert rule that began and ended, at `until`, in what came late.

        It is told like an event: nobody can acknowledge it, and what suppresses it now drops it.
        """
        rule, fingerprint = transition.rule, alert_fingerprint(transition.rule.name, transition.instance)
        before = self._register.alerts.get(fingerprint) or self._register.new(transition)
        is_news = not before.open and before.state is not Phase.PENDING and until > (before.until or 0.0)
        alert = lifecycle.past(before, transition.reason, transition.since, until, now, anew=is_news)
        told_as = alert_fingerprint(rule.name, (*transition.instance, ("late", "")))  # no step of another episode
        identity = str(NotificationId(told_as, round(transition.since * 1000), "late"))
        texts = render_and_report(transition, alert.episode, identity, self._on_error)
        alert = lifecycle.speak(alert, texts, rule.severity, shadow=rule.shadow)
        if is_news:  # else how it stands now is newer
            self._register.put(fingerprint, alert, now)
        self._say(fingerprint, transition, alert, Phase.RESOLVED, identity, now)

    def _say(
        self, fingerprint: str, transition: Transition, said: Alert, phase: Phase, identity: str, now: float
    ) -> None:
        rule, is_past = transition.rule, transition.until is not None
        self._trace.transition(fingerprint, transition, said.labels)
        suppressed = self._suppression.by(rule, said.labels, said.unfilled, now, muted=transition.muted)
        if suppressed is not None:
            # an event is a moment: what is suppressed now is never told later, and counts for no limit
            self._trace.suppressed(now, fingerprint, rule.name, suppressed)
            return
        body = notification_body(said, phase, identity, self._out.hub) | ({"late": True} if is_past else {})
        if not self._limits.room(fingerprint, rule.limit, now):
            self._trace.suppressed(
                now, fingerprint, rule.name, Suppressed(Suppressor.LIMIT, rule.limit.text if rule.limit else "")
            )
            self._limits.hold(fingerprint, rule, body)  # the latest one is told when there is room again
        else:
            self._tell(
                fingerprint,
                rule,
                body,
                self._limits.told(fingerprint, rule, now) if rule.limit else 0,
                now,
                said.unfilled,
            )
        for name in self._limits.take_dropped():
            self._on_error(name, "" if transition.event is None else transition.event.topic, _TOO_MANY)

    def tick(self, now: float) -> None:
        """Tell what waited for room in its `limit` and has it now."""
        for fingerprint, entry in self._limits.take_due(now, self._limit_of_rule()):
            rule = self._register.rules.get(entry.rule)
            if rule is None:
                continue  # the rule was removed while the event waited: nobody is named to be told
            suppressed = self._suppression.by(rule, entry.waits["labels"], (), now, muted=False)
            if suppressed is not None:
                # what waited is judged by what suppresses it now, and is dropped as a new event would be
                self._trace.suppressed(now, fingerprint, rule.name, suppressed)
                self._limits.let_go(fingerprint, rule)
            else:
                self._tell(fingerprint, rule, entry.waits, self._limits.told(fingerprint, rule, now) - 1, now)

    def next_due(self) -> float | None:
        """Return when `tick` must be called next, None where nothing waits."""
        return self._limits.next_due()

    def shift(self, seconds: float) -> None:
        """Move every time by `seconds`, by which somebody has set the wall clock."""
        self._limits.shift(seconds, self._limit_of_rule())

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the rows of limits that changed since the last call."""
        return self._limits.take_rows()

    def _tell(
        self,
        fingerprint: str,
        rule: Rule,
        body: dict[str, Any],
        held_back: int,
        now: float,
        unfilled: tuple[str, ...] = (),
    ) -> None:
        body = with_held_back(body, held_back)
        if rule.group_by is not None:  # the group tells of it with its next message
            group = self._conversations.of(rule, body["labels"], unfilled, fingerprint)
            self._conversations.report(group, rule, None, member(body), now)
            return
        self._out.tell(rule.notify, body["id"], fingerprint, body, now)
        step = NotificationId.parse(body["id"]).step
        self._trace.notified(now, fingerprint, rule.name, body["id"], step, rule.notify)

    def _limit_of_rule(self) -> dict[str, Limit]:
        return {name: rule.limit for name, rule in self._register.rules.items() if rule.limit is not None}
