"""Which devices have been reported dead or asleep: births, deaths and $state, beside the rules' own topics. Pure.

It hears messages after the rules, only on the topics that tell of presence. `absent` (absence.py) asks it when a device
is due, and hears when the answer has changed. Durable: a row for each subject of which anything was reported.
"""

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

import orjson

from hub.limits import PRESENCE_SUBJECTS
from hub.model import Event
from hub.rules.reading.subjects import About, MessageKind, Says, about, node_of
from hub.store.keeper import Keeper

__all__ = ["STATES", "Presence", "PresenceWatcher", "ReportedState"]

Key = tuple[str, ...]
_LEVEL_CHARS = 256  # of a root's name that is believed
_TOO_MANY = f"more than {PRESENCE_SUBJECTS:,} devices are gone, asleep or in doubt: this one, heard first, is forgotten"
_BD_SEQ = 255  # the largest (3.0, 6.4.19)
STATES = {
    **dict.fromkeys(("lost", "disconnected"), "dead"),
    "sleeping": "asleep",
    **dict.fromkeys(("init", "ready", "alert"), ""),
}
"""What Homie's $state says of a device's standing."""


class ReportedState:
    """What was reported of a subject; "" stands for no report, or for a device that is there."""

    DEAD = "dead"
    ASLEEP = "asleep"


class PresenceWatcher(Protocol):
    """Hears of the subjects that its instances stand for: the Absence of a rule."""

    def gone(self, key: Key) -> None:
        """Hear that an instance's device was reported dead, or that its root now is another."""
        ...

    def back(self, key: Key, now: float) -> None:
        """Hear that an instance's device has given a sign of life."""
        ...

    def removed(self, key: Key, now: float) -> None:
        """Hear that an instance's device was removed on purpose: its $state was emptied."""
        ...


@dataclass(slots=True)
class _Record:
    standing: str = ""
    bd_seq: int | None = None
    root: str = ""

    def dump(self) -> str | None:
        """Write it; None where there is nothing to remember."""
        if not self.standing and self.bd_seq is None and not self.root:
            return None
        return orjson.dumps([self.standing, self.bd_seq, self.root]).decode()


