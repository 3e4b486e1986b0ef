"""The pure heart: rules and alerts as one. Events and time go in, notifications and rows come out. No clock, no I/O.

The pipeline drives it with the broker's events, `hub test` and `hub replay` with their own. All run the same code.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, tzinfo
from math import inf
from typing import Any

from hub.alerts.alert import alert_fingerprint
from hub.alerts.book import Book
from hub.devices.known.settings import FiledDevices, KnownDevices, SettingChange
from hub.devices.registry import Registry
from hub.discovery.announcements import Announcements
from hub.ingest.decode import Undecodable
from hub.ingest.itself import Itself
from hub.model import Event, Notification, Phase, Reason
from hub.rules.heirs import Audiences, Heirs
from hub.rules.posted.posted import Posted
from hub.rules.posted.posting import Posting
from hub.rules.reading.loader import RuleSet
from hub.rules.running.engine import Engine
from hub.rules.second_looks import look_again
from hub.store.changes import Changes, Snapshot
from hub.store.keeper import Keeper, restore_all, take_all

__all__ = ["Core"]


class Core:
    """The engine and the book of one hub.

    `now` is always seconds since 1970; `local` is the zone of schedules that name none; `hub` is what a notification
    says of its sender; `on_error` hears rule, topic and message of every expression that had no value; `discovery` is
    the prefix of Home Assistant's discovery, empty where alerts are not announced there; `ask_birth` asks a Sparkplug
    node for its birth, which is missing.
    """

    def __init__(
        self,
        rules: RuleSet,
        registry: FiledDevices | None,
        prefix: str,
        hub: Mapping[str, str],
        on_error: Callable[[str, str, str], None],
        local: tzinfo = UTC,
        discovery: str = "",
        ask_birth: Callable[[str], None] | None = None,
    ) -> None:
        """Begin with rules and without state; `restore` brings state in."""
        self.devices = KnownDevices(registry or Registry())
        self.engine = Engine(rules.rules.values(), self.devices, on_error, local, Itself(prefix), ask_birth)
        self.book = Book(prefix, hub, on_error)
        self.posted = Posted()
        self._announcements = Announcements(self.book.alerts, prefix, discovery, hub.get("version", ""))
        self.book.kept = self._announcements
        self.keepers: tuple[Keeper, ...] = (
            self.devices,  # first: what others restore may ask for attributes
            *self.engine.keepers,
            self.posted,
            *self.book.keepers,
            self._announcements,
        )
        self._unsaved: RuleSet | None = rules
        self._heirs = Heirs(Audiences.of(rules))
        self.book.now_of = self.engine.now_of
        self.rules = dict(rules.rules)
        self.posted.follow(self.rules, rules.defaults)
        self._follow(rules, 0.0)

    def _follow(self, rules: RuleSet, now: float) -> None:
        """Let the book take the rules and receivers as they are now."""
        silent = frozenset(name for name, each in rules.receivers.items() if not each.send_resolved)
        self._heirs.follow(Audiences.of(rules))
        self.book.follow(self.rules, silent, now, self._heirs.of_told)
        self.book.listen(wanted=bool(self.engine.listeners))

    # state in

    def restore(self, snapshot: Snapshot, now: float) -> None:
        """Take in what a store held. First each keeper gets its rows; then everything goes on from `now`.

        Raises:
            StoreUnusable: a newer hub has written it.

        """
        restore_all(self.keepers, snapshot)
        gone = self.engine.resume(snapshot.rules, now) | self.posted.taken
        self.book.resume(now)
        self.book.end(gone, now)
        self._collect(now)
        self._introduce(now)
        self._announcements.follow(self.rules, now)
        self._announcements.rest(now)

    def reload(self, rules: RuleSet, registry: FiledDevices | None, now: float) -> None:
        """Take new rules. Instances go on where their rule still means the same; the alerts of all others end."""
        self.devices.follow(registry or Registry())
        gone = self.engine.reload(rules.rules.values(), self.devices, now)
        self._unsaved = rules
        self.rules = dict(rules.rules)
        gone |= self.posted.follow(self.rules, rules.defaults)
        self.book.end(gone, now)  # before the book takes the new rules: the end is told by the rules that began it
        self._follow(rules, now)
        self._collect(now)
        self._introduce(now)
        self._announcements.follow(self.rules, now)

    # at work

    def process(self, events: Sequence[Event], now: float, unread: Sequence[Undecodable] = ()) -> bool:
        """Evaluate events in order; tell whether they caused a transition.

        `unread` are messages that no rule can see. They prove all the same that their device lives.
        """
        if unread:
            self.engine.hear(unread, now)
        self.engine.process(events, now)
        return self._collect(now)

    def post(self, posting: Posting, now: float) -> None:
        """Take an alert that another program evaluates and posts.

        Raises:
            RequestError: it cannot be taken; nothing has changed.

        """
        self.posted.post(posting, now)
        self._collect(now)

    def set(self, device: str, wanted: Mapping[str, Any], by: str, now: float) -> list[SettingChange]:
        """Set attributes of a device, and judge at once what that changes; None goes back to the files' value.

        Raises:
            RequestError: that is not allowed; nothing has changed.

        """
        changes = self.devices.set(device, wanted, by, now)
        changed = {each.device for each in changes if each.before != each.after}
        if changed:
            look_again(self.engine, changed, now, Reason.SET)
            self._collect(now)
        return changes

    def tick(self, now: float) -> bool:
        """Do all that the clock has made due; tell whether there is anything to take."""
        self.engine.tick(now)
        gone = self.posted.tick(now)
        self._collect(now, ticking=True)
        self.book.tick(now)
        self.heed(now)
        for identity in gone:  # ended long ago: the history of posted alerts is not kept without end
            self.book.drop(alert_fingerprint(*identity), now)
            self._announcements.drop(alert_fingerprint(*identity), now)
        return self.book.has_changes()

    def next_due(self) -> float:
        """Return the time at which `tick` is wanted next, or inf."""
        times = (self.engine.next_due(), self.book.next_due(), self.posted.next_due())
        return min([at for at in times if at is not None], default=inf)

    def heirs_of(self, notification: Notification) -> Sequence[str] | None:
        """Return the receivers that take over what waits for one that new rules no longer have (rules/heirs.py).

        An empty list: nobody takes it over. None: the heirs have it already. The book notes that the heirs were told,
        so that they do not hear it twice.
        """
        names = self._heirs.of_waiting(str(notification.body.get("alertname")), notification.receiver)
        if names and notification.body.get("state") == Phase.FIRING.value:
            self.book.inherited(notification, names)
        return names

    def own_names(self, alertname: str) -> frozenset[str]:
        """Return the names of a rule's captures and of its `by`; none for a posted alert, which has no rule."""
        rule = self.rules.get(alertname)
        return frozenset() if rule is None else frozenset({*rule.captures, *rule.by})

    def announce_again(self, now: float) -> None:
        """Announce all alerts to Home Assistant again, because it has started and remembers none."""
        self._announcements.again(now)

    def excuse(self, seconds: float, now: float) -> None:
        """Push every deadline of absence by `seconds`, of devices and of posted alerts: nobody could be heard then."""
        self.engine.excuse(seconds, now)
        self.posted.excuse(seconds, now)

    def shift(self, seconds: float, now: float) -> None:
        """Move every timer by `seconds`: the wall clock was set by so much, and is `now`."""
        self.engine.shift(seconds, now)
        self.posted.shift(seconds)
        self.book.shift(seconds, now)

    def _collect(self, now: float, *, ticking: bool = False) -> bool:
        transitions = [*self.engine.take_transitions(), *self.posted.take_transitions()]
        if transitions:
            self.book.apply(transitions, now, ticking=ticking)
            self.heed(now)
        return bool(transitions)

    def heed(self, now: float) -> None:
        """Let rules that listen to alerts hear what has become of these, and so on until nothing new comes of it.

        It ends, because no rule can hear itself (rules/listening.py). All of it is in the same commit as its cause.
        """
        while voices := self.book.take_voices():
            self.engine.process(voices, now)
            transitions = self.engine.take_transitions()
            if transitions:
                self.book.apply(transitions, now)

    def _introduce(self, now: float) -> None:
        """Let rules that begin to listen to alerts hear how these stand; first they hear what has just happened."""
        self.heed(now)
        if self.engine.listeners:
            self.engine.introduce(self.book.standing(now), now)
            self._collect(now)

    # results

    def take_notifications(self) -> list[Notification]:
        """Take the notifications that wait to be queued, in order."""
        told = self.book.take_notifications()
        return [*self._announcements.heed(told), *told]

    def take_changed(self) -> list[Mapping[str, Any]]:
        """Take the bodies of alerts that have entered another state, for observers."""
        return self.book.take_changed()

    def take_changes(self, now: float | None = None, beside: Iterable[Keeper] = ()) -> Changes:
        """Take all state that changed since the last call, as rows, with that of the keepers `beside` the core's.

        The last messages of topics change all the time, so a commit takes only some of them; the last commit, where
        `now` is None, takes all.
        """
        rules, self._unsaved = self._unsaved, None
        self.engine.write_heard(now)
        changes = take_all((*self.keepers, *beside))
        changes.rules = None if rules is None else self.engine.signatures()
        return changes
