"""`hub doctor`: checks broker, machine, state file and receivers, and says what to repair."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from hub.config import Settings, load_settings
from hub.documents.document import Problems
from hub.operate.cli.options import Broker, Config, OpenState
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
    config: Config = None,
    broker: Broker = None,
    state: OpenState = None,
    listen: Annotated[
        float, typer.Option(min=0.0, help="How many seconds to listen for messages on the rules' topics.")
    ] = LISTEN_SECONDS,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check broker, machine, state file and receivers. Says what to repair; ends with 1 if something is bad.

    It publishes about 1,200 short messages below PREFIX/doctor/, to see what the broker keeps while a hub is away. It
    also listens on all topics for a while.
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
    cluster = await _cluster(settings)
    usable = not any(finding.level is Level.BAD and finding.subject == "broker" for finding in broker)
    # a broker that cannot be used would only be reported a second time
    return [*broker, *machine, *state, *cluster, *await _files(settings, seconds if usable else None)]


async def _cluster(settings: Settings) -> list[Finding]:
    """Look at servers and nodes, where the hub is one of several."""
    if settings.cluster is None:
        return []
    try:
        from hub.operate.doctor.cluster_checks.cluster_check import look_at_cluster  # noqa: PLC0415 - an optional extra
    except ModuleNotFoundError as error:
        return [bad("cluster", f"{error.name} is not installed", "pip install 'mqtt-notification-hub[cluster]'")]
    return await look_at_cluster(settings.cluster, settings.broker)


async def _files(settings: Settings, seconds: float | None) -> list[Finding]:
    """Check rules, devices and receivers; listen `seconds` for the rules' topics, None: do not listen."""
    problems = Problems()
    files = load_files(settings, problems)
    if problems:
        return [bad(_RULES, f"{len(problems)} problems", "`hub check` lists them")]
    rules = good(_RULES, f"{files.rules.written} rules without a problem")
    if not files.rules.written:
        where = ", ".join(map(str, settings.rules))
        rules = warning(_RULES, f"0 rules in {where}: no event fires anything", "`hub check` says more")
    topics = [] if seconds is None else await look_at_topics(settings, files.rules, secrets.token_hex(6), seconds)
    checked = await asyncio.to_thread(_checked, settings)
    attempts = await asyncio.to_thread(last_attempts, settings.state)
    return [rules, *checked, *topics, *await look_at_receivers(files.rules.receivers, attempts)]


def _checked(settings: Settings) -> list[Finding]:
    """Return what `hub check` says of files that load: its notes, SHOWN of them, and how many findings are left."""
    problems = look(settings)
    notes = [problem for problem in problems if problem.note]
    findings = [warning(_RULES, str(replace(note, note=False, hint="")), note.hint) for note in notes[:SHOWN]]
    rest = len(problems) - len(findings)
    return [*findings, warning(_RULES, f"{rest} more findings", "`hub check` lists them")] if rest else findings


def _say(findings: Sequence[Finding]) -> None:
    for finding in findings:
        typer.echo(f"{_MARKS[finding.level]:>3}  {finding.subject}: {shown(finding.text)}")
        if finding.remedy:
            typer.echo(f"     -> {shown(finding.remedy)}")