class Presence(Keeper):
    """The subjects of which something was reported, and the instances that stand for subjects."""

    kind = "presence"

    def __init__(self, on_error: Callable[[str, str, str], None]) -> None:
        """Begin without reports; `on_error` hears of each subject that is forgotten for lack of room."""
        self._on_error = on_error
        self._records: dict[str, _Record] = {}
        self._children: dict[str, dict[str, None]] = {}
        """Devices of Homie 5 roots, and of Sparkplug nodes those devices that instances stand for."""
        self._members: dict[str, dict[tuple[PresenceWatcher, Key], None]] = {}
        self._dirty: set[str] = set()

    # the instances that stand for subjects

    def enlist(self, watcher: PresenceWatcher, key: Key, subject: str, kind: MessageKind) -> None:
        """Let an instance stand for a subject."""
        self._members.setdefault(subject, {})[watcher, key] = None
        if kind is MessageKind.DEVICE:
            self._children.setdefault(node_of(subject), {})[subject] = None

    def dismiss(self, watcher: PresenceWatcher, key: Key, subject: str) -> None:
        """End that: the instance is forgotten, or stands for another subject."""
        members = self._members.get(subject, {})
        members.pop((watcher, key), None)
        if not members:
            self._members.pop(subject, None)
            self._part(subject)

    def _part(self, device: str) -> None:
        """Take a Sparkplug device for which no instance stands off the list of its node."""
        node = node_of(device)
        if node != device and (siblings := self._children.get(node)) is not None:
            siblings.pop(device, None)
            if not siblings:
                del self._children[node]

    def standing(self, subject: str) -> str:
        """Return what was reported of a subject; a Homie device is dead too while its root is dead."""
        record = self._records.get(subject)
        if record is None:
            return ""
        if record.root and record.standing != ReportedState.DEAD:
            root = self._records.get(record.root)
            if root is not None and root.standing == ReportedState.DEAD:
                return ReportedState.DEAD
        return record.standing

    # what is reported

    def hear(self, event: Event, now: float) -> None:
        """Follow a message on a topic that tells of presence."""
        what = about(event.topic)
        if what is None:
            return
        if what.says is Says.STATE:
            self._state(what.subject, event, now)
        elif what.says is Says.DESCRIPTION:
            self._describe(what.subject, event)
        elif event.retain:
            return  # births and deaths are never retained (3.0, 5.4): the node has not sent this one
        elif what.says is Says.BIRTH:
            self._born(what, event, now)
        elif what.says is Says.DEATH and (
            what.kind is MessageKind.DEVICE or self._is_of_this_life(what.subject, event)
        ):
            self._die(what.subject)
            for device in list(self._children.get(what.subject, ())) if what.kind is MessageKind.NODE else ():
                self._die(device)

    def alive(self, what: About, now: float) -> None:
        """Take a sign of life; one of a Sparkplug device is also one of its node."""
        self._live(what.subject, now)
        if what.kind is MessageKind.DEVICE:
            self._live(node_of(what.subject), now)

    def _born(self, what: About, event: Event, now: float) -> None:
        if what.kind is MessageKind.NODE:
            number = event.fields.get("bdSeq")
            self._record(what.subject).bd_seq = number if type(number) is int and 0 <= number <= _BD_SEQ else None
            self._dirty.add(what.subject)
        self.alive(what, now)

    def _is_of_this_life(self, subject: str, event: Event) -> bool:
        """Tell whether a node's death belongs to the connection of its last birth.

        The broker may publish the will of an older connection after a new birth: that death does not count. Where one
        of the two numbers is unknown, the death counts.
        """
        record, number = self._records.get(subject), event.fields.get("bdSeq")
        return record is None or record.bd_seq is None or type(number) is not int or number == record.bd_seq

    def _state(self, subject: str, event: Event, now: float) -> None:
        """Follow Homie's $state; a retained one says how things stand, but is no sign of life by itself."""
        if not event.raw:  # an emptied $state removes the device
            self._remove(subject, now)
            return
        standing = STATES.get(event.value) if isinstance(event.value, str) else None
        if standing == ReportedState.DEAD:
            self._die(subject)
        elif standing is not None and (not event.retain or self.standing(subject) != standing):
            self._live(subject, now, standing)

    def _describe(self, subject: str, event: Event) -> None:
        root = event.fields.get("root")
        known = isinstance(root, str) and 0 < len(root) <= _LEVEL_CHARS and "/" not in root
        name = f"homie/5/{root}" if known and subject != f"homie/5/{root}" else ""
        before = self._records.get(subject)
        if name == ("" if before is None else before.root):
            return
        record = self._record(subject)
        self._leave(subject, record)
        record.root = name
        if name:
            self._children.setdefault(name, {})[subject] = None
        self._changed(subject)
        self._tell_gone(subject)

    def _leave(self, subject: str, record: _Record) -> None:
        """Take a device off the list of its root."""
        siblings = self._children.get(record.root, {})
        siblings.pop(subject, None)
        if not siblings:
            self._children.pop(record.root, None)

    def report(self, subject: str, now: float, *, gone: bool) -> None:
        """Follow a report of a device by its last will; that it is there says nothing of how long it was."""
        if gone:
            self._die(subject)
        elif self.standing(subject) == ReportedState.DEAD:
            self._live(subject, now)

    def keep_wills(self, prefix: str, rules: AbstractSet[str]) -> None:
        """Forget the reports about devices of rules that are gone; their subjects begin with `prefix`."""
        for subject in [each for each in self._records if each.startswith(prefix)]:
            if orjson.loads(subject.removeprefix(prefix))[0] not in rules:
                del self._records[subject]
                self._dirty.add(subject)

    # changes

    def _die(self, subject: str) -> None:
        record = self._record(subject)
        if record.standing == ReportedState.DEAD:
            return
        record.standing = ReportedState.DEAD
        self._changed(subject)
        for each in self._with_children(subject):
            self._tell_gone(each)

    def _live(self, subject: str, now: float, standing: str = "") -> None:
        """Note that a subject is there, perhaps asleep; devices of a root that was dead may be there again too."""
        before = self._records.get(subject)
        was_dead = before is not None and before.standing == ReportedState.DEAD
        if before is not None or standing:
            self._record(subject).standing = standing
            self._changed(subject)
        for each in self._with_children(subject) if was_dead else (subject,):
            if self.standing(each) != ReportedState.DEAD:
                for watcher, key in list(self._members.get(each, ())):
                    watcher.back(key, now)

    def _remove(self, subject: str, now: float) -> None:
        record = self._records.pop(subject, None)
        if record is not None:
            self._leave(subject, record)
            self._dirty.add(subject)
        for watcher, key in list(self._members.pop(subject, ())):
            watcher.removed(key, now)

    def _with_children(self, subject: str) -> Iterator[str]:
        """Yield a subject and the Homie devices that name it as their root; Sparkplug devices have own reports."""
        yield subject
        for child in list(self._children.get(subject, ())):
            record = self._records.get(child)
            if record is not None and record.root == subject:
                yield child

    def _tell_gone(self, subject: str) -> None:
        for watcher, key in list(self._members.get(subject, ())):
            watcher.gone(key)

    def doubt(self) -> None:
        """Forget the numbers of births after a gap: births may have been missed meanwhile, so any death counts."""
        for subject, record in list(self._records.items()):
            if record.bd_seq is not None:
                record.bd_seq = None
                self._changed(subject)

    # records and the store

    def _record(self, subject: str) -> _Record:
        record = self._records.get(subject)
        if record is None:
            record = self._records[subject] = _Record()
            if len(self._records) > PRESENCE_SUBJECTS:
                oldest = next(iter(self._records))
                self._leave(oldest, self._records.pop(oldest))
                self._dirty.add(oldest)
                self._on_error("presence", oldest, _TOO_MANY)
        return record

    def _changed(self, subject: str) -> None:
        self._dirty.add(subject)
        record = self._records.get(subject)
        if record is not None and record.dump() is None:
            del self._records[subject]

    def begin(self) -> None:
        """Forget which instances stand for subjects: the rules were loaded anew and will enlist them again."""
        self._members.clear()
        self._children.clear()
        for subject, record in self._records.items():
            if record.root:
                self._children.setdefault(record.root, {})[subject] = None

    def forget(self) -> None:
        """Forget all reports: no rule needs them, so the next ones will not be heard."""
        self._dirty |= self._records.keys()
        self._records.clear()
        self._children.clear()

    def restore(self, rows: Iterable[tuple[str, str]]) -> None:
        """Bring in the rows of the store, at the start."""
        for subject, text in rows:
            self._records[subject] = _Record(*orjson.loads(text))

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the rows that changed since the last call."""
        dirty, self._dirty = self._dirty, set()
        return [(key, self._records[key].dump() if key in self._records else None) for key in sorted(dirty)]
