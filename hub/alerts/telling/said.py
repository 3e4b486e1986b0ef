"""What was said in a conversation since it began: to whom, how often, which steps were taken. A pure value.

A conversation is what a receiver sees as one thing: an alert alone, or the alerts of a rule with equal `group_by`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

__all__ = ["NOTHING_SAID", "Said"]


@dataclass(frozen=True, slots=True)
class Said:
    """What was said. Times are seconds since 1970, 0 for none.

    `told` are the receivers that heard that it fires: they hear of its end, and nobody else does. `tellings` counts the
    first message and its repeats; `last` is when the latest of these went out.
    Steps of `escalate` count from `notified`: when the first message went out, moved on by all the time in which steps
    stood still. `steps` is how many were taken so far, `escalated` the `after` of the latest of them, in seconds, and
    `called` are the receivers that steps have told. `paused` is since when steps stand still, because somebody has
    acknowledged the alert or something suppresses it.
    `heirs` are those of `told` that took the place of a receiver that is gone: they will hear of the end, but have
    heard nothing themselves yet. `behind` is since when the rule names somebody who has not heard.
    """

    told: tuple[str, ...] = ()
    tellings: int = 0
    notified: float = 0.0
    last: float = 0.0
    steps: int = 0
    escalated: float = 0.0
    paused: float = 0.0
    heirs: tuple[str, ...] = ()
    behind: float = 0.0
    called: tuple[str, ...] = ()

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> "Said":
        """Read what the store holds: JSON has lists for tuples, and an earlier hub left out some that were empty."""
        return cls(**dict(stored) | {name: tuple(stored.get(name, ())) for name in ("told", "heirs", "called")})

    def heard_by(self, receivers: Iterable[str]) -> "Said":
        """Return it after these receivers have heard of it, too."""
        receivers = tuple(receivers)
        told = tuple(dict.fromkeys((*self.told, *receivers)))
        if told == self.told and set(self.heirs).isdisjoint(receivers):
            return self
        return replace(self, told=told, heirs=self._waiting(receivers))

    def _waiting(self, heard: Collection[str]) -> tuple[str, ...]:
        return tuple(name for name in self.heirs if name not in heard) if self.heirs else ()

    def message(self, receivers: Collection[str], now: float, *, anew: bool) -> "Said":
        """Return it after a message; `anew`: it told something new, so the intervals of `repeat` begin anew."""
        told = tuple(dict.fromkeys((*self.told, *receivers)))
        tellings, notified = 1 if anew else self.tellings + 1, self.notified or now
        heirs = self._waiting(receivers)
        called = self.called
        return Said(told, tellings, notified, now, self.steps, self.escalated, self.paused, heirs, called=called)

    def step(self, receivers: Collection[str], after: float) -> "Said":
        """Return it after a step of `escalate` that told `receivers`; `after` is the step's own, in seconds."""
        heard, called = self.heard_by(receivers), tuple(dict.fromkeys((*self.called, *receivers)))
        return replace(heard, steps=self.steps + 1, escalated=max(self.escalated, after), called=called)

    def owed(self, now: float, *, somebody: bool) -> "Said":
        """Note since when `somebody` that the rule names has not heard; False: all have heard now."""
        if somebody is bool(self.behind):
            return self
        return replace(self, behind=now if somebody else 0.0)

    def goes_on(self, now: float, *, runs: bool) -> "Said":
        """Return it with steps of `escalate` that run or stand still; time does not count while they stand still."""
        if not self.tellings or runs is not bool(self.paused):
            return self
        if not runs:
            return replace(self, paused=now)
        return replace(self, paused=0.0, notified=self.notified + max(0.0, now - self.paused))

    def joined(self, other: "Said") -> "Said":
        """Return what was said in two conversations that are one now: what either has told is not told again."""
        if not other.tellings:
            return self.heard_by(other.told)  # the other one has told of no alert, only who heard goes with it
        told = tuple(dict.fromkeys((*self.told, *other.told)))
        if not self.tellings:
            return replace(other, told=told)
        return Said(
            told=told,
            tellings=max(self.tellings, other.tellings),
            notified=min(self.notified, other.notified),
            last=max(self.last, other.last),
            steps=max(self.steps, other.steps),
            escalated=max(self.escalated, other.escalated),
            paused=max(self.paused, other.paused) if self.paused and other.paused else 0.0,
            heirs=tuple(name for name in self.heirs if name in other.heirs or name not in other.told),
            behind=min(self.behind, other.behind) or self.behind or other.behind,
            called=tuple(dict.fromkeys((*self.called, *other.called))),
        )

    def renamed(self, heirs: Callable[[str], Iterable[str]]) -> "Said":
        """Return it with heirs in the place of receivers; `heirs` returns a receiver itself where it still exists."""
        told = tuple(dict.fromkeys(heir for name in self.told for heir in heirs(name)))
        if told == self.told:
            return self
        new = tuple(name for name in told if name not in self.told)
        called = tuple(dict.fromkeys(heir for name in self.called for heir in heirs(name)))
        waiting = tuple(name for name in (*self.heirs, *new) if name in told)
        return replace(self, told=told, heirs=waiting, called=called)

    def shifted(self, seconds: float) -> "Said":
        """Return it with its times moved by `seconds`, by which somebody has set the wall clock."""
        times = {name: at + seconds for name in ("notified", "last", "paused", "behind") if (at := getattr(self, name))}
        return replace(self, **times) if times else self


NOTHING_SAID = Said()
