"""Evaluates the expressions of one rule: it hands them the samples, the schedules and the device registry."""

from collections.abc import Sequence
from typing import Any

from hub.errors import EvaluationError
from hub.expressions import Context, Program, Samples
from hub.expressions.explain import parts
from hub.model import Event
from hub.rules.gates.timetable import Timetable
from hub.rules.instances.instance import Instance, samples_of
from hub.rules.named.rule_names import RuleNames
from hub.rules.reading.rule import Rule
from hub.rules.running.engine_context import EngineContext
from hub.rules.running.transition import fill, make_context, shortened

__all__ = ["RuleEvaluator"]

Key = tuple[str, ...]


class RuleEvaluator:
    """Evaluates the expressions of one rule. `errors` counts those that had no value where that is an error."""

    def __init__(self, rule: Rule, context: EngineContext) -> None:
        """Begin without errors."""
        self.rule, self._context = rule, context
        self.errors = 0
        self.names = RuleNames(rule, context.latest) if rule.names else None
        """What the names of its topics mean, where these are a map."""
        self.tables = {name: Timetable(schedule, context.local) for name, schedule in rule.schedules}
        self._light = Context(schedules=self.tables)
        """The context of expressions that ask only for the event or schedules; to make one costs more than they do."""
        self._parts: dict[str, list[tuple[str, Program]]] = {}

    def context(self, event: Event, captures: Key, now: float) -> Context:
        """Make the context in which an expression sees an event beside its fields."""
        rule = self.rule
        labels = dict(zip(rule.captures, captures, strict=True))
        labels |= {"alertname": rule.name, "severity": rule.severity}
        device = self._context.registry.attributes(event.topic)
        made = make_context(event, device, labels, now, {}, self.tables)
        if self.names is not None:
            made.latest = self.names.seen(captures)
        return made

    def holds(self, program: Program, instance: Instance | None, event: Event, captures: Key, now: float) -> bool:
        """Evaluate a condition.

        Raises:
            EvaluationError: it has no value.

        """
        context = self._known(program, event, captures, now)
        if program.history and instance is not None:
            holds: bool = program.run(event.fields, captures, context, samples_of(instance))
        else:
            holds = program.run(event.fields, captures, context)
        return holds

    def value(self, program: Program, event: Event, captures: Key, now: float) -> Any:
        """Evaluate an expression over the event alone.

        Raises:
            EvaluationError: it has no value.

        """
        return program.run(event.fields, captures, self._known(program, event, captures, now))

    def _known(self, program: Program, event: Event, captures: Key, now: float) -> Context | None:
        """Return as much context as an expression needs: most need none, and few need all of it."""
        if not program.needs_context:
            return None
        if program.asks_surroundings:
            return self.context(event, captures, now)
        self._light.now = now
        if program.asks_event:
            fill(self._light, event)
            if self.names is not None:
                self._light.latest = self.names.seen(captures)
        return self._light

    def failed(self, event: Event, error: EvaluationError) -> None:
        """Count an expression that had no value for an event, and say so, unless it only has none yet."""
        if self._context.misses.note(self.rule.name, event, error):
            self.errors += 1
            self._context.on_error(self.rule.name, event.topic, str(error))

    def values(
        self, program: Program | None, instance: Instance | None, event: Event | None, captures: Key, at: float
    ) -> Sequence[tuple[str, Any]]:
        """Return the parts of a condition with their values, so that a notification can say why it was sent."""
        if program is None or event is None:
            return ()
        found = self._parts.get(program.text)
        if found is None:
            found = self._parts[program.text] = parts(program)
        context, samples = self.context(event, captures, at), samples_of(instance)
        return [(text, _value(part, event, captures, context, samples)) for text, part in found]


def _value(part: Program, event: Event, captures: Key, context: Context, samples: Samples) -> Any:
    try:
        return shortened(part.run(event.fields, captures, context, samples))
    except EvaluationError as error:
        return error.with_traceback(None)
