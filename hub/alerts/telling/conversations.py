"""All conversations of groups: which alert takes part where, when each is to be looked at, and what is stored of it."""

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
    """By mark. One that is over is forgotten; another one of its mark begins above every id that was given."""

    kind = "conversation"

    def __init__(self) -> None:
        """Begin with none."""
        self.all: dict[str, Conversation] = {}
        self._of: dict[str, str] = {}
        """In which conversation an alert takes part, both by their marks."""
        self._agenda = Agenda[str]()
        self._floor = 0
        self._dirty: set[str] = set()

    def restore(self, rows: Iterable[tuple[str, str]]) -> None:
        """Bring in what a store held; who takes part is entered by `place`."""
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
        """Return the conversation of an alert or event with these labels, a new one where there is none.

        One whose labels could not be filled in has nothing in common with others, so it is alone.
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
        """Return the conversation in which an alert was told, by what the alert remembers of it."""
        return self.all.get(fingerprint_in(name)) if name else None

    def place(self, fingerprint: str, alert: Alert, rule: Rule, now: float) -> bool:
        """Let a firing alert of a rule with `group_by` take part, as it is now; tell whether it has begun to wait."""
        found = self.of(rule, alert.labels, alert.unfilled, fingerprint)
        if self._of.get(fingerprint) != found.fingerprint:
            self.leave(fingerprint, now)
            self._of[fingerprint] = found.fingerprint
            found.members[fingerprint] = None
        told = bool(found.said.tellings) and alert.told_in == found.name
        waited = fingerprint in found.fresh
        active = may_go_on(alert) and told
        behind = active and bool(newcomers(alert.said, rule))
        if behind and fingerprint not in found.behind:
            self.look(found)
        self._sort(
            fingerprint, (found.fresh, may_be_told(alert) and not told), (found.active, active), (found.behind, behind)
        )
        if waited and fingerprint not in found.fresh:
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
        """Show this in the next message: an end, for who was told of it, or an event, where `told` is None."""
        found.report(told, body, now)
        self.touch(found)
        self.wake(found, rule)

    def wake(self, found: Conversation, rule: Rule | None) -> None:
        """Something is new: look when its wait is over, and not too soon after it spoke; at once if it is no group."""
        if rule is None or rule.group_by is None:
            self.look(found)
            return
        earliest = found.spoke + rule.group_interval if found.spoke else 0.0
        self.look(found, max(found.changed + rule.group_wait, earliest))

    def adopt(self, fingerprint: str, alert: Alert, rule: Rule) -> Alert:
        """Return a firing alert as told where the rule in force tells of it: what others were told is not told anew.

        It was told alone and belongs to a group now, or to another one, or the other way round.
        """
        before = self.where(alert.told_in)
        if rule.group_by is None:
            if not alert.told_in:
                return alert
            said = alert.said if before is None else replace(alert.said.joined(before.said), told=alert.told)
            return changed(alert, said=said, told_in="")
        found = self.of(rule, alert.labels, alert.unfilled, fingerprint)
        if found is before or not alert.said.tellings:
            return alert
        if not found.said.tellings:
            found.episode += 1
        found.said = found.said.joined(alert.said if before is None else before.said.heard_by(alert.told))
        self.touch(found)
        return changed(alert, told_in=found.name)

    def leave(self, fingerprint: str, now: float) -> None:
        """Let an alert take part no longer: it is over, or belongs elsewhere."""
        found = self.all.get(self._of.pop(fingerprint, ""))
        if found is None:
            return
        for one in (found.members, found.fresh, found.active, found.behind):
            one.pop(fingerprint, None)
        self._calm(found)
        self.goes_on(found, now)
        if found.idle:
            self.look(found, now + GROUP_WAIT_SECONDS)  # to forget it; what its end says is told first

    def _calm(self, found: Conversation) -> None:
        """Let the next that is new wait from its own time on: what was new is over, or held back, and nobody heard."""
        if found.changed and not found.fresh and not found.news:
            found.changed = 0.0
            self.touch(found)

    def goes_on(self, found: Conversation, now: float) -> None:
        """Let steps run, or stand still: they count the time in which somebody was told, and nobody cared."""
        said = found.said.goes_on(now, runs=bool(found.active))
        if said is not found.said:
            found.said = said
            self.touch(found)
            if found.active:
                self.look(found)

    # time

    def look(self, found: Conversation, at: float = 0.0) -> None:
        """Look at a conversation at this time, or at the next tick."""
        self._agenda.wake(found.fingerprint, at)

    def next_due(self) -> float | None:
        """Return when the next one is to be looked at; None where none ever is."""
        return self._agenda.next_due()

    def take_due(self, now: float) -> Iterator[Conversation]:
        """Take those whose time has come."""
        while (fingerprint := self._agenda.take(now)) is not None:
            with suppress(KeyError):
                yield self.all[fingerprint]

    def shift(self, seconds: float) -> None:
        """Move all times: the wall clock was set by so many seconds."""
        self._agenda.clear()
        for found in self.all.values():
            found.shift(seconds)
            self.touch(found)
            self.look(found)

    # state

    def touch(self, found: Conversation) -> None:
        """Mark as to be written with the next commit."""
        self._dirty.add(found.fingerprint)

    def forget(self, found: Conversation) -> None:
        """Drop one that is over; what its ids counted is kept for whichever comes next."""
        del self.all[found.fingerprint]
        self._agenda.drop(found.fingerprint)
        self._floor = max(self._floor, found.episode, found.serial)
        self._dirty |= {found.fingerprint, FLOOR}

    def rename(self, heirs: Callable[[str, str], Iterable[str]]) -> None:
        """Let receivers take the place of others: `heirs` is asked with the rule's name and the receiver's."""
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
        found = self.all.get(fingerprint)
        return None if found is None else found.dump()
