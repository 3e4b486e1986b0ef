"""What transitions make of alerts, until their end. Those of one message take effect together, then each is told.

take, take …    the alert is in its new state, and so is whom it holds back (`unless`), in whatever order they came
settle          firing: told or held back (telling)    over: its end is told, or kept back while it flaps
"""

from collections.abc import Callable, Collection, Container, Mapping
from typing import NamedTuple

from hub.alerts import flapping, lifecycle
from hub.alerts.alert import Alert, changed, fingerprint
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
    """A transition that took effect and is not told yet."""

    mark: str
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
        """Begin; `on_error` hears of every text that could not be filled in."""
        self._teller, self._register, self._on_error = teller, register, on_error
        self._inhibition, self._conversations, self._trace = suppression.inhibition, conversations, trace
        self._taken: dict[str, _Taken] = {}
        self._still: dict[str, Alert] = {}
        """Alerts that fire on, and of which something else is to be known."""
        self._freed: dict[str, None] = {}
        """Alerts that may be held back now, or no longer, by what was taken."""

    # transitions

    def take(self, transition: Transition, now: float) -> None:
        """Let an alert enter another state; nothing is told of it before `settle`."""
        rule, phase = transition.rule, transition.phase
        mark = fingerprint(rule.name, transition.instance)
        if mark in self._taken or mark in self._still:
            self.settle(now)  # it fires and is over within one message: both are told
        before = self._register.alerts.get(mark) or self._register.new(transition)
        flaps = rule.group_by is None or before.calm  # a group is told by its interval: nobody hears it chatter
        noted = flapping.noted(before, phase, now) if flaps and phase in _TOLD else {}
        alert = lifecycle.advance(before, phase, transition.reason, transition.at, transition.since, **noted)
        texts = render_and_report(transition, alert.episode, alert.id(phase.value), self._on_error)
        self._trace.transition(mark, transition, texts.labels)
        self._taken[mark] = _Taken(mark, before, rule)
        if phase is Phase.FIRING:
            muted, shadow = transition.muted, rule.shadow
            self._enter(mark, before, lifecycle.speak(alert, texts, rule.severity, muted=muted, shadow=shadow), now)
        else:
            self._leave(mark, before, lifecycle.speak(alert, texts, rule.severity), now)

    def settle(self, now: float) -> None:
        """Tell, or hold back, what was taken since the last call; look again at whom it concerns."""
        taken, self._taken = self._taken, {}
        for each in taken.values():
            alert = self._register.alerts[each.mark]
            if alert.state is Phase.FIRING:
                alert = self._teller.look(each.mark, alert, each.rule, now, just_said=True)
            elif flapping.owes_its_end(alert):
                alert = self._keep_back(each.mark, each.before, alert, now)
            elif each.before.state is Phase.FIRING and alert.state is Phase.RESOLVED:
                self._teller.tell_end(each.mark, alert, now)
            self._register.put(each.mark, alert, now)
        if self._still or self._freed:
            self._settle_others(taken, now)

    def _settle_others(self, taken: Container[str], now: float) -> None:
        """Look again at what fires on, and at whom those that were taken hold back."""
        still, self._still = self._still, {}
        for mark, alert in still.items():
            self.consider(mark, alert, now)
        freed, self._freed = self._freed, {}
        for mark in freed:
            if mark not in taken and mark not in still and mark in self._register.firing:
                self.consider(mark, self._register.alerts[mark], now)

    def still(self, transition: Transition, now: float) -> None:
        """`mute` began or ended for an alert that fires, or who posts it says something else of it."""
        mark = fingerprint(transition.rule.name, transition.instance)
        if mark in self._taken or mark in self._still:
            self.settle(now)
        alert = self._register.alerts.get(mark)
        if alert is None or alert.state is not Phase.FIRING:
            return
        if transition.reason is Reason.POSTED_ANEW:
            texts = render(transition, alert.episode, alert.id("firing"))
            self._still[mark] = lifecycle.speak(alert, texts, transition.rule.severity)
        else:
            self._still[mark] = changed(alert, muted=transition.muted)

    def end(self, rules: Mapping[str, Reason], now: float) -> None:
        """End the alerts of rules that are gone or mean something else now."""
        for mark, alert in list(self._register.alerts.items()) if rules else ():
            if alert.alertname in rules and alert.state in (Phase.PENDING, Phase.FIRING):
                reason = rules[alert.alertname]
                ended = lifecycle.end(alert, reason, now)
                if ended.state is Phase.RESOLVED:
                    summary = ended_summary(alert.alertname, alert.instance, reason)
                    ended = changed(ended, summary=summary, details="")
                self._trace.ended(now, mark, alert.alertname, ended.state.value, ended.reason, alert.labels)
                self._leave(mark, alert, ended, now)
                if ended.state is Phase.RESOLVED:
                    self._teller.tell_end(mark, ended, now)
                self._register.put(mark, ended, now)
        self.settle(now)

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
        after = self._teller.look(mark, alert, rule, now)
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
        elif self._register.over_at(alert) <= now and not alert.calm:
            self._register.forget(mark, now)
        else:
            self._register.wait(mark, alert)

    def look_at_freed(self, now: float) -> None:
        """Look again at whom a cause held back that ended a while ago (`unless`, its `after`)."""
        for mark in self._inhibition.take_due(now):
            if mark in self._register.firing:
                self.consider(mark, self._register.alerts[mark], now)

    # rules and state anew

    def resume(self, labels_of_now: Callable[[Alert, float], Alert], relabelled: Collection[str], now: float) -> None:
        """Take up all that fires under the rules in force: they, or the rules, are new.

        `relabelled` are the rules that give other labels than before.
        """
        register = self._register
        if self._inhibition.has_causes:
            self._recall_causes()
        for mark in list(register.firing):
            alert, rule = register.alerts[mark], register.rules.get(register.alerts[mark].alertname)
            if rule is not None and alert.state is Phase.FIRING:
                under = alert
                if rule.name in relabelled or _is_out_of_date(alert, rule):
                    under = labels_of_now(alert, now)
                if under.shadow is not rule.shadow:
                    under = changed(under, shadow=rule.shadow)
                under = self._conversations.adopt(mark, under, rule)
                said = under.said.owed(now, somebody=bool(newcomers(under.said, rule)))
                if said is not under.said:
                    under = changed(under, said=said)
                if under is not alert:
                    register.note(mark, under, now)
                alert = under
            self._hold_others_back(mark, alert)
        for mark in list(register.firing):
            alert, rule = register.alerts[mark], register.rules.get(register.alerts[mark].alertname)
            if rule is None or rule.group_by is None or alert.state is not Phase.FIRING:
                self._conversations.leave(mark, now)
            else:
                self._conversations.place(mark, alert, rule, now)
            register.wake(mark)

    def _recall_causes(self) -> None:
        """Let alerts that are over hold others back on, for as long as `unless` says."""
        for alert in self._register.alerts.values():
            if alert.ended and not alert.open and not alert.shadow:
                self._inhibition.ended(alert.alertname, alert.labels, alert.unfilled, alert.ended)

    def _hold_others_back(self, mark: str, alert: Alert) -> None:
        if not alert.shadow:
            self._inhibition.begins(alert.alertname, mark, alert.labels, alert.unfilled)
        if alert.state is Phase.FIRING:
            self._inhibition.enter(alert.alertname, mark, alert.labels, alert.unfilled)

    # from firing on

    def _enter(self, mark: str, before: Alert, alert: Alert, now: float) -> None:
        """An alert fires, and holds others back from now on."""
        self._register.enter(mark, alert)
        if before.calm and (before.labels, before.unfilled) != (alert.labels, alert.unfilled):
            self._let_go(mark, before, now)
        if not alert.shadow:
            held = self._inhibition.begins(alert.alertname, mark, alert.labels, alert.unfilled)
            self._freed |= dict.fromkeys(held)
        self._inhibition.enter(alert.alertname, mark, alert.labels, alert.unfilled)

    def _leave(self, mark: str, before: Alert, alert: Alert, now: float) -> None:
        """An alert does not fire (any more): it takes part in no group; unless it flaps it holds nobody back."""
        if before.state is Phase.FIRING:
            self._inhibition.leave(before.alertname, mark, before.labels, before.unfilled)
            self._conversations.leave(mark, now)
        if flapping.owes_its_end(alert):
            alert = changed(alert, labels=before.labels, unfilled=before.unfilled)
        elif before.state is Phase.FIRING:
            self._register.leave(mark)
            self._let_go(mark, before, now)
        self._register.alerts[mark] = alert

    def _let_go(self, mark: str, before: Alert, at: float) -> None:
        """Let an alert that is over hold others back no longer than its `after`."""
        self._inhibition.ends(before.alertname, mark, before.labels, before.unfilled, at)

    def _keep_back(self, mark: str, before: Alert, alert: Alert, now: float) -> Alert:
        """Tell nobody yet of the end of an alert that flaps; whom it holds back it still does."""
        if not alert.told:
            return alert
        if before.state is Phase.FIRING and flapping.is_traced(before):
            self._trace.held(now, mark, alert.alertname, flapping.HELD)
        return lifecycle.held(alert, flapping.HELD)

    def _calmed(self, mark: str, alert: Alert, now: float) -> None:
        """An alert flaps no longer: it has ended, or it fires as was told."""
        calm = flapping.calmed(alert)
        if not flapping.owes_its_end(alert):
            self._register.note(mark, calm, now)
            return
        self._register.leave(mark)
        self._teller.tell_end(mark, calm, now)
        self._register.note(mark, calm, now)
        self._let_go(mark, alert, now if alert.until is None else alert.until)  # since then it is over


def _is_out_of_date(alert: Alert, rule: Rule) -> bool:
    """Tell whether the rule in force plainly gives an alert other labels: it was changed while the hub was off."""
    if not rule.patterns:
        return False  # posted: it says itself what it is
    labels = rule.texts.labels
    return alert.severity != rule.severity or any(
        name not in alert.labels or (template.constant is not None and alert.labels[name] != template.constant)
        for name, template in labels
    )
