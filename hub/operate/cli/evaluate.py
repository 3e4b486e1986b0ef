"""`hub eval`: tries an expression from the shell, and prints its value and type, or what is wrong with it and where."""

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
from hub.limits import PAYLOAD_BYTES
from hub.model import Delivery, Event
from hub.notify.receiver_settings import read_receivers
from hub.printable import shown, shown_json
from hub.rules.gates.timetable import Timetable
from hub.rules.reading.loader import RuleSet, load_rules
from hub.rules.running.transition import make_context
from hub.rules.samples.sampler import Sampler
from hub.rules.topics.topic_pattern import TopicPattern, parse_pattern
from hub.schedules import local_zone

__all__ = ["eval"]


def eval(  # noqa: A001 - the command's name
    expression: Annotated[str, typer.Argument(help="The expression, in quotes.", metavar="EXPR", show_default=False)],
    payload: Annotated[
        str, typer.Option(help="The payload of the message, as a device sends it; - reads standard input.")
    ] = "{}",
    topic: Annotated[str, typer.Option(help="The topic of the message.")] = "",
    on: Annotated[
        str | None,
        typer.Option("--on", help="A rule's topic with {captures}, which the expression can use; --topic must match."),
    ] = None,
    rules: Annotated[
        list[Path] | None,
        typer.Option(
            help="A rule file or folder whose schedules the expression can use; may be repeated.", show_default=False
        ),
    ] = None,
    now: Annotated[
        str | None, typer.Option(help="The time of the message, as in 2026-03-01T01:55:00Z [default: now].")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Evaluate an expression for one message. Prints its value and type; ends with 1 if it has no value.

    Functions that look back (avg, rate, changed …) see this message as the first one of its instance.
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
    """Read the schedules of rule files; a schedule without a zone gets the machine's.

    Raises:
        ConfigError: the files have problems; it carries all of them.

    """
    problems = Problems()
    rule_set = load_rules(paths, problems, read_receivers, "hub") if paths else RuleSet()
    if problems:
        raise ConfigError(problems)
    local = local_zone()
    return {name: Timetable(schedule, local) for name, schedule in rule_set.schedules.items()}


def _event(payload: str, topic: str, now: float) -> Event:
    """Decode the payload as the hub does; one byte beyond the limit is read, so that too long a payload is noticed."""
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
    if not pattern.matches(topic):
        remedy = f"{topic} does not match it" if topic else "say which with --topic"
        raise typer.BadParameter(f"{on} takes its captures from the message's topic; {remedy}", param_hint="'--on'")
    return pattern


def _run(program: Program, event: Event, captures: dict[str, str], schedules: Mapping[str, Timetable]) -> Any:
    """Run the expression as a rule does; if it looks back, this message is first fed to its samples."""
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
    """Print what is wrong, for a mistake in the expression with its place, and end with 1."""
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
    """Return a value as people read it: a text in quotes, so that "7" and 7 differ."""
    return orjson.dumps(value).decode() if value.__class__ is str else plain(value)


def _jsonable(value: Any) -> Any:
    """Return a value that JSON can hold: NaN, timestamps and the like become the text that templates write."""
    if isinstance(value, float) and not math.isfinite(value):
        return plain(value)
    if isinstance(value, list):
        return [_jsonable(each) for each in value]
    if isinstance(value, dict):
        return {key if isinstance(key, str) else plain(key): _jsonable(each) for key, each in value.items()}
    return value if value is None or isinstance(value, str | int | float) else plain(value)
