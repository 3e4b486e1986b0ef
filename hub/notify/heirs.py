"""Who takes over what waits for a receiver that is gone: renamed or removed by a reload, or between two runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from hub.model import Notification
from hub.notify.fallback import Fallback
from hub.notify.outbox import Entered

__all__ = ["Heirs", "HeirsOf", "Told", "inherited"]

HeirsOf = Callable[[Notification], Sequence[str] | None]
"""Names who is told in place of a notification's receiver; None: the others whom its rule tells have it already."""


class _Settings(Protocol):
    @property
    def fallback(self) -> Fallback | None: ...


@dataclass(frozen=True, slots=True)
class Told:
    """Whom the files in force tell: of each rule `notify`, then each step of `escalate`.

    `posted` are told of alerts that others post, for which there is no rule.
    """

    receivers: Mapping[str, _Settings] = field(default_factory=dict)
    rules: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    posted: Sequence[str] = ()


class Heirs:
    """Knows the files in force, and those in which each receiver that is gone stood last."""

    def __init__(self, now: Told) -> None:
        """Begin: of receivers that went before nothing is known."""
        self._now = now
        self._last: dict[str, Told] = {}

    def follow(self, now: Told) -> None:
        """Take the files that are in force from now on."""
        gone = [name for name in self._now.receivers if name not in now.receivers]
        self._last = {name: told for name, told in self._last.items() if name not in now.receivers}
        self._last |= dict.fromkeys(gone, self._now)
        self._now = now

    def of(self, notification: Notification) -> Sequence[str] | None:
        """Name the heirs, as HeirsOf; nobody: it is to be a dead letter."""
        name = notification.receiver
        last = self._last.get(name)
        if last is not None and (heir := self._fallback(name, last)):
            return (heir,)
        alertname = str(notification.body.get("alertname"))
        lists = self._now.rules.get(alertname)
        if lists is not None:
            return _of_rule(name, lists, last.rules.get(alertname) if last else None)
        if last is not None and alertname not in last.rules:
            return _of_rule(name, [self._now.posted], [last.posted])
        return ()

    def _fallback(self, name: str, last: Told) -> str:
        """Return the first of its fallbacks that is still there."""
        while (settings := last.receivers.get(name)) is not None and settings.fallback is not None:
            name = settings.fallback.to
            if name in self._now.receivers:
                return name
        return ""


def _of_rule(name: str, now: Sequence[Sequence[str]], last: Sequence[Sequence[str]] | None) -> Sequence[str] | None:
    """Return whom a rule tells where it told this receiver, without those who were told beside it."""
    if last is None:
        return now[0]
    place = next((place for place, names in enumerate(last) if name in names), 0)
    names = now[place] if place < len(now) else now[0]
    fresh = [each for each in names if each not in last[place]]
    return None if names and not fresh else fresh


def inherited(notification: Notification, names: Sequence[str]) -> tuple[Entered, ...]:
    """Return a notification for each heir: the same id, order and age; who was the first to hear it is not known."""
    body = {name: value for name, value in notification.body.items() if name != "first"}
    return tuple(Entered(replace(notification, receiver=name, body=body)) for name in names)
