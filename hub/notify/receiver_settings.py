"""`receivers:` of the rule files into settings: common keys here, a kind's own keys by the kind's class.

A receiver is an Apprise URL, or a mapping with one kind as its key and the common keys beside it.
"""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from hub.documents.document import Node, Problems
from hub.documents.secret import Secret
from hub.documents.value_schema import Schema, mapping_schema, one_required
from hub.fields import Section, did_you_mean
from hub.notify.client_keys import TABLES
from hub.notify.receiver import Kind, Receiver, ReceiverSettings, Toolbox, Usual
from hub.notify.receiver_options import COMMON, FALLBACK, RATE, RETRY, SEND_RESOLVED, TIMEOUT, fallback, retry

__all__ = ["build_receiver", "read_receivers", "receivers_schema"]

_GROUP = "hub.receivers"
_COMMON = tuple(key.name for key in COMMON)
_OTHER: Schema = {"description": "A kind of another package.", "type": ["object", "null"]}


def read_receivers(node: Node, problems: Problems) -> dict[str, ReceiverSettings]:
    """Read the `receivers` mapping: settings by name, and every problem of all of them.

    A receiver with problems is there too, so that rules that name it have no problem on top.
    """
    section = Section(node, problems, "receivers")
    kinds = {point.name: point for point in entry_points(group=_GROUP)}
    return {name: _read(name, child, kinds, problems) for name, child in section.values.items()}


def build_receiver(settings: ReceiverSettings, toolbox: Toolbox) -> Receiver:
    """Make the receiver that settings describe; they come from `read_receivers` without a problem."""
    (point,) = entry_points(group=_GROUP, name=settings.kind)
    kind: type[Kind] = point.load()
    return kind(settings.options, toolbox)


def receivers_schema() -> Schema:
    """Return the schema of the `receivers` mapping: all kinds that are installed, or could be by an extra of the hub.

    A kind of another package has the schema of its `keys`, where it declares them.
    """
    points = {point.name: point for point in entry_points(group=_GROUP)}
    kinds = {name: _kind_schema(name, point) for name, point in sorted(points.items())}
    common = {key.name: key.schema for key in COMMON}
    full = {**mapping_schema("a receiver", {**kinds, **common}, []), **one_required(*kinds)}
    url = {"title": "an Apprise URL", "type": "string", "pattern": "^[^:]+://"}
    return {"type": "object", "additionalProperties": {"anyOf": [url, full]}}


def _kind_schema(name: str, point: EntryPoint) -> Schema:
    table = TABLES.get(name)
    if table is None:
        try:
            table = getattr(point.load(), "keys", None)
        except (ImportError, AttributeError):
            table = None  # what is not whole is not described; `hub check` says what is the matter with it
    return {"title": name, **(_OTHER if table is None else table.schema)}


def _read(name: str, node: Node, kinds: Mapping[str, EntryPoint], problems: Problems) -> ReceiverSettings:
    if isinstance(node.value, (str, Secret)):
        node = _mapping(node, "apprise", node)
    section = Section(node, problems, f"receiver {name!r}")
    send_resolved = section.take(SEND_RESOLVED)
    kind = _kind(section, kinds) if _readable(node) else ""
    options, usual = _options(section, kind, kinds) if kind else (None, Usual())
    return ReceiverSettings(
        name,
        kind,
        options,
        section.take(TIMEOUT, default=usual.timeout),
        usual.concurrency,
        send_resolved,
        section.take(RATE),
        section.take(RETRY, retry(problems)),
        section.take(FALLBACK, fallback(problems)),
        usual.breaker,
    )


def _kind(section: Section, kinds: Mapping[str, EntryPoint]) -> str:
    """Find the one kind among the keys and report every key that is neither that nor common; "" where there is none."""
    found = [key for key in section.values if key in kinds]
    wrong = False
    for key in section.values:
        if key in found or key in _COMMON:
            continue
        wrong = True
        known = [*kinds, *_COMMON]
        hint = did_you_mean(key, known) or f"known keys: {', '.join(sorted(known))}"
        section.report(section.node.key_problem(key, f"unknown key {key!r} in {section.what}", hint))
    for key in found[1:]:
        section.report(section.node.key_problem(key, f"{section.what} is both {found[0]!r} and {key!r}", "make it two"))
    if not found and not wrong:
        hint = f"an Apprise URL, or a mapping with one of {', '.join(sorted(kinds))}"
        section.report(section.node.problem(f"{section.what} has no kind", hint))
    return found[0] if found else ""


def _options(section: Section, name: str, kinds: Mapping[str, EntryPoint]) -> tuple[Any, Usual]:
    node = section.values[name]
    try:
        kind: type[Kind] = kinds[name].load()
    except (ImportError, AttributeError) as error:
        message = f"receiver kind {name!r} cannot be loaded: {error}"
        section.report(section.node.key_problem(name, message, _missing(kinds[name])))
        return None, Usual()
    if name == "apprise" and not isinstance(node.value, dict):
        node = _mapping(node, "url", node)
    inner = Section(node, section.problems, f"{name!r} of {section.what}", getattr(kind, "keys", None))
    if not _readable(node):
        return None, Usual()
    options = kind.read(inner)
    inner.finish()
    return options, Usual.of(kind)


def _missing(point: EntryPoint) -> str:
    """Say what to install for a kind that names an optional extra of its package."""
    if not point.extras or point.dist is None:
        return ""
    return f"pip install '{point.dist.name}[{','.join(point.extras)}]'"


def _readable(node: Node) -> bool:
    """Tell whether it is a mapping, or nothing; anything else is one problem, which its Section has reported."""
    return node.value is None or isinstance(node.value, dict)


def _mapping(place: Node, key: str, value: Node) -> Node:
    """Make a mapping of one key, at the place of its value: the long form of a short one."""
    return Node({key: value}, place.path, place.line, place.column, keys={key: (place.line, place.column)})
