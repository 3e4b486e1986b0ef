"""Which receivers take over from one that is gone: a reload renamed or removed it, or it went between two runs. Pure.

The alert book asks about what was told, the dispatcher about what still waits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.rules.reading.loader import RuleSet

__all__ = ["Audiences", "Heirs"]


@dataclass(frozen=True, slots=True)
class Audiences:
    """Whom the files tell: for each rule the list of `notify`, then the list of each step of `escalate`.

    `receivers` are all receivers by name. `posted` are told of alerts that other programs post: no rule names them.
    """

    receivers: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    posted: Sequence[str] = ()

    @classmethod
    def of(cls, rules: RuleSet) -> "Audiences":
        """Read them out of a set of rules."""
        lists = {name: (rule.notify, *(step.to for step in rule.escalate)) for name, rule in rules.rules.items()}
        return cls(rules.receivers, lists, rules.defaults.notify)


class Heirs:
    """Knows the files in force, and for each receiver that is gone the files that named it last."""

    def __init__(self, now: Audiences) -> None:
        """Begin with the files in force; receivers that went before are unknown."""
        self._now = now
        self._last: dict[str, Audiences] = {}

    def follow(self, now: Audiences) -> None:
        """Take the files that are in force from now on; remember the old ones for each receiver that is now gone."""
        gone = [name for name in self._now.receivers if name not in now.receivers]
        self._last = {name: told for name, told in self._last.items() if name not in now.receivers}
        self._last |= dict.fromkeys(gone, self._now)
        self._now = now

    def of_told(self, alertname: str, receiver: str) -> Sequence[str]:
        """Name the receivers of further news of what one was told: the same one where it exists or has no heir."""
        if receiver in self._now.receivers:
            return (receiver,)
        heirs, _ = self._heirs(alertname, receiver)
        return heirs or (receiver,)

    def of_waiting(self, alertname: str, receiver: str) -> Sequence[str] | None:
        """Name who is told in place of a receiver that is gone.

        An empty list: nobody takes over, so what waits becomes a dead letter. None: the heirs were told already,
        because the rule named them beside the receiver; so what waits is dropped.
        """
        heirs, beside = self._heirs(alertname, receiver)
        fresh = [name for name in heirs if name not in beside]
        return None if heirs and not fresh else fresh

    def _heirs(self, alertname: str, receiver: str) -> tuple[Sequence[str], Sequence[str]]:
        """Return the heirs, and who was told beside the receiver."""
        last = self._last.get(receiver)
        # what the user has said of this receiver goes first: its fallback, then the same settings under a new name
        if last is not None and (heir := self._fallback(receiver, last) or self._renamed(receiver, last)):
            return (heir,), ()
        # else whom the rule tells now, in the place where it told the receiver
        lists = self._now.rules.get(alertname)
        if lists is not None:
            return _of_rule(receiver, lists, last.rules.get(alertname) if last else None)
        # no rule has ever had this name: another program has posted the alert
        if last is not None and alertname not in last.rules:
            return _of_rule(receiver, [self._now.posted], [last.posted])
        return (), ()  # the rule is gone too: nobody is named for its alerts

    def _fallback(self, name: str, last: Audiences) -> str:
        """Return the first of its fallbacks that still exists; empty where there is none."""
        seen: set[str] = set()
        while name not in seen and (settings := last.receivers.get(name)) is not None and settings.fallback is not None:
            seen.add(name)
            name = settings.fallback.to
            if name in self._now.receivers:
                return name
        return ""

    def _renamed(self, name: str, last: Audiences) -> str:
        """Return the receiver that came with the same settings when this one went: the user has renamed it."""
        old = last.receivers.get(name)
        if old is None or old.options is None:
            return ""
        added = ((new, settings) for new, settings in self._now.receivers.items() if new not in last.receivers)
        same = (old.kind, old.options)
        return next((new for new, settings in added if (settings.kind, settings.options) == same), "")


def _of_rule(
    receiver: str, now: Sequence[Sequence[str]], last: Sequence[Sequence[str]] | None
) -> tuple[Sequence[str], Sequence[str]]:
    """Return whom a rule tells now in the list where it told this receiver, and who stood beside it in that list."""
    if last is None:  # before this run: which list it was is not known, so those who are told first
        return now[0], ()
    place = next((place for place, names in enumerate(last) if receiver in names), 0)
    return now[place] if place < len(now) else now[0], last[place]
