"""What transitions make of alerts, until their end. Those of one message take effect together; then each is told.

take, take …    each alert enters its new state, and holds others back (`unless`) or does so no longer
settle          an alert that fires is told or suppressed; an end is told, or kept back while the alert flaps
"""

from collections.abc import Callable, Collection, Container, Mapping
from typing import NamedTuple

from hub.alerts import flapping, lifecycle
from hub.alerts.alert import Alert, alert_fingerprint, changed
from hub.alerts.register import Register
from hub.alerts.suppression.suppression import Suppression
from hub.alerts.telling.conversations import Conversations
from hub.alerts.telling.decision import newcomers
from hub.alerts.telling.messages import ended_summary
from hub.alerts.telling.telling import Teller
from hub.alerts.telling.texts import OnError, render, render_and_report
from hub.alerts.trace import Trace
from hub.model import Phase, Reason
from hub.rules.reading.rule import Rule
from hub.rules.running.transition import Transition

__all__ = ["AlertTransitions"]

_TOLD = (Phase.FIRING, Phase.RESOLVED)


class _Taken(NamedTuple):
    """A transition that took effect and is not told yet; `before` is the alert as it was."""

    fingerprint: str
    before: Alert
    rule: Rule


class AlertTransitions:
    """Carries out in the register what transitions, people and the clock ask for."""

    def __init__(
        self,
        teller: Teller,
        register: Register,
        suppression: Suppression,
        conversations: Conversations,
        trace: Trace,
        on_error: OnError,
    ) -> None:
        """Take the parts of the book; `on_error` gets rule, topic and message of each text that cannot be filled in."""
        self._teller, self._register, self._on_error = teller, register, on_error
        self._inhibition, self._conversations, self._trace = suppression.inhibition, conversations, trace
        self._taken: dict[str, _Taken] = {}
        self._still: dict[str, Alert] = {}
        """Alerts that go on firing and have changed otherwise (mute, or words that were posted), by fingerprint."""
        self._freed: dict[str, None] = {}
        """Alerts to look at again, because what was taken may hold them back now, or no longer."""

    # transitions

    def take(self, transition: Transition, now: float) -> None:
        """Let an alert enter its new state; nothing is told of it before `settle`."""
        rule, phase = transition.rule, transition.phase
        fingerprint = alert_fingerprint(rule.name, transition.instance)
        if fingerprint in self._taken or fingerprint in self._still:
            self.settle(now)  # one message made it fire and end: both are told
        before = self._register.alerts.get(fingerprint) or self._register.new(transition)
        # a group speaks once in its interval, so nobody hears its alerts chatter: they need no flapping
        flaps = rule.group_by is None or before.calm
        noted = flapping.noted(before, phase, now) if flaps and phase in _TOLD else {}
        alert = lifecycle.advance(before, phase, transition.reason, transition.at, transition.since, **noted)
        texts = render_and_report(transition, alert.episode, alert.id(phase.value), self._on_error)
        self._trace.transition(fingerprint, transition, texts.labels)
        self._taken[fingerprint] = _Taken(fingerprint, before, rule)
        if phase is Phase.FIRING:
            muted, shadow = transition.muted, rule.shadow
            self._enter(
                fingerprint, before, lifecycle.speak(alert, texts, rule.severity, muted=muted, shadow=shadow), now
            )
        else:
            self._leave(fingerprint, before, lifecycle.speak(alert, texts, rule.severity), now)

    def settle(self, now: float) -> None:
        """Tell what was taken since the last call, or suppress it; then look again at the alerts that it concerns."""
        taken, self._taken = self._taken, {}
        for each in taken.values():
            alert = self._register.alerts[each.fingerprint]
            if alert.state is Phase.FIRING:
                alert = self._teller.look(each.fingerprint, alert, each.rule, now, just_said=True)
            elif flapping.owes_its_end(alert):  # it may fire again any moment: its end is told when it is calm
                alert = self._keep_back(each.fingerprint, each.before, alert, now)
            elif each.before.state is Phase.FIRING and alert.state is Phase.RESOLVED:
                self._teller.tell_end(each.fingerprint, alert, now)
            self._register.put(each.fingerprint, alert, now)
        if self._still or self._freed:
            self._settle_others(taken, now)

    def _settle_others(self, taken: Container[str], now: float) -> None:
        """Look again at the alerts that go on firing, and at those that the taken ones hold back."""
        still, self._still = self._still, {}
        for fingerprint, alert in still.items():
            self.consider(fingerprint, alert, now)
        freed, self._freed = self._freed, {}
        for fingerprint in freed:
            if fingerprint not in taken and fingerprint not in still and fingerprint in self._register.firing:
                self.consider(fingerprint, self._register.alerts[fingerprint], now)

    def still(self, transition: Transition, now: float) -> None:
        """Note a change of an alert that goes on firing: `mute` began or ended, or it was posted with other words."""
        fingerprint = alert_fingerprint(transition.rule.name, transition.instance)
        if fingerprint in self._taken or fingerprint in self._still:
            self.settle(now)
        alert = self._register.alerts.get(fingerprint)
        if alert is None or alert.state is not Phase.FIRING:
            return
        if transition.reason is Reason.POSTED_ANEW:
            texts = render(transition, alert.episode, alert.id("firing"))
            self._still[fingerprint] = lifecycle.speak(alert, texts, transition.rule.severity)
        else:
            self._still[fingerprint] = changed(alert, muted=transition.muted)

    def end(self, rules: Mapping[str, Reason], now: float) -> None:
        """End the alerts of rules that are gone or were changed, each for the reason given by the rule's name."""
        for fingerprint, alert in list(self._register.alerts.items()) if rules else ():
            if alert.alertname in rules and alert.state in (Phase.PENDING, Phase.FIRING):
                reason = rules[alert.alertname]
                ended = lifecycle.end(alert, reason, now)
                if ended.state is Phase.RESOLVED:
                    # the rule ended and not the trouble: a summary with the last value would say it is over
                    summary = ended_summary(alert.alertname, alert.instance, reason)
                    ended = changed(ended, summary=summary, details="")
                self._trace.ended(now, fingerprint, alert.alertname, ended.state.value, ended.reason, alert.labels)
                self._leave(fingerprint, alert, ended, now)
                if ended.state is Phase.RESOLVED:
                    self._teller.tell_end(fingerprint, ended, now)
                self._register.put(fingerprint, ended, now)
        self.settle(now)

    def drop(self, fingerprint: str, now: float) -> None:
        """Forget an alert with its counts; does nothing while it is pending or fires."""
        alert = self._register.alerts.get(fingerprint)
        if alert is None or alert.state in (Phase.PENDING, Phase.FIRING):
            return
        if alert.calm:  # its end is owed: it is told now, or it never would be
            self._calmed(fingerprint, alert, now)
        if alert.state is Phase.RESOLVED:
            self._register.forget(fingerprint, now)
        self._register.drop(fingerprint)

    # looking again

    def consider(self, fingerprint: str, alert: Alert, now: float) -> None:
        """Look at a firing alert again: something that may suppress it has changed, or a time has come."""
        rule = self._register.rules.get(alert.alertname)
        if rule is None or alert.state is not Phase.FIRING:
            return
        after = self._teller.look(fingerprint, alert, rule, now)
        if after != self._register.alerts[fingerprint]:
            self._register.note(fingerprint, after, now)
        else:
            self._register.wait(fingerprint, after)

    def look_at(self, fingerprint: str, now: float) -> None:
        """Do what the clock has made due for an alert."""
        alert = self._register.alerts[fingerprint]
        if 0.0 < alert.calm <= now:
            self._calmed(fingerprint, alert, now)
            alert = self._register.alerts[fingerprint]
        if alert.state is Phase.FIRING:
            self.consider(fingerprint, alert, now)
        elif self._register.over_at(alert) <= now and not alert.calm:
            self._register.forget(fingerprint, now)
        else:
            self._register.wait(fingerprint, alert)

    def look_at_freed(self, now: float) -> None:
        """Look again at the alerts that a cause held back (`unless`) until its `after` was over."""
        for fingerprint in self._inhibition.take_due(now):
            if fingerprint in self._register.firing:
                self.consider(fingerprint, self._register.alerts[fingerprint], now)

    # rules and state anew

    def resume(self, labels_of_now: Callable[[Alert, float], Alert], relabelled: Collection[str], now: float) -> None:
        """Take up all that fires under the rules in force, after a start or a reload.

        `relabelled` are the names of the rules that give other labels than before. All labels are settled first: only
        then is it known who holds whom back, and who belongs to which group.
        """
        register = self._register
        if self._inhibition.has_causes:
            self._recall_causes()
        for fingerprint in list(register.firing):
            alert, rule = register.alerts[fingerprint], register.rules.get(register.alerts[fingerprint].alertname)
            if rule is not None and alert.state is Phase.FIRING:
                under = alert
                if rule.name in relabelled or _is_out_of_date(alert, rule):
                    under = labels_of_now(alert, now)
                if under.shadow is not rule.shadow:
                    under = changed(under, shadow=rule.shadow)
                under = self._conversations.adopt(fingerprint, under, rule)
                said = under.said.owed(now, somebody=bool(newcomers(under.said, rule)))
                if said is not under.said:
                    under = changed(under, said=said)
                if under is not alert:
                    register.note(fingerprint, under, now)
                alert = under
            self._hold_others_back(fingerprint, alert)
        for fingerprint in list(register.firing):
            alert, rule = register.alerts[fingerprint], register.rules.get(register.alerts[fingerprint].alertname)
            if rule is None or rule.group_by is None or alert.state is not Phase.FIRING:
                self._conversations.leave(fingerprint, now)
            else:
                self._conversations.place(fingerprint, alert, rule, now)
            register.wake(fingerprint)

    def _recall_causes(self) -> None:
        """Let alerts that are over go on holding others back, for as long as `unless` says."""
        for alert in self._register.alerts.values():
            if alert.ended and not alert.open and not alert.shadow:
                self._inhibition.ended(alert.alertname, alert.labels, alert.unfilled, alert.ended)

    def _hold_others_back(self, fingerprint: str, alert: Alert) -> None:
        if not alert.shadow:
            self._inhibition.begins(alert.alertname, fingerprint, alert.labels, alert.unfilled)
        if alert.state is Phase.FIRING:
            self._inhibition.enter(alert.alertname, fingerprint, alert.labels, alert.unfilled)

    # from firing on

    def _enter(self, fingerprint: str, before: Alert, alert: Alert, now: float) -> None:
        """Enter an alert that fires: it holds others back from now on, and may be held back."""
        self._register.enter(fingerprint, alert)
        if before.calm and (before.labels, before.unfilled) != (alert.labels, alert.unfilled):
            # it flaps, so it has held others back all the time, but by labels that it has no longer
            self._let_go(fingerprint, before, now)
        if not alert.shadow:
            held = self._inhibition.begins(alert.alertname, fingerprint, alert.labels, alert.unfilled)
            self._freed |= dict.fromkeys(held)
        self._inhibition.enter(alert.alertname, fingerprint, alert.labels, alert.unfilled)

    def _leave(self, fingerprint: str, before: Alert, alert: Alert, now: float) -> None:
        """Take out an alert that does not fire any more, or never did: it leaves its group.

        It holds nobody back from now on, except where it flaps: then it may fire again any moment.
        """
        if before.state is Phase.FIRING:
            self._inhibition.leave(before.alertname, fingerprint, before.labels, before.unfilled)
            self._conversations.leave(fingerprint, now)
        if flapping.owes_its_end(alert):
            alert = changed(alert, labels=before.labels, unfilled=before.unfilled)
        elif before.state is Phase.FIRING:
            self._register.leave(fingerprint)
            self._let_go(fingerprint, before, now)
        self._register.alerts[fingerprint] = alert

    def _let_go(self, fingerprint: str, before: Alert, at: float) -> None:
        """Let an alert that ended at `at` hold others back until its `after` is over."""
        self._inhibition.ends(before.alertname, fingerprint, before.labels, before.unfilled, at)

    def _keep_back(self, fingerprint: str, before: Alert, alert: Alert, now: float) -> Alert:
        """Return an alert that flaps and has ended, suppressed until it is calm."""
        if not alert.told:
            return alert  # nobody heard that it fired, so there is no end to tell
        if before.state is Phase.FIRING and flapping.is_traced(before):
            self._trace.suppressed(now, fingerprint, alert.alertname, flapping.SUPPRESSED)
        return lifecycle.suppressed_by(alert, flapping.SUPPRESSED)

    def _calmed(self, fingerprint: str, alert: Alert, now: float) -> None:
        """Let an alert flap no longer: tell its end if it is over; if it fires, that was told already."""
        calm = flapping.calmed(alert)
        if not flapping.owes_its_end(alert):
            self._register.note(fingerprint, calm, now)
            return
        self._register.leave(fingerprint)
        self._teller.tell_end(fingerprint, calm, now)
        self._register.note(fingerprint, calm, now)
        # its `after` counts from when it really ended, not from when it was calm
        self._let_go(fingerprint, alert, now if alert.until is None else alert.until)


def _is_out_of_date(alert: Alert, rule: Rule) -> bool:
    """Tell whether the rule was changed while the hub was off, so that it plainly gives the alert other labels."""
    if not rule.patterns:
        return False  # a posted alert brings its labels with it
    labels = rule.texts.labels
    return alert.severity != rule.severity or any(
        name not in alert.labels or (template.constant is not None and alert.labels[name] != template.constant)
        for name, template in labels
    )
