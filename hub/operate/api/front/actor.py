"""Who asks, and what that role may do; each role may do all that the one before it may."""

from dataclasses import dataclass

__all__ = ["ADMIN", "LOCAL", "OPERATOR", "ROLES", "VIEWER", "Actor", "Refused"]

VIEWER, OPERATOR, ADMIN = "viewer", "operator", "admin"
ROLES = (VIEWER, OPERATOR, ADMIN)


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody with a token: its name, and what it may do.

    `login` marks the login of a browser, which `expires` at this time, in seconds since 1970.
    """

    name: str
    role: str
    login: str = ""
    expires: int = 0

    def may(self, role: str) -> bool:
        """Tell whether it may do what needs this role."""
        return ROLES.index(self.role) >= ROLES.index(role)


LOCAL = Actor("local", ADMIN)
"""Whoever asks a hub without tokens, which listens on this machine only."""


class Refused(Exception):
    """A request that is not carried out: the status of the answer, why, and how many seconds to wait (0: not said)."""

    def __init__(self, status: int, message: str, after: float = 0.0) -> None:
        """Keep what to answer."""
        super().__init__(message)
        self.status, self.message, self.after = status, message, after
