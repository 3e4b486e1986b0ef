"""What Apprise and the libraries below it log: caught where a reason is needed, and written to no log.

At debug level they log whole URLs, headers and tokens.
"""

import logging
from typing import Self

__all__ = ["AppriseLog"]


class AppriseLog(logging.Handler):
    """Collects in `lines` what Apprise warns of while the context is entered."""

    def __init__(self) -> None:
        """Collect nothing before the context is entered."""
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record's message; logging calls this."""
        self.lines.append(record.getMessage())

    def __enter__(self) -> Self:
        _LOGGER.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        _LOGGER.removeHandler(self)


def _silence(name: str) -> logging.Logger:
    """Keep a library's log from the hub's handlers; return its logger."""
    logger = logging.getLogger(name)
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    return logger


_LOGGER = _silence("apprise")
for _name in ("urllib3", "requests", "requests_oauthlib", "oauthlib", "slixmpp"):
    _silence(_name)
