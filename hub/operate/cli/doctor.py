"""`hub doctor`: look at broker, machine, state file and receivers, and say what to mend."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from hub.config import Settings, load_settings
from hub.documents.document import Problems
from hub.operate.doctor.broker_check import look_at_broker
from hub.operate.doctor.finding import Finding, Level, bad, good, warning
from hub.operate.doctor.machine import look_at_machine
from hub.operate.doctor.receiver_check import last_attempts, look_at_receivers
from hub.operate.doctor.state_check import look_at_state
from hub.operate.doctor.unheard_topics import LISTEN_SECONDS, SHOWN, look_at_topics
from hub.operate.process.runner import run_loop
from hub.printable import shown, shown_json
from hub.project.files import load_files, look

__all__ = ["doctor"]

_RULES = "rules and devices"
_MARKS = {Level.GOOD: "ok", Level.UNKNOWN: "?", Level.WARNING: "!", Level.BAD: "BAD"}


def doctor(
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="The settings [default: hub.yaml, where it exists].")
    ] = None,
    broker: Annotated[str | None, typer.Option(help="The broker: mqtt://[user:password@]host[:port].")] = None,
    state: Annotated[Path | None, typer.Option(help="The file that holds the hub's state.")] = None,
    listen: Annotated[float, typer.Option(min=0.0, help="How many seconds to listen for the rules' topics.")] = (
        LISTEN_SECONDS
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check what the hub stands on, each finding with its remedy; ends with 1 if something is bad.

    It publishes some 1,200 short messages below PREFIX/doctor/ to see what the broker keeps for a hub that is away, and
    listens on all topics for a while.
    """
    findings = run_loop(_look(load_settings(config, broker=broker, state=state), listen))
    if as_json:
        typer.echo(shown_json(findings))
    else:
        _say(findings)
    if any(finding.level is Level.BAD for finding in findings):
        raise typer.Exit(1)


async def _look(settings: Settings, seconds: float) -> list[Finding]:
    broker = await look_at_broker(settings)
    machine = await asyncio.to_thread(look_at_machine, settings.state)
    state = await asyncio.to_thread(look_at_state, settings.state)
    there = not any(each.level is Level.BAD and each.subject == "broker" for each in broker)
    return [*broker, *machine, *state, *await _files(settings, seconds if there else None)]


async def _files(settings: Settings, seconds: float | None) -> list[Finding]:
    """Look at rules and fleets, at the receivers they name, and for so long at their topics."""
    problems = Problems()
    files = load_files(settings, problems)
    if problems:
        return [bad(_RULES, f"{len(problems)} problems", "`hub check` tells them")]
    rules = good(_RULES, f"{files.rules.written} rules without a problem")
    if not files.rules.written:
        where = ", ".join(map(str, settings.rules))
        rules = warning(_RULES, f"0 rules in {where}: no event fires anything", "`hub check` says more")
    topics = [] if seconds is None else await look_at_topics(settings, files.rules, secrets.token_hex(6), seconds)
    unheard, attempts = (
        await asyncio.to_thread(_unheard, settings),
        await asyncio.to_thread(last_attempts, settings.state),
    )
    return [rules, *unheard, *topics, *await look_at_receivers(files.rules.receivers, attempts)]


def _unheard(settings: Settings) -> list[Finding]:
    """Tell what `hub check` has to say beyond that the files load: its notes, and how many findings."""
    found = look(settings)
    notes = [each for each in found if each.note]
    said = [warning(_RULES, str(replace(each, note=False, hint="")), each.hint) for each in notes[:SHOWN]]
    rest = len(found) - len(said)
    return [*said, warning(_RULES, f"{rest} more findings", "`hub check` tells them")] if rest else said


def _say(findings: Sequence[Finding]) -> None:
    for finding in findings:
        typer.echo(f"{_MARKS[finding.level]:>3}  {finding.subject}: {shown(finding.text)}")
        if finding.remedy:
            typer.echo(f"     -> {shown(finding.remedy)}")
