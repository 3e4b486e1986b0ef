"""Is somebody else using our client id? MQTT 5 has a reason for that (0x8E), but not every broker gives it.

Mosquitto 2.0.11 and every MQTT 3.1.1 broker just close the connection, and two clients with one id take each other over
for ever. What shows it then is that the broker takes us again at once, and soon closes again, several times in a row.
"""

from hub.errors import Disconnected, SessionError, SessionTakenOver

__all__ = ["Hangup", "Rival", "taken_over"]

_TIMES = 5
_SOON_SECONDS = 5.0


class Hangup(Disconnected):
    """The broker closed the connection and gave no reason."""


class Rival:
    """Counts connections that were made without trouble and closed without a reason."""

    def __init__(self, client_id: str) -> None:
        """Watch over `client_id`."""
        self._client_id = client_id
        self._times = 0

    def suspect(self, error: SessionError, lasted: float) -> SessionTakenOver | None:
        """Hear why a connection ended and how many seconds it lasted (0: it was not made)."""
        self._times = self._times + 1 if isinstance(error, Hangup) and 0 < lasted < _SOON_SECONDS else 0
        if self._times < _TIMES:
            return None
        return taken_over(
            self._client_id, f"the broker took us and closed again without a reason, {_TIMES} times in a row"
        )


def taken_over(client_id: str, why: str) -> SessionTakenOver:
    """Return the error that stops us for the other."""
    return SessionTakenOver(
        f"{why}: another client connects as {client_id!r}; is a second hub running? Give each its own broker.client_id"
    )
