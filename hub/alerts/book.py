"""The alert book: every alert by fingerprint; transitions and people's words in, notifications and rows out. Pure.

A firing alert is told unless a stage holds it back (see stages): then it is considered again when that ends. The state
of each alert is published, retained, by a notification to the hub itself (OWN): it takes the same sure way.

book → course (its transitions) → teller (told or held) → spokesman (groups) → register (all alerts)
     → events (rules that only say something)           → spokesman
"""

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Any

from hub.alerts import lifecycle
from hub.alerts.alert import Ack, Alert
from hub.alerts.course import Course
from hub.alerts.events import Events
from hub.alerts.grouping import Groups
from hub.alerts.matchers import Matcher, match_all
from hub.alerts.outgoing import Outgoing
from hub.alerts.register import Register
from hub.alerts.silences import Silence
from hub.alerts.spokesman import Spokesman
from hub.alerts.stages import Stages
from hub.alerts.teller import Teller
from hub.alerts.texts import OnError
from hub.alerts.trace import Trace
from hub.model import Notification, Phase, Reason
from hub.rules.rule import Rule
from hub.rules.transition import Transition
from hub.store.changes import TraceRow

__all__ = ["Book"]


class Book:
    """All alerts. `hub` is what a notification says of its sender: client id and version."""

    def __init__(self, prefix: str, hub: Mapping[str, str], on_error: OnError) -> None:
        """Begin empty; `on_error` hears rule, topic and message of every text that could not be filled in."""
        self._out, self._trace = Outgoing(prefix, hub), Trace()
        self._stages, self._groups, self._register = Stages(), Groups(), Register(self._out)
        common = (self._register, self._stages, self._out, self._trace)
        self._spokesman = Spokesman(self._groups, *common)
        self._events = Events(self._spokesman, *common, on_error)
        self._course = Course(Teller(self._spokesman, *common), self._register, self._stages, self._trace, on_error)
        self._looked = 0.0

    @property
    def alerts(self) -> Mapping[str, Alert]:
        """All alerts by fingerprint."""
        return self._register.alerts

    @property
    def silences(self) -> Mapping[str, Silence]:
        """All silences by id, those that ended lately included."""
        return self._stages.silences.all

    # rules and state in

    def follow(self, rules: Mapping[str, Rule], silent_about_end: frozenset[str]) -> None:
        """Take the rules as they are now, and which receivers have `send_resolved: false`."""
        self._register.follow(rules)
        self._out.follow(silent_about_end)
        self._stages.inhibition.follow(rules)
        self._course.resume()

    def restore(self, alerts: Iterable[tuple[str, str]], desk: Iterable[tuple[str, str, str]], now: float) -> None:
        """Bring in what a store held."""
        rows: dict[str, list[tuple[str, str]]] = {"silence": [], "group": [], "limit": [], "episode": []}
        for kind, key, text in desk:
            rows[kind].append((key, text))
        self._stages.silences.restore(rows["silence"])
        self._groups.restore(rows["group"])
        self._events.restore(rows["limit"])
        self._register.restore(alerts, max((int(text) for _, text in rows["episode"]), default=0))
        self._looked = now
        self._course.resume()

    # transitions

    def apply(self, transitions: Sequence[Transition], now: float) -> None:
        """Take what the engine found."""
        for transition in transitions:
            if transition.phase is Phase.EVENT:
                self._events.take(transition, now)
            elif transition.before is Phase.FIRING and transition.phase is Phase.FIRING:
                self._course.still(transition, now)
            else:
                self._course.take(transition, now)

    def drop(self, mark: str, now: float) -> None:
        """Know no more of an alert that is over, not even how often it has fired."""
        self._course.drop(mark, now)

    def end(self, rules: Mapping[str, Reason], now: float) -> None:
        """End the alerts of rules that are gone or mean something else now."""
        self._course.end(rules, now)

    # people

    def find(self, matchers: Sequence[Matcher]) -> list[tuple[str, Alert]]:
        """Return the alerts that are not inactive and match."""
        live = [(mark, each) for mark, each in self.alerts.items() if each.state is not Phase.INACTIVE]
        return [(mark, each) for mark, each in live if match_all(matchers, each.labels)]

    def firing(self) -> list[tuple[str, Alert]]:
        """Return the alerts that fire."""
        return [(mark, self.alerts[mark]) for mark in self._register.firing]

    def held_back_by(self, alert: Alert) -> list[str]:
        """Return the firing alerts, by fingerprint, that hold this one back (`unless`)."""
        return self._stages.inhibition.sources_of(alert.alertname, alert.labels)

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
            self._course.consider(mark, acked, now)
        elif acked != alert:
            self._register.note(mark, acked, now)
        return self.alerts[mark]

    def silence(
        self, matchers: Sequence[Matcher], start: float, end: float, by: str, comment: str, now: float
    ) -> Silence:
        """Tell nobody of what matches from `start` to `end`."""
        self.tick(now)
        made = self._stages.silences.add(matchers, start, end, by, comment, now)
        if made.active(now):
            self._reconsider(made, f"silenced ({made.id})", by, comment, now)
        return made

    def change_silence(self, asked: Silence, now: float) -> Silence | None:
        """Make the silence of this id so, or put another one in its place; None where there is none by this id."""
        self.tick(now)
        before, made = self.silences.get(asked.id), self._stages.silences.change(asked, now)
        if before is not None and made is not None:
            self._reconsider(before, f"silence changed ({asked.id})", asked.by, asked.comment, now)
            if made.id != asked.id and made.active(now):
                self._reconsider(made, f"silenced ({made.id})", asked.by, asked.comment, now)
        return made

    def unsilence(self, identity: str, by: str, now: float) -> Silence | None:
        """End a silence now; None where none is pending or active by this id."""
        self.tick(now)
        ended = self._stages.silences.expire(identity, now)
        if ended is not None:
            self._reconsider(ended, f"silence ended ({ended.id})", by, "", now)
        return ended

    def _reconsider(self, silence: Silence, command: str, by: str, comment: str, now: float) -> None:
        for mark in list(self._register.firing):
            alert = self.alerts[mark]
            if match_all(silence.matchers, alert.labels):
                self._trace.command(now, mark, alert.alertname, command, by, comment)
                self._course.consider(mark, alert, now)

    # time

    def next_due(self) -> float | None:
        """Return the time at which `tick` is wanted next."""
        times = [self._register.next_due(), self._events.next_due()]
        times += [self._groups.next_due(), self._stages.silences.next_change(self._looked)]
        due_at = min((at for at in times if at is not None), default=inf)
        return None if due_at == inf else due_at

    def tick(self, now: float) -> None:
        """Do what the clock has made due."""
        for silence in self._stages.silences.changed_between(self._looked, now):
            self._reconsider(silence, f"silence {silence.state(now)} ({silence.id})", silence.by, "", now)
        self._looked = max(self._looked, now)
        self._stages.silences.forget(now)
        while (mark := self._register.take_due(now)) is not None:
            self._course.look_at(mark, now)
        self._events.tick(now)
        self._spokesman.speak(now)

    def shift(self, seconds: float, now: float) -> None:
        """Move all that repeats, escalation and limits count from: the wall clock was set by so many seconds."""
        self._looked = min(self._looked, now)
        self._groups.shift(seconds)
        self._events.shift(seconds)
        self._register.shift(seconds)

    # results

    def has_changes(self) -> bool:
        """Tell whether there is anything to take."""
        return self._register.has_changes() or bool(self._out.queue)

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the rows of all alerts that changed since the last call."""
        return self._register.take_rows()

    def take_desk(self) -> list[tuple[str, str, str | None]]:
        """Take the rows of silences, groups and limits that changed since the last call."""
        parts = (("silence", self._stages.silences), ("group", self._groups), ("limit", self._events))
        rows = [(kind, key, text) for kind, part in parts for key, text in part.take_rows()]
        floor = self._register.take_floor()
        return rows if floor is None else [*rows, ("episode", "floor", str(floor))]

    def take_trace(self) -> list[TraceRow]:
        """Take what is to be remembered of why things were told, or not."""
        return self._trace.take()

    def take_notifications(self) -> list[Notification]:
        """Take what is to be told, in order."""
        return self._out.take()

    def take_changed(self) -> list[Mapping[str, Any]]:
        """Take the states that alerts have entered, for onlookers."""
        return self._out.take_changed()
