"""One table makes an HTTP status of an error's code, and a code of a status. No status is read out of a message."""

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
"""What kind of no each status is; the second half is of HTTP alone: who asks, and how."""


def status_of(error: HubError) -> int:
    """Return the status of an error."""
    return _STATUSES[error.code]


def code_of(status: int) -> str:
    """Return the code that stands in the answer beside its words."""
    return CODES.get(status, Code.INVALID.value)
