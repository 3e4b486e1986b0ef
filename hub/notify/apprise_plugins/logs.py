"""What Apprise and the libraries below it log: heard where a reason is needed, and written nowhere.

At debug level they log whole URLs, headers and tokens.
"""

import logging
from typing import Self

__all__ = ["AppriseLog"]


class AppriseLog(logging.Handler):
    """Hears what Apprise says meanwhile."""

    def __init__(self) -> None:
        """Hear nothing before it is entered."""
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line."""
        self.lines.append(record.getMessage())

    def __enter__(self) -> Self:
        _LOGGER.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        _LOGGER.removeHandler(self)


def _silence(name: str) -> logging.Logger:
    """Let a library's logger tell its own handlers only."""
    logger = logging.getLogger(name)
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    return logger


_LOGGER = _silence("apprise")
for _name in ("urllib3", "requests", "requests_oauthlib", "oauthlib", "slixmpp"):
    _silence(_name)
