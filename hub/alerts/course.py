"""The course of alerts: what a transition makes of one, until its end, and of who was held back by it.

pending → firing: told or held (teller)    → resolved: its end is told, or kept back while it flaps; others are free
"""

from collections.abc import Mapping

from hub.alerts import flapping, lifecycle
from hub.alerts.alert import Alert, changed, fingerprint
from hub.alerts.register import Register
from hub.alerts.stages import Stages
from hub.alerts.teller import Teller
from hub.alerts.texts import OnError, render, render_and_report
from hub.alerts.trace import Trace
from hub.model import Phase, Reason
from hub.rules.transition import Transition

__all__ = ["Course"]


class Course:
    """Carries out in the register what transitions, people and the clock ask for."""

    def __init__(self, teller: Teller, register: Register, stages: Stages, trace: Trace, on_error: OnError) -> None:
        """Begin; `on_error` hears of every text that could not be filled in."""
        self._teller, self._register, self._on_error = teller, register, on_error
        self._inhibition, self._trace = stages.inhibition, trace

    def resume(self) -> None:
        """Let all that fire be known to others, and be looked at at the next tick: they, or the rules, are new."""
        for mark in self._register.firing:
            alert = self._register.alerts[mark]
            if not alert.shadow:
                self._inhibition.fires(alert.alertname, mark, alert.labels)
            if alert.held is not None and alert.state is Phase.FIRING:
                self._inhibition.hold(alert.alertname, mark, alert.labels)
            self._register.wake(mark)

    # transitions

    def take(self, transition: Transition, now: float) -> None:
        """An alert enters another state."""
        rule, phase = transition.rule, transition.phase
        mark = fingerprint(rule.name, transition.instance)
        alert = before = self._register.alerts.get(mark) or self._register.new(transition)
        alert = lifecycle.advance(alert, phase, transition.reason, transition.at, transition.since)
        if phase in (Phase.FIRING, Phase.RESOLVED) and rule.group_by is None:
            alert = flapping.noted(alert, now)
        texts = render_and_report(transition, alert.episode, alert.id(phase.value), self._on_error)
        alert = lifecycle.speak(alert, texts, rule.severity)
        self._trace.transition(mark, transition, alert.labels)
        if phase is Phase.FIRING:
            self._enter(mark, before, changed(alert, muted=transition.muted, shadow=rule.shadow), transition, now)
        else:
            self._leave(mark, before, alert, now)

    def still(self, transition: Transition, now: float) -> None:
        """`mute` began or ended for an alert that fires, or who posts it says something else of it."""
        mark = fingerprint(transition.rule.name, transition.instance)
        alert = self._register.alerts.get(mark)
        if alert is None or alert.state is not Phase.FIRING:
            return
        if transition.reason is Reason.POSTED_ANEW:
            texts = render(transition, alert.episode, alert.id("firing"))
            self.consider(mark, lifecycle.speak(alert, texts, transition.rule.severity), now)
        else:
            self.consider(mark, changed(alert, muted=transition.muted), now)

    def end(self, rules: Mapping[str, Reason], now: float) -> None:
        """End the alerts of rules that are gone or mean something else now."""
        for mark, alert in list(self._register.alerts.items()) if rules else ():
            if alert.alertname in rules and alert.state in (Phase.PENDING, Phase.FIRING):
                ended = lifecycle.end(alert, rules[alert.alertname], now)
                self._trace.ended(now, mark, alert.alertname, ended.state.value, ended.reason, alert.labels)
                self._leave(mark, alert, ended, now)

    def drop(self, mark: str, now: float) -> None:
        """Know no more of an alert that is over, not even how often it has fired."""
        alert = self._register.alerts.get(mark)
        if alert is None or alert.state in (Phase.PENDING, Phase.FIRING):
            return
        if alert.calm:
            self._calmed(mark, alert, now)
        if alert.state is Phase.RESOLVED:
            self._register.forget(mark, now)
        self._register.drop(mark)

    # looking again

    def consider(self, mark: str, alert: Alert, now: float) -> None:
        """Look at a firing alert again: something that may hold it back has changed, or a time has come."""
        rule = self._register.rules.get(alert.alertname)
        if rule is None or alert.state is not Phase.FIRING:
            return
        after = self._teller.told_or_held(mark, alert, rule, now)
        if after != self._register.alerts[mark]:
            self._register.note(mark, after, now)
        else:
            self._register.wait(mark, after)

    def look_at(self, mark: str, now: float) -> None:
        """Do what is due for an alert."""
        alert = self._register.alerts[mark]
        if 0.0 < alert.calm <= now:
            self._calmed(mark, alert, now)
            alert = self._register.alerts[mark]
        if alert.state is Phase.FIRING:
            self.consider(mark, alert, now)
        elif lifecycle.over_at(alert) <= now and not alert.calm:
            self._register.forget(mark, now)
        else:
            self._register.wait(mark, alert)

    # from firing on

    def _enter(self, mark: str, before: Alert, alert: Alert, transition: Transition, now: float) -> None:
        """An alert fires: tell of it, and hold others back."""
        self._register.enter(mark, alert)
        if not alert.shadow:
            self._inhibition.fires(alert.alertname, mark, alert.labels)
        if before.calm and before.labels != alert.labels:
            self._free(mark, before, now)
        self._register.put(mark, self._teller.told_or_held(mark, alert, transition.rule, now), now)

    def _leave(self, mark: str, before: Alert, alert: Alert, now: float) -> None:
        """An alert does not fire (any more): tell the end to who was told, look again at who was held back by it."""
        if before.state is Phase.FIRING:
            self._inhibition.release(before.alertname, mark, before.labels)
        if flapping.owes_its_end(alert):
            self._keep_back(mark, before, changed(alert, labels=before.labels), now)
            return
        if before.state is not Phase.FIRING:
            self._register.put(mark, alert, now)
            return
        self._register.leave(mark)
        if alert.state is Phase.RESOLVED:
            self._teller.tell_end(mark, alert, now)
        self._register.put(mark, alert, now)
        self._free(mark, before, now)

    def _keep_back(self, mark: str, before: Alert, alert: Alert, now: float) -> None:
        """Tell nobody yet of the end of an alert that flaps; whom it holds back it still does."""
        if alert.told:
            alert = lifecycle.held(alert, flapping.HELD)
            if before.state is Phase.FIRING and flapping.is_traced(before):
                self._trace.held(now, mark, alert.alertname, *flapping.HELD)
        self._register.put(mark, alert, now)

    def _calmed(self, mark: str, alert: Alert, now: float) -> None:
        """An alert flaps no longer: it has ended, or it fires as was told."""
        calm = flapping.calmed(alert)
        if not flapping.owes_its_end(alert):
            self._register.note(mark, calm, now)
            return
        self._register.leave(mark)
        self._teller.tell_end(mark, calm, now)
        self._register.note(mark, calm, now)
        self._free(mark, alert, now)

    def _free(self, mark: str, before: Alert, now: float) -> None:
        """Look again at who was held back by an alert that fired with these labels."""
        for other in self._inhibition.ends(before.alertname, mark, before.labels):
            if other != mark and other in self._register.firing:
                self.consider(other, self._register.alerts[other], now)
