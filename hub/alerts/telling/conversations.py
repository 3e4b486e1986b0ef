"""All conversations of groups: which alert takes part where, when each must be looked at, what is stored of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from hub.agenda import Agenda
from hub.alerts.alert import Alert, changed
from hub.alerts.telling.conversation import Conversation, group_fingerprint
from hub.alerts.telling.decision import may_be_told, may_go_on, newcomers
from hub.ids import fingerprint_in
from hub.limits import GROUP_WAIT_SECONDS
from hub.rules.reading.rule import Rule
from hub.store.keeper import Keeper

__all__ = ["FLOOR", "Conversations"]

FLOOR = "floor"


class Conversations(Keeper):
    """Conversations by the group's fingerprint.

    One that is over is forgotten. When the same group comes again, its ids begin above every id that was given.
    """

    kind = "conversation"

    def __init__(self) -> None:
        """Begin without conversations."""
        self.all: dict[str, Conversation] = {}
        self._of: dict[str, str] = {}
        """The fingerprint of the conversation in which an alert takes part, by the alert's fingerprint."""
        self._agenda = Agenda[str]()
        self._floor = 0
        self._dirty: set[str] = set()

    def restore(self, rows: Iterable[tuple[str, str]]) -> None:
        """Restore conversations from the store; `place` enters the alerts that take part afterwards."""
        for fingerprint, text in rows:
            if fingerprint == FLOOR:
                self._floor = int(text)
            else:
                self.all[fingerprint] = Conversation.load(fingerprint, text)
                self.look(self.all[fingerprint])

    # who takes part

    def of(
        self, rule: Rule, labels: Mapping[str, str], unfilled: Iterable[str] = (), fingerprint: str = ""
    ) -> Conversation:
        """Return the conversation of an alert or event with these labels; a new one where there is none.

        An alert with a gap in one of the labels of `group_by` has nothing in common with others: its group is itself.
        """
        names = rule.group_by or ()
        values = {name: labels.get(name, "") for name in names}
        single = {"": fingerprint} if not set(unfilled).isdisjoint(names) else {}
        fingerprint = group_fingerprint(rule.name, values | single)
        found = self.all.get(fingerprint)
        if found is None:
            found = self.all[fingerprint] = Conversation(rule.name, values, fingerprint, self._floor, self._floor)
            self._dirty.add(fingerprint)
        return found

    def where(self, name: str) -> Conversation | None:
        """Return the conversation in which an alert was told, by its `told_in`; None where it was told alone."""
        return self.all.get(fingerprint_in(name)) if name else None

    def place(self, fingerprint: str, alert: Alert, rule: Rule, now: float) -> bool:
        """Enter a firing alert into its group, as it is now; tell whether it has just begun to wait to be told.

        Called after each change of such an alert: it may be suppressed now, acknowledged, told, or have other labels.
        """
        found = self.of(rule, alert.labels, alert.unfilled, fingerprint)
        if self._of.get(fingerprint) != found.fingerprint:
            self.leave(fingerprint, now)
            self._of[fingerprint] = found.fingerprint
            found.members[fingerprint] = None
        told = bool(found.said.tellings) and alert.told_in == found.episode_id
        waited = fingerprint in found.fresh
        active = may_go_on(alert) and told
        behind = active and bool(newcomers(alert.said, rule))
        if behind and fingerprint not in found.behind:
            self.look(found)
        self._sort(
            fingerprint, (found.fresh, may_be_told(alert) and not told), (found.active, active), (found.behind, behind)
        )
        if waited and fingerprint not in found.fresh:  # it was suppressed while it waited to be told
            self._calm(found)
        waits = fingerprint in found.fresh and not waited
        if waits:
            found.changed = found.changed or now
            self.touch(found)
            self.wake(found, rule)
        self.goes_on(found, now)
        return waits

    def _sort(self, fingerprint: str, *places: tuple[dict[str, None], bool]) -> None:
        for one, belongs in places:
            if belongs:
                one.setdefault(fingerprint)
            else:
                one.pop(fingerprint, None)

    def report(
        self, found: Conversation, rule: Rule | None, told: tuple[str, ...] | None, body: Any, now: float
    ) -> None:
        """Add an end or an event to the next message of a group, as Conversation.report has it, and wake the group."""
        found.report(told, body, now)
        self.touch(found)
        self.wake(found, rule)

    def wake(self, found: Conversation, rule: Rule | None) -> None:
        """Set the alarm of a group of which something is new: `group_wait` later, `group_interval` after it spoke."""
        if rule is None or rule.group_by is None:
            self.look(found)  # a reload took the rule or its `group_by` away: what is owed is told at once
            return
        earliest = found.spoke + rule.group_interval if found.spoke else 0.0
        self.look(found, max(found.changed + rule.group_wait, earliest))

    def adopt(self, fingerprint: str, alert: Alert, rule: Rule) -> Alert:
        """Return a firing alert told as the rule in force would have told it, so that a reload tells nothing twice.

        It was told alone and belongs to a group now, or to another group, or the other way round. What was said of it
        goes with it.
        """
        before = self.where(alert.told_in)
        if rule.group_by is None:
            if not alert.told_in:
                return alert  # it was alone before, too
            said = alert.said if before is None else replace(alert.said.joined(before.said), told=alert.told)
            return changed(alert, said=said, told_in="")
        found = self.of(rule, alert.labels, alert.unfilled, fingerprint)
        if found is before or not alert.said.tellings:
            return alert  # it is where it was, or nobody was told of it: its group tells of it as of any new one
        if not found.said.tellings:
            found.episode += 1  # the group has said nothing yet: with this alert its episode begins
        found.said = found.said.joined(alert.said if before is None else before.said.heard_by(alert.told))
        self.touch(found)
        return changed(alert, told_in=found.episode_id)

    def leave(self, fingerprint: str, now: float) -> None:
        """Take an alert out of its conversation: it is over, or belongs elsewhere now."""
        found = self.all.get(self._of.pop(fingerprint, ""))
        if found is None:
            return
        for one in (found.members, found.fresh, found.active, found.behind):
            one.pop(fingerprint, None)
        self._calm(found)
        self.goes_on(found, now)
        if found.idle:
            self.look(found, now + GROUP_WAIT_SECONDS)  # then it is forgotten; the end of its last alert is told first

    def _calm(self, found: Conversation) -> None:
        """Forget since when something waits, where nothing does any more: it is over or suppressed, and was never told.

        So the next that is new waits its own `group_wait` from its own time on.
        """
        if found.changed and not found.fresh and not found.news:
            found.changed = 0.0
            self.touch(found)

    def goes_on(self, found: Conversation, now: float) -> None:
        """Let the steps of `escalate` run while an alert is told and not acknowledged, and stand still otherwise."""
        said = found.said.goes_on(now, runs=bool(found.active))
        if said is not found.said:
            found.said = said
            self.touch(found)
            if found.active:
                self.look(found)

    # time

    def look(self, found: Conversation, at: float = 0.0) -> None:
        """Have a conversation looked at at this time, by default with the next tick."""
        self._agenda.wake(found.fingerprint, at)

    def next_due(self) -> float | None:
        """Return when the next conversation must be looked at; None where none must."""
        return self._agenda.next_due()

    def take_due(self, now: float) -> Iterator[Conversation]:
        """Yield the conversations whose time has come."""
        while (fingerprint := self._agenda.take(now)) is not None:
            with suppress(KeyError):  # one before it may have made it forgotten
                yield self.all[fingerprint]

    def shift(self, seconds: float) -> None:
        """Move all times by `seconds`, by which somebody has set the wall clock."""
        self._agenda.clear()
        for found in self.all.values():
            found.shift(seconds)
            self.touch(found)
            self.look(found)

    # state

    def touch(self, found: Conversation) -> None:
        """Have a conversation stored with the next commit."""
        self._dirty.add(found.fingerprint)

    def forget(self, found: Conversation) -> None:
        """Forget a conversation that is over; the floor keeps its ids from being given again."""
        del self.all[found.fingerprint]
        self._agenda.drop(found.fingerprint)
        self._floor = max(self._floor, found.episode, found.serial)
        self._dirty |= {found.fingerprint, FLOOR}

    def rename(self, heirs: Callable[[str, str], Iterable[str]]) -> None:
        """Put heirs in the place of receivers; `heirs` takes the rule's name and the receiver's."""
        for found in self.all.values():
            if found.renamed(partial(heirs, found.rule)):
                self.touch(found)

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the rows that changed since the last call."""
        dirty, self._dirty = self._dirty, set()
        return [(fingerprint, self._row(fingerprint)) for fingerprint in sorted(dirty)]

    def _row(self, fingerprint: str) -> str | None:
        if fingerprint == FLOOR:
            return str(self._floor)
        conversation = self.all.get(fingerprint)
        return None if conversation is None else conversation.dump()
