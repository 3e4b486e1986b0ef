"""Put the queues of `sources:` beside the MQTT session, each going on where the store says that it was."""

from collections.abc import Callable, Sequence
from functools import partial

import orjson

from hub.ingest.source import EventSource
from hub.sources.inflow import Inflow
from hub.sources.queue_reader import QueueReader
from hub.sources.source_settings import SourceSettings, build_kind
from hub.store.changes import Kept

__all__ = ["open_sources"]


def open_sources(
    session: EventSource,
    settings: Sequence[SourceSettings],
    kept: Callable[[str], Kept],
    client_id: str,
    trouble: Callable[[str, str], None],
) -> Inflow:
    """Return the session and the queues as one; `kept` tells what is stored of each, `trouble` of loss and return."""
    inflow = Inflow(session)
    for each in settings:
        marks = orjson.loads(kept(each.name).text or "{}")
        told = partial(trouble, f"source {each.name}")
        inflow.add(QueueReader(each.name, build_kind(each, client_id), marks, inflow.wake, told))
    return inflow
