"""`sources:` of hub.yaml into settings: a name, a kind as its key, and beside it the topic that rules see."""

from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from hub.documents.document import Node, Problems
from hub.documents.value_schema import TEXT, Schema, mapping_schema, one_required
from hub.fields import Key, KeyTable, Section, did_you_mean, late
from hub.sources.place import TopicPlace, place
from hub.sources.queue import QueueKind
from hub.sources.source_keys import TABLES

__all__ = ["SourceSettings", "build_kind", "read_sources", "sources_schema"]

_GROUP = "hub.sources"
_OTHER: Schema = {"description": "A kind of another package.", "type": ["object", "null"]}
_TOPIC: Key[TopicPlace] = Key(
    "topic",
    late,  # the kind says which names may stand in it
    TopicPlace(""),
    "The topic that rules see; {…} takes parts of the message's own address.",
    "plant/{subject}",
    required=True,
    schema=TEXT,
)


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """A source as a user wrote it; `options` is what the kind's `read` made of its section."""

    name: str
    kind: str
    options: Any = field(repr=False)
    topic: TopicPlace


def read_sources(node: Node | None, problems: Problems) -> tuple[SourceSettings, ...]:
    """Read the `sources` mapping; the result may only be used where `problems` is empty."""
    if node is None:
        return ()
    section = Section(node, problems, "sources")
    return tuple(made for name, child in section.values.items() if (made := _read(name, child, problems)))


def build_kind(settings: SourceSettings, client_id: str) -> QueueKind:
    """Make the kind that the settings name; `read_sources` has made them without a problem."""
    (point,) = entry_points(group=_GROUP, name=settings.kind)
    kind: type[QueueKind] = point.load()
    return kind(settings.options, settings.topic, settings.name, client_id)


def sources_schema() -> Schema:
    """Return the schema of the `sources` mapping, with all kinds that are installed or that an extra would install."""
    points = {point.name: point for point in entry_points(group=_GROUP)}
    kinds = {name: {"title": name, **_kind_schema(name, point)} for name, point in sorted(points.items())}
    whole = mapping_schema("a source", {**kinds, _TOPIC.name: _TOPIC.schema}, [_TOPIC.name])
    return {"type": "object", "additionalProperties": {**whole, **one_required(*kinds)}}


def _kind_schema(name: str, point: EntryPoint) -> Schema:
    table: KeyTable | None = TABLES.get(name)
    if table is None:
        try:
            table = getattr(point.load(), "keys", None)
        except (ImportError, AttributeError):
            table = None  # a broken plug-in is not described; `hub check` says what is wrong with it
    return _OTHER if table is None else {"description": f"Reads from {name}.", **table.schema}


def _read(name: str, node: Node, problems: Problems) -> SourceSettings | None:
    section = Section(node, problems, f"source {name!r}")
    points = {point.name: point for point in entry_points(group=_GROUP)}
    found = [key for key in section.values if key != _TOPIC.name]
    if len(found) != 1 or found[0] not in points:
        known = ", ".join(sorted(points))
        hint = did_you_mean(found[0], points) if len(found) == 1 else ""
        section.report(section.node.problem(f"{section.what} needs one of {known}, and topic", hint))
        return None
    point = points[found[0]]
    try:
        kind: type[QueueKind] = point.load()
    except (ImportError, AttributeError) as error:
        extra = f"pip install '{point.dist.name}[{','.join(point.extras)}]'" if point.dist and point.extras else ""
        message = f"source kind {point.name!r} cannot be loaded: {error}"
        section.report(section.node.key_problem(point.name, message, extra))
        return None
    topic = section.take(_TOPIC, place(*kind.names))
    what = f"{point.name!r} of {section.what}"
    inner = Section(section.values[point.name], problems, what, getattr(kind, "keys", None))
    options = kind.read(inner)
    inner.finish()
    return SourceSettings(name, point.name, options, topic)
