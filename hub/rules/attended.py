"""`absent` for rules on Sparkplug B or Homie: a reported death is an absence at once, a device that sleeps has none.

The death itself is only a deadline that has come: so nothing is said before the broker's queue is drained, under a
pause, or where a birth comes in the same breath.
"""

from math import inf

from hub.errors import EvaluationError
from hub.model import Event, Phase, Reason
from hub.rules.absence import Absence, Learned, end_silence, unheard_of
from hub.rules.instance import Instance
from hub.rules.presence import Standing
from hub.rules.roster import Key, Roster
from hub.rules.subjects import About, Kind, Says, about, kinds, node_of

__all__ = ["absence_of"]

_OF_THE_DEVICE = frozenset({Says.DATA, Says.BIRTH, Says.DESCRIPTION})


class _Attended(Absence):
    """An Absence whose instances stand for subjects."""

    def __init__(self, roster: Roster, seconds: float, of: frozenset[Kind]) -> None:
        super().__init__(roster, seconds)
        self._kinds = of
        self._subjects: dict[Key, str] = {}
        self._presence = roster.work.presence

    def _about(self, topic: str) -> About | None:
        """Return what a topic is about, as the rule sees it: where it tells no devices apart, that is their node."""
        what = about(topic)
        if what is None or what.kind in self._kinds:
            return what
        if what.kind is Kind.DEVICE and Kind.NODE in self._kinds:
            return About(node_of(what.subject), Kind.NODE, what.says if what.says is Says.DATA else Says.NOTHING)
        return None

    def _subject(self, instance: Instance) -> str | None:
        subject = self._subjects.get(instance.key)
        if subject is None and instance.topic and (what := self._about(instance.topic)) is not None:
            subject = self._enlist(instance.key, what)
        return subject

    def _enlist(self, key: Key, what: About) -> str:
        self._subjects[key] = what.subject
        self._presence.enlist(self, key, what.subject, what.kind)
        return what.subject

    def due(self, instance: Instance) -> float:
        """Return when the instance will have been silent for too long: dead, it is already; asleep, never."""
        # the subject first: after a restart or reload this is where an instance is seen again
        subject, due = self._subject(instance), super().due(instance)
        if due == inf or subject is None:
            return due
        standing = self._presence.standing(subject)
        if standing == Standing.DEAD:
            return instance.seen
        return inf if standing == Standing.ASLEEP else due

    def rests(self, instance: Instance) -> bool:
        """Tell whether the instance sleeps."""
        subject = self._subject(instance)
        return subject is not None and self._presence.standing(subject) == Standing.ASLEEP

    def reason(self, instance: Instance) -> Reason:
        """Return why the instance is silent."""
        subject = self._subject(instance)
        dead = subject is not None and self._presence.standing(subject) == Standing.DEAD
        return Reason.OFFLINE if dead else super().reason(instance)

    def hear(self, event: Event, captures: Key, key: Key, instance: Instance | None, now: float) -> Instance | None:
        """Note when the instance was last heard; what others say to it or of it is no sign of life."""
        what = self._about(event.topic)
        if what is not None and (what.says is Says.NOTHING or not event.raw):
            return instance  # an empty payload takes away what was retained
        speaks = self.speaks(event, key, now)
        if what is not None and key not in self._subjects:
            self._enlist(key, what)
        try:
            if not speaks:
                return self.know(event, key, instance, now)
            return super().hear(event, captures, key, instance, now)
        except EvaluationError:
            self._known(key)  # there is no room for it, so it stands for nothing
            raise

    def speaks(self, event: Event, key: Key, now: float) -> bool:
        """Tell whether an event is a sign of life; one of a device that was reported dead is for all its instances."""
        del key
        what = self._about(event.topic)
        if event.retain or what is None:
            return not event.retain
        if what.says not in _OF_THE_DEVICE or not event.raw:
            return False
        if self._presence.standing(what.subject) == Standing.DEAD:
            self._presence.alive(what, now)
        return True

    # what Presence says

    def gone(self, key: Key) -> None:
        """Let the deadline come that death is."""
        if (instance := self._known(key)) is not None:
            self.expect(instance)

    def back(self, key: Key, now: float) -> None:
        """Take the report as a sign of life, from which `absent` counts anew."""
        instance = self._known(key)
        if instance is None:
            return
        unheard = unheard_of(instance)
        instance.seen = now
        self._roster.work.touch(self._roster, instance)
        if instance.extra is not None and instance.extra.paused:
            instance.extra.heard = True
            return
        end_silence(self._roster, instance, Reason.ONLINE, now, unheard)
        self.expect(instance)

    def removed(self, key: Key, now: float) -> None:
        """Forget the instance, unless its condition is the matter."""
        instance = self._known(key)
        self._subjects.pop(key, None)
        if instance is None:
            return
        end_silence(self._roster, instance, Reason.REMOVED, now)
        if instance.phase is Phase.INACTIVE:
            self._roster.forget(instance)

    def _known(self, key: Key) -> Instance | None:
        """Return an instance; one that was forgotten meanwhile stands for nothing."""
        instance = self._roster.instances.get(key)
        if instance is None and (subject := self._subjects.pop(key, None)) is not None:
            self._presence.dismiss(self, key, subject)
        return instance


class _AttendedLearned(_Attended, Learned):
    """The same for `absent: auto`."""


def absence_of(roster: Roster) -> Absence | None:
    """Return what watches a rule's instances, if the rule asks for it."""
    rule = roster.rule
    if rule.absent is None:
        return None
    if of := kinds(rule):
        return (_AttendedLearned if rule.learns else _Attended)(roster, rule.absent, of)
    return (Learned if rule.learns else Absence)(roster, rule.absent)
