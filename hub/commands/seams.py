"""What the HTTP API and the commands may ask of the hub: three narrow seams. Nobody reaches into the core past them.

    Desk     changes something         only the owner of the state can do that
    Mirror   reads what is committed   everybody with a copy can answer: alerts, silences, outbox, trace, audit
    Ask      asks the running rules    only the owner's memory knows: why not, devices, last messages, counters

A single hub is all three (service.py, owner.py). A second machine that stands by could answer Mirror from its own copy
and forward the rest: values cross the Desk, never functions of the core.
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
from hub.store.changes import MetaRow
from hub.store.reader import Reader

__all__ = ["Answer", "Ask", "Desk", "Mirror", "RuleCounts"]

T = TypeVar("T")
Answer = Mapping[str, Any]


class Desk(Protocol):
    """Changes something; when it says that something is done, it is on disk."""

    async def answer(self, name: str, request: Mapping[str, Any], via: str, actor: str = "") -> Answer:
        """Carry out a command by its name. Where something is wrong, the answer says so; nothing is raised."""
        ...

    async def claimed(self, token: str) -> tuple[Claim, Alert | None]:
        """Return what the token of an acknowledge link allows, and its alert; None where that episode is forgotten.

        Raises:
            RequestError: the token is not ours, was changed, or has expired.

        """
        ...

    async def take_events(self, events: Sequence[Event], key: str) -> bool:
        """Take events that came by no source; return False where this idempotency key was taken before.

        Raises:
            StoreError: they cannot be made durable now.

        """
        ...

    async def take_postings(self, postings: Sequence[Posting]) -> list[str]:
        """Take alerts that another program evaluates; return what is wrong with those that are not taken.

        Raises:
            StoreError: they cannot be made durable now.

        """
        ...

    async def keep(self, rows: Sequence[MetaRow]) -> None:
        """Store single values of the front, such as that a login was ended; return when they are on disk.

        Raises:
            StoreError: they cannot be made durable now.

        """
        ...

    def note(self, actor: str, via: str, action: str, detail: Mapping[str, Any]) -> None:
        """Put into the audit log what was done past the core, such as a reload."""
        ...


class Mirror(Protocol):
    """Reads what is committed, as far as this machine has it."""

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
        """Return the firing alerts, by fingerprint, that suppress this one (`unless`)."""
        ...

    def posted(self, alert: Alert) -> PostedAlert | None:
        """Return an alert as it was last posted; None where a rule made it."""
        ...

    def look(self, read: Callable[[Reader], T]) -> Coroutine[Any, Any, T]:
        """Read the store beside the writer: outbox, trace, audit."""
        ...

    def why_failing(self) -> str:
        """Return why nothing can be written now; "" where it can."""
        ...


class RuleCounts(NamedTuple):
    """What a rule has done since the start, and how many instances it has."""

    instances: int = 0
    evaluations: int = 0
    matches: int = 0
    errors: int = 0


class Ask(Protocol):
    """Asks the memory of the running rules. A hub that has just started knows little of it."""

    def why_not(self, name: str, labels: Mapping[str, str], now: float) -> Generator[None, None, Answer]:
        """Say in steps why nobody is told by a rule (`why.absence.looking`)."""
        ...

    def counts(self, rule: str) -> RuleCounts | None:
        """Return the counters of a rule; None where no rule of that name runs."""
        ...

    def last_messages(self) -> Iterator[tuple[str, bytes, float]]:
        """Yield topic, payload and time of the last message on each topic that is remembered."""
        ...

    def heard(self) -> Iterable[tuple[str, float]]:
        """Yield each topic that is remembered, and when it was last heard, in seconds since 1970."""
        ...

    def interval(self, topic: str) -> float:
        """Return the usual seconds between two messages of a topic; 0 where that is not known."""
        ...

    def learn(self, topic: str, interval: float) -> None:
        """Take the measured seconds between two messages of a topic."""
        ...

    @property
    def has_forgotten(self) -> bool:
        """Whether the memory had to drop topics: a device that is not known may be one of them."""
        ...

    def absent(self) -> Callable[[str], bool]:
        """Return a function that tells of a topic whether a firing alert says that its device is absent."""
        ...

    def rehearsals(self, event: Event, now: float) -> Iterable[tuple[str, Callable[[], None]]]:
        """Yield each rule that an event concerns, with a function that evaluates its condition and changes nothing."""
        ...
