"""An expression or text of a rule file, compiled; what is wrong with it becomes a problem at its very character."""

from collections.abc import Callable
from typing import TypeVar

from hub.documents.document import Node
from hub.documents.yaml_hints import quoted
from hub.errors import CompileError
from hub.expressions import Scope, caret
from hub.fields import Bad, text

__all__ = ["compiled"]

T = TypeVar("T")


def compiled(node: Node, compile_text: Callable[[str, Scope], T], scope: Scope) -> T:
    """Compile a scalar; a CompileError becomes a problem at its place in the file, with a caret below.

    Raises:
        Bad: it does not compile; the Section that takes the key reports it.

    """
    if isinstance(node.value, str) and not node.style and node.source.startswith("!", node.start):
        raise Bad(
            node, "YAML takes the ! away, so that this would be its opposite", f"quote it: {quoted(f'! {node.text}')}"
        )
    try:
        return compile_text(text(node), scope)
    except CompileError as error:
        bad = Bad(node, error.message, error.hint)
        bad.problem = node.problem(error.message, error.hint, caret(error), error.offset)
        raise bad from None
