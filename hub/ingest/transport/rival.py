"""Notices that another client uses our client id. MQTT 5 has a reason code for that (0x8E); not all brokers send it.

Mosquitto 2.0.11 and every MQTT 3.1.1 broker just close the connection, and two clients with one id take the session
from each other for ever. It shows by this: the broker takes us again at once and soon closes again, several times.
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
        """Hear why a connection ended and how many seconds it lasted (0: none was made); None where all is well."""
        self._times = self._times + 1 if isinstance(error, Hangup) and 0 < lasted < _SOON_SECONDS else 0
        if self._times < _TIMES:
            return None
        return taken_over(
            self._client_id, f"the broker took us and closed again without a reason, {_TIMES} times in a row"
        )


def taken_over(client_id: str, why: str) -> SessionTakenOver:
    """Return the error that stops this hub: the other client keeps the session."""
    return SessionTakenOver(
        f"{why}: another client connects as {client_id!r}; is a second hub running? Give each its own broker.client_id"
    )
