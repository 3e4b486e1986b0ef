"""What a rule hears of a message: `each` makes many readings of one, `where` leaves out what the rule does not mean.

It stands before a RuleRunner in the index. A rule without these keys has none, and the runner itself is called. What
`where` leaves out was never there: it is no sample, no sign of life and no error.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from hub.errors import EvaluationError
from hub.expressions import Program
from hub.limits import EACH_ELEMENTS
from hub.model import Event
from hub.rules.instances.rule_instances import Key
from hub.rules.intake.element import Element
from hub.rules.reading.rule import Rule
from hub.rules.running.rule_runner import RuleRunner

__all__ = ["RuleHearer", "RuleIntake", "intake_of"]


class RuleIntake:
    """Hears messages for one rule, and hands on what is left of them."""

    def __init__(self, runner: RuleRunner) -> None:
        """Stand before a rule that has `where` or `each`."""
        self.runner, self.rule = runner, runner.rule
        self.where, self.each = runner.rule.where, runner.rule.each
        self._takes_all = self.each is not None and self.each.text.strip() == "payload"
        self._keeps_message = bool(runner.rule.event_members & {"payload", "text", "size"})

    def step(self, event: Event, captures: Key, key: Key | None, now: float, is_late: bool = False) -> None:
        """Evaluate what is left of one event; an error is counted, never raised."""
        if self.each is None:
            where = self.where
            if where is None or self._is_meant(where, event, captures, now):
                self.runner.step(event, captures, key, now, is_late)
            return
        for element in self.heard(event, captures, now):
            self.runner.step(element, captures, key, now, is_late)

    def heard(self, event: Event, captures: Key, now: float) -> Iterator[Event]:
        """Yield the messages that the rule hears of one event, in order."""
        where = self.where
        for one in (event,) if self.each is None else self.elements(event, captures, now):
            if where is None or self._is_meant(where, one, captures, now):
                yield one

    def elements(self, event: Event, captures: Key, now: float) -> Iterable[Event]:
        """Return the elements of one event, EACH_ELEMENTS at most; none, and an error is counted, where it has none."""
        try:
            found = self._many(event, captures, now)
            if len(found) > EACH_ELEMENTS:
                what = f"{len(found):,} elements in one message: only the first {EACH_ELEMENTS:,} are judged"
                self.runner.context.on_error(self.rule.name, event.topic, what)
            return self._divided(event, found)
        except EvaluationError as error:
            self.runner.evaluator.failed(event, error)
            return ()

    def _many(self, event: Event, captures: Key, now: float) -> list[Any] | dict[Any, Any]:
        """Return what `each` gives."""
        if self._takes_all:  # `payload` is an object in all other expressions; here it may be a list
            found = event.value
        else:
            found = None if self.each is None else self.runner.evaluator.value(self.each, event, captures, now)
        if not isinstance(found, list | dict):
            raise EvaluationError("`each` gives neither a list nor a map")
        return found

    def _divided(self, event: Event, found: list[Any] | dict[Any, Any]) -> list[Event]:
        keeps = self._keeps_message
        if isinstance(found, list):
            return [Element(event, index, None, value, keeps) for index, value in enumerate(found[:EACH_ELEMENTS])]
        first = islice(found.items(), EACH_ELEMENTS)
        return [Element(event, index, str(key), value, keeps) for index, (key, value) in enumerate(first)]

    def looked_at(self, event: Event, captures: Key, now: float) -> list[tuple[Event, bool]]:
        """Return what may be heard of one event, and whether `where` lets it in; nothing is counted.

        Raises:
            EvaluationError: `each` has no value.

        """
        many = [event] if self.each is None else self._divided(event, self._many(event, captures, now))
        return [(one, self.where is None or self._is_meant(self.where, one, captures, now)) for one in many]

    def _is_meant(self, where: Program, event: Event, captures: Key, now: float) -> bool:
        """Tell whether the rule hears a message; where `where` has no value, it does not."""
        try:
            if where.needs_context:
                return self.runner.evaluator.value(where, event, captures, now) is True
            return where.run(event.fields, captures, None) is True
        except EvaluationError:
            return False

    def step_behind(self, newer: Event, event: Event, captures: Key, key: Key | None, now: float) -> None:
        """Evaluate an event that came later than a newer one of its topic: see RuleRunner.step_behind.

        An element follows the newer message only where that has an element of the same instance, too.
        """
        if self.each is None:
            for one in self.heard(event, captures, now):
                self.runner.step_behind(newer, one, captures, key, now)
            return
        latest = [key if key is not None else self._key(one, captures) for one in self.heard(newer, captures, now)]
        for one in self.heard(event, captures, now):
            mine = key if key is not None else self._key(one, captures)
            self.runner.step(one, captures, key, now, mine in latest)

    def _key(self, event: Event, captures: Key) -> Key | None:
        try:
            return self.runner.instances.key(event, captures)
        except EvaluationError:
            return None

    def live(self, event: Event, captures: Key, key: Key | None, now: float) -> None:
        """Take a message whose payload could not be read: nobody can tell whether it was meant, so it was not there."""

    def rehearse(self, event: Event, captures: Key, key: Key | None, now: float) -> None:
        """Evaluate `when` for what is heard of an event and change nothing: see RuleRunner.rehearse.

        Raises:
            EvaluationError: it has no value.

        """
        for one in self.heard(event, captures, now):
            self.runner.rehearse(one, captures, key, now)


RuleHearer = RuleRunner | RuleIntake


def intake_of(runner: RuleRunner) -> RuleHearer:
    """Return what hears messages for a rule: an intake where it has `where` or `each`, else its runner."""
    rule: Rule = runner.rule
    return runner if rule.where is None and rule.each is None else RuleIntake(runner)
