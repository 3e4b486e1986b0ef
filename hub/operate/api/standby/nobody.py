"""The Desk and the Ask of a node that stands by: it has neither. What needs one of them is handed to the owner."""

from typing import Any

from hub.errors import Code, RequestError

__all__ = ["Nobody"]


class Nobody:
    """Refuses whatever it is asked. A handler that comes here should have been left to the owner (node_server.py)."""

    def __getattr__(self, name: str) -> Any:
        """Refuse a method of Desk or Ask."""
        raise RequestError(f"this node stands by; only the owner can do this ({name})", Code.UNAVAILABLE)
