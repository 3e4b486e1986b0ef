"""What a topic says of a device beside its messages: gone, or there (`offline`), as a last will (LWT) does.

A report is kept in Presence, as a death of Sparkplug or Homie is. Its subject is the rule and the topic's captures.
"""

from typing import Protocol

import orjson

from hub.errors import EvaluationError
from hub.model import Event
from hub.rules.presence.presence import Presence, PresenceWatcher, ReportedState
from hub.rules.reading.rule import Rule
from hub.rules.reading.rule_values import Offline
from hub.rules.reading.subjects import MessageKind

__all__ = ["OWN_SUBJECT", "LastWill", "WillHearer"]

Key = tuple[str, ...]
OWN_SUBJECT = "offline "
"""How the subjects of last wills begin; no topic of Sparkplug or Homie does."""


def _subject(rule: Rule, offline: Offline, captures: Key) -> str:
    values = [captures[place] for place, level in enumerate(offline.pattern.levels) if level >= 0]
    return f"{OWN_SUBJECT}{orjson.dumps([rule.name, values]).decode()}"


class LastWill:
    """The reports about the devices of one rule's instances; `watcher` hears of them."""

    def __init__(self, presence: Presence, rule: Rule, offline: Offline, watcher: PresenceWatcher) -> None:
        """Begin without instances."""
        self._presence, self._rule, self._offline, self._watcher = presence, rule, offline, watcher
        self._subjects: dict[Key, str] = {}

    def is_report(self, event: Event) -> bool:
        """Tell whether a message that the rule hears is a report itself: then it is no sign of life."""
        return self._offline.pattern.matches(event.topic)

    def stand(self, key: Key, captures: Key) -> str:
        """Let an instance stand for its device; return the subject."""
        subject = self._subjects.get(key)
        if subject is None:
            subject = self._subjects[key] = _subject(self._rule, self._offline, captures)
            self._presence.enlist(self._watcher, key, subject, MessageKind.HOMIE)
        return subject

    def alive(self, key: Key, captures: Key, now: float) -> None:
        """Take a message as a sign of life: what was reported gone is there again."""
        subject = self.stand(key, captures)
        if self._presence.standing(subject) == ReportedState.DEAD:
            self._presence.report(subject, now, gone=False)

    def standing(self, key: Key, captures: Key) -> str:
        """Return what was reported of the device of an instance, "" where that is nothing."""
        return self._presence.standing(self.stand(key, captures))

    def leave(self, key: Key) -> None:
        """Let an instance that is forgotten stand for no device."""
        if (subject := self._subjects.pop(key, None)) is not None:
            self._presence.dismiss(self._watcher, key, subject)


class WillHearing(Protocol):
    """What the hearer of last wills asks of its rule; a RuleRunner fulfils it."""

    rule: Rule

    def reported(self, event: Event, captures: Key, now: float) -> bool:
        """Evaluate `when` of `offline`.

        Raises:
            EvaluationError: it has no value.

        """
        ...

    def failed(self, event: Event, error: EvaluationError) -> None:
        """Count a report that says nothing."""
        ...

    def expect_gone(self, event: Event, captures: Key, now: float) -> None:
        """Make the instance known of whose device the first thing heard is that it is gone."""
        ...


class WillHearer:
    """Hears the topic of `offline` for one rule, after the rules."""

    def __init__(self, presence: Presence, rule: WillHearing, offline: Offline) -> None:
        """Report to `presence`."""
        self._presence, self._rule, self._offline = presence, rule, offline

    def step(self, event: Event, captures: Key, _key: Key | None, now: float, /) -> None:
        """Follow one message; an emptied one takes the report back."""
        subject = _subject(self._rule.rule, self._offline, captures)
        if not event.raw:
            self._presence.report(subject, now, gone=False)
            return
        try:
            gone = self._rule.reported(event, captures, now)
        except EvaluationError as error:
            self._rule.failed(event, error)
            return
        if gone:
            self._rule.expect_gone(event, captures, now)
        self._presence.report(subject, now, gone=gone)
