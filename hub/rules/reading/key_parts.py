"""Reads `by`: what makes an instance. A list of captures and payload fields, or a map of labels and expressions."""

from dataclasses import dataclass

from hub.documents.document import Node
from hub.documents.value_schema import WAY, names_schema, with_schema
from hub.expressions import Program, Scope, compile_expression
from hub.fields import Bad, list_of, text
from hub.rules.reading.compiled import compiled
from hub.rules.reading.rule_values import is_name

__all__ = ["KeyPart", "key_parts"]


@dataclass(frozen=True, slots=True)
class KeyPart:
    """One part of an instance: its label, and the capture or the way to a field whose value it is (`after.id`).

    With a `program` its value is that of an expression, and `written` is the expression's text.
    """

    label: str
    written: str
    program: Program | None = None


def key_parts(scope: Scope, node: Node) -> tuple[KeyPart, ...]:
    """Read `by` of a rule whose expressions see `scope`.

    Raises:
        Bad: it names something that cannot be part of an instance.

    """
    if isinstance(node.value, dict):
        if node.value and all(item.value is None for item in node.value.values()):
            hint = f"names stand without braces: [{', '.join(node.value)}]"
            raise Bad(node, "names without expressions", hint)
        return tuple(_of_expression(label, item, node, scope) for label, item in node.value.items())
    return tuple(KeyPart(way.rpartition(".")[2], way) for way in ways(node))


def _of_expression(label: str, node: Node, whole: Node, scope: Scope) -> KeyPart:
    if not label.isidentifier() or not is_name(label):
        bad = Bad(whole, "")
        hint = "letters, digits and _, and no word of expressions"
        bad.problem = whole.key_problem(label, f"{label!r} is no name for a label", hint)
        raise bad
    if node.value is None:
        raise Bad(whole, f"the label {label!r} has no expression", f"{label}: {label}, or {label}: after.id")
    written = text(node)
    program = compiled(node, compile_expression, scope)
    way = written.removeprefix("payload.")
    if label == way and way in scope.captures:
        return KeyPart(label, way)
    # a plain way to a field costs less than an expression, and the index can use it
    is_way = all(name.isidentifier() for name in way.split(".")) and not program.needs_context
    if is_way and not program.captures and label not in scope.captures:
        return KeyPart(label, way)
    return KeyPart(label, written, program)


@with_schema(names_schema(WAY))
def ways(node: Node) -> tuple[str, ...]:
    """Read names, or ways to fields inside of objects (`after.id`), whose label is the last name (`id`)."""
    found = tuple(way.removeprefix("payload.") for way in list_of(text)(node))
    for way in found:
        if not all(name.isidentifier() for name in way.split(".")):
            hint = "a name has letters, digits and _; a field inside: after.id; an expression: {id: after.id}"
            raise Bad(node, f"{way!r} is not the name of a capture or payload field", hint)
    labels = [way.rpartition(".")[2] for way in found]
    for label in labels:
        same = [way for way, each in zip(found, labels, strict=True) if each == label]
        if len(set(same)) < len(same):
            raise Bad(node, "a name stands twice")
        if len(same) > 1:
            message = f"{same[0]} and {same[1]} would both be the label {label!r}"
            raise Bad(node, message, "leave one of them out: an instance has one value for each label")
    return found
