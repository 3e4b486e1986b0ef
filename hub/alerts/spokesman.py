"""The spokesman of groups (`group_by`): who waits joins one, who ends leaves it, and it is told when its time comes."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Any

from hub.alerts import lifecycle
from hub.alerts.alert import Alert
from hub.alerts.grouped import group_body, member
from hub.alerts.grouping import Group, Groups
from hub.alerts.outgoing import Outgoing
from hub.alerts.register import Register
from hub.alerts.stages import Stages
from hub.alerts.texts import notification_body
from hub.alerts.trace import Trace
from hub.model import Phase
from hub.rules.rule import Rule

__all__ = ["Spokesman"]


class Spokesman:
    """Tells of all that waits in a group in one notification."""

    def __init__(self, groups: Groups, register: Register, stages: Stages, out: Outgoing, trace: Trace) -> None:
        """Speak for these groups."""
        self._groups, self._register, self._stages = groups, register, stages
        self._out, self._trace = out, trace

    # who joins, and who leaves

    def join(self, mark: str, alert: Alert, rule: Rule, now: float) -> Alert:
        """Let an alert wait in its group."""
        group = self._groups.of(rule.name, rule.group_by or (), alert.labels)
        if mark not in group.waiting:
            group.waiting[mark] = None
            self._trace.held(now, mark, rule.name, "group", ", ".join(rule.group_by or ()) or "all")
        group.wake(now)
        return lifecycle.held(alert, None)

    def report(self, rule: Rule, labels: Mapping[str, str], body: Mapping[str, Any], now: float) -> None:
        """Show the notification of an event in the next one of its group."""
        self._groups.of(rule.name, rule.group_by or (), labels).report(member(body), now)

    def leave(self, mark: str, alert: Alert, body: Mapping[str, Any], receivers: list[str], now: float) -> list[str]:
        """Take an alert that ends out of its group, if it has one; return who is still to be told of it alone.

        `body` is the notification of its end, `receivers` are who should hear of it.
        """
        rule = self._register.rules.get(alert.alertname)
        if rule is None or rule.group_by is None:
            return receivers
        group = self._groups.of(rule.name, rule.group_by, alert.labels)
        if mark not in group.told:
            group.waiting.pop(mark, None)
            return receivers
        del group.told[mark]
        if receivers:
            group.report(member(body), now)
        steps = {name for step in rule.escalate[: alert.steps] for name in step.to}
        return [name for name in receivers if name in steps and name not in group.receivers]

    # speaking

    def speak(self, now: float) -> None:
        """Let each group speak whose time has come."""
        for group in self._groups.take_due(now):
            self._groups.touch(group)
            rule = self._register.rules.get(group.rule)
            group.due = inf
            if rule is not None:
                self._speak_for(group, rule, now)

    def _speak_for(self, group: Group, rule: Rule, now: float) -> None:
        alerts, identity = self._register.alerts, f"{group.mark}-{group.serial + 1}-group"
        fresh = [mark for mark in group.waiting if self._may_be_told(alerts[mark], rule, now)]
        still = [mark for mark, episode in group.told.items() if alerts[mark].episode == episode]
        self._note_told(fresh, group, rule, identity, now)
        firing = [self._member_of(alerts[mark]) for mark in (*fresh, *still)]
        body = group_body(group, rule, identity, firing, self._out.hub)
        if fresh or group.news or (still and not self._quieted(still)):
            ended = not firing and body["state"] == "resolved"
            receivers = self._who_hear(group, rule, fresh=bool(fresh), ended=ended)
            self._out.tell(receivers, identity, group.mark, body, now)
            group.spoken(now, rule.notify)
        if rule.repeat is not None and group.told:
            group.due = now + rule.repeat.interval(1)

    def _note_told(self, fresh: Sequence[str], group: Group, rule: Rule, identity: str, now: float) -> None:
        """Note in those that waited that they are told."""
        for mark in fresh:
            alert = lifecycle.told(self._register.alerts[mark], rule.notify, rule.limit, now)
            group.told[mark] = alert.episode
            self._trace.notified(now, mark, rule.name, identity, "group", rule.notify)
            self._register.note(mark, alert, now)

    def _who_hear(self, group: Group, rule: Rule, *, fresh: bool, ended: bool) -> list[str]:
        """Return whom a group tells, once each."""
        if ended:
            return self._out.who_hear_ends(group.receivers or rule.notify)
        if not fresh and group.told:
            return list(dict.fromkeys([*group.receivers, *rule.notify]))
        return list(dict.fromkeys([*(rule.notify if fresh or group.news else ()), *group.receivers]))

    def _quieted(self, marks: Iterable[str]) -> bool:
        """Tell whether these alerts are not repeated: all of them are acknowledged, or held back."""
        alerts = [self._register.alerts[mark] for mark in marks]
        return all(alert.ack is not None or alert.held is not None for alert in alerts)

    def _may_be_told(self, alert: Alert, rule: Rule, now: float) -> bool:
        if alert.state is not Phase.FIRING or alert.tellings:
            return False
        return self._stages.holding(rule, alert.labels, now, muted=alert.muted) is None

    def _member_of(self, alert: Alert) -> dict[str, Any]:
        return member(notification_body(alert, Phase.FIRING, alert.id("firing"), self._out.hub))
