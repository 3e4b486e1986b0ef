"""The teller: takes a firing alert through the stages and tells what is due, or notes what holds it back; tells ends.

It answers with the alert as it is then; to put that into the register is for who asked.
"""

from collections.abc import Sequence
from typing import Any

from hub.alerts import lifecycle
from hub.alerts.alert import Alert, changed
from hub.alerts.outgoing import Outgoing
from hub.alerts.register import Register
from hub.alerts.reminders import escalates_at, hidden_too_long_at, reminder, repeats_at
from hub.alerts.spokesman import Spokesman
from hub.alerts.stages import Stages
from hub.alerts.texts import holding_back, notification_body, with_flaps, with_held_back
from hub.alerts.trace import Trace
from hub.model import Phase
from hub.rules.rule import Rule

__all__ = ["Teller"]


class Teller:
    """Tells of alerts, each for itself; those of a group are left to the spokesman."""

    def __init__(self, spokesman: Spokesman, register: Register, stages: Stages, out: Outgoing, trace: Trace) -> None:
        """Tell through `out`, and leave a trace of it."""
        self._spokesman, self._register, self._stages = spokesman, register, stages
        self._out, self._trace = out, trace

    def told_or_held(self, mark: str, alert: Alert, rule: Rule, now: float) -> Alert:
        """Take a firing alert through the stages; tell what is due."""
        if alert.ack is not None and alert.ack.until is not None and alert.ack.until <= now:
            alert = lifecycle.acknowledge(alert, None)
        if rule.mute is None:
            alert = changed(alert, muted=False)
        stage = self._stages.holding(rule, alert.labels, now, muted=alert.muted)
        wants = not alert.tellings or repeats_at(alert, rule) <= now
        if stage is None and wants and rule.limit is not None and alert.tally.room_at(rule.limit) > now:
            stage = ("limit", rule.limit.text)
        alert = self._hold(mark, alert, stage, now)
        if hidden_too_long_at(alert) <= now:
            alert = self._remind(mark, alert, now)
        if stage is not None:
            return alert if stage[0] != "limit" else self._escalated(mark, alert, rule, now)
        if not alert.tellings:
            if rule.group_by is not None:
                return self._spokesman.join(mark, alert, rule, now)
            alert = self._say(mark, alert, rule, "firing", rule.notify, now)
        elif repeats_at(alert, rule) <= now:
            alert = self._say(mark, alert, rule, f"repeat-{alert.tellings}", alert.told, now)
        return self._escalated(mark, alert, rule, now)

    def tell_end(self, mark: str, alert: Alert, now: float) -> None:
        """Tell the end of an alert to who was told of it."""
        identity = alert.id("resolved")
        body = with_flaps(notification_body(alert, Phase.RESOLVED, identity, self._out.hub), alert.flaps)
        receivers = self._spokesman.leave(mark, alert, body, self._out.who_hear_ends(alert.told), now)
        self._out.tell(receivers, identity, mark, body, now)
        if receivers:
            self._trace.notified(now, mark, alert.alertname, identity, "resolved", receivers)

    def _escalated(self, mark: str, alert: Alert, rule: Rule, now: float) -> Alert:
        while escalates_at(alert, rule) <= now:
            step = rule.escalate[alert.steps]
            alert = self._say(mark, alert, rule, f"escalate-{alert.steps + 1}", step.to, now, step=True)
        return alert

    def _hold(self, mark: str, alert: Alert, stage: tuple[str, str] | None, now: float) -> Alert:
        """Note by which stage an alert is held back, or that it is no longer."""
        if stage == alert.held:
            return alert
        name = alert.alertname
        if stage is None:
            self._stages.inhibition.release(name, mark, alert.labels)
            self._trace.released(now, mark, name, alert.held[0] if alert.held else "")
            return lifecycle.held(alert, None)
        self._stages.inhibition.hold(name, mark, alert.labels)
        self._trace.held(now, mark, name, *stage)
        if stage[0] == "limit":
            alert = changed(alert, tally=alert.tally.held_back())
        return lifecycle.held(alert, stage, now)

    def _remind(self, mark: str, alert: Alert, now: float) -> Alert:
        """Say on `hub/events/…` that a silence has hidden a critical alert for long."""
        silence = self._stages.silences.all.get(alert.held[1]) if alert.held else None
        self._out.say(f"{alert.id('hidden')}-{alert.version}", mark, reminder(alert, silence, now), now)
        self._trace.held(now, mark, alert.alertname, "silence", "for over a day, and it is critical")
        return changed(alert, hidden=0.0)

    def _say(
        self,
        mark: str,
        alert: Alert,
        rule: Rule,
        name: str,
        receivers: Sequence[str],
        now: float,
        *,
        step: bool = False,
    ) -> Alert:
        """Tell receivers of a firing alert."""
        identity = alert.id(name)
        body = notification_body(alert, Phase.FIRING, identity, self._out.hub)
        body = with_flaps(with_held_back(body, alert.tally.held), alert.flaps) | self._holding_back(alert)
        fresh = [each for each in receivers if each not in alert.told] if step else []
        self._out.tell(fresh, identity, mark, body | {"first": True}, now)
        self._out.tell([each for each in receivers if each not in fresh], identity, mark, body, now)
        if receivers:
            self._trace.notified(now, mark, rule.name, identity, name, receivers)
        return lifecycle.told(alert, tuple(receivers), rule.limit, now, step=step)

    def _holding_back(self, alert: Alert) -> dict[str, Any]:
        """Name those that this alert holds back (`unless`)."""
        held, register = self._stages.inhibition.held_by(alert.alertname, alert.labels), self._register
        return holding_back([register.alerts[mark] for mark in held if mark in register.firing])
