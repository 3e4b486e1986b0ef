"""File descriptors: as many as the system lets the hub have, and how many of them the HTTP interface may take."""

from contextlib import suppress

from hub.limits import FILES, HTTP_CONNECTIONS, HTTP_RESERVED_FILES

with suppress(ImportError):  # there is none on Windows, which has no such limit
    import resource

__all__ = ["http_room", "limit", "raise_limit"]


def raise_limit() -> int:
    """Raise the soft limit to the hard one, FILES at most, and return what it is then."""
    if "resource" not in globals():
        return FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(OSError, ValueError):  # a system may refuse what it has promised (macOS); then it stays as it is
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return limit()


def limit() -> int:
    """Return how many files this process may have open."""
    if "resource" not in globals():
        return FILES
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return FILES if soft == resource.RLIM_INFINITY else soft


def http_room(files: int) -> int:
    """Return how many connections the HTTP interface may have of so many files; the others are in reserve.

    Where there are few files at all it has a quarter.
    """
    return max(1, min(HTTP_CONNECTIONS, max(files - HTTP_RESERVED_FILES, files // 4)))
