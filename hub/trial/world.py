"""A hub's core with its state in memory and a time of its own: deadlines come exactly when they are due."""

from collections.abc import Sequence
from datetime import UTC, tzinfo
from math import inf

from hub.clock import PEOPLE
from hub.devices.known.settings import FiledDevices
from hub.ingest.decode import Undecodable
from hub.model import OWN, Event, Notification
from hub.rules.reading.loader import RuleSet
from hub.spine.core import Core
from hub.store.changes import Snapshot, TraceRow
from hub.store.memory import Tables

__all__ = ["World"]

_HUB = {"client_id": "hub", "version": "trial"}


class World:
    """A hub at play; its time goes forward only.

    `told` are the notifications so far, `trace` its trace, `errors` rule, topic and message of failed expressions.
    """

    def __init__(self, rules: RuleSet, registry: FiledDevices | None, start: float, local: tzinfo = UTC) -> None:
        """Begin at `start` (seconds since 1970) without state; `local` is the zone of schedules that name none."""
        self.rules, self.registry, self.now, self.local = rules, registry, start, local
        PEOPLE.zone = rules.defaults.tz or local
        self.told: list[Notification] = []
        self.trace: list[TraceRow] = []
        self.errors: list[tuple[str, str, str]] = []
        self.error_times: list[float] = []
        """The time of each of `errors`."""
        self._stored = Tables()
        self._desk_due = inf
        """When the book has something to do; asked only after a change, which is cheaper than before each event."""
        self.core = self._new_core()
        self.core.restore(Snapshot(), start)
        self.collect()

    def _new_core(self) -> Core:
        return Core(self.rules, self.registry, self.rules.prefix, _HUB, self._failed, self.local)

    def _failed(self, rule: str, topic: str, message: str) -> None:
        self.errors.append((rule, topic, message))
        self.error_times.append(self.now)

    def pass_time(self, until: float, *, before: bool = False) -> None:
        """Let time pass until `until` and do all that is due; with `before`, not what is due at that very moment."""
        core = self.core
        while (due := core.engine.next_due() or inf) <= until or self._desk_due <= until:
            due = min(due, self._desk_due)
            if before and due == until:
                break
            self.now = max(self.now, due)
            core.tick(self.now)
            self.collect()
        self.now = max(self.now, until)

    def send(self, events: Sequence[Event], unread: Sequence[Undecodable] = ()) -> None:
        """Evaluate events that come now, and messages that come and cannot be read."""
        if self.core.process(events, self.now, unread):
            self.collect()

    def restart(self) -> None:
        """End the hub and start it again: what is not stored is lost."""
        self._stored = self._stored.with_all([self.core.take_changes()])
        self.core = self._new_core()
        self.core.restore(self._stored.snapshot(), self.now)
        self.collect()

    def reload(self) -> None:
        """Read the same rules anew."""
        self.core.reload(self.rules, self.registry, self.now)
        self.collect()

    def collect(self) -> None:
        """Take what the core has to say into `told` and `trace`."""
        self.core.heed(self.now)
        self.told += [each for each in self.core.take_notifications() if each.receiver != OWN]
        self.core.take_changed()
        self.trace += self.core.book.take_trace()
        due = self.core.book.next_due()
        self._desk_due = inf if due is None else due
