"""One commit under way: what it covers, who waits for it, and what observers are told once it is on disk."""

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
    """The pipeline makes it when it hands its changes to the store."""

    position: int
    """The position of the last delivery that it covers."""
    events: int
    speaking: tuple[int, float]
    """How many events it covers that came in batches with a transition, and when the first of these arrived."""
    queued: Sequence[Queued]
    changed: Sequence[Mapping[str, Any]]
    waiting: "Sequence[asyncio.Future[None]]"
    """Who waits until it is on disk."""
    begun: float
    """When it was handed to the store, by the clock that never steps."""
    traced: Sequence[Traced]

    def wake(self, error: StoreError | None) -> None:
        """Tell everybody who waits that the commit is on disk, or with `error` that the hub ended before."""
        for durable in self.waiting:
            if durable.done():
                continue  # whoever waited was cancelled
            if error is None:
                durable.set_result(None)
            else:
                durable.set_exception(error)

    def report(self, observer: Observer, now: float) -> None:
        """Tell the observer what the commit has made durable; `now` is in seconds since 1970."""
        count, oldest = self.speaking
        if count:
            observer.committed(count, now - oldest)
        for body in self.changed:
            observer.alert(body)
        for queued in self.queued:
            observer.queued(queued.notification)
