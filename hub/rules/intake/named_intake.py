"""One topic of a rule whose `topic` is a map: its message gets a name, and is judged in each instance that sees it."""

from hub.limits import SHARED_INSTANCES
from hub.model import Event
from hub.rules.instances.rule_instances import Key
from hub.rules.intake.rule_intake import RuleIntake
from hub.rules.named.rule_names import RuleNames
from hub.rules.running.rule_runner import RuleRunner
from hub.rules.topics.topic_pattern import TopicPattern

__all__ = ["NamedIntake"]

_MANY = f"a message of this topic judges more than {SHARED_INSTANCES:,} instances again: each costs some microseconds"


class NamedIntake(RuleIntake):
    """Hears one topic of the map for its rule."""

    def __init__(self, runner: RuleRunner, pattern: TopicPattern, names: RuleNames) -> None:
        """Stand before a rule for one of its patterns."""
        super().__init__(runner)
        self._names, self._name, self._is_shared = names, pattern.name, pattern.is_shared
        self._is_told = False

    def step(self, event: Event, captures: Key, key: Key | None, now: float, is_late: bool = False) -> None:
        """Remember what is heard of one event, and judge the instances that see it."""
        # most rules have no `where`, and a generator would cost a third of the rest
        for one in (event,) if self.where is None else self.heard(event, captures, now):
            if why := self._names.hear(self._name, captures, one):
                self.runner.context.on_error(self.rule.name, event.topic, why)
            if self._is_shared:
                self._judge_all(one, captures, now, is_late)
            else:
                self.runner.step(one, captures, key, now, is_late)

    def _judge_all(self, event: Event, captures: Key, now: float, is_late: bool) -> None:
        """Judge every instance that agrees in the captures; the message is no sign of life of their devices."""
        if self.rule.absent is not None:
            event = event.at(event.time)
            event.retain = True
        number = 0
        for number, whole in enumerate(self._names.sharing(self._name, captures), 1):  # noqa: B007 - counted below
            self.runner.step(event, whole, self.runner.instances.key_of(whole), now, is_late)
        if number > SHARED_INSTANCES and not self._is_told:
            self._is_told = True
            self.runner.context.on_error(self.rule.name, event.topic, _MANY)

    def step_behind(self, _newer: Event, event: Event, captures: Key, key: Key | None, now: float) -> None:
        """Evaluate an event that came later than a newer one of its topic."""
        self.step(event, captures, key, now, True)

    def live(self, event: Event, captures: Key, key: Key | None, now: float) -> None:
        """Take a message whose payload could not be read: a sign of life, where the topic is the instance's own."""
        if not self._is_shared and self.where is None:
            self.runner.live(event, captures, key, now)

    def rehearse(self, event: Event, captures: Key, key: Key | None, now: float) -> None:
        """Evaluate `when` for what is heard of an event and change nothing: see RuleRunner.rehearse."""
        if not self._is_shared:
            super().rehearse(event, captures, key, now)
