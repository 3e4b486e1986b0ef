"""The table of error codes and their HTTP statuses, read in both directions. No status is read out of a message."""

from collections.abc import Mapping

from hub.errors import Code, HubError

__all__ = ["CODES", "code_of", "status_of"]

_STATUSES: Mapping[Code, int] = {
    Code.INVALID: 400,
    Code.MISSING: 404,
    Code.CONFLICT: 409,
    Code.EXPIRED: 410,
    Code.INTERNAL: 500,
    Code.UNAVAILABLE: 503,
}
CODES: Mapping[int, str] = {status: code.value for code, status in _STATUSES.items()} | {
    401: "unauthorized",
    403: "forbidden",
    405: "unsupported",
    408: "slow",
    413: "large",
    429: "throttled",
}
"""The code of each status. Those that no HubError has are of HTTP alone: they are about who asks, and how."""


def status_of(error: HubError) -> int:
    """Return the HTTP status of an error, by its code."""
    return _STATUSES[error.code]


def code_of(status: int) -> str:
    """Return the code that stands in a refusal beside its message; `invalid` for a status without a code."""
    return CODES.get(status, Code.INVALID.value)
