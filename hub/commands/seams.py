"""What the HTTP API and the commands may ask of the hub: three narrow seams; nobody reaches into the core past them.

    Desk     changes something         one place may do that: whoever owns the state
    Mirror   reads what is committed   whoever has a copy of it can answer: alerts, silences, outbox, trace, audit
    Ask      asks the running rules    only the owner's memory knows: why not, devices, last messages, counters

A single hub is all three (service, owner). A second machine that stands by could answer what is read from its own copy,
and forward the rest: what crosses Desk are values, never functions of the core.
"""

from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from hub.alerts.alert import Alert
from hub.alerts.matchers import Matcher
from hub.alerts.suppression.silences import Silence
from hub.commands.tokens.token import Claim
from hub.model import Event
from hub.rules.posted.posting import PostedAlert, Posting
from hub.rules.reading.rule import Rule
from hub.store.reader import Reader

__all__ = ["Answer", "Ask", "Desk", "Mirror", "RuleCounts"]

T = TypeVar("T")
Answer = Mapping[str, Any]


class Desk(Protocol):
    """Changes something; what it says is done is on disk."""

    async def answer(self, name: str, request: Mapping[str, Any], via: str, actor: str = "") -> Answer:
        """Carry out a command by its name; what is wrong with it is the answer, not an exception."""
        ...

    async def claimed(self, token: str) -> tuple[Claim, Alert | None]:
        """Return what the token of an acknowledge link allows, and its alert; None where that episode is forgotten.

        Raises:
            RequestError: the token is not ours, was changed, or has expired.

        """
        ...

    async def take_events(self, events: Sequence[Event], key: str) -> bool:
        """Take events that came by no session; False where this idempotency key was taken before.

        Raises:
            StoreError: they cannot be made durable now.

        """
        ...

    async def take_postings(self, postings: Sequence[Posting]) -> list[str]:
        """Take alerts that somebody else evaluates; return what is wrong with those that are not taken.

        Raises:
            StoreError: they cannot be made durable now.

        """
        ...

    def note(self, actor: str, via: str, action: str, detail: Mapping[str, Any]) -> None:
        """Put into the audit log what was done beside the core, such as a reload."""
        ...


class Mirror(Protocol):
    """What is committed, as far as this machine has it."""

    @property
    def rules(self) -> Mapping[str, Rule]:
        """The rules in force, by name."""
        ...

    @property
    def alerts(self) -> Mapping[str, Alert]:
        """All alerts by fingerprint, those that are over included."""
        ...

    @property
    def silences(self) -> Mapping[str, Silence]:
        """All silences by id, those that ended lately included."""
        ...

    def find(self, matchers: Sequence[Matcher]) -> list[tuple[str, Alert]]:
        """Return the alerts that are not over and match."""
        ...

    def firing(self) -> list[tuple[str, Alert]]:
        """Return the alerts that fire, by fingerprint."""
        ...

    def held_back_by(self, alert: Alert) -> list[str]:
        """Return the firing alerts, by fingerprint, that hold this one back (`unless`)."""
        ...

    def posted(self, alert: Alert) -> PostedAlert | None:
        """Return how an alert was last posted; None of one that a rule made."""
        ...

    def look(self, read: Callable[[Reader], T]) -> Coroutine[Any, Any, T]:
        """Read the state file beside whoever writes: outbox, trace, audit."""
        ...

    def why_failing(self) -> str:
        """Return why nothing can be written now; empty where it can."""
        ...


class RuleCounts(NamedTuple):
    """What a rule has done since the start, and how many instances it has."""

    instances: int = 0
    evaluations: int = 0
    matches: int = 0
    errors: int = 0


class Ask(Protocol):
    """What only the memory of the running rules knows; a hub that has just started knows little of it."""

    def why_not(self, name: str, labels: Mapping[str, str], now: float) -> Generator[None, None, Answer]:
        """Say in steps why nobody is told by a rule (`why.absence.looking`)."""
        ...

    def counts(self, rule: str) -> RuleCounts | None:
        """Return the counters of a rule; None of one that is not at work."""
        ...

    def last_messages(self) -> Iterator[tuple[str, bytes, float]]:
        """Yield topic, payload and time of the last message on each topic that is remembered."""
        ...

    def heard(self) -> Iterable[tuple[str, float]]:
        """Yield each topic that is remembered, and when it was last heard."""
        ...

    def interval(self, topic: str) -> float:
        """Return the usual seconds between two messages of a topic, 0 where that is not known."""
        ...

    def learn(self, topic: str, interval: float) -> None:
        """Take the seconds between two messages of a topic, as somebody has measured them."""
        ...

    @property
    def has_forgotten(self) -> bool:
        """Whether topics had to leave the memory: who is not known may be one of them."""
        ...

    def absent(self) -> Callable[[str], bool]:
        """Return what tells of a topic whether an alert of absence that fires now is about its device."""
        ...

    def rehearsals(self, event: Event, now: float) -> Iterable[tuple[str, Callable[[], None]]]:
        """Yield each rule that an event concerns, with what evaluates its condition and changes nothing."""
        ...
