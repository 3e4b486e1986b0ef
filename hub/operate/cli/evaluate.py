"""`hub eval`: try an expression from the shell: its value and type, or what is wrong with it and where."""

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from hub.clock import SystemClock
from hub.documents.document import Problems
from hub.errors import CompileError, ConfigError, EvaluationError
from hub.expressions import Program, Scope, caret, compile_expression
from hub.expressions.templates.format import plain
from hub.expressions.times import read_timestamp
from hub.expressions.values import type_of
from hub.ingest.decode import Undecodable, decode
from hub.ingest.topics import matches
from hub.limits import PAYLOAD_BYTES
from hub.model import Delivery, Event
from hub.notify.receiver_settings import read_receivers
from hub.printable import shown, shown_json
from hub.rules.gates.timetable import Timetable
from hub.rules.reading.loader import RuleSet, load_rules
from hub.rules.reading.topic_pattern import TopicPattern, parse_pattern
from hub.rules.running.transition import make_context
from hub.rules.samples.sampler import Sampler
from hub.schedules import local_zone

__all__ = ["eval"]


def eval(  # noqa: A001 - the command's name
    expression: Annotated[str, typer.Argument(help="The expression, in quotes.", metavar="EXPR", show_default=False)],
    payload: Annotated[
        str, typer.Option(help="The payload it sees, as a device sends it; - reads it from standard input.")
    ] = "{}",
    topic: Annotated[str, typer.Option(help="The topic of the message.")] = "",
    on: Annotated[
        str | None,
        typer.Option("--on", help="A rule's topic that it matches: what its {captures} take can be named."),
    ] = None,
    rules: Annotated[
        list[Path] | None,
        typer.Option(help="A rule file or folder whose schedules can be named; may be repeated.", show_default=False),
    ] = None,
    now: Annotated[
        str | None, typer.Option(help="The time it is, as in 2026-03-01T01:55:00Z [default: that of the machine].")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Evaluate an expression for one message and print its value and type; ends with 1 where it has none.

    What looks back (avg, rate, changed …) sees this message as the first of its instance.
    """
    event = _event(payload, topic, _time(now))
    pattern, schedules = _pattern(on, topic), _schedules(rules or ())
    captures = pattern.values(topic.split("/")) if pattern else ()
    try:
        scope = Scope(pattern.captures if pattern else (), history=True, schedules=frozenset(schedules))
        program = compile_expression(expression, scope)
        value = _run(program, event, dict(zip(program.scope.captures, captures, strict=True)), schedules)
    except CompileError as error:
        _fail(error.message, as_json, error)
    except EvaluationError as error:
        _fail(str(error), as_json)
    kind = str(type_of(value))
    if as_json:
        typer.echo(shown_json({"value": _jsonable(value), "type": kind}, indent=False))
    else:
        typer.echo(f"{shown(_text(value))} ({kind})")


def _time(written: str | None) -> float:
    try:
        return SystemClock().now() if written is None else read_timestamp(written).timestamp()
    except EvaluationError as error:
        raise typer.BadParameter(str(error), param_hint="'--now'") from None


def _schedules(paths: Sequence[Path]) -> dict[str, Timetable]:
    """Read the schedules of rule files; those without a zone have the machine's.

    Raises:
        ConfigError: with every problem of the files.

    """
    problems = Problems()
    found = load_rules(paths, problems, read_receivers, "hub") if paths else RuleSet()
    if problems:
        raise ConfigError(problems)
    local = local_zone()
    return {name: Timetable(schedule, local) for name, schedule in found.schedules.items()}


def _event(payload: str, topic: str, now: float) -> Event:
    raw = sys.stdin.buffer.read(PAYLOAD_BYTES + 1) if payload == "-" else payload.encode("utf-8", "surrogateescape")
    event = decode(Delivery(topic, raw), now)
    if isinstance(event, Undecodable):
        raise typer.BadParameter(f"no rule could see this payload: {event.reason}", param_hint="'--payload'")
    return event


def _pattern(on: str | None, topic: str) -> TopicPattern | None:
    if on is None:
        return None
    try:
        pattern = parse_pattern(on)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'--on'") from None
    if not matches(pattern.filter, topic):
        asked = "say which with --topic" if not topic else f"{topic} does not match it"
        raise typer.BadParameter(f"{on} takes what a topic has in its place; {asked}", param_hint="'--on'")
    return pattern


def _run(program: Program, event: Event, captures: dict[str, str], schedules: Mapping[str, Timetable]) -> Any:
    values = tuple(captures.values())
    context = make_context(event, {}, captures, event.time, {})
    context.schedules = schedules
    if not program.history:
        return program.run(event.fields, values, context)
    sampler = Sampler(program.history)
    history = sampler.new()
    sampler.feed(history, event, values, context)
    return program.run(event.fields, values, context, history.slots)


def _fail(message: str, as_json: bool, error: CompileError | None = None) -> None:
    """Say what is wrong, for a mistake in the expression with the place, and end."""
    if as_json:
        place = {} if error is None else {"offset": error.offset, "hint": error.hint}
        typer.echo(shown_json({"error": message, **place}, indent=False))
        raise typer.Exit(1)
    hint = f" ({error.hint})" if error is not None and error.hint else ""
    typer.echo(f"hub: {shown(message + hint)}", err=True)
    if error is not None and (excerpt := caret(error)):
        typer.echo(excerpt, err=True)
    raise typer.Exit(1)


def _text(value: Any) -> str:
    return orjson.dumps(value).decode() if value.__class__ is str else plain(value)


def _jsonable(value: Any) -> Any:
    """Return a value that JSON can hold: what it has no word for becomes the text that templates write."""
    if isinstance(value, float) and not math.isfinite(value):
        return plain(value)
    if isinstance(value, list):
        return [_jsonable(each) for each in value]
    if isinstance(value, dict):
        return {key if isinstance(key, str) else plain(key): _jsonable(each) for key, each in value.items()}
    return value if value is None or isinstance(value, str | int | float) else plain(value)
