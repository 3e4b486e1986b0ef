"""`across`: each message tells something of one member of its instance, before the condition looks at all of them."""

from math import inf

from hub.errors import EvaluationError
from hub.limits import MEMBERS_ALL, MEMBERS_INSTANCE
from hub.model import Event
from hub.rules.instances.arrival import Arrival
from hub.rules.instances.instance import Instance
from hub.rules.instances.rule_instances import NOTHING, Key, at_way, key_text, made_text
from hub.rules.members.census import Census
from hub.rules.members.crowd import Crowd, Member
from hub.rules.running.engine_context import EngineContext
from hub.rules.running.part import RulePart, Runner

__all__ = ["MemberKeeper"]

_FULL = f"the instance has {MEMBERS_INSTANCE:,} members, as many as there may be: this one is not watched"
_FULL_ALL = f"there are {MEMBERS_ALL:,} members in all instances, as many as there may be: this one is not watched"


class MemberKeeper(RulePart):
    """Keeps the members of a rule's instances. They follow messages and the clock under a pause too."""

    def __init__(self, runner: Runner, context: EngineContext, census: Census) -> None:
        """Keep of each member what `census` says."""
        self._runner, self._instances, self._context, self.census = runner, runner.instances, context, census
        rule = runner.rule
        self._stale = rule.stale
        places = {name: place for place, name in enumerate(rule.captures)}
        self._ways = [(None if part.program else places.get(part.written), part) for part in rule.across]
        self._static = all(place is not None for place, _ in self._ways)

    # messages

    def before(self, arrival: Arrival) -> bool:
        """Take what a message says of its member; a remembered one said it when it came.

        Raises:
            EvaluationError: it names no member, or there are as many as there may be.

        """
        if arrival.is_replay:
            return True
        event, now = arrival.event, arrival.now
        member = self.member(event, arrival.captures)
        instance = arrival.instance = arrival.instance or self._instances.obtain(arrival.key)
        crowd = self._crowd(instance)
        row = crowd.row(member)
        if row is None:
            row = self._join(crowd, member, now)
        evaluator = self._runner.evaluator
        context = evaluator.context(event, arrival.captures, now) if self.census.needs_context else None
        values = () if arrival.is_late else self.census.values(event, arrival.captures, context)
        crowd.hear(row, values, now, lives=not event.retain)
        self._context.members.touch(self._runner.rule.name, instance.key, member, crowd)
        if not arrival.is_late:
            self._instances.remember(instance, event)
        if instance.due == inf or crowd.size == 1:
            self._runner.reschedule(instance)
        return True

    def member(self, event: Event, captures: Key) -> Member:
        """Return the member that a message is from.

        Raises:
            EvaluationError: the payload lacks a field that `across` names.

        """
        found = []
        for place, part in self._ways:
            if place is not None:
                found.append(captures[place])
            elif part.program is not None:
                value = self._runner.evaluator.value(part.program, event, captures, event.time)
                found.append(made_text(value, part.label, "across"))
            else:
                found.append(self._field(event, part.written))
        return tuple(found)

    def _field(self, event: Event, written: str) -> str:
        value = at_way(event.fields, written.split("."))
        if value is NOTHING or isinstance(value, dict | list):
            raise EvaluationError(f"the payload has no single value {written!r}, which `across` needs")
        return key_text(value)

    def _crowd(self, instance: Instance) -> Crowd:
        if instance.members is None:
            raise TypeError("a rule without `across` has no such instances")
        return instance.members

    def _join(self, crowd: Crowd, member: Member, now: float) -> int:
        rows = self._context.members
        if crowd.size >= MEMBERS_INSTANCE or rows.total >= MEMBERS_ALL:
            raise EvaluationError(_FULL if crowd.size >= MEMBERS_INSTANCE else _FULL_ALL)
        rows.total += 1
        return crowd.join(member, now)

    # the registry

    def expect(self, key: Key, captures: Key, topic: str, now: float) -> Member | None:
        """Make a device of the registry a member from the start; return it, None where only a payload can name it."""
        if not self._static:
            return None
        event = Event(topic, b"", {}, None, now, 0, True)
        member = self.member(event, captures)
        instance = self._instances.get(key)
        if instance is None:
            instance = self._instances.obtain(key)
            instance.came = topic
        crowd = self._crowd(instance)
        if crowd.row(member) is None:
            row = self._join(crowd, member, now)
            context = self._runner.evaluator.context(event, captures, now) if self.census.needs_context else None
            crowd.hear(row, self.census.unheard(event, captures, context), now, lives=True, heard=False)
            self._instances.touch(instance)
            self._context.members.touch(self._runner.rule.name, key, member, crowd)
        return member

    def keep_only(self, instance: Instance, expected: set[Member]) -> None:
        """Forget the members that were never heard and that the registry no longer has."""
        crowd = self._crowd(instance)
        for member in crowd.members():
            row = crowd.row(member)
            if row is not None and not crowd.was_heard(row) and member not in expected:
                self.forget(instance, member)

    def forget(self, instance: Instance, member: Member) -> bool:
        """Forget a member; tell whether there was one."""
        crowd = self._crowd(instance)
        if not crowd.drop(member):
            return False
        self._context.members.forget(self._runner.rule.name, instance.key, [member])
        return True

    # the clock

    def move(self, instance: Instance, now: float) -> bool:
        """Let members go stale that are silent for too long by now; tell whether there were any."""
        if self._stale is None:
            return False
        crowd = self._crowd(instance)
        gone = crowd.expire(self._stale, now)
        for row in gone:
            self._touch(instance, crowd, row)
        return bool(gone)

    def _touch(self, instance: Instance, crowd: Crowd, row: int) -> None:
        self._context.members.touch(self._runner.rule.name, instance.key, crowd.member(row), crowd)

    def due(self, instance: Instance) -> float:
        """Return when the next member goes stale."""
        return inf if self._stale is None else self._crowd(instance).due(self._stale)

    def push(self, instance: Instance, seconds: float, latest: float) -> None:
        """Let the silence of all members begin `seconds` later: for that long nobody could hear them."""
        if self._stale is not None:
            crowd = self._crowd(instance)
            crowd.push(seconds, latest)
            for member in crowd.members():
                self._context.members.touch(self._runner.rule.name, instance.key, member, crowd)

    def keeps(self, instance: Instance) -> bool:
        """Remember an instance that has members."""
        return self._crowd(instance).size > 0
