"""The seam between dispatcher and store: the durable queue of notifications; hub.spine.store_outbox implements it.

The dispatcher holds the next ones in memory and reports what came of each. After a crash only the rows count.
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
    """What the dispatcher asks of the durable queue."""

    def settle(self, results: Sequence[Settled]) -> None:
        """Put results into the next group commit; never blocks.

        A row that is already delivered or dead stays so. A notification that a result enters is offered to the
        dispatcher when the commit is on disk.
        """
        ...

    async def queued(self, receiver: str, after_row: int, limit: int) -> list[Queued]:
        """Return committed rows of a receiver behind `after_row` that are neither delivered nor dead, in row order.

        Results that `settle` took and that are not committed yet may be missing here. Rows from before this process
        began have `perhaps`, because nobody knows whether an attempt was under way when the last process ended.
        """
        ...

    async def handed(self) -> list[tuple[str, str, str]]:
        """Return receiver, id and fallback of what was handed to a fallback and whose episode was not closed."""
        ...

    async def receivers(self) -> list[str]:
        """Return the names of all receivers with such rows, so that none waits for a receiver that is gone."""
        ...
