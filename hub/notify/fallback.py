"""`fallback`: who is told where a receiver does not take a notification. No chain of fallbacks may be a circle."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from hub.documents.document import Node, Problems
from hub.fields import did_you_mean

__all__ = ["Fallback", "check_fallbacks"]


@dataclass(frozen=True, slots=True)
class Fallback:
    """Tell `to` when a notification is a dead letter, or was not delivered within `after` seconds."""

    to: str
    after: float | None = None
    node: Node | None = field(default=None, compare=False, repr=False)
    """Where the name is written."""


class _Settings(Protocol):
    @property
    def fallback(self) -> Fallback | None: ...


def check_fallbacks(receivers: Mapping[str, _Settings], problems: Problems, *, whole: bool = True) -> None:
    """Report every fallback that names no receiver, and every circle, once for each of its members.

    `whole` is False where a file could not be read: a name that is missing may be in that file, so it is no problem.
    """
    for name, settings in receivers.items():
        fallback = settings.fallback
        if fallback is None or fallback.node is None:
            continue
        if fallback.to not in receivers:
            if not whole:
                continue
            hint = did_you_mean(fallback.to, receivers) or "a fallback is the name of another receiver"
            problems.append(fallback.node.problem(f"there is no receiver {fallback.to!r}", hint))
        elif chain := _circle(name, receivers):
            message = f"fallbacks go in a circle: {' → '.join(chain)}"
            problems.append(fallback.node.problem(message, "let one of them have none"))


def _circle(name: str, receivers: Mapping[str, _Settings]) -> list[str]:
    """Return the way from a receiver back to itself, or nothing."""
    chain = [name]
    while (settings := receivers.get(chain[-1])) is not None and settings.fallback is not None:
        chain.append(settings.fallback.to)
        if chain[-1] == name:
            return chain
        if chain[-1] in chain[:-1]:
            return []  # a circle that this receiver leads into; it is reported at its own members
    return []
