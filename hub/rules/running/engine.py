"""The rule engine: events and deadlines in, transitions and changed state out. Pure, under a clock that is passed in.

`hub run` drives it with the broker's events, tests and replay with their own; the code is the same.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, tzinfo
from functools import partial
from math import inf

import orjson

from hub.ingest.decode import Undecodable, decode_again
from hub.ingest.itself import HUB, D, Itself
from hub.ingest.payload_reading import Unreadable
from hub.limits import HEAVY_PAYLOAD_BYTES, PLAN_CACHE_TOPICS
from hub.model import Event, Labels, Phase, Reason
from hub.rules.gates.absence import Absence, end_absence, unheard_of
from hub.rules.instances.heavy import Heavy
from hub.rules.instances.instance import dump_key, load_key
from hub.rules.instances.lasts import Lasts
from hub.rules.intake.rule_intake import RuleHearer
from hub.rules.listening import listens
from hub.rules.members.member_keeper import MemberKeeper
from hub.rules.presence.presence_listeners import PresenceListeners
from hub.rules.reading.rule import Rule
from hub.rules.running.engine_context import EngineContext, ExpectedDevices, NoDevices
from hub.rules.running.index import Bound, Plan, RuleIndex
from hub.rules.running.restore import carry_over, load_stored, reconcile
from hub.rules.running.rule_runner import RuleRunner
from hub.rules.running.transition import Transition
from hub.store.keeper import Keeper, RowsTogether

__all__ = ["Engine"]

Hearing = tuple[RuleHearer, Event, tuple[str, ...], tuple[str, ...] | None]
"""What hears an event for a rule, the event, its captures and, where these alone make the instance, the key."""
StateRow = tuple[str, str, str | None]
SampleRow = tuple[str, str, str | None, int, str | None]


def _ignore(*_: str) -> None:
    """Stand for a listener that nobody has given."""


class Engine:
    """All rules at work. `now` is always seconds since 1970."""

    def __init__(
        self,
        rules: Iterable[Rule] = (),
        registry: ExpectedDevices | None = None,
        on_error: Callable[[str, str, str], None] = _ignore,
        local: tzinfo = UTC,
        itself: Itself = HUB,
        ask_birth: Callable[[str], None] | None = None,
    ) -> None:
        """Begin with rules and without state; `restore` brings state in.

        `on_error` gets rule, topic and message; `local` is the zone of schedules that name none; `itself` knows the
        hub's own topics, which concern no rule; `ask_birth` gets a Sparkplug node whose birth is missing.
        """
        self._itself = itself
        self.work = EngineContext(registry or NoDevices(), on_error, local)
        self.states: dict[str, RuleRunner] = {rule.name: RuleRunner(rule, self.work) for rule in rules}
        self.beside = PresenceListeners(self.work, ask_birth or _ignore)
        self._index = RuleIndex(self.states.values())
        self._plans: OrderedDict[str, Plan] = OrderedDict()
        self._hears_itself = any(map(itself.met_by, self._index.filters))
        self.lasts = Lasts()
        self._heavy = Heavy[str](self._forget_plan)
        self._serials: dict[str, int] = {}
        """The counters of event rules by name, also of rules that are gone: one that comes back must repeat no id."""
        self._lost: list[tuple[str, str]] = []
        self._fresh: frozenset[str] = frozenset()
        """The rules that have listened to alerts only since the last start or reload."""
        self._samples: list[SampleRow] = []
        self._stored = RowsTogether("instances", self.take_changes), RowsTogether("samples", self.take_samples)
        remembered = (self.work.latest, self.work.late)
        self.keepers: tuple[Keeper, ...] = (
            *(*self.beside.keepers, self.lasts, *remembered),
            *(*self._stored, self.work.members),
        )

    @property
    def listeners(self) -> list[str]:
        """The names of the rules that listen to alerts."""
        return [name for name, state in self.states.items() if listens(state.rule)]

    @property
    def overlaps(self) -> bool:
        """Whether a message may match several of the subscribed filters, and so come several times."""
        return self._index.overlaps

    def is_encoded(self, topic: str) -> bool:
        """Tell whether a rule decodes the payloads of a topic itself: ingest then leaves to it what it cannot read."""
        return bool(self._index.encoded) and bool(self.plan(topic).decoded)

    def copies(self, topic: str) -> int:
        """Return how many of the subscribed filters a topic matches; ingest asks it to drop copies."""
        return self.plan(topic).copies

    def events_of(self, deliveries: Sequence[D]) -> Sequence[D]:
        """Leave out what the hub says of itself; this costs nothing where no filter can bring such a message."""
        return self._itself.left_out(deliveries) if self._hears_itself else deliveries

    # events

    def process(self, events: Sequence[Event], now: float) -> None:
        """Evaluate events in order."""
        plans, misses = self._plans, self.work.misses
        noted, runs = misses.noted, misses.topics
        self.lasts.stale = True
        for event in events:
            plan = plans.get(event.topic) or self.plan(event.topic)
            if event.time < plan.at and event.time < now:  # two looks: a clock that was set back is no older message
                self._overtaken(plan, event, now)
                continue
            plan.raw, plan.at = event.raw, event.time
            if len(event.raw) > HEAVY_PAYLOAD_BYTES:
                self._heavy.keep(event.topic, len(event.raw))
            for bound in plan.always:
                bound.runner.step(event, bound.captures, bound.key, now)
            for joined in plan.joined:
                joined.batch.step(event, joined.captures, joined.key, now)
            if plan.groups:
                self._groups(plan, event, now)
            if plan.decoded:
                self._decoded(plan, event, now)
            if noted or event.topic in runs:
                misses.settle(event.topic)

    def _groups(self, plan: Plan, event: Event, now: float) -> None:
        demanding = [bound for group in plan.groups for bound in group.of(event.fields)]
        for bound in demanding:
            bound.runner.step(event, bound.captures, bound.key, now)
        for elsewhere in plan.elsewhere:
            if elsewhere.active:
                for bound in elsewhere.roused(demanding):
                    bound.runner.step(event, bound.captures, bound.key, now)

    def _decoded(self, plan: Plan, event: Event, now: float) -> None:
        """Evaluate the rules with a `decode`, each kind of it once; a payload that cannot be read is a sign of life."""
        for own, inner in plan.decoded:
            try:
                read = own.event(event)
            except Unreadable as refused:
                inner.refuse(event, str(refused), now)
                continue
            for bound in inner.always:
                bound.runner.step(read, bound.captures, bound.key, now)
            for joined in inner.joined:
                joined.batch.step(read, joined.captures, joined.key, now)
            if inner.groups:
                self._groups(inner, read, now)

    def _overtaken(self, plan: Plan, event: Event, now: float) -> None:
        """Evaluate an event that came later than a newer one of its topic: it may add something, but undoes nothing."""
        self._behind(plan, decode_again(event.topic, plan.raw, plan.at), event, now)
        for own, inner in plan.decoded:
            try:
                read = own.event(event)
            except Unreadable as refused:
                inner.refuse(event, str(refused), now)
            else:
                self._behind(inner, decode_again(event.topic, plan.raw, plan.at, own), read, now)

    def _behind(self, plan: Plan, newer: Event, event: Event, now: float) -> None:
        for bound in _bounds(plan, event):
            if isinstance(bound.runner, RuleHearer):  # births and presence keep only what is newest
                bound.runner.step_behind(newer, event, bound.captures, bound.key, now)

    def introduce(self, events: Sequence[Event], now: float) -> None:
        """Let rules that listen to alerts since the last start or reload hear how these stand; others know already."""
        fresh, self._fresh = self._fresh, frozenset()
        for event in events if fresh else ():
            for bound in _bounds(self.plan(event.topic), event):
                if isinstance(bound.runner, RuleHearer) and bound.runner.rule.name in fresh:
                    bound.runner.step(event, bound.captures, bound.key, now)

    def hear(self, unread: Sequence[Undecodable], now: float) -> None:
        """Take messages whose payload could not be read: each is a sign of life, and the last message of its topic."""
        for each in unread:
            plan = self.plan(each.topic)
            if each.time >= plan.at:
                plan.raw, plan.at = each.head, each.time
            event = Event(each.topic, each.head, {}, each.head, each.time, 1, each.retain)
            for known in (plan, *(inner for _, inner in plan.decoded)):
                known.show_life(event, now)

    def plan(self, topic: str) -> Plan:
        """Return the rules that a topic concerns, from memory where the topic was heard lately."""
        plan = self._plans.get(topic)
        if plan is None:
            if self._itself.says(topic):
                return Plan((), (), (), (), 0)  # not remembered: the hub's own messages are no events
            plan = self._plans[topic] = self._index.plan(topic)
            self.beside.join(plan, topic, self.states.__getitem__)
            self.lasts.claim(topic, plan)
            if len(self._plans) + len(self.lasts.carried) > PLAN_CACHE_TOPICS:
                self._forget_plan(self.lasts.oldest() or next(iter(self._plans)))
        return plan

    def _forget_plan(self, topic: str) -> None:
        self._plans.pop(topic, None)
        self.lasts.forget(topic)

    # for `hub why` and the pages

    def last_messages(self) -> Iterator[tuple[str, bytes, float]]:
        """Yield topic, payload and time of the last message of each topic whose last payload is remembered."""
        for topic, plan in self._plans.items():
            if plan.at:
                yield topic, plan.raw, plan.at
        for topic, (raw, at) in self.lasts.carried.items():
            if raw is not None:
                yield topic, raw, at

    def heard(self) -> Iterator[tuple[str, float]]:
        """Yield each topic that is remembered, and when it was last heard, in seconds since 1970."""
        yield from ((topic, plan.at) for topic, plan in self._plans.items() if plan.at)
        yield from ((topic, at) for topic, (_, at) in self.lasts.carried.items())

    def rehearsals(self, event: Event, now: float) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield each rule that an event concerns, with a function that evaluates its condition and changes nothing."""
        for hearer, one, captures, key in self.hearers(event):
            yield hearer.rule.name, partial(hearer.rehearse, one, captures, key, now)

    def is_paused(self, rule: str, key: tuple[str, ...], now: float) -> bool:
        """Tell whether an instance is under a pause."""
        runner = self.states[rule]
        pause, instance = runner.rule.pause, runner.instances.get(key)
        if pause is not None and pause.schedule is not None:
            return pause.schedule.active(now, self.work.local)
        return instance is not None and instance.gates is not None and instance.gates.paused

    def now_of(self, rule: str, labels: Labels, now: float) -> Transition | None:
        """Return a transition for the texts of a firing instance as it is now, for an alert that is told again."""
        state = self.states.get(rule)
        if state is None or not state.rule.alert:
            return None
        instance = state.instances.get(tuple(value for _, value in labels[: len(state.rule.by)]))
        if instance is None:
            return None
        about_absence = labels != state.instances.labels(instance.key) or state.rule.when is None
        if about_absence and state.absence is not None:
            reason = state.absence.reason(instance)
            absent = unheard_of(instance)
            return state.transitions.as_it_is(instance, labels, instance.absent_since, now, absent, reason)
        since = instance.absent_since if about_absence else instance.since
        return state.transitions.as_it_is(instance, labels, since, now)

    def hearers(self, event: Event) -> Iterator[Hearing]:
        """Yield what hears an event for each rule that it concerns; a rule with `decode` sees it as that reads it."""
        plan = self.plan(event.topic)
        yield from _hearers(plan, event)
        for own, inner in plan.decoded:
            with suppress(Unreadable):
                yield from _hearers(inner, own.event(event))

    # time

    def tick(self, now: float) -> None:
        """Do all that the clock has made due."""
        while (found := self.work.deadlines.take(now)) is not None:
            state, instance = found
            state.deadline(instance, now)

    def next_due(self) -> float | None:
        """Return when `tick` should be called next, None for never; it may find nothing to do then."""
        return self.work.deadlines.next_due()

    def excuse(self, seconds: float, now: float) -> None:
        """Push every `absent` deadline by `seconds`: for that long the hub or the broker could hear no device.

        An instance that was heard in the meantime counts as heard now at the latest, never in the future.
        """
        self.work.presence.doubt()
        for state in self.states.values():
            samples = state.samples if state.samples is not None and state.samples.moving is not None else None
            if state.rule.absent is None and samples is None and state.members is None:
                continue
            for instance in state.instances.values():
                if state.members is not None:
                    state.members.push(instance, seconds, now)
                if state.rule.absent is not None:
                    instance.seen = min(instance.seen + seconds, now)
                if samples is not None:
                    samples.excuse(instance, seconds, now)
                state.instances.touch(instance)

    def shift(self, seconds: float, now: float) -> None:
        """Move the times from which timers count: the wall clock was set by `seconds`, and no time has passed."""
        self.work.late.shift(seconds)
        for state in self.states.values():
            for instance in list(state.instances.values()):
                if instance.shift(seconds):
                    state.instances.touch(instance)
                if state.samples is not None:
                    state.samples.shift(instance, seconds)
                if state.members is not None:
                    state.members.push(instance, seconds, inf)
                state.reschedule(instance)
            state.begin(now)
        for plan in self._plans.values():
            if plan.at:  # else every message would count as late until the clock has reached the old time again
                plan.at += seconds
        self.lasts.shift(seconds)
        self.work.latest.shift(seconds)

    # results

    def take_transitions(self) -> list[Transition]:
        """Take what happened since the last call."""
        transitions, self.work.transitions = self.work.transitions, []
        return transitions

    def take_changes(self) -> list[StateRow]:
        """Take the rows of all state that changed since the last call: rule, key, JSON or None (it is gone)."""
        dirty, self.work.dirty = self.work.dirty, set()
        unsampled, self.work.unsampled = self.work.unsampled, set()
        self._samples = [(name, dump_key(key), None, 0, None) for name, key in unsampled]
        self._samples += [(name, key, None, 0, None) for name, key in self._lost]
        rows: dict[tuple[str, str], str | None] = dict.fromkeys(self._lost)
        self._lost = []
        for state, instance in dirty:
            name = state.rule.name
            current = self.states.get(name)
            if instance is None:
                # the rule may be here twice, as it was before a reload and as it is now, in any order
                serial = max(state.serial, self._serials.get(name, 0), 0 if current is None else current.serial)
                rows[name, ""] = orjson.dumps([serial]).decode()
                continue
            alive = None if current is None else current.instances.get(instance.key)
            key = dump_key(instance.key)
            rows[name, key] = None if alive is None else alive.dump()
            if alive is not None and alive.history is not None:
                self._samples += [(name, key, *row) for row in alive.history.take_rows()]
        return [(rule, key, state) for (rule, key), state in rows.items()]

    def take_samples(self) -> list[SampleRow]:
        """Take the rows of samples that belong to the last `take_changes`; they go into the same commit.

        A row is: rule, key, slot, number of the chunk, JSON or None (it is gone). Without a slot, all chunks of the
        instance are gone; such rows come first.
        """
        samples, self._samples = self._samples, []
        return samples

    def write_heard(self, now: float | None) -> None:
        """Add rows of last messages to the commit that is being made; Lasts.write says which, and what None means."""
        self.lasts.write(self._plans, now)

    def signatures(self) -> list[tuple[str, str]]:
        """Return name and signature of every rule; they are stored beside the state, for the next `restore`."""
        return [(name, state.rule.signature) for name, state in self.states.items()]

    # state in

    def resume(self, signatures: Mapping[str, str], now: float) -> dict[str, Reason]:
        """Restore from the rows that the keepers have read; see `restore`."""
        instances, samples = (each.stored() for each in self._stored)
        return self.restore(instances, signatures, now, samples)

    def restore(
        self,
        rows: Iterable[tuple[str, str, str]],
        signatures: Mapping[str, str],
        now: float,
        samples: Iterable[tuple[str, str, str, int, str]] = (),
    ) -> dict[str, Reason]:
        """Bring stored state in; return the rules that are gone or have another meaning now, with the reason.

        The state of such a rule is dropped, and the alert book resolves its alerts. `samples` is as of `take_samples`.
        """
        gone = self._gone(signatures)
        for name in gone:
            self.work.latest.drop(name)
        chunks: dict[tuple[str, str], dict[str, dict[int, str]]] = {}
        for name, key, slot, number, text in samples:
            chunks.setdefault((name, key), {}).setdefault(slot, {})[number] = text
        for name, key, text in rows:
            state = self.states.get(name)
            if not key:
                self._serials[name] = orjson.loads(text)[0]
            elif state is None or name in gone:
                self._lost.append((name, key))
            else:
                instance = load_stored(state, load_key(key), text, chunks.get((name, key), {}))
                state.instances[instance.key] = instance
                if len(instance.raw or b"") > HEAVY_PAYLOAD_BYTES:
                    self.work.heavy.keep((state, instance), len(instance.raw or b""))
        self.work.members.settle()
        self._begin(now)
        return gone

    def reload(self, rules: Iterable[Rule], registry: ExpectedDevices | None, now: float) -> dict[str, Reason]:
        """Take new rules; the instances of a rule with the same signature go on. Return what `restore` returns."""
        before, signatures = self.states, dict(self.signatures())
        self.work.registry = registry or NoDevices()
        self.work.deadlines.clear()
        self.states = {rule.name: RuleRunner(rule, self.work) for rule in rules}
        gone = self._gone(signatures)
        for name in gone:
            self.work.latest.drop(name)
        self.work.misses.keep(self.states.keys() - gone.keys())
        for name, old in before.items():
            self._serials[name] = old.serial
            if name in gone:
                self._lost.extend((name, dump_key(key)) for key in old.instances)
                for instance in old.instances.values():
                    if instance.members is not None:
                        self.work.members.forget(name, instance.key, instance.members.members())
            else:
                carry_over(self.states[name], old)
        self._begin(now)
        return gone

    def _gone(self, signatures: Mapping[str, str]) -> dict[str, Reason]:
        gone = {
            name: Reason.RULE_CHANGED if name in self.states else Reason.RULE_REMOVED
            for name, signature in signatures.items()
            if name not in self.states or self.states[name].rule.signature != signature
        }
        known = signatures.keys() - gone.keys()
        self._fresh = frozenset(name for name in self.listeners if name not in known)
        return gone

    def _begin(self, now: float) -> None:
        """Index the rules, take over their counters, and enter every deadline; called after each start and reload."""
        rules = [state.rule for state in self.states.values()]
        self.work.latest.keep({rule.name: rule.decode for rule in rules}, {rule.name: rule.names for rule in rules})
        for state in self.states.values():
            if state.evaluator.names is not None:
                state.evaluator.names.begin()
        self.beside.follow([state.rule for state in self.states.values()])
        self._index = RuleIndex(self.states.values(), self.beside.filters)
        self._hears_itself = any(map(self._itself.met_by, self._index.filters))
        self.lasts.carry(self._plans, self._index.hears)
        self._plans.clear()
        self._heavy.clear()
        for topic, (raw, _) in list(self.lasts.carried.items()):
            if raw is not None and len(raw) > HEAVY_PAYLOAD_BYTES:
                self._heavy.keep(topic, len(raw))
        self.work.late.keep(self._remakes)
        for state in self.states.values():
            state.serial = max(state.serial, self._serials.get(state.rule.name, 0))
            state.begin(now)
            for instance in list(state.instances.values()):
                reconcile(state, instance, now)
            if state.keeps_all:
                state.instances.line_up()
            if state.absence is not None:
                self._expect_registered(state, state.absence, now)
            if state.members is not None:
                self._expect_members(state, state.members, now)

    def _expect_members(self, state: RuleRunner, members: MemberKeeper, now: float) -> None:
        """Make the devices of the registry members, and forget those that were taken out of it and never heard."""
        expected: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
        for pattern in state.rule.patterns:
            for topic in self.work.registry.topics(pattern.filter):
                captures = pattern.values(topic.split("/"))
                key = state.instances.key_of(captures)
                if key is not None and not self._itself.says(topic):
                    member = members.expect(key, captures, topic, now)
                    expected.setdefault(key, set()).update(() if member is None else [member])
        for instance in list(state.instances.values()):
            members.keep_only(instance, expected.get(instance.key, set()))
            state.judge_again(instance, now)

    def _remakes(self, name: tuple[str, tuple[str, ...]]) -> bool:
        """Tell whether a rule still needs what it keeps of an instance for late messages."""
        state = self.states.get(name[0])
        return state is not None and state.late is not None and name[1] in state.instances

    def _expect_registered(self, state: RuleRunner, absence: Absence, now: float) -> None:
        """Expect the devices of the registry that were never heard, and forget those that were taken out of it."""
        known: set[tuple[str, ...]] = set()
        for pattern in state.rule.patterns:
            for topic in () if pattern.is_shared else self.work.registry.topics(pattern.filter):
                levels = topic.split("/")
                key = state.instances.key_of(pattern.values(levels))
                if key is None or self._itself.says(topic) or not pattern.fits(levels):
                    continue
                known.add(key)
                if key not in state.instances:
                    instance = state.instances[key] = state.instances.made(key)
                    instance.seen, instance.came = now, topic
                    absence.expect(instance)
        for instance in list(state.instances.values()):
            never_heard = instance.raw is None and instance.phase is Phase.INACTIVE
            is_reported = absence.reason(instance) is Reason.OFFLINE  # its last will is all that was heard of it
            if never_heard and instance.key not in known and not is_reported:
                state.instances.forget(instance)
                end_absence(state, instance, Reason.DEVICE_REMOVED, now)


def _hearers(plan: Plan, event: Event) -> Iterator[Hearing]:
    for bound in (*plan.always, *(each for group in plan.groups for each in group.of(event.fields))):
        if isinstance(bound.runner, RuleHearer):
            yield bound.runner, event, bound.captures, bound.key
    for joined in plan.joined:
        yield from ((state, event, joined.captures, joined.key) for state in joined.batch.runners)


def _bounds(plan: Plan, event: Event) -> list[Bound]:
    """Return the rules that an event concerns, each by itself."""
    bounds = [bound for group in plan.groups for bound in group.of(event.fields)]
    bounds += [bound for each in plan.elsewhere if each.active for bound in each.roused(bounds)]
    bounds += plan.always
    bounds += [Bound(state, joined.captures, joined.key) for joined in plan.joined for state in joined.batch.runners]
    return bounds
