"""One commit under way: what it covers, who waits for it, and what is told of it once it is on disk."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.errors import StoreError
from hub.notify.outbox_port import Queued
from hub.observer import Observer
from hub.tracing.spans import Traced

__all__ = ["Commit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """Made by the pipeline when it hands its changes to the store."""

    position: int
    """Of the last delivery that it covers."""
    events: int
    speaking: tuple[int, float]
    """How many events since the first that caused something, and when that arrived."""
    queued: Sequence[Queued]
    changed: Sequence[Mapping[str, Any]]
    waiting: "Sequence[asyncio.Future[None]]"
    """Who waits until it is on disk."""
    begun: float
    """When it was handed to the store, by the clock that never steps."""
    traced: Sequence[Traced]

    def wake(self, error: StoreError | None) -> None:
        """Tell who waits that it is on disk, or that the hub has ended before."""
        for durable in self.waiting:
            if durable.done():
                continue  # he has given up
            if error is None:
                durable.set_result(None)
            else:
                durable.set_exception(error)

    def report(self, observer: Observer, now: float) -> None:
        """Tell who looks on what came of it."""
        count, oldest = self.speaking
        if count:
            observer.committed(count, now - oldest)
        for body in self.changed:
            observer.alert(body)
        for queued in self.queued:
            observer.queued(queued.notification)
