"""What is reported of the devices that a rule's instances stand for, on Sparkplug B or Homie: dead, or asleep.

`absent` (absence.py) asks it which devices are dead, which sleep, and what a message says of its device. A death is
only a deadline that has come. So nobody is told before the broker's queue is drained, under a pause, or where a birth
follows at once.
"""

import enum

from hub.model import Event
from hub.rules.instances.instance import Instance
from hub.rules.presence.presence import Presence, PresenceWatcher, ReportedState
from hub.rules.reading.rule import Rule
from hub.rules.reading.subjects import About, MessageKind, Says, about, kinds, node_of

__all__ = ["ReportedAbsence", "Sign", "reports_of"]

Key = tuple[str, ...]
_OF_THE_DEVICE = frozenset({Says.DATA, Says.BIRTH, Says.DESCRIPTION})


class Sign(enum.Enum):
    """What a message is to `absent`."""

    LIFE = enum.auto()
    KNOWN = enum.auto()
    """It makes the instance known, and is no sign of life: it was retained, or tells of the device."""
    NOTHING = enum.auto()
    """Others have said it, to the device or about it."""


class ReportedAbsence:
    """The subjects that a rule's instances stand for; `watcher` hears what is reported of these."""

    def __init__(self, presence: Presence, watched: frozenset[MessageKind], watcher: PresenceWatcher) -> None:
        """Ask `presence`; the rule's instances stand for subjects of the kinds in `watched`."""
        self._presence, self._watched, self._watcher = presence, watched, watcher
        self._subjects: dict[Key, str] = {}

    def sign(self, event: Event, key: Key, now: float) -> Sign:
        """Return what a message is, and let its instance stand for the device that it is about."""
        what = self._about(event.topic)
        if what is None:
            return Sign.KNOWN if event.retain else Sign.LIFE
        if what.says is Says.NOTHING or not event.raw:
            return Sign.NOTHING  # an empty payload only deletes the retained message
        speaks = self.speaks(event, now)
        if key not in self._subjects:
            self._enlist(key, what)
        return Sign.LIFE if speaks else Sign.KNOWN

    def speaks(self, event: Event, now: float) -> bool:
        """Tell whether an event is a sign of life; if its device was reported dead, all its instances hear that."""
        what = self._about(event.topic)
        if event.retain or what is None:
            return not event.retain
        if what.says not in _OF_THE_DEVICE or not event.raw:
            return False
        if self._presence.standing(what.subject) == ReportedState.DEAD:
            self._presence.alive(what, now)
        return True

    def standing(self, instance: Instance) -> str:
        """Return what was reported of the device of an instance, "" where that is nothing."""
        # after a restart or reload, an instance is enlisted again here
        subject = self._subjects.get(instance.key)
        if subject is None and instance.topic and (what := self._about(instance.topic)) is not None:
            subject = self._enlist(instance.key, what)
        return "" if subject is None else self._presence.standing(subject)

    def leave(self, key: Key) -> None:
        """Let an instance that is forgotten stand for no device."""
        if (subject := self._subjects.pop(key, None)) is not None:
            self._presence.dismiss(self._watcher, key, subject)

    def removed(self, key: Key) -> None:
        """Forget which device an instance stood for: Presence has dropped that subject already."""
        self._subjects.pop(key, None)

    def _about(self, topic: str) -> About | None:
        """Return what a topic is about for this rule: a rule that does not distinguish devices sees their node."""
        what = about(topic)
        if what is None or what.kind in self._watched:
            return what
        if what.kind is MessageKind.DEVICE and MessageKind.NODE in self._watched:
            return About(node_of(what.subject), MessageKind.NODE, what.says if what.says is Says.DATA else Says.NOTHING)
        return None

    def _enlist(self, key: Key, what: About) -> str:
        self._subjects[key] = what.subject
        self._presence.enlist(self._watcher, key, what.subject, what.kind)
        return what.subject


def reports_of(rule: Rule, presence: Presence, watcher: PresenceWatcher) -> ReportedAbsence | None:
    """Return the reports for a rule, if its instances stand for devices of Sparkplug B or Homie."""
    watched = kinds(rule)
    return ReportedAbsence(presence, watched, watcher) if watched else None
