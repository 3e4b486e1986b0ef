"""YAML of other tools, read leniently: any tag, aliases, merge keys, several documents; each value knows its place."""

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
    """A value: text, a list, a mapping, or None; `tag` is one of the file's own, such as `!secret`."""

    value: str | list["ForeignValue"] | dict[str, "ForeignValue"] | None
    line: int
    column: int
    tag: str = ""
    keys: dict[str, int] = field(default_factory=dict)

    def get(self, key: str) -> "ForeignValue | None":
        """Return what stands under a key; None where that is nothing, or this is no mapping."""
        found = self.value.get(key) if isinstance(self.value, dict) else None
        return None if found is None or (found.value is None and not found.tag) else found

    def text(self, key: str, default: str = "") -> str:
        """Return the text under a key."""
        found = self.get(key)
        return found.value if found is not None and isinstance(found.value, str) else default

    @property
    def items(self) -> "list[ForeignValue]":
        """Return the items of a list; a single value counts as a list of one."""
        return self.value if isinstance(self.value, list) else [self]

    @property
    def texts(self) -> list[str]:
        """Return the texts among the items."""
        return [each.value for each in self.items if isinstance(each.value, str)]

    @property
    def pairs(self) -> "dict[str, ForeignValue]":
        """Return the mapping, empty where this is none."""
        return self.value if isinstance(self.value, dict) else {}


def read_sources(text: str, path: str, problems: Problems) -> list[ForeignValue]:
    """Read every document of a text; nothing, and a problem, where it is no YAML."""
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
    """Refuse what is nested so deep that composing it would end the process."""
    depth = 0
    events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DOCUMENT_DEPTH:
            raise yaml.MarkedYAMLError(problem=f"nested deeper than {DOCUMENT_DEPTH}", problem_mark=event.start_mark)


class _Builder:
    """Makes each node once, however often aliases name it."""

    def __init__(self) -> None:
        self.made: dict[int, ForeignValue] = {}

    def build(self, node: Any) -> ForeignValue:
        if id(node) in self.made:
            return self.made[id(node)]
        mark = node.start_mark
        made = ForeignValue(None, mark.line + 1, mark.column + 1, node.tag if node.tag.startswith("!") else "")
        self.made[id(node)] = made
        if isinstance(node, yaml.ScalarNode):
            plain = node.style in (None, "")
            made.value = None if plain and node.value in _NULLS else node.value
        elif isinstance(node, yaml.SequenceNode):
            made.value = [self.build(item) for item in node.value]
        else:
            self.mapping(node, made)
        return made

    def mapping(self, node: Any, made: ForeignValue) -> None:
        made.value = values = {}
        merged: dict[str, ForeignValue] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                for each in self.build(value).items:
                    merged = dict(each.pairs) | merged
            elif isinstance(key, yaml.ScalarNode):
                values[key.value] = self.build(value)
                made.keys[key.value] = key.start_mark.line + 1
        made.value = merged | values
