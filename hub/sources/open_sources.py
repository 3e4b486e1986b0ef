"""Puts the queues of `sources:` beside the MQTT session; each goes on behind the marks that the store holds."""

from collections.abc import Callable, Sequence
from functools import partial

import orjson

from hub.ingest.source import EventSource
from hub.model import Kept
from hub.sources.inflow import Inflow
from hub.sources.queue_reader import QueueReader
from hub.sources.source_settings import SourceSettings, build_kind

__all__ = ["open_sources"]


def open_sources(
    session: EventSource,
    settings: Sequence[SourceSettings],
    kept: Callable[[str], Kept],
    client_id: str,
    trouble: Callable[[str, str], None],
) -> Inflow:
    """Return the session and the queues as one source.

    `kept` returns the stored position of a source by its name; `trouble` hears of lost and new connections.
    """
    inflow = Inflow(session)
    for each in settings:
        marks = orjson.loads(kept(each.name).text or "{}")
        told = partial(trouble, f"source {each.name}")
        inflow.add(QueueReader(each.name, build_kind(each, client_id), marks, inflow.wake, told))
    return inflow
