"""Listeners beside the rules on topics of Sparkplug B and Homie: births and metrics before them, presence after them.

Only the plans of such topics have them, and only while a rule needs them; all other events pay nothing.
"""

from collections.abc import Callable, Iterable

from hub.model import Event
from hub.rules.presence.births import Births
from hub.rules.presence.last_will import OWN_SUBJECT, WillHearer, WillHearing
from hub.rules.presence.presence import Presence
from hub.rules.presence.sparkplug_metrics import Metrics
from hub.rules.reading.rule import Rule
from hub.rules.reading.rule_values import Offline
from hub.rules.reading.subjects import MessageKind, about, presence_filters
from hub.rules.running.engine_context import EngineContext
from hub.rules.running.index import Bound, Plan
from hub.store.keeper import Keeper

__all__ = ["PresenceListeners"]

Key = tuple[str, ...]


class PresenceListeners:
    """The births, metrics and presence of one engine, and the filters that these need."""

    def __init__(self, context: EngineContext, ask_birth: Callable[[str], None]) -> None:
        """Begin with nothing known and nothing wanted; `ask_birth` asks a node for its birth."""
        self._presence, on_error = context.presence, context.on_error
        self._births, self._metrics = Births(on_error, ask_birth), Metrics(on_error)
        self.keepers: tuple[Keeper, ...] = (self._births, self._metrics, self._metrics.newer, self._presence)
        self._wills: list[tuple[str, Offline]] = []
        self.filters: list[str] = []
        """What must be subscribed beside the rules' own topics."""

    def follow(self, rules: Iterable[Rule]) -> None:
        """Listen for these rules; where none of them needs it, forget what is known: it would grow old unseen."""
        rules = list(rules)
        self.filters = presence_filters(rules)
        self._wills = [(rule.name, rule.offline) for rule in rules if rule.offline is not None]
        self._presence.begin()
        if not self.filters:
            self._presence.forget()
        if len(self.filters) == len({will.pattern.filter for _, will in self._wills}):
            self._births.forget()
            self._metrics.forget()
        self._presence.keep_wills(OWN_SUBJECT, {name for name, _ in self._wills})

    def join(self, plan: Plan, topic: str, runner: Callable[[str], WillHearing]) -> None:
        """Add the listeners to the plan of a topic, if it is about a device; `runner` gives a rule by its name."""
        for name, offline in self._wills:
            if offline.pattern.matches(topic):
                captures = offline.pattern.values(topic.split("/"))
                plan.always = (*plan.always, Bound(WillHearer(self._presence, runner(name), offline), captures, None))
        what = about(topic) if self.filters else None
        if what is None:
            return
        if what.kind in {MessageKind.NODE, MessageKind.DEVICE}:
            plan.always = (Bound(_FeedBirths(self._births, self._metrics, plan), (), None), *plan.always)
        if what.says.reports:
            plan.always = (*plan.always, Bound(_FeedPresence(self._presence), (), None))


class _FeedBirths:
    """Stands before the rules: it makes a message readable and complete, so that they see all metrics."""

    def __init__(self, births: Births, metrics: Metrics, plan: Plan) -> None:
        self._births, self._metrics, self._plan = births, metrics, plan

    def step(self, event: Event, _captures: Key, _key: Key | None, _now: float, /) -> None:
        self._births.hear(event)
        self._metrics.hear(event)
        self._plan.raw = event.raw  # the complete message, for `hub why`


class _FeedPresence:
    """Stands after the rules: what a message reports counts once the rules have heard it."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence

    def step(self, event: Event, _captures: Key, _key: Key | None, now: float, /) -> None:
        self._presence.hear(event, now)
