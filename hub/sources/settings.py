"""`sources:` of hub.yaml into settings: a name, a kind as its key, and beside it the topic that rules see."""

from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any

from hub.document import Node, Problems
from hub.fields import Section, did_you_mean
from hub.sources.place import Place, place
from hub.sources.queue import Kind

__all__ = ["SourceSettings", "build_kind", "read_sources"]

_GROUP = "hub.sources"


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """A source as a user wrote it; `options` is what the kind's `read` made of its section."""

    name: str
    kind: str
    options: Any = field(repr=False)
    topic: Place


def read_sources(node: Node | None, problems: Problems) -> tuple[SourceSettings, ...]:
    """Read the `sources` mapping; look into `problems` before using what comes back."""
    if node is None:
        return ()
    section = Section(node, problems, "sources")
    return tuple(made for name, child in section.values.items() if (made := _read(name, child, problems)))


def build_kind(settings: SourceSettings, client_id: str) -> Kind:
    """Make the kind that settings describe; they come from `read_sources` without a problem."""
    (point,) = entry_points(group=_GROUP, name=settings.kind)
    kind: type[Kind] = point.load()
    return kind(settings.options, settings.topic, settings.name, client_id)


def _read(name: str, node: Node, problems: Problems) -> SourceSettings | None:
    section = Section(node, problems, f"source {name!r}")
    points = {point.name: point for point in entry_points(group=_GROUP)}
    found = [key for key in section.values if key != "topic"]
    if len(found) != 1 or found[0] not in points:
        known = ", ".join(sorted(points))
        hint = did_you_mean(found[0], points) if len(found) == 1 else ""
        section.report(section.node.problem(f"{section.what} needs one of {known}, and topic", hint))
        return None
    point = points[found[0]]
    try:
        kind: type[Kind] = point.load()
    except (ImportError, AttributeError) as error:
        extra = f"pip install '{point.dist.name}[{','.join(point.extras)}]'" if point.dist and point.extras else ""
        message = f"source kind {point.name!r} cannot be loaded: {error}"
        section.report(section.node.key_problem(point.name, message, extra))
        return None
    topic = section.require("topic", place(*kind.names), Place(""))
    inner = Section(section.values[point.name], problems, f"{point.name!r} of {section.what}")
    options = kind.read(inner)
    inner.finish()
    return SourceSettings(name, point.name, options, topic)
