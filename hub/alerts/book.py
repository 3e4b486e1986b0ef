"""The alert book: every alert by fingerprint. Transitions and commands go in, notifications and rows come out. Pure.

A firing alert is told unless something suppresses it (see suppression/). When the suppression ends, the alert is looked
at again. The state of each alert is published, retained, by a notification to the hub itself (OWN), so that it is as
durable as any other.

book → transitions (what becomes of alerts) → telling (told or suppressed: see decision) → register (all alerts)
     → event_rules (rules that make no alert)                                             → conversations (groups)
     → group_telling (groups: see decision)
"""

from collections.abc import Callable, Container, Mapping, Sequence
from functools import partial
from math import inf
from typing import Any

from hub.alerts import lifecycle
from hub.alerts.alert import Ack, Alert, changed
from hub.alerts.event_rules import Events
from hub.alerts.matchers import Matcher, match_all
from hub.alerts.outgoing import Outgoing
from hub.alerts.register import Register
from hub.alerts.suppression.silences import Silence
from hub.alerts.suppression.suppression import Suppression
from hub.alerts.telling.alert_events import voice
from hub.alerts.telling.conversations import Conversations
from hub.alerts.telling.decision import Untold, alone, decide
from hub.alerts.telling.group_telling import GroupTeller
from hub.alerts.telling.telling import Teller
from hub.alerts.telling.texts import OnError, Rendered, render
from hub.alerts.telling.words import AlertWords
from hub.alerts.trace import Trace
from hub.alerts.transitions import AlertTransitions
from hub.ids import fingerprint_in
from hub.limits import ALERTS_KEPT
from hub.model import Event, Labels, Notification, Phase, Reason
from hub.rules.reading.rule import Rule
from hub.rules.running.transition import Transition
from hub.store.changes import TraceRow
from hub.store.keeper import Keeper

__all__ = ["TOO_MANY", "Book", "HeirsOf"]

TOO_MANY = f"more than {ALERTS_KEPT:,} alerts are over: this one is forgotten early, and what its `limit` has counted"

HeirsOf = Callable[[str, str], Sequence[str]]
"""Takes a rule's name and a receiver's; returns who takes over what that receiver was told of the rule's alerts.

A receiver that still exists is its own and only heir.
"""


