"""File descriptors: how many the system lets the hub have, and how many of them the HTTP interface may take."""

from contextlib import suppress

from hub.limits import FILES, HTTP_CONNECTIONS, HTTP_RESERVED_FILES

with suppress(ImportError):  # Windows has neither this module nor such a limit
    import resource

__all__ = ["http_room", "limit", "raise_limit"]


def raise_limit() -> int:
    """Raise the soft limit to the hard one, to FILES at most, and return the new limit."""
    if "resource" not in globals():
        return FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(OSError, ValueError):  # macOS may refuse what its hard limit promises; then the old limit stays
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return limit()


def limit() -> int:
    """Return how many files this process may have open."""
    if "resource" not in globals():
        return FILES
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return FILES if soft == resource.RLIM_INFINITY else soft


def http_room(files: int) -> int:
    """Return how many connections the HTTP interface may have, if the process may have `files` files.

    The rest is for the broker, the store and receivers: browsers must not take their descriptors. If there are few
    files, HTTP gets a quarter.
    """
    return max(1, min(HTTP_CONNECTIONS, max(files - HTTP_RESERVED_FILES, files // 4)))
