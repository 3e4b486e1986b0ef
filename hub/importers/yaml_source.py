"""Reads other tools' YAML leniently: any tag, aliases, merge keys, several documents. Each value knows its place."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from hub.documents.document import Problems
from hub.errors import Problem
from hub.limits import DOCUMENT_DEPTH

__all__ = ["ForeignValue", "read_sources"]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS = ("", "~", "null", "Null", "NULL")
_MERGE = "tag:yaml.org,2002:merge"


@dataclass(slots=True, eq=False)
class ForeignValue:
    """A text, a list, a mapping, or None, and where it stands. `tag` is one of the other tool's, such as `!secret`.

    `keys` are the lines of a mapping's keys.
    """

    value: str | list["ForeignValue"] | dict[str, "ForeignValue"] | None
    line: int
    column: int
    tag: str = ""
    keys: dict[str, int] = field(default_factory=dict)

    def get(self, key: str) -> "ForeignValue | None":
        """Return the value under a key; None where it is empty, or this is no mapping."""
        child = self.value.get(key) if isinstance(self.value, dict) else None
        return None if child is None or (child.value is None and not child.tag) else child

    def text(self, key: str, default: str = "") -> str:
        """Return the text under a key; `default` where there is none."""
        child = self.get(key)
        return child.value if child is not None and isinstance(child.value, str) else default

    @property
    def items(self) -> "list[ForeignValue]":
        """Return the items of a list; a single value counts as a list of one."""
        return self.value if isinstance(self.value, list) else [self]

    @property
    def texts(self) -> list[str]:
        """Return those items that are texts."""
        return [item.value for item in self.items if isinstance(item.value, str)]

    @property
    def pairs(self) -> "dict[str, ForeignValue]":
        """Return the mapping; an empty one where this is no mapping."""
        return self.value if isinstance(self.value, dict) else {}


def read_sources(text: str, path: str, problems: Problems) -> list[ForeignValue]:
    """Read every document of a text. Where it is no YAML, a problem is added, and the list is empty."""
    try:
        _check_depth(text)
        return [_Builder().build(node) for node in yaml.compose_all(text, Loader=_LOADER)]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problems.append(Problem(path, line, column, f"not YAML: {error.problem or error.context}"))
    except yaml.reader.ReaderError as error:
        problems.append(Problem(path, 0, 0, f"not YAML: it holds the character U+{error.character:04X}"))
    return []


def _check_depth(text: str) -> None:
    """Refuse a text that is nested so deep that composing it would crash the process."""
    depth = 0
    events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DOCUMENT_DEPTH:
            raise yaml.MarkedYAMLError(problem=f"nested deeper than {DOCUMENT_DEPTH}", problem_mark=event.start_mark)


class _Builder:
    """Makes a value of each node, once, however often aliases name it: a few lines can name a node a billion times."""

    def __init__(self) -> None:
        self.made: dict[int, ForeignValue] = {}

    def build(self, node: Any) -> ForeignValue:
        if id(node) in self.made:
            return self.made[id(node)]
        mark = node.start_mark
        foreign = ForeignValue(None, mark.line + 1, mark.column + 1, node.tag if node.tag.startswith("!") else "")
        self.made[id(node)] = foreign  # before its children: an alias may name the node that it stands in
        if isinstance(node, yaml.ScalarNode):
            plain = node.style in (None, "")
            foreign.value = None if plain and node.value in _NULLS else node.value
        elif isinstance(node, yaml.SequenceNode):
            foreign.value = [self.build(item) for item in node.value]
        else:
            self.mapping(node, foreign)
        return foreign

    def mapping(self, node: Any, foreign: ForeignValue) -> None:
        """Build a mapping: its own keys win over merged ones, and of these the earlier ones."""
        foreign.value = values = {}
        merged: dict[str, ForeignValue] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                for source in self.build(value).items:
                    merged = dict(source.pairs) | merged
            elif isinstance(key, yaml.ScalarNode):
                values[key.value] = self.build(value)
                foreign.keys[key.value] = key.start_mark.line + 1
        foreign.value = merged | values
