"""An alert is told or suppressed as was decided, alone or by its group; at last its end is told.

Each function returns the alert as it is afterwards. The caller puts it into the register.
"""

from typing import Any

from hub.alerts import lifecycle
from hub.alerts.alert import Alert, changed
from hub.alerts.outgoing import Outgoing
from hub.alerts.register import Register
from hub.alerts.suppression.suppression import Suppression
from hub.alerts.telling.conversations import Conversations
from hub.alerts.telling.decision import (
    Decision,
    Say,
    alone,
    decide,
    hidden_too_long_at,
    is_limited,
    may_go_on,
    newcomers,
)
from hub.alerts.telling.messages import holding_back, member, reminder
from hub.alerts.telling.suppressing import note_suppressed
from hub.alerts.telling.words import AlertWords
from hub.alerts.trace import Trace
from hub.model import Phase, Suppressed, Suppressor
from hub.rules.reading.rule import Rule

__all__ = ["Teller"]


class Teller:
    """Tells of alerts one by one. Those of a group are only prepared here: group_telling tells of them."""

    def __init__(
        self,
        conversations: Conversations,
        register: Register,
        suppression: Suppression,
        out: Outgoing,
        trace: Trace,
        words: AlertWords,
    ) -> None:
        """Tell through `out`, and note in `trace` what was told to whom."""
        self._conversations, self._register, self._suppression = conversations, register, suppression
        self._out, self._trace, self._words = out, trace, words

    # a firing alert

    def look(self, fingerprint: str, alert: Alert, rule: Rule, now: float, *, just_said: bool = False) -> Alert:
        """Ask of a firing alert whether something suppresses it; if not, tell what is due, or enter it into its group.

        `just_said`: its texts are those of this very moment, so a message need not render them again.
        """
        if alert.ack is not None and alert.ack.until is not None and alert.ack.until <= now:
            alert = lifecycle.acknowledge(alert, None)  # who acknowledged it has not come back in time
        if alert.muted and rule.mute is None:
            alert = changed(alert, muted=False)  # a reload took the rule's `mute` away
        suppressed = self._suppression.by(rule, alert.labels, alert.unfilled, now, muted=alert.muted)
        if rule.group_by is None:
            return self._alone(fingerprint, alert, rule, suppressed, now, just_said=just_said)
        held = alert.held
        if suppressed is None and rule.limit is not None and held is not None and held.by is Suppressor.LIMIT:
            suppressed = held  # it stays so until its group speaks: only the group knows when there is room
        alert = self._remind(fingerprint, note_suppressed(self._trace, fingerprint, alert, suppressed, now), now)
        if self._conversations.place(fingerprint, alert, rule, now):
            self._trace.suppressed(
                now, fingerprint, rule.name, Suppressed(Suppressor.GROUP, ", ".join(rule.group_by) or "all")
            )
        return alert

    def _alone(
        self,
        fingerprint: str,
        alert: Alert,
        rule: Rule,
        suppressed: Suppressed | None,
        now: float,
        *,
        just_said: bool,
    ) -> Alert:
        if (
            suppressed is None
            and rule.limit is not None
            and is_limited(alone(changed(alert, held=None), rule), rule, now)
        ):
            suppressed = Suppressed(Suppressor.LIMIT, rule.limit.text)
        alert = self._remind(fingerprint, note_suppressed(self._trace, fingerprint, alert, suppressed, now), now)
        alert = _going_on(alert, now)
        while (decision := decide(alone(alert, rule), rule, now)).say is not None:
            if not just_said:
                alert, just_said = self._words.of_now(alert, now), True
            alert = self._say(fingerprint, alert, rule, decision, now)
        return _going_on(alert, now)

    def _say(self, fingerprint: str, alert: Alert, rule: Rule, decision: Decision, now: float) -> Alert:
        """Queue the message that was decided of an alert told alone; return the alert with what was said."""
        name, receivers, said = _step_name(alert, decision), decision.receivers, alert.said
        identity = alert.id(name)
        body = self._words.firing(alert, identity) | self._explained(alert)
        # `first` tells the lane that its receiver knows nothing of the episode; the id `…-firing` says so by itself
        first = [] if name == "firing" else [each for each in receivers if each not in said.told]
        self._out.tell(first, identity, fingerprint, body | {"first": True}, now)
        self._out.tell([each for each in receivers if each not in first], identity, fingerprint, body, now)
        if receivers:
            self._trace.notified(now, fingerprint, rule.name, identity, name, receivers)
        if decision.step is not None:
            return changed(alert, said=said.step(receivers, decision.step.after))
        if decision.say is Say.NEWCOMERS:
            heard = said.heard_by(receivers)
            return lifecycle.told(alert, heard.owed(now, somebody=bool(newcomers(heard, rule))), rule.limit, now)
        return lifecycle.told(alert, said.message(receivers, now, anew=decision.say is Say.NEWS), rule.limit, now)

    def _remind(self, fingerprint: str, alert: Alert, now: float) -> Alert:
        """Publish on `hub/events/…` that a silence has hidden a critical alert for SILENCE_REMINDER_SECONDS, once."""
        if hidden_too_long_at(alert) > now:
            return alert
        silence = self._suppression.silences.all.get(alert.held.detail) if alert.held else None
        event = reminder(alert, None if silence is None else silence.body(now), now)
        self._out.say(alert.id(f"hidden-{alert.version}"), fingerprint, event, now)
        self._trace.suppressed(
            now, fingerprint, alert.alertname, Suppressed(Suppressor.SILENCE, "for over a day, and it is critical")
        )
        return changed(alert, hidden=0.0)

    # an end

    def tell_end(self, fingerprint: str, alert: Alert, now: float) -> None:
        """Tell the end of an alert to the receivers that were told of it: alone, or with the group that told of it."""
        if not alert.told:
            return  # nobody heard that it fired, so nobody hears of the end
        identity = alert.id("resolved")
        body = self._words.over(alert, identity)
        group = self._conversations.where(alert.told_in)
        if group is not None:
            self._conversations.report(group, self._register.rules.get(group.rule), alert.told, member(body), now)
            return
        receivers = self._out.who_hear_ends(alert.told)
        self._out.tell(receivers, identity, fingerprint, body, now)
        if receivers:
            self._trace.notified(now, fingerprint, alert.alertname, identity, "resolved", receivers)

    def _explained(self, alert: Alert) -> dict[str, Any]:
        """Return the fields of a message that name the alerts which this one holds back (`unless`)."""
        fingerprints = self._suppression.inhibition.dependents_of(alert.alertname, alert.labels, alert.unfilled)
        if not fingerprints:
            return {}
        alerts = [
            alert for fingerprint in fingerprints if (alert := self._register.alerts[fingerprint]).state is Phase.FIRING
        ]
        return holding_back(sorted(alerts, key=lambda alert: (alert.since, alert.alertname, alert.instance)))


def _going_on(alert: Alert, now: float) -> Alert:
    """Return the alert with steps of `escalate` that run or stand still, by what it is now."""
    if not alert.said.tellings:
        return alert
    said = alert.said.goes_on(now, runs=may_go_on(alert))
    return alert if said is alert.said else changed(alert, said=said)


def _step_name(alert: Alert, decision: Decision) -> str:
    """Return the step's name in the id of a message: the same message has the same id after a crash."""
    if decision.say is Say.STEP:
        return f"escalate-{alert.said.steps + 1}"
    if decision.say is Say.NEWCOMERS:
        return f"firing-{alert.version}"
    return "firing" if decision.say is Say.NEWS else f"repeat-{alert.said.tellings}"
