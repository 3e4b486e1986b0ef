"""`unless`: which firing alerts hold others back. Indexed by the labels that both have: cost follows matches."""

from collections.abc import Iterable, Iterator, Mapping

from hub.rules.rule import Rule

__all__ = ["Inhibition"]

_OWN = frozenset({"alertname", "severity", "reason"})
Names = tuple[str, ...]
Place = tuple[str, Names, Names]
"""A source's alertname, names of the labels that both have, their values."""


class Inhibition:
    """Who fires and may hold others back (`_sources`), and who is held back (`_held`), both by Place."""

    def __init__(self) -> None:
        """Begin without rules."""
        self._of_rule: dict[str, list[tuple[str, Names]]] = {}
        self._of_source: dict[str, set[Names]] = {}
        self._sources: dict[Place, set[str]] = {}
        self._held: dict[Place, set[str]] = {}

    def follow(self, rules: Mapping[str, Rule]) -> None:
        """Take the rules; whoever fires must be entered anew."""
        for index in (self._of_rule, self._of_source, self._sources, self._held):
            index.clear()
        for rule in rules.values():
            for source in rule.unless:
                if source in rules:
                    common = rules[source].label_names & rule.label_names - _OWN
                    names = tuple(sorted(common))
                    self._of_rule.setdefault(rule.name, []).append((source, names))
                    self._of_source.setdefault(source, set()).add(names)

    def fires(self, name: str, mark: str, labels: Mapping[str, str]) -> None:
        """Enter an alert that fires."""
        for place in self._places_of_source(name, labels):
            self._sources.setdefault(place, set()).add(mark)

    def ends(self, name: str, mark: str, labels: Mapping[str, str]) -> list[str]:
        """Take it out; return who was held back there, to be considered again."""
        waiting: list[str] = []
        for place in self._places_of_source(name, labels):
            marks = self._sources.get(place, set())
            marks.discard(mark)
            if not marks:
                self._sources.pop(place, None)
                waiting += self._held.get(place, ())
        return waiting

    def source_of(self, name: str, labels: Mapping[str, str]) -> str | None:
        """Return the alertname of a firing alert that holds back one with these labels."""
        for place in self._places_of_rule(name, labels):
            if self._sources.get(place):
                return place[0]
        return None

    def sources_of(self, name: str, labels: Mapping[str, str]) -> list[str]:
        """Return the firing alerts that hold back one with these labels."""
        found = [mark for place in self._places_of_rule(name, labels) for mark in self._sources.get(place, ())]
        return sorted(set(found))

    def hold(self, name: str, mark: str, labels: Mapping[str, str]) -> None:
        """Note that an alert is held back."""
        for place in self._places_of_rule(name, labels):
            self._held.setdefault(place, set()).add(mark)

    def release(self, name: str, mark: str, labels: Mapping[str, str]) -> None:
        """Note that it is no longer."""
        for place in self._places_of_rule(name, labels):
            marks = self._held.get(place)
            if marks is not None:
                marks.discard(mark)
                if not marks:
                    del self._held[place]

    def held_by(self, name: str, labels: Mapping[str, str]) -> list[str]:
        """Return who is held back by this firing alert."""
        return [mark for place in self._places_of_source(name, labels) for mark in self._held.get(place, ())]

    def _places_of_source(self, name: str, labels: Mapping[str, str]) -> Iterator[Place]:
        for names in self._of_source.get(name, ()):
            yield name, names, _values(names, labels)

    def _places_of_rule(self, name: str, labels: Mapping[str, str]) -> Iterator[Place]:
        for source, names in self._of_rule.get(name, ()):
            yield source, names, _values(names, labels)


def _values(names: Iterable[str], labels: Mapping[str, str]) -> Names:
    return tuple([labels.get(name, "") for name in names])
