"""The seam to the store: where notifications wait until someone has them; `hub.store` keeps the table.

The dispatcher holds the next ones in memory and reports what came of each; the truth is in the rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from hub.model import Notification

__all__ = ["Entered", "Outbox", "Queued", "Settled", "State"]

State = Literal["delivered", "retry", "dead", "superseded"]


@dataclass(frozen=True, slots=True)
class Queued:
    """A committed notification that is neither delivered nor dead.

    `row` is the order of queueing, over all receivers; `next_at` (seconds since 1970) is the earliest time of the next
    attempt, 0 for at once. `perhaps`: an attempt ended unclearly, so the receiver may have it.

    The newest message of an episode may stand for older ones that are not sent any more. `place` is then the row of the
    oldest, whose turn it has (0: it stands for none), `before` how often those were tried. A group's message may tell
    what older ones told, too: `parts` are those and then itself, each as it was; their rows stay queued until it is
    settled.
    """

    row: int
    notification: Notification
    attempts: int = 0
    next_at: float = 0.0
    perhaps: bool = False
    place: int = 0
    before: int = 0
    parts: tuple["Queued", ...] = ()
    born: float | None = field(default=None, compare=False)
    """When it was made, by the clock that never steps; None of what was read from the store."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A notification for another receiver: a fallback, or who takes over from a receiver that is gone.

    With `handed` it is a firing message that its own receiver did not take, which is remembered until the end of the
    episode was told to the fallback; with `closes` (the name of that receiver) it is this end.
    """

    notification: Notification
    handed: bool = False
    closes: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a row: with `retry` it stays queued, with its attempts and the time of the next.

    `reason` is empty when delivered. It holds no secret. `entered` goes into the outbox with the same commit, and so do
    `heirs`, where its receiver is gone.
    """

    row: int
    state: State
    attempts: int
    next_at: float
    reason: str
    entered: Entered | None = None
    heirs: tuple[Entered, ...] = ()


class Outbox(Protocol):
    """The durable queue of notifications, as the dispatcher sees it."""

    def settle(self, results: Sequence[Settled]) -> None:
        """Put results into the next group commit; never blocks.

        A row that is already delivered or dead stays so. What they enter is offered when it is committed.
        """
        ...

    async def queued(self, receiver: str, after_row: int, limit: int) -> list[Queued]:
        """Return committed rows of a receiver behind `after_row` that are neither delivered nor dead, in row order.

        Results handed to `settle` but not yet committed may still be missing from what it says. Of what was queued
        before this process began nobody knows whether it was under way when the last one ended: `perhaps`.
        """
        ...

    async def handed(self) -> list[tuple[str, str, str]]:
        """Return receiver, id and fallback of what was handed to a fallback and whose episode was not closed."""
        ...

    async def receivers(self) -> list[str]:
        """Return the names of all receivers with such rows, so that none waits for a receiver that is gone."""
        ...
