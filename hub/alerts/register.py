"""The register: every alert by fingerprint, and when each is to be looked at; what is put in is published and saved."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from math import inf

from hub.agenda import Agenda
from hub.alerts import lifecycle
from hub.alerts.alert import Alert, changed
from hub.alerts.floor import Floor
from hub.alerts.outgoing import Outgoing
from hub.alerts.past import Past
from hub.alerts.telling.decision import look_again
from hub.model import Phase
from hub.rules.reading.rule import Rule
from hub.rules.running.transition import Transition
from hub.store.keeper import Keeper

__all__ = ["Register"]


class Register(Keeper):
    """All alerts, and the rules as they are now. `firing` are those that fire, or flap."""

    kind = "alerts"

    def __init__(self, out: Outgoing, holds_on: Callable[[str], float]) -> None:
        """Begin empty; `out` publishes what is put in.

        `holds_on` tells for how many seconds an alert of a name may hold others back when it is over (`unless`).
        """
        self._holds_on = holds_on
        self.alerts: dict[str, Alert] = {}
        self.firing: dict[str, None] = {}
        self.rules: Mapping[str, Rule] = {}
        self._out, self._agenda, self._past = out, Agenda[str](), Past(self.alerts)
        self._dirty: set[str] = set()
        self.floor = Floor()

    def follow(self, rules: Mapping[str, Rule]) -> None:
        """Take the rules as they are now."""
        self.rules = rules

    def restore(self, rows: Iterable[tuple[str, str]]) -> None:
        """Bring in what a store held; `resume` follows."""
        self.alerts.update((fingerprint, Alert.load(text)) for fingerprint, text in rows)

    def resume(self, now: float) -> None:
        """Go on with what was brought in; those that fire must be looked at by the caller."""
        for fingerprint, alert in list(self.alerts.items()):
            if alert.open:
                self.firing[fingerprint] = None
            elif alert.state is Phase.INACTIVE and not alert.over:  # of a hub that kept what is over for ever
                self.keep(fingerprint, changed(alert, over=now))
            else:
                self.wait(fingerprint, alert)
        self._past.sort()

    # alerts

    def new(self, transition: Transition) -> Alert:
        """Begin an alert, above every id that was given to one that is known no more."""
        return Alert(transition.rule.name, transition.instance, self.floor.number, self.floor.number)

    def enter(self, fingerprint: str, alert: Alert) -> None:
        """Count an alert among those that fire, as others are to see it; `put` follows when all is said of it."""
        self.firing[fingerprint] = None
        self.alerts[fingerprint] = alert

    def leave(self, fingerprint: str) -> None:
        """Count it among them no longer."""
        self.firing.pop(fingerprint, None)

    def put(self, fingerprint: str, alert: Alert, now: float) -> None:
        """Write an alert's new state, and publish it."""
        self._put(fingerprint, alert, now, desk=False)

    def note(self, fingerprint: str, alert: Alert, now: float) -> None:
        """Write what is said or held of an alert as a version of its own, and publish it; its state is as it was."""
        self._put(fingerprint, changed(alert, version=alert.version + 1), now, desk=True)

    def keep(self, fingerprint: str, alert: Alert) -> None:
        """Write what nobody else sees of an alert."""
        self.alerts[fingerprint] = alert
        self._dirty.add(fingerprint)
        self.wait(fingerprint, alert)

    def forget(self, fingerprint: str, now: float) -> None:
        """Take a resolved alert that is over out of sight."""
        gone = self.alerts[fingerprint] = lifecycle.forget(self.alerts[fingerprint], now)
        self._dirty.add(fingerprint)
        self._past.note(fingerprint, gone)
        self._out.publish(fingerprint, gone, now, None)

    def drop(self, fingerprint: str) -> None:
        """Know no more of an alert, not even how often it has fired."""
        gone = self.alerts.pop(fingerprint)
        self._agenda.drop(fingerprint)
        self._past.drop(fingerprint)
        self._dirty.add(fingerprint)
        self.floor.rise(gone.episode, gone.version)

    def shift(self, seconds: float) -> None:
        """Move all that repeats, escalation and limits count from: the wall clock was set by so many seconds."""
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
        """Look at an alert at the next tick."""
        self._agenda.wake(fingerprint, 0.0)

    def wait(self, fingerprint: str, alert: Alert) -> None:
        """Be woken when the next thing is due for an alert."""
        rule = self.rules.get(alert.alertname) if alert.state is Phase.FIRING else None
        self._past.note(fingerprint, alert)
        at = self.over_at(alert) if rule is None else look_again(alert, rule)
        self._agenda.wake(fingerprint, min(at, alert.calm or inf))

    def over_at(self, alert: Alert) -> float:
        """Return when an alert goes out of sight: when it is over, and holds nobody back."""
        at = lifecycle.over_at(alert)
        if at == inf or alert.until is None:
            return at
        return max(at, alert.until + self._holds_on(alert.alertname))

    def next_due(self) -> float | None:
        """Return the time at which an alert is to be looked at, or leaves, next."""
        times = (self._agenda.next_due(), self._past.next_due())
        return min((at for at in times if at is not None), default=None)

    def take_due(self, now: float) -> str | None:
        """Take one alert that is to be looked at; None where there is none (left)."""
        return self._agenda.take(now)

    def let_go(self, now: float, kept: Container[str]) -> Iterator[Alert]:
        """Know no more of what is long over, and yield what leaves before its time because there is too much.

        `kept` are alerts that somebody else must know on.
        """
        for fingerprint, is_old in self._past.take_due(now):
            if fingerprint not in kept:
                alert = self.alerts[fingerprint]
                self.drop(fingerprint)
                if not is_old:
                    yield alert

    # results

    def has_changes(self) -> bool:
        """Tell whether there are rows to take."""
        return bool(self._dirty)

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the rows of all alerts that changed since the last call."""
        dirty, self._dirty = self._dirty, set()
        return [
            (fingerprint, alert.dump() if (alert := self.alerts.get(fingerprint)) else None) for fingerprint in dirty
        ]
