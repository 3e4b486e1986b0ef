"""Templates of receivers: what names they see, and how a mistake in one is shown.

`{…}` sees every key of the notification (`alertname`, `state`, `since`, `event.topic`, …) and `key`, which all of one
episode have in common, then each label by its bare name, then `topic` and `payload` of the event. So `device` is the
label here, not the registry's entry. What the rule itself calls so goes before all (own_names.py): `id`, where its
topic or `by` has that name.
"""

from collections.abc import Mapping
from typing import Any

from hub.documents.document import Node
from hub.documents.value_schema import TEXT, with_schema
from hub.errors import CompileError
from hub.expressions import Context, Scope, Template, TopicTemplate, caret, compile_template, compile_topic
from hub.fields import Bad, text
from hub.ids import episode_id

__all__ = ["NAMES", "SCOPE", "mistake", "names", "template", "topic"]

_WHAT = {"id", "alertname", "state", "severity", "labels", "summary", "details", "runbook"}
_DESK = {"reason", "acknowledged", "ack_url", "held_back", "holds_back", "flapping", "alerts", "count"}
NAMES = frozenset(_WHAT | _DESK | {"since", "until", "episode", "event", "hub", "key"})
SCOPE = Scope(extra=NAMES | {"topic", "payload", "device", "value"})


def names(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[str, ...], Context]:
    """Return what a template is rendered with: fields, captures, context."""
    labels = body.get("labels") or {}
    event = body.get("event") or {}
    key = episode_id(str(body.get("id", "")))
    extra = {"topic": event.get("topic"), "payload": event.get("payload"), **labels, "ack_url": "", **body, "key": key}
    extra |= body.get("named") or {}
    return extra, (), Context(labels=labels, extra=extra)


@with_schema(TEXT)
def template(node: Node) -> Template:
    """Read a text template from a receiver's key."""
    whole = text(node)
    try:
        return compile_template(whole, SCOPE)
    except CompileError as error:
        raise mistake(node, error) from None


@with_schema(TEXT)
def topic(node: Node) -> TopicTemplate:
    """Read a template of a publish topic from a receiver's key."""
    whole = text(node)
    try:
        compiled = compile_topic(whole, SCOPE)
    except CompileError as error:
        raise mistake(node, error) from None
    if "/" not in compiled.prefix and compiled.prefix != whole:
        raise Bad(node, "the first level of a topic must be fixed", "as in alerts/{device}: no device chooses it")
    return compiled


def mistake(node: Node, error: CompileError) -> Bad:
    """Return the problem of a template that does not compile, at its place in the file."""
    bad = Bad(node, error.message)
    bad.problem = node.problem(error.message, error.hint, caret(error), error.offset)
    return bad
