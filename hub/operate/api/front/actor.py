"""The roles, the client of a request, and the refusal of a request. Each role may do all that the one before it may."""

from dataclasses import dataclass

__all__ = ["ADMIN", "LOCAL", "OPERATOR", "ROLES", "VIEWER", "Actor", "Refused"]

VIEWER, OPERATOR, ADMIN = "viewer", "operator", "admin"
ROLES = (VIEWER, OPERATOR, ADMIN)


@dataclass(frozen=True, slots=True)
class Actor:
    """The client of a request: the name and the role of its token.

    Where it is a browser, `login` is the mark of its login, which `expires` at this time, in seconds since 1970.
    """

    name: str
    role: str
    login: str = ""
    expires: int = 0

    def may(self, role: str) -> bool:
        """Tell whether the client may do what needs this role."""
        return ROLES.index(self.role) >= ROLES.index(role)


LOCAL = Actor("local", ADMIN)
"""The client of a hub without tokens, which listens on this machine only; also of endpoints that everybody may use."""


class Refused(Exception):
    """A request is not carried out. It says the status of the answer, why, and how long to wait (0: not said)."""

    def __init__(self, status: int, message: str, after: float = 0.0) -> None:
        """Keep what to answer; `after` is in seconds."""
        super().__init__(message)
        self.status, self.message, self.after = status, message, after
