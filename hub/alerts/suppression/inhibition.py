"""`unless`: which firing alerts hold others back. They are indexed by the labels that both have, so a look is cheap.

A cause that has ended goes on holding back for its `after` (seconds): what it explains recovers a little later.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from math import inf

from hub.rules.reading.rule import Rule

__all__ = ["Inhibition"]

_OWN = frozenset({"alertname", "severity", "reason"})
Names = tuple[str, ...]
_TIDY = 4096  # entries of `_due` beyond four for each place: then the outdated ones are thrown out
Place = tuple[str, Names, Names]
"""The alertname of a cause, the names of the labels that both alerts have, and the values of these labels."""


class Inhibition:
    """The firing alerts that may hold others back (`_causes`) and that may be held back (`_dependents`), by Place.

    It keeps fingerprints only; transitions.py enters alerts and takes them out as they begin and end.
    """

    def __init__(self) -> None:
        """Begin without rules and without alerts."""
        self._of_rule: dict[str, list[tuple[str, Names, float]]] = {}
        self._of_cause: dict[str, dict[Names, set[float]]] = {}
        self._causes: dict[Place, set[str]] = {}
        self._dependents: dict[Place, set[str]] = {}
        self._ended: dict[Place, float] = {}
        """When the last cause of a place ended, kept for the longest `after` that counts from it."""
        self._due: list[tuple[float, Place]] = []

    def follow(self, rules: Mapping[str, Rule]) -> None:
        """Use these rules from now on and forget all alerts: the caller enters anew those that fire, or did lately."""
        self._of_rule.clear()
        self._of_cause.clear()
        for place in (self._causes, self._dependents, self._ended):
            place.clear()
        self._due.clear()
        for rule in rules.values():
            for cause in rule.causes:
                if cause.alert in rules:  # a cause that is disabled never fires
                    names = tuple(sorted(rules[cause.alert].label_names & rule.label_names - _OWN))
                    self._of_rule.setdefault(rule.name, []).append((cause.alert, names, cause.after))
                    self._of_cause.setdefault(cause.alert, {}).setdefault(names, set()).add(cause.after)

    @property
    def has_causes(self) -> bool:
        """Whether any rule names another one in `unless`."""
        return bool(self._of_cause)

    def lasts(self, name: str) -> float:
        """Return for how many seconds after its end an alert of this name may still hold others back."""
        return max((after for afters in self._of_cause.get(name, {}).values() for after in afters), default=0.0)

    # who fires

    def begins(self, name: str, fingerprint: str, labels: Mapping[str, str], unfilled: Names) -> list[str]:
        """Enter an alert that fires and may hold others back.

        Return the alerts that it holds back and that no other one held back: the caller looks at them again.
        """
        newly_held: list[str] = []
        for place in self._places_of_cause(name, labels, unfilled):
            causes = self._causes.setdefault(place, set())
            if not causes:
                newly_held += self._dependents.get(place, ())
            causes.add(fingerprint)
        return newly_held

    def ends(self, name: str, fingerprint: str, labels: Mapping[str, str], unfilled: Names, at: float) -> None:
        """Take an alert out that has ended at `at`; `take_due` returns whom it held back when its `after` is over."""
        for place in self._places_of_cause(name, labels, unfilled):
            causes = self._causes.get(place)
            if causes is None or fingerprint not in causes:
                continue
            causes.discard(fingerprint)
            if not causes:
                del self._causes[place]
                self._linger(place, at)

    def ended(self, name: str, labels: Mapping[str, str], unfilled: Names, at: float) -> None:
        """Enter an alert that had ended before the rules were read or the state was restored."""
        for place in self._places_of_cause(name, labels, unfilled):
            self._linger(place, max(at, self._ended.get(place, -inf)))

    def _linger(self, place: Place, at: float) -> None:
        self._ended[place] = at
        for after in self._of_cause[place[0]][place[1]]:
            heapq.heappush(self._due, (at + after, place))
        if len(self._due) > _TIDY + 4 * len(self._ended):
            # a cause that chatters for a day leaves an entry with each end, of which only the last one counts
            lasting = ((at, each, self._of_cause[each[0]][each[1]]) for each, at in self._ended.items())
            self._due = [(at + after, each) for at, each, afters in lasting for after in afters]
            heapq.heapify(self._due)

    def enter(self, name: str, fingerprint: str, labels: Mapping[str, str], unfilled: Names) -> None:
        """Enter an alert that fires and may be held back by others."""
        for place, _ in self._places_of(name, labels, unfilled):
            self._dependents.setdefault(place, set()).add(fingerprint)

    def leave(self, name: str, fingerprint: str, labels: Mapping[str, str], unfilled: Names) -> None:
        """Take an alert out that may be held back no longer, because it does not fire."""
        for place, _ in self._places_of(name, labels, unfilled):
            fingerprints = self._dependents.get(place)
            if fingerprints is not None:
                fingerprints.discard(fingerprint)
                if not fingerprints:
                    del self._dependents[place]

    # who is held back

    def cause_of(self, rule: Rule, labels: Mapping[str, str], unfilled: Names, now: float) -> str | None:
        """Return the alertname of a cause that holds back an alert of this rule; None where there is none.

        The cause fires, or ended less than its `after` ago.
        """
        for place, after in self._places_of(rule.name, labels, unfilled):
            if place in self._causes or now < self._ended.get(place, -inf) + after:
                return place[0]
        return None

    def causes_of(self, name: str, labels: Mapping[str, str], unfilled: Names) -> list[str]:
        """Return the fingerprints of the firing alerts that hold back one with these labels."""
        places = self._places_of(name, labels, unfilled)
        return sorted({fingerprint for place, _ in places for fingerprint in self._causes.get(place, ())})

    def dependents_of(self, name: str, labels: Mapping[str, str], unfilled: Names) -> list[str]:
        """Return the fingerprints of the firing alerts that this one explains, and so holds back."""
        places = self._places_of_cause(name, labels, unfilled)
        return [fingerprint for place in places for fingerprint in self._dependents.get(place, ())]

    # time

    def next_due(self) -> float | None:
        """Return when the next `after` is over; None where none runs."""
        return self._due[0][0] if self._due else None

    def take_due(self, now: float) -> list[str]:
        """Return the alerts to look at again, because the `after` of a cause is over: they may be told now."""
        freed: dict[str, None] = {}
        while self._due and self._due[0][0] <= now:
            _, place = heapq.heappop(self._due)
            freed |= dict.fromkeys(sorted(self._dependents.get(place, ())))
            ended = self._ended.get(place)
            if ended is not None and ended + max(self._of_cause[place[0]][place[1]]) <= now:
                del self._ended[place]
        return list(freed)

    def shift(self, seconds: float) -> None:
        """Move all times by `seconds`, by which somebody has set the wall clock."""
        self._ended = {place: at + seconds for place, at in self._ended.items()}
        self._due = [(at + seconds, place) for at, place in self._due]

    # places

    def _places_of_cause(self, name: str, labels: Mapping[str, str], unfilled: Names) -> Iterator[Place]:
        for names in self._of_cause.get(name, ()):
            if unfilled and not set(unfilled).isdisjoint(names):
                continue  # a label without a value equals nothing, not even the same gap elsewhere
            yield name, names, _values(names, labels)

    def _places_of(self, name: str, labels: Mapping[str, str], unfilled: Names) -> Iterator[tuple[Place, float]]:
        for cause, names, after in self._of_rule.get(name, ()):
            if unfilled and not set(unfilled).isdisjoint(names):
                continue
            yield (cause, names, _values(names, labels)), after


def _values(names: Iterable[str], labels: Mapping[str, str]) -> Names:
    return tuple([labels.get(name, "") for name in names])
