"""Whose turn it is where the broker has several addresses: after one that is lost or does not answer, the next."""

from hub.errors import SessionError
from hub.ingest.mqtt.session import BrokerSettings
from hub.limits import CONNECT_SECONDS, NEXT_BROKER_SECONDS

__all__ = ["BrokerTurns"]

_STEADY_SECONDS = 1.0  # a connection that lasted this long ends the outage before it


class BrokerTurns:
    """Goes round the addresses. A round is over when each was tried once since the last connection that stood."""

    def __init__(self, settings: BrokerSettings) -> None:
        """Begin with the first address."""
        self._each = settings.each
        self._failed = 0
        self._number = 0

    @property
    def now(self) -> BrokerSettings:
        """The one whose turn it is."""
        return self._each[self._number]

    @property
    def name(self) -> str:
        """Its address, where there are others."""
        return str(self.now) if len(self._each) > 1 else ""

    @property
    def seconds(self) -> float:
        """How long to wait for it: in the first round not long, as another one may be there."""
        return NEXT_BROKER_SECONDS if len(self._each) > 1 and self._failed < len(self._each) else CONNECT_SECONDS

    @property
    def is_last(self) -> bool:
        """Whether the round ends with it."""
        return (self._failed + 1) % len(self._each) == 0

    def told(self, error: SessionError) -> str:
        """Return what went wrong, with the address where there are others."""
        return self.now.told(str(error)) if self.name else str(error)

    def next(self, lasted: float) -> bool:
        """Go on to the next, after a connection of so many seconds (0: none was made); tell whether to try it at once.

        After a whole round, waiting is better.
        """
        if lasted >= _STEADY_SECONDS:
            self._failed = 0
        at_once = not self.is_last
        self._failed += 1
        self._number = (self._number + 1) % len(self._each)
        return at_once
