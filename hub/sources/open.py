"""Put the sources of hub.yaml beside an MQTT session, each going on where the store says that it was."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import orjson

from hub.ingest.session import Session
from hub.sources.inflow import Inflow
from hub.sources.queue_reader import QueueReader
from hub.sources.settings import SourceSettings, build_kind

__all__ = ["open_sources"]


def open_sources(
    session: Session,
    settings: Sequence[SourceSettings],
    meta: Mapping[str, str],
    client_id: str,
    trouble: Callable[[str, str], None],
) -> Inflow:
    """Return the session and the sources as one; `meta` is the store's, `trouble` hears of loss and return."""
    inflow = Inflow(session)
    for each in settings:
        marks = orjson.loads(meta.get(f"source:{each.name}", "{}"))
        told = partial(trouble, f"source {each.name}")
        inflow.add(QueueReader(each.name, build_kind(each, client_id), marks, inflow.wake, told))
    return inflow
