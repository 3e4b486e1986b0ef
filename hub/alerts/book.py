"""The alert book: every alert by fingerprint; transitions and people's words in, notifications and rows out. Pure.

A firing alert is told unless a stage holds it back (see stages): then it is considered again when that ends. The state
of each alert is published, retained, by a notification to the hub itself (OWN): it takes the same sure way.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import inf
from typing import Any

from hub.alerts import flapping, lifecycle
from hub.alerts.agenda import Agenda
from hub.alerts.alert import Ack, Alert, changed, fingerprint
from hub.alerts.grouped import group_body, member
from hub.alerts.grouping import Group, Groups
from hub.alerts.inhibition import Inhibition
from hub.alerts.matchers import Matcher, match_all
from hub.alerts.moments import Moments
from hub.alerts.outgoing import Outgoing
from hub.alerts.reminders import due, escalates_at, hidden_too_long_at, reminder, repeats_at
from hub.alerts.silences import Silence, Silences
from hub.alerts.stages import stage_of
from hub.alerts.texts import holding_back, notification_body, render, with_flaps, with_held_back
from hub.alerts.trace import Trace
from hub.limits import RESOLVED_KEPT_SECONDS
from hub.model import Notification, Phase, Reason
from hub.rules.keys import Limit
from hub.rules.rule import Rule
from hub.rules.transition import Transition
from hub.store.changes import TraceRow

__all__ = ["Book"]


class Book:
    """All alerts. `hub` is what a notification says of its sender: client id and version."""

    def __init__(self, prefix: str, hub: Mapping[str, str], on_error: Callable[[str, str, str], None]) -> None:
        """Begin empty; `on_error` hears rule, topic and message of every text that could not be filled in."""
        self.alerts: dict[str, Alert] = {}
        self._silences, self._inhibition = Silences(), Inhibition()
        self._groups, self._moments, self._trace = Groups(), Moments(), Trace()
        self._out, self._agenda = Outgoing(prefix), Agenda()
        self._hub, self._on_error = hub, on_error
        self._rules: Mapping[str, Rule] = {}
        self._silent_about_end: frozenset[str] = frozenset()
        self._floor, self._floor_dirty = 0, False
        """The highest episode, or version, of an alert that was dropped: one that comes anew begins above it."""
        self._firing: dict[str, None] = {}
        """Alerts that fire, or flap, by fingerprint."""
        self._looked = 0.0
        self._dirty: set[str] = set()

    @property
    def silences(self) -> Mapping[str, Silence]:
        """All silences by id, those that ended lately included."""
        return self._silences.all

    # rules and state in

    def follow(self, rules: Mapping[str, Rule], silent_about_end: frozenset[str]) -> None:
        """Take the rules as they are now, and which receivers have `send_resolved: false`."""
        self._rules, self._silent_about_end = rules, silent_about_end
        self._inhibition.follow(rules)
        for mark in self._firing:
            self._enter_firing(mark, self.alerts[mark])

    def restore(self, alerts: Iterable[tuple[str, str]], desk: Iterable[tuple[str, str, str]], now: float) -> None:
        """Bring in what a store held."""
        rows: dict[str, list[tuple[str, str]]] = {"silence": [], "group": [], "limit": [], "episode": []}
        for kind, key, text in desk:
            rows[kind].append((key, text))
        self._silences.restore(rows["silence"])
        self._groups.restore(rows["group"])
        self._moments.restore(rows["limit"], self._limits())
        self._floor = max((int(text) for _, text in rows["episode"]), default=0)
        self._looked = now
        for mark, text in alerts:
            alert = self.alerts[mark] = Alert.load(text)
            if alert.open:
                self._firing[mark] = None
                self._enter_firing(mark, alert)
            else:
                self._await(mark, alert)

    def _enter_firing(self, mark: str, alert: Alert) -> None:
        """Let a firing alert from before be known to others, and be looked at at the next tick."""
        if not alert.shadow:
            self._inhibition.fires(alert.alertname, mark, alert.labels)
        if alert.held is not None and alert.state is Phase.FIRING:
            self._inhibition.hold(alert.alertname, mark, alert.labels)
        self._agenda.wake(mark, 0.0)

    # transitions

    def apply(self, transitions: Sequence[Transition], now: float) -> None:
        """Take what the engine found."""
        for transition in transitions:
            if transition.phase is Phase.EVENT:
                self._event(transition, now)
            elif transition.before is Phase.FIRING and transition.phase is Phase.FIRING:
                self._still(transition, now)
            else:
                self._alert(transition, now)

    def _event(self, transition: Transition, now: float) -> None:
        """An event rule spoke: a notification, unless a stage holds it back, and nothing to keep."""
        rule, mark = transition.rule, fingerprint(transition.rule.name, transition.instance)
        identity = f"{mark}-{transition.serial}-event"
        texts = render(transition, transition.serial, identity)
        self._report(transition, texts.failures)
        said = lifecycle.speak(
            Alert(rule.name, transition.instance, transition.serial, since=transition.at), texts, rule.severity
        )
        self._trace.transition(mark, transition, said.labels)
        held = stage_of(rule, said.labels, now, self._silences, self._inhibition, muted=transition.muted)
        if held is not None:
            self._trace.held(now, mark, rule.name, *held)
            return
        body = notification_body(said, Phase.EVENT, identity, self._hub)
        if not self._moments.room(mark, rule.limit, now):
            self._trace.held(now, mark, rule.name, "limit", rule.limit.text if rule.limit else "")
            self._moments.hold(mark, rule, body)
        elif rule.group_by is not None:
            group = self._groups.of(rule.name, rule.group_by, said.labels)
            group.report(member(body), now)
        else:
            self._tell_event(mark, rule, body, now)

    def _tell_event(self, mark: str, rule: Rule, body: dict[str, Any], now: float) -> None:
        body = with_held_back(body, self._moments.told(mark, rule, now) if rule.limit else 0)
        self._out.tell(rule.notify, body["id"], mark, body, now)
        self._trace.notified(now, mark, rule.name, body["id"], "event", rule.notify)

    def _still(self, transition: Transition, now: float) -> None:
        """`mute` began or ended for an alert that fires, or who posts it says something else of it."""
        mark = fingerprint(transition.rule.name, transition.instance)
        alert = self.alerts.get(mark)
        if alert is None or alert.state is not Phase.FIRING:
            return
        if transition.reason is Reason.POSTED_ANEW:
            texts = render(transition, alert.episode, alert.id("firing"))
            self._consider(mark, lifecycle.speak(alert, texts, transition.rule.severity), now)
        else:
            self._consider(mark, changed(alert, muted=transition.muted), now)

    def _alert(self, transition: Transition, now: float) -> None:
        rule, phase = transition.rule, transition.phase
        mark = fingerprint(rule.name, transition.instance)
        alert = self.alerts.get(mark) or self._new(transition)
        before = alert
        alert = lifecycle.advance(alert, phase, transition.reason, transition.at, transition.since)
        if phase in (Phase.FIRING, Phase.RESOLVED) and rule.group_by is None:
            alert = flapping.noted(alert, now)
        texts = render(transition, alert.episode, alert.id(phase.value))
        self._report(transition, texts.failures)
        alert = lifecycle.speak(alert, texts, rule.severity)
        self._trace.transition(mark, transition, alert.labels)
        if phase is not Phase.FIRING:
            self._leave(mark, before, alert, now)
            return
        alert = changed(alert, muted=transition.muted, shadow=rule.shadow)
        self._firing[mark] = None
        if not alert.shadow:
            self._inhibition.fires(rule.name, mark, alert.labels)
        self.alerts[mark] = alert
        if before.calm and before.labels != alert.labels:
            self._free(mark, before, now)
        self._put(mark, self._told_or_held(mark, alert, rule, now), now)

    def _new(self, transition: Transition) -> Alert:
        """Begin an alert; of those that can be dropped, above every id that was given before."""
        begun = 0 if transition.rule.patterns else self._floor
        return Alert(transition.rule.name, transition.instance, begun, begun)

    def drop(self, mark: str, now: float) -> None:
        """Know no more of an alert that is over, not even how often it has fired."""
        alert = self.alerts.get(mark)
        if alert is None or alert.state in (Phase.PENDING, Phase.FIRING):
            return
        if alert.calm:
            self._calmed(mark, alert, now)
        if alert.state is Phase.RESOLVED:
            self._forget(mark, self.alerts[mark], now, now)
        gone = self.alerts.pop(mark)
        self._agenda.drop(mark)
        self._dirty.add(mark)
        self._floor, self._floor_dirty = max(self._floor, gone.episode, gone.version), True

    def end(self, rules: Mapping[str, Reason], now: float) -> None:
        """End the alerts of rules that are gone or mean something else now."""
        for mark, alert in list(self.alerts.items()) if rules else ():
            if alert.alertname in rules and alert.state in (Phase.PENDING, Phase.FIRING):
                ended = lifecycle.end(alert, rules[alert.alertname], now)
                self._trace.ended(now, mark, alert.alertname, ended.state.value, ended.reason, alert.labels)
                self._leave(mark, alert, ended, now)

    def _leave(self, mark: str, before: Alert, alert: Alert, now: float) -> None:
        """An alert does not fire (any more): tell the end to who was told, look again at who was held back by it."""
        if before.state is Phase.FIRING:
            self._inhibition.release(before.alertname, mark, before.labels)
        if flapping.owes_its_end(alert):
            self._keep_back(mark, before, changed(alert, labels=before.labels), now)
            return
        if before.state is not Phase.FIRING:
            self._put(mark, alert, now)
            return
        self._firing.pop(mark, None)
        if alert.state is Phase.RESOLVED:
            self._tell_end(mark, alert, now)
        self._put(mark, alert, now)
        self._free(mark, before, now)

    def _free(self, mark: str, before: Alert, now: float) -> None:
        """Look again at who was held back by an alert that fired with these labels."""
        for other in self._inhibition.ends(before.alertname, mark, before.labels):
            if other != mark and other in self._firing:
                self._consider(other, self.alerts[other], now)

    def _keep_back(self, mark: str, before: Alert, alert: Alert, now: float) -> None:
        """Tell nobody yet of the end of an alert that flaps; whom it holds back it still does."""
        if alert.told:
            alert = lifecycle.held(alert, flapping.HELD)
            if before.state is Phase.FIRING and flapping.is_traced(before):
                self._trace.held(now, mark, alert.alertname, *flapping.HELD)
        self._put(mark, alert, now)

    def _calmed(self, mark: str, alert: Alert, now: float) -> None:
        """An alert flaps no longer: it has ended, or it fires as was told."""
        calm = flapping.calmed(alert)
        if not flapping.owes_its_end(alert):
            self._put(mark, calm, now, desk=True)
            return
        self._firing.pop(mark, None)
        self._tell_end(mark, calm, now)
        self._put(mark, calm, now, desk=True)
        self._free(mark, alert, now)

    def _tell_end(self, mark: str, alert: Alert, now: float) -> None:
        identity = alert.id("resolved")
        body = with_flaps(notification_body(alert, Phase.RESOLVED, identity, self._hub), alert.flaps)
        receivers = [name for name in alert.told if name not in self._silent_about_end]
        group = self._group_of(alert)
        if group is not None and mark in group.told:
            del group.told[mark]
            self._groups.touch(group)
            if receivers:
                group.report(member(body), now)
            steps = {name for step in self._rules[alert.alertname].escalate[: alert.steps] for name in step.to}
            receivers = [name for name in receivers if name in steps and name not in group.receivers]
        elif group is not None:
            group.waiting.pop(mark, None)
            self._groups.touch(group)
        self._out.tell(receivers, identity, mark, body, now)
        if receivers:
            self._trace.notified(now, mark, alert.alertname, identity, "resolved", receivers)

    # telling, or not

    def _consider(self, mark: str, alert: Alert, now: float) -> None:
        """Look at a firing alert again: something that may hold it back has changed, or a time has come."""
        rule = self._rules.get(alert.alertname)
        if rule is None or alert.state is not Phase.FIRING:
            return
        after = self._told_or_held(mark, alert, rule, now)
        if after != self.alerts[mark]:
            self._put(mark, changed(after, version=after.version + 1), now, desk=True)
        else:
            self._await(mark, after)

    def _told_or_held(self, mark: str, alert: Alert, rule: Rule, now: float) -> Alert:
        """Take an alert through the stages; tell what is due."""
        if alert.ack is not None and alert.ack.until is not None and alert.ack.until <= now:
            alert = lifecycle.acknowledge(alert, None)
        if rule.mute is None:
            alert = changed(alert, muted=False)
        stage = stage_of(rule, alert.labels, now, self._silences, self._inhibition, muted=alert.muted)
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
                return self._join(mark, alert, rule, now)
            alert = self._say(mark, alert, rule, "firing", rule.notify, now)
        elif repeats_at(alert, rule) <= now:
            alert = self._say(mark, alert, rule, f"repeat-{alert.tellings}", alert.told, now)
        return self._escalated(mark, alert, rule, now)

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
            self._inhibition.release(name, mark, alert.labels)
            self._trace.released(now, mark, name, alert.held[0] if alert.held else "")
            return lifecycle.held(alert, None)
        self._inhibition.hold(name, mark, alert.labels)
        self._trace.held(now, mark, name, *stage)
        if stage[0] == "limit":
            alert = changed(alert, tally=alert.tally.held_back())
        return lifecycle.held(alert, stage, now)

    def _remind(self, mark: str, alert: Alert, now: float) -> Alert:
        """Say on `hub/events/…` that a silence has hidden a critical alert for long."""
        silence = self.silences.get(alert.held[1]) if alert.held else None
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
        body = notification_body(alert, Phase.FIRING, identity, self._hub)
        body = with_flaps(with_held_back(body, alert.tally.held), alert.flaps) | self._holding_back(alert)
        fresh = [each for each in receivers if each not in alert.told] if step else []
        self._out.tell(fresh, identity, mark, body | {"first": True}, now)
        self._out.tell([each for each in receivers if each not in fresh], identity, mark, body, now)
        if receivers:
            self._trace.notified(now, mark, rule.name, identity, name, receivers)
        return lifecycle.told(alert, tuple(receivers), rule.limit, now, step=step)

    def _holding_back(self, alert: Alert) -> dict[str, Any]:
        """Name those that this alert holds back (`unless`)."""
        marks = [mark for mark in self._inhibition.held_by(alert.alertname, alert.labels) if mark in self._firing]
        return holding_back([self.alerts[mark] for mark in marks])

    # groups

    def _group_of(self, alert: Alert) -> Group | None:
        rule = self._rules.get(alert.alertname)
        if rule is None or rule.group_by is None:
            return None
        return self._groups.of(rule.name, rule.group_by, alert.labels)

    def _join(self, mark: str, alert: Alert, rule: Rule, now: float) -> Alert:
        group = self._groups.of(rule.name, rule.group_by or (), alert.labels)
        if mark not in group.waiting:
            group.waiting[mark] = None
            self._trace.held(now, mark, rule.name, "group", ", ".join(rule.group_by or ()) or "all")
        group.wake(now)
        return lifecycle.held(alert, None)

    def _speak_for(self, group: Group, now: float) -> None:
        """Tell of all that waits in a group in one notification."""
        rule = self._rules.get(group.rule)
        self._groups.touch(group)
        if rule is None:
            group.due = inf
            return
        fresh = [mark for mark in group.waiting if self._may_be_told(mark, rule, now)]
        still = [mark for mark, episode in group.told.items() if self.alerts[mark].episode == episode]
        identity = f"{group.mark}-{group.serial + 1}-group"
        for mark in fresh:
            alert = lifecycle.told(self.alerts[mark], rule.notify, rule.limit, now)
            group.told[mark] = alert.episode
            self._trace.notified(now, mark, rule.name, identity, "group", rule.notify)
            self._put(mark, changed(alert, version=alert.version + 1), now, desk=True)
        receivers = list(dict.fromkeys([*(rule.notify if fresh or group.news else ()), *group.receivers]))
        if not fresh and group.told:
            receivers = list(dict.fromkeys([*group.receivers, *rule.notify]))
        firing = [self._member_of(mark) for mark in (*fresh, *still)]
        body = group_body(group, rule, identity, firing, self._hub)
        if not firing and body["state"] == "resolved":
            receivers = [name for name in group.receivers or rule.notify if name not in self._silent_about_end]
        if fresh or group.news or (still and not self._quieted(still)):
            self._out.tell(receivers, identity, group.mark, body, now)
            group.spoken(now, rule.notify)
        group.due = inf
        if rule.repeat is not None and group.told:
            group.due = now + rule.repeat.interval(1)

    def _quieted(self, marks: Iterable[str]) -> bool:
        """Tell whether these alerts are not repeated: all of them are acknowledged, or held back."""
        alerts = [self.alerts[mark] for mark in marks]
        return all(alert.ack is not None or alert.held is not None for alert in alerts)

    def _may_be_told(self, mark: str, rule: Rule, now: float) -> bool:
        alert = self.alerts[mark]
        if alert.state is not Phase.FIRING or alert.tellings:
            return False
        return stage_of(rule, alert.labels, now, self._silences, self._inhibition, muted=alert.muted) is None

    def _member_of(self, mark: str) -> dict[str, Any]:
        alert = self.alerts[mark]
        return member(notification_body(alert, Phase.FIRING, alert.id("firing"), self._hub))

    # people

    def find(self, matchers: Sequence[Matcher]) -> list[tuple[str, Alert]]:
        """Return the alerts that are not inactive and match."""
        live = [(mark, each) for mark, each in self.alerts.items() if each.state is not Phase.INACTIVE]
        return [(mark, each) for mark, each in live if match_all(matchers, each.labels)]

    def firing(self) -> list[tuple[str, Alert]]:
        """Return the alerts that fire."""
        return [(mark, self.alerts[mark]) for mark in self._firing]

    def held_back_by(self, alert: Alert) -> list[str]:
        """Return the firing alerts, by fingerprint, that hold this one back (`unless`)."""
        return self._inhibition.sources_of(alert.alertname, alert.labels)

    def acknowledge(self, mark: str, by: str, comment: str, until: float | None, now: float) -> Alert | None:
        """Somebody cares about a firing alert; None where it does not fire."""
        return self._acked(mark, Ack(by, comment, now, until), "acknowledged", by, comment, now)

    def unacknowledge(self, mark: str, by: str, now: float) -> Alert | None:
        """Nobody does any more; None where it does not fire."""
        return self._acked(mark, None, "acknowledgement taken back", by, "", now)

    def _acked(self, mark: str, ack: Ack | None, command: str, by: str, comment: str, now: float) -> Alert | None:
        alert = self.alerts.get(mark)
        if alert is None or not alert.open:
            return None
        self._trace.command(now, mark, alert.alertname, command, by, comment)
        acked = lifecycle.acknowledge(alert, ack)
        if alert.state is Phase.FIRING:
            self._consider(mark, acked, now)
        elif acked != alert:
            self._put(mark, changed(acked, version=acked.version + 1), now, desk=True)
        return self.alerts[mark]

    def silence(
        self, matchers: Sequence[Matcher], start: float, end: float, by: str, comment: str, now: float
    ) -> Silence:
        """Tell nobody of what matches from `start` to `end`."""
        self.tick(now)
        made = self._silences.add(matchers, start, end, by, comment, now)
        if made.active(now):
            self._reconsider(made, f"silenced ({made.id})", by, comment, now)
        return made

    def change_silence(self, asked: Silence, now: float) -> Silence | None:
        """Make the silence of this id so, or put another one in its place; None where there is none by this id."""
        self.tick(now)
        before, made = self.silences.get(asked.id), self._silences.change(asked, now)
        if before is not None and made is not None:
            self._reconsider(before, f"silence changed ({asked.id})", asked.by, asked.comment, now)
            if made.id != asked.id and made.active(now):
                self._reconsider(made, f"silenced ({made.id})", asked.by, asked.comment, now)
        return made

    def unsilence(self, identity: str, by: str, now: float) -> Silence | None:
        """End a silence now; None where none is pending or active by this id."""
        self.tick(now)
        ended = self._silences.expire(identity, now)
        if ended is not None:
            self._reconsider(ended, f"silence ended ({ended.id})", by, "", now)
        return ended

    def _reconsider(self, silence: Silence, command: str, by: str, comment: str, now: float) -> None:
        for mark in list(self._firing):
            alert = self.alerts[mark]
            if match_all(silence.matchers, alert.labels):
                self._trace.command(now, mark, alert.alertname, command, by, comment)
                self._consider(mark, alert, now)

    # time

    def next_due(self) -> float | None:
        """Return the time at which `tick` is wanted next."""
        times = [self._agenda.next_due(), self._moments.next_due()]
        times += [self._groups.next_due(), self._silences.next_change(self._looked)]
        due_at = min((at for at in times if at is not None), default=inf)
        return None if due_at == inf else due_at

    def tick(self, now: float) -> None:
        """Do what the clock has made due."""
        for silence in self._silences.changed_between(self._looked, now):
            self._reconsider(silence, f"silence {silence.state(now)} ({silence.id})", silence.by, "", now)
        self._looked = max(self._looked, now)
        self._silences.forget(now)
        while (mark := self._agenda.take(now)) is not None:
            self._look_at(mark, now)
        for mark, moment in self._moments.take_due(now, self._limits()):
            if moment.rule in self._rules:
                self._tell_waiting(mark, self._rules[moment.rule], moment.waits, moment.tally.held, now)
        for group in self._groups.take_due(now):
            self._speak_for(group, now)

    def _look_at(self, mark: str, now: float) -> None:
        if 0.0 < self.alerts[mark].calm <= now:
            self._calmed(mark, self.alerts[mark], now)
        alert = self.alerts[mark]
        if alert.state is Phase.FIRING:
            self._consider(mark, alert, now)
        elif alert.calm:
            self._await(mark, alert)
        elif alert.state is Phase.RESOLVED and alert.until is not None:
            self._forget(mark, alert, alert.until + RESOLVED_KEPT_SECONDS, now)

    def shift(self, seconds: float, now: float) -> None:
        """Move all that repeats, escalation and limits count from: the wall clock was set by so many seconds."""
        self._looked = min(self._looked, now)
        self._groups.shift(seconds)
        self._moments.shift(seconds, self._limits())
        self._agenda.clear()
        for mark, alert in self.alerts.items():
            moved = lifecycle.shifted(alert, seconds)
            if moved != alert:
                self.alerts[mark] = moved
                self._dirty.add(mark)
            self._await(mark, moved)

    def _tell_waiting(self, mark: str, rule: Rule, body: dict[str, Any], held: int, now: float) -> None:
        self._moments.told(mark, rule, now)
        body = with_held_back(body, held - 1)
        self._out.tell(rule.notify, body["id"], mark, body, now)
        self._trace.notified(now, mark, rule.name, body["id"], "event", rule.notify)

    def _forget(self, mark: str, alert: Alert, over: float, now: float) -> None:
        """Take a resolved alert that is over out of sight."""
        if over <= now:
            gone = self.alerts[mark] = lifecycle.forget(alert)
            self._dirty.add(mark)
            self._out.publish(mark, gone, now, None)

    def _await(self, mark: str, alert: Alert) -> None:
        """Be woken when the next thing is due for an alert."""
        at = inf
        if alert.state is Phase.RESOLVED and alert.until is not None:
            at = alert.until + RESOLVED_KEPT_SECONDS
        elif alert.state is Phase.FIRING and alert.alertname in self._rules:
            at = due(alert, self._rules[alert.alertname])
        self._agenda.wake(mark, min(at, alert.calm or inf))

    # the ways out

    def _put(self, mark: str, alert: Alert, now: float, *, desk: bool = False) -> None:
        """Write an alert's new state into the book, and publish it; `desk`: only what is said or held of it changed."""
        self.alerts[mark] = alert
        self._dirty.add(mark)
        self._out.state(mark, alert, now, desk=desk)
        self._await(mark, alert)

    def _report(self, transition: Transition, failures: Iterable[str]) -> None:
        topic = transition.event.topic if transition.event is not None else ""
        for failure in failures:
            self._on_error(transition.rule.name, topic, failure)

    def _limits(self) -> dict[str, Limit]:
        return {name: rule.limit for name, rule in self._rules.items() if rule.limit is not None}

    # results

    def has_changes(self) -> bool:
        """Tell whether there is anything to take."""
        return bool(self._dirty or self._out.queue)

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the rows of all alerts that changed since the last call."""
        dirty, self._dirty = self._dirty, set()
        return [(mark, alert.dump() if (alert := self.alerts.get(mark)) else None) for mark in dirty]

    def take_desk(self) -> list[tuple[str, str, str | None]]:
        """Take the rows of silences, groups and limits that changed since the last call."""
        parts = (("silence", self._silences), ("group", self._groups), ("limit", self._moments))
        rows = [(kind, key, text) for kind, part in parts for key, text in part.take_rows()]
        if self._floor_dirty:
            self._floor_dirty = False
            rows.append(("episode", "floor", str(self._floor)))
        return rows

    def take_trace(self) -> list[TraceRow]:
        """Take what is to be remembered of why things were told, or not."""
        return self._trace.take()

    def take_notifications(self) -> list[Notification]:
        """Take what is to be told, in order."""
        return self._out.take()

    def take_changed(self) -> list[Mapping[str, Any]]:
        """Take the states that alerts have entered, for onlookers."""
        return self._out.take_changed()
