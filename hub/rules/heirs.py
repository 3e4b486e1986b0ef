"""Who takes over from a receiver that is gone: renamed or removed by a reload, or between two runs. Pure.

The alert book asks for what was told, the dispatcher for what still waits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.rules.reading.loader import RuleSet

__all__ = ["Audiences", "Heirs"]


@dataclass(frozen=True, slots=True)
class Audiences:
    """Whom files tell: of each rule `notify`, then each step of `escalate`; `receivers` are all that there are.

    `posted` are told of alerts that others post, for which there is no rule.
    """

    receivers: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    posted: Sequence[str] = ()

    @classmethod
    def of(cls, rules: RuleSet) -> "Audiences":
        """Return those of a set of rules."""
        lists = {name: (rule.notify, *(step.to for step in rule.escalate)) for name, rule in rules.rules.items()}
        return cls(rules.receivers, lists, rules.defaults.notify)


class Heirs:
    """Knows the files in force, and those in which each receiver that is gone stood last."""

    def __init__(self, now: Audiences) -> None:
        """Begin: of receivers that went before nothing is known."""
        self._now = now
        self._last: dict[str, Audiences] = {}

    def follow(self, now: Audiences) -> None:
        """Take the files that are in force from now on."""
        gone = [name for name in self._now.receivers if name not in now.receivers]
        self._last = {name: told for name, told in self._last.items() if name not in now.receivers}
        self._last |= dict.fromkeys(gone, self._now)
        self._now = now

    def of_told(self, alertname: str, receiver: str) -> Sequence[str]:
        """Name who hears of what a receiver was told: itself where it is there, and where there is no heir."""
        if receiver in self._now.receivers:
            return (receiver,)
        names, _ = self._found(alertname, receiver)
        return names or (receiver,)

    def of_waiting(self, alertname: str, receiver: str) -> Sequence[str] | None:
        """Name who is told in the place of a receiver that is gone; nobody: what waits for it is to be a dead letter.

        None: the others whom its rule tells have it already.
        """
        names, beside = self._found(alertname, receiver)
        fresh = [name for name in names if name not in beside]
        return None if names and not fresh else fresh

    def _found(self, alertname: str, receiver: str) -> tuple[Sequence[str], Sequence[str]]:
        """Return the heirs, and who was told beside the receiver."""
        last = self._last.get(receiver)
        if last is not None and (heir := self._fallback(receiver, last) or self._renamed(receiver, last)):
            return (heir,), ()
        lists = self._now.rules.get(alertname)
        if lists is not None:
            return _of_rule(receiver, lists, last.rules.get(alertname) if last else None)
        if last is not None and alertname not in last.rules:
            return _of_rule(receiver, [self._now.posted], [last.posted])
        return (), ()

    def _fallback(self, name: str, last: Audiences) -> str:
        """Return the first of its fallbacks that is still there."""
        seen: set[str] = set()
        while name not in seen and (settings := last.receivers.get(name)) is not None and settings.fallback is not None:
            seen.add(name)
            name = settings.fallback.to
            if name in self._now.receivers:
                return name
        return ""

    def _renamed(self, name: str, last: Audiences) -> str:
        """Return the receiver that came with the same settings when this one went: it has another name now."""
        old, known = last.receivers.get(name), last.receivers
        if old is None or old.options is None:
            return ""
        new = ((each, made) for each, made in self._now.receivers.items() if each not in known)
        return next((each for each, made in new if (made.kind, made.options) == (old.kind, old.options)), "")


def _of_rule(
    receiver: str, now: Sequence[Sequence[str]], last: Sequence[Sequence[str]] | None
) -> tuple[Sequence[str], Sequence[str]]:
    """Return whom a rule tells where it told this receiver, and who was told there beside it."""
    if last is None:
        return now[0], ()
    place = next((place for place, names in enumerate(last) if receiver in names), 0)
    return now[place] if place < len(now) else now[0], last[place]