class Book:
    """All alerts, and the one door to them: the core calls it, and the parts below do not know each other's callers."""

    def __init__(self, prefix: str, hub: Mapping[str, str], on_error: OnError) -> None:
        """Begin empty.

        `prefix` is the first level of the hub's own topics. `hub` is what a notification says of its sender: client id
        and version. `on_error` gets rule, topic and message of every text that could not be filled in.
        """
        self._out, self._trace = Outgoing(prefix, hub), Trace()
        self._suppression, self._conversations = Suppression(), Conversations()
        self._register = Register(self._out, self._suppression.inhibition.lasts)
        common = (self._conversations, self._register, self._suppression, self._out, self._trace)
        words = AlertWords(hub, self._texts_of_now)
        self._groups = GroupTeller(self._conversations, self._register, self._out, self._trace, words)
        self._events = Events(*common, on_error)
        self._transitions = AlertTransitions(
            Teller(*common, words), self._register, self._suppression, self._conversations, self._trace, on_error
        )
        self.keepers: tuple[Keeper, ...] = (
            self._suppression.silences,
            self._conversations,
            self._events,
            self._register.floor,
            self._register,
            self._trace,
        )
        self._heirs_of: HeirsOf = lambda _rule, receiver: (receiver,)
        self._looked, self._prefix, self._on_error = 0.0, prefix, on_error
        self.kept: Container[str] = ()
        """Fingerprints of alerts that must not leave though they are long over: others (discovery) still show them."""
        self.now_of: Callable[[str, Labels, float], Transition | None] = lambda _rule, _instance, _now: None
        """The engine's view of a firing instance at a time, by the rule's name; None where it knows nothing newer."""

    @property
    def alerts(self) -> Mapping[str, Alert]:
        """All alerts by fingerprint."""
        return self._register.alerts

    @property
    def silences(self) -> Mapping[str, Silence]:
        """All silences by id, including those that ended in the last SILENCE_KEPT_SECONDS."""
        return self._suppression.silences.all

    # rules and state in

    def follow(
        self,
        rules: Mapping[str, Rule],
        silent_about_end: frozenset[str],
        now: float = 0.0,
        heirs_of: HeirsOf | None = None,
    ) -> None:
        """Use these rules from now on: at the start and on every reload.

        `silent_about_end` are the receivers with `send_resolved: false`. What was told to a receiver that is gone
        belongs to its heirs from now on, so that they hear of the end.
        """
        relabelled = [name for name, rule in rules.items() if _relabels(self._register.rules.get(name), rule)]
        self._register.follow(rules)
        self._out.follow(silent_about_end)
        self._suppression.inhibition.follow(rules)
        self._heirs_of = heirs_of or self._heirs_of
        self._hand_over(now)
        self._transitions.resume(self._labels_of_now, relabelled, now)
        for each in self._conversations.all.values():
            self._conversations.look(each)

    def resume(self, now: float) -> None:
        """Go on after a start, when the keepers have restored their rows."""
        self._register.resume(now)
        self._looked = now
        self._hand_over(now)
        self._transitions.resume(self._labels_of_now, (), now)

    def _hand_over(self, now: float) -> None:
        """Let heirs stand in the place of receivers that are gone, in what was said of each alert and group."""
        for fingerprint in self._register.firing:
            alert = self.alerts[fingerprint]
            said = alert.said.renamed(partial(self._heirs_of, alert.alertname))
            if said is not alert.said:
                self._register.note(fingerprint, changed(alert, said=said), now)
        self._conversations.rename(self._heirs_of)

    def inherited(self, notification: Notification, heirs: Sequence[str]) -> None:
        """Note that heirs have heard of alerts: the outbox gave them a notification whose receiver is gone.

        Without this note they would count as newcomers and would be told a second time.
        """
        members = notification.body.get("alerts") or [{"id": notification.order}]
        for each in members:
            fingerprint = fingerprint_in(str(each["id"]))
            alert = self.alerts.get(fingerprint)
            rule = None if alert is None else self._register.rules.get(alert.alertname)
            if alert is None or rule is None or alert.state is not Phase.FIRING or not alert.said.heirs:
                continue  # nobody is told of it again, so there is nothing to keep from being told twice
            alert = changed(alert, said=alert.said.heard_by(heirs))
            self._register.keep(fingerprint, alert)
            if rule.group_by is not None:
                self._conversations.place(fingerprint, alert, rule, notification.created)

    def _texts_of_now(self, alert: Alert, now: float) -> Rendered | None:
        """Return the texts of a firing alert with the values of now; None where they are not all known."""
        transition = self.now_of(alert.alertname, alert.instance, now)
        if transition is None or (transition.event is None and transition.unheard is None):
            return None
        texts = render(transition, alert.episode, alert.id(Phase.FIRING.value))
        # a text with a gap is worse than the one from when it fired; of an absent device there is nothing newer
        return None if texts.failures and transition.unheard is None else texts

    def _labels_of_now(self, alert: Alert, now: float) -> Alert:
        """Return a firing alert with the labels that its rule gives it now.

        A label that needs a message to be filled in keeps its value until a message comes.
        """
        transition = self.now_of(alert.alertname, alert.instance, now)
        if transition is None:
            return alert
        texts = render(transition, alert.episode, alert.id(Phase.FIRING.value))
        kept = {name: alert.labels[name] for name in texts.unfilled if name in alert.labels}
        unfilled = tuple(name for name in texts.unfilled if name not in kept or name in alert.unfilled)
        labels, severity = {**texts.labels, **kept}, transition.rule.severity
        return changed(alert, labels=labels, unfilled=unfilled, severity=severity)

    # rules that listen to alerts

    def listen(self, *, wanted: bool) -> None:
        """Keep what rules hear of alerts for `take_voices`, where any rule listens to alerts."""
        self._out.listened = wanted

    def take_voices(self) -> list[Event]:
        """Take what rules hear of alerts since the last call: each transition and acknowledgement, in order."""
        return self._out.take_voices()

    def standing(self, now: float) -> list[Event]:
        """Return how all alerts stand that are pending, fire or have just ended, for a rule that begins to listen."""
        live = sorted(self.find(()), key=lambda found: found[1].topic(""))
        return [voice(alert, now, retain=True) for _, alert in live]

    # transitions

    def apply(self, transitions: Sequence[Transition], now: float, *, ticking: bool = False) -> None:
        """Take what the engine found, in order. Transitions with one cause take effect first and are told then.

        One message may begin or end two alerts of which one holds the other back (`unless`). Whether the second is told
        must not depend on the order in which the rules are written. At a tick of the clock all have one cause.
        """
        cause = None
        for transition in transitions:
            if transition.phase is Phase.EVENT:
                self._transitions.settle(now)
                self._events.take(transition, now)
                continue
            if transition.until is not None:
                self._transitions.settle(now)
                self._events.take_past(transition, transition.until, now)
                continue
            if not ticking and transition.event is not cause:
                self._transitions.settle(now)
                cause = transition.event
            if transition.before is Phase.FIRING and transition.phase is Phase.FIRING:
                self._transitions.still(transition, now)
            else:
                self._transitions.take(transition, now)
        self._transitions.settle(now)

    def drop(self, fingerprint: str, now: float) -> None:
        """Forget an alert that is no longer posted, with its counts; does nothing while it is pending or fires."""
        self._transitions.drop(fingerprint, now)

    def end(self, rules: Mapping[str, Reason], now: float) -> None:
        """End the alerts of rules that are gone or were changed, each for the reason given by the rule's name."""
        self._transitions.end(rules, now)
        # a rule that was only changed goes on with its groups, so they say the rest themselves
        self._groups.last_words([name for name, reason in rules.items() if reason is not Reason.RULE_CHANGED], now)

    # people

    def find(self, matchers: Sequence[Matcher]) -> list[tuple[str, Alert]]:
        """Return the alerts that are not inactive and match, each with its fingerprint."""
        live = [(fingerprint, each) for fingerprint, each in self.alerts.items() if each.state is not Phase.INACTIVE]
        return [(fingerprint, each) for fingerprint, each in live if match_all(matchers, each.labels, each.unfilled)]

    def firing(self) -> list[tuple[str, Alert]]:
        """Return the alerts whose episode goes on, each with its fingerprint: those that fire, or flap."""
        return [(fingerprint, self.alerts[fingerprint]) for fingerprint in self._register.firing]

    def held_back_by(self, alert: Alert) -> list[str]:
        """Return the firing alerts, by fingerprint, that hold this one back (`unless`)."""
        return self._suppression.inhibition.causes_of(alert.alertname, alert.labels, alert.unfilled)

    def untold(self, alert: Alert, now: float) -> Untold | None:
        """Return why nothing is told now of a firing alert.

        None where something is to be told at once, where the alert does not fire, and where a group tells of it.
        """
        rule = self._register.rules.get(alert.alertname)
        if rule is None or rule.group_by is not None or alert.state is not Phase.FIRING:
            return None
        return decide(alone(alert, rule), rule, now).untold

    def acknowledge(self, fingerprint: str, by: str, comment: str, until: float | None, now: float) -> Alert | None:
        """Acknowledge an alert until `until` (None: until it resolves); None where its episode is over."""
        return self._acked(fingerprint, Ack(by, comment, now, until), "acknowledged", by, comment, now)

    def unacknowledge(self, fingerprint: str, by: str, now: float) -> Alert | None:
        """Take an acknowledgement back; None where the episode is over."""
        return self._acked(fingerprint, None, "acknowledgement taken back", by, "", now)

    def _acked(
        self, fingerprint: str, ack: Ack | None, command: str, by: str, comment: str, now: float
    ) -> Alert | None:
        alert = self.alerts.get(fingerprint)
        if alert is None or not alert.open:
            return None
        self._trace.command(now, fingerprint, alert.alertname, command, by, comment)
        acked = lifecycle.acknowledge(alert, ack)
        if alert.state is Phase.FIRING:
            self._transitions.consider(fingerprint, acked, now)
        elif acked != alert:  # it flaps and is over for the moment: nothing is due, but steps stop or go on
            acked = changed(acked, said=acked.said.goes_on(now, runs=ack is None))
            self._register.note(fingerprint, acked, now)
        return self.alerts[fingerprint]

    def silence(self, asked: Silence) -> Silence:
        """Tell nobody of what matches from the silence's start to its end; return it with its id.

        `asked.updated` is the time of now.
        """
        now = asked.updated
        self.tick(now)  # what was due before the silence is told first
        made = self._suppression.silences.add(asked)
        if made.active(now):
            self._reconsider(made, f"silenced ({made.id})", asked.by, asked.comment, now)
        return made

    def change_silence(self, asked: Silence, now: float) -> Silence | None:
        """Change the silence with the id of `asked`, or put a new one in its place (Silences.change says when).

        None where no silence has this id.
        """
        self.tick(now)
        before, made = self.silences.get(asked.id), self._suppression.silences.change(asked, now)
        if before is not None and made is not None:
            self._reconsider(before, f"silence changed ({asked.id})", asked.by, asked.comment, now)
            if made.id != asked.id and made.active(now):
                self._reconsider(made, f"silenced ({made.id})", asked.by, asked.comment, now)
        return made

    def unsilence(self, identity: str, by: str, now: float) -> Silence | None:
        """End a silence now; None where no silence with this id is pending or active."""
        self.tick(now)
        ended = self._suppression.silences.expire(identity, now)
        if ended is not None:
            self._reconsider(ended, f"silence ended ({ended.id})", by, "", now)
        return ended

    def _reconsider(self, silence: Silence, command: str, by: str, comment: str, now: float) -> None:
        for fingerprint in list(self._register.firing):
            alert = self.alerts[fingerprint]
            if match_all(silence.matchers, alert.labels, alert.unfilled):
                self._trace.command(now, fingerprint, alert.alertname, command, by, comment)
                self._transitions.consider(fingerprint, alert, now)

    # time

    def next_due(self) -> float | None:
        """Return when `tick` must be called next, None where nothing waits."""
        times = [self._register.next_due(), self._events.next_due()]
        times += [self._conversations.next_due(), self._suppression.silences.next_change(self._looked)]
        times.append(self._suppression.inhibition.next_due())
        due_at = min((at for at in times if at is not None), default=inf)
        return None if due_at == inf else due_at

    def tick(self, now: float) -> None:
        """Do all that is due by `now`: silences first, because they decide what of the rest is told."""
        for silence in self._suppression.silences.changed_between(self._looked, now):
            self._reconsider(silence, f"silence {silence.state(now)} ({silence.id})", silence.by, "", now)
        self._looked = max(self._looked, now)
        self._suppression.silences.forget(now)
        self._transitions.look_at_freed(now)
        while (fingerprint := self._register.take_due(now)) is not None:
            self._transitions.look_at(fingerprint, now)
        self._events.tick(now)
        self._groups.speak(now)
        for alert in self._register.let_go(now, self.kept):
            self._on_error(alert.alertname, alert.topic(self._prefix), TOO_MANY)

    def shift(self, seconds: float, now: float) -> None:
        """Move every time by `seconds`, by which somebody has set the wall clock: waits stay as long as they were.

        Silences stay: a person has named their start and end by the clock on the wall.
        """
        self._looked = min(self._looked, now)
        self._out.shift(seconds)
        self._conversations.shift(seconds)
        self._suppression.inhibition.shift(seconds)
        self._events.shift(seconds)
        self._register.shift(seconds)

    # results

    def has_changes(self) -> bool:
        """Tell whether a commit is needed for what alerts have become."""
        return self._register.has_changes() or bool(self._out.queue)

    def take_trace(self) -> Sequence[TraceRow]:
        """Take the trace's rows since the last call: why something was told, or not."""
        return self._trace.take_rows()

    def take_notifications(self) -> list[Notification]:
        """Take the notifications since the last call, in order."""
        return self._out.take()

    def take_changed(self) -> list[Mapping[str, Any]]:
        """Take the states that alerts have entered since the last call, for observers (console, feed, figures)."""
        return self._out.take_changed()


def _relabels(before: Rule | None, rule: Rule) -> bool:
    """Tell whether a reload has changed the labels that a rule gives its alerts."""
    if before is None or not before.patterns or not rule.patterns:
        return False  # a posted alert brings its labels with it
    labels = [[(name, template.text) for name, template in each.texts.labels] for each in (before, rule)]
    return before.severity != rule.severity or labels[0] != labels[1]
