"""Templates of receivers: what names they see, and how a mistake in one is shown.

`{…}` sees every key of the notification (`alertname`, `state`, `since`, `event.topic`, …), then each label by its bare
name, then `topic` and `payload` of the event. So `device` is the label here, not the registry's entry.
"""

from collections.abc import Mapping
from typing import Any

from hub.document import Node
from hub.errors import CompileError
from hub.expressions import Context, Scope, Template, TopicTemplate, caret, compile_template, compile_topic
from hub.fields import Bad, text

__all__ = ["NAMES", "names", "template", "topic"]

_WHAT = {"id", "alertname", "state", "severity", "labels", "summary", "details", "runbook"}
NAMES = frozenset(_WHAT | {"since", "until", "episode", "event", "hub"})
_SCOPE = Scope(extra=NAMES | {"topic", "payload", "device", "value"})


def names(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[str, ...], Context]:
    """Return what a template is rendered with: fields, captures, context."""
    labels = body.get("labels") or {}
    event = body.get("event") or {}
    extra = {"topic": event.get("topic"), "payload": event.get("payload"), **labels, **body}
    return extra, (), Context(labels=labels, extra=extra)


def template(node: Node) -> Template:
    """Read a text template from a receiver's key."""
    whole = text(node)
    try:
        return compile_template(whole, _SCOPE)
    except CompileError as error:
        raise _bad(node, error) from None


def topic(node: Node) -> TopicTemplate:
    """Read a template of a publish topic from a receiver's key."""
    whole = text(node)
    try:
        compiled = compile_topic(whole, _SCOPE)
    except CompileError as error:
        raise _bad(node, error) from None
    if "/" not in compiled.prefix and compiled.prefix != whole:
        raise Bad(node, "the first level of a topic must be fixed", "as in alerts/{device}: no device chooses it")
    return compiled


def _bad(node: Node, error: CompileError) -> Bad:
    bad = Bad(node, error.message)
    bad.problem = node.problem(error.message, error.hint, caret(error), error.offset)
    return bad
