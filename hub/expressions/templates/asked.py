"""Whether a text asks for a label by its name, as `{labels.reason}` and `{has(labels.reason) ? … : …}` do."""

from collections.abc import Iterator

from hub.expressions.syntax.ast import Has, Literal, Name, Select, SyntaxNode
from hub.expressions.syntax.parser import parse
from hub.expressions.templates.template import Filler, Template

__all__ = ["asks_label"]


def asks_label(template: Template, label: str) -> bool:
    """Tell whether a field of the text looks at `labels` and names this one."""
    return any(_asks(parse(part.program.text), label) for part in template.parts if isinstance(part, Filler))


def _asks(root: SyntaxNode, label: str) -> bool:
    nodes = list(_all(root))
    looks = any(isinstance(node, Name) and node.name == "labels" for node in nodes)
    return looks and any(
        (isinstance(node, Select | Has) and node.field == label) or (isinstance(node, Literal) and node.value == label)
        for node in nodes
    )


def _all(root: SyntaxNode) -> Iterator[SyntaxNode]:
    yield root
    for node in root.below():
        yield from _all(node)
