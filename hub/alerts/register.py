"""The register: every alert by fingerprint, and when each must be looked at. What is put in is published and stored."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from math import inf

from hub.agenda import Agenda
from hub.alerts import lifecycle
from hub.alerts.alert import Alert, changed
from hub.alerts.floor import Floor
from hub.alerts.outgoing import Outgoing
from hub.alerts.past import Past
from hub.alerts.telling.alert_events import is_other_news
from hub.alerts.telling.decision import look_again
from hub.model import Phase
from hub.rules.reading.rule import Rule
from hub.rules.running.transition import Transition
from hub.store.keeper import Keeper

__all__ = ["Register"]


class Register(Keeper):
    """All alerts, and the rules in force. `firing` are the fingerprints of alerts that fire or flap."""

    kind = "alerts"

    def __init__(self, out: Outgoing, holds_on: Callable[[str], float]) -> None:
        """Begin empty; `out` publishes what is put in.

        `holds_on` returns, by alertname, for how many seconds after its end an alert may hold others back (`unless`).
        """
        self._holds_on = holds_on
        self.alerts: dict[str, Alert] = {}
        self.firing: dict[str, None] = {}
        self.rules: Mapping[str, Rule] = {}
        self._out, self._agenda, self._past = out, Agenda[str](), Past(self.alerts)
        self._dirty: set[str] = set()
        self.floor = Floor()

    def follow(self, rules: Mapping[str, Rule]) -> None:
        """Use these rules from now on."""
        self.rules = rules

    def restore(self, rows: Iterable[tuple[str, str]]) -> None:
        """Restore the alerts from the store; the caller calls `resume` when all keepers are restored."""
        self.alerts.update((fingerprint, Alert.load(text)) for fingerprint, text in rows)

    def resume(self, now: float) -> None:
        """Go on with the restored alerts; the caller looks at those that fire."""
        for fingerprint, alert in list(self.alerts.items()):
            if alert.open:
                self.firing[fingerprint] = None
            elif alert.state is Phase.INACTIVE and not alert.over:
                # an early hub kept what is over for ever and noted no time: its age begins now
                self.keep(fingerprint, changed(alert, over=now))
            else:
                self.wait(fingerprint, alert)
        self._past.sort()

    # alerts

    def new(self, transition: Transition) -> Alert:
        """Return a new alert whose episode and version begin above those of every alert that was forgotten."""
        return Alert(transition.rule.name, transition.instance, self.floor.number, self.floor.number)

    def enter(self, fingerprint: str, alert: Alert) -> None:
        """Count an alert among those that fire; the caller calls `put` when it has decided what is told."""
        self.firing[fingerprint] = None
        self.alerts[fingerprint] = alert

    def leave(self, fingerprint: str) -> None:
        """Count an alert among those that fire no longer."""
        self.firing.pop(fingerprint, None)

    def put(self, fingerprint: str, alert: Alert, now: float) -> None:
        """Store and publish an alert that has changed its state."""
        self._put(fingerprint, alert, now, desk=False)

    def note(self, fingerprint: str, alert: Alert, now: float) -> None:
        """Store and publish a new version of an alert whose state is as it was: it was told, suppressed or the like."""
        before = self.alerts.get(fingerprint)
        self._put(fingerprint, changed(alert, version=alert.version + 1), now, desk=True)
        if is_other_news(before, alert):
            self._out.voice(alert, now)

    def keep(self, fingerprint: str, alert: Alert) -> None:
        """Store an alert and publish nothing: what has changed nobody else sees."""
        self.alerts[fingerprint] = alert
        self._dirty.add(fingerprint)
        self.wait(fingerprint, alert)

    def forget(self, fingerprint: str, now: float) -> None:
        """Make a resolved alert inactive and empty its retained topic; its counts are kept."""
        gone = self.alerts[fingerprint] = lifecycle.forget(self.alerts[fingerprint], now)
        self._dirty.add(fingerprint)
        self._past.note(fingerprint, gone)
        self._out.publish(fingerprint, gone, now, None)

    def drop(self, fingerprint: str) -> None:
        """Forget an alert with its counts; the floor keeps its ids from being given again."""
        gone = self.alerts.pop(fingerprint)
        self._agenda.drop(fingerprint)
        self._past.drop(fingerprint)
        self._dirty.add(fingerprint)
        self.floor.rise(gone.episode, gone.version)

    def shift(self, seconds: float) -> None:
        """Move the times of all alerts by `seconds`, by which somebody has set the wall clock."""
        self._agenda.clear()
        for fingerprint, alert in self.alerts.items():
            moved = lifecycle.shifted(alert, seconds)
            if moved != alert:
                self.alerts[fingerprint] = moved
                self._dirty.add(fingerprint)
            self.wait(fingerprint, moved)

    def _put(self, fingerprint: str, alert: Alert, now: float, *, desk: bool) -> None:
        self.alerts[fingerprint] = alert
        self._dirty.add(fingerprint)
        self._out.state(fingerprint, alert, now, desk=desk)
        self.wait(fingerprint, alert)

    # time

    def wake(self, fingerprint: str) -> None:
        """Have an alert looked at with the next tick."""
        self._agenda.wake(fingerprint, 0.0)

    def wait(self, fingerprint: str, alert: Alert) -> None:
        """Set the alarm of an alert to what is due for it next, and keep its place in the line of what is over."""
        rule = self.rules.get(alert.alertname) if alert.state is Phase.FIRING else None
        self._past.note(fingerprint, alert)
        at = self.over_at(alert) if rule is None else look_again(alert, rule)
        self._agenda.wake(fingerprint, min(at, alert.calm or inf))

    def over_at(self, alert: Alert) -> float:
        """Return when a resolved alert becomes inactive: when it was visible for long enough and holds nobody back."""
        at = lifecycle.over_at(alert)
        if at == inf or alert.until is None:
            return at
        return max(at, alert.until + self._holds_on(alert.alertname))

    def next_due(self) -> float | None:
        """Return when the next alert must be looked at or forgotten; None where nothing waits."""
        times = (self._agenda.next_due(), self._past.next_due())
        return min((at for at in times if at is not None), default=None)

    def take_due(self, now: float) -> str | None:
        """Take the fingerprint of one alert that is due; None where none is left."""
        return self._agenda.take(now)

    def let_go(self, now: float, kept: Container[str]) -> Iterator[Alert]:
        """Forget what is long over; yield the alerts that leave before their time because there are too many.

        `kept` are the fingerprints that others still show: they stay.
        """
        for fingerprint, is_old in self._past.take_due(now):
            if fingerprint not in kept:
                alert = self.alerts[fingerprint]
                self.drop(fingerprint)
                if not is_old:
                    yield alert

    # results

    def has_changes(self) -> bool:
        """Tell whether `take_rows` would return anything."""
        return bool(self._dirty)

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the rows of all alerts that changed since the last call."""
        dirty, self._dirty = self._dirty, set()
        return [
            (fingerprint, alert.dump() if (alert := self.alerts.get(fingerprint)) else None) for fingerprint in dirty
        ]
