"""Since when no device could be heard before a claim, by one clock: that of the server that stores the log.

The clocks of two nodes are never compared. A node that takes over knows how long ago the last record was stored, and
for how long its writer had heard nobody by then. The state's times are by the writer's clock: all of them are moved by
as much as this node's clock differs from that one.
"""

from hub.limits import ALIVE_SECONDS
from hub.spine.downtime import Gap

__all__ = ["LogDowntime"]


class LogDowntime:
    """A Downtime by the store's clock: `seconds` is how long before the claim the devices were last heard.

    None where nobody ever owned the unit. `step` is how far this machine's clock is ahead of the one before.
    """

    def __init__(self, seconds: float | None, now: float, step: float = 0.0) -> None:
        """Take what the claim showed; `now` is this machine's wall clock at the claim."""
        self._step = step
        self.never = seconds is None
        """Whether no owner has heard anybody yet."""
        self.moved = False
        """Whether a commit was made since the state's times are by this machine's clock."""
        self._heard = None if seconds is None else now - max(0.0, seconds)
        self._until = 0.0
        self.quiet_since: float | None = self._heard
        """The time since which nobody can be heard, by this machine's clock; None while everybody can."""

    @property
    def last_heard(self) -> float | None:
        """When an earlier owner last heard everybody, by this machine's clock."""
        return self._heard

    def gap(self, now: float) -> Gap:
        """Return the time since then, and by how much the state's times have to move."""
        return Gap(now if self._heard is None else min(now, self._heard), self._step)

    def is_due(self, now: float) -> bool:
        """Tell whether the log should say again that the owner hears its devices."""
        return now >= self._until

    def take_rows(self, now: float, quiet_since: float | None, *, last: bool) -> list[tuple[str, str]]:
        """Note since when nobody is heard, for the header of the record; for the file what a single hub notes there."""
        self.quiet_since, self.moved = quiet_since, True
        self.never = self.never and quiet_since is not None
        if not last and (quiet_since is not None or now < self._until):
            return []
        self._until = now + ALIVE_SECONDS
        return [("alive", repr(now if quiet_since is None else quiet_since))]

    def stepped(self) -> None:
        """The store's clock has not stepped."""
        self._until = 0.0
