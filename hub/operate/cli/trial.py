"""`hub test`: runs the tests in rule files, under a simulated clock."""

import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from hub.clock import rfc3339
from hub.documents.duration import format_duration
from hub.operate.cli.options import Config, Devices
from hub.printable import shown, shown_json
from hub.project.files import load_trial
from hub.trial.case import Case
from hub.trial.trial_play import Failure, play
from hub.why.story import sentence

__all__ = ["test"]

_STORY = 25  # the last entries of the trace, which are shown: more would hide the failure
_SLOW_SECONDS = 1.0


def test(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Rule files or folders [default: what `hub run` would use].",
            metavar="[PATH]...",
            exists=True,
            show_default=False,
        ),
    ] = None,
    config: Config = None,
    devices: Devices = None,
    word: Annotated[
        str | None, typer.Option("-k", help="Run only tests with this word in their names.", metavar="WORD")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run the tests in rule files. Ends with 1 if one fails."""
    files, cases = load_trial(config, paths or (), devices or ())
    chosen = [case for case in cases if word is None or word.lower() in case.name.lower()]
    failures: list[Failure] = []
    failed = 0
    begun = time.monotonic()
    with Progress(transient=True, disable=as_json or not sys.stdout.isatty(), console=Console()) as progress:
        task = progress.add_task("testing", total=len(chosen), visible=False)
        for case in chosen:
            wrong = play(case, files.rules, files.registry)
            failed += bool(wrong)
            failures += wrong
            if wrong and not as_json:
                _say(case, wrong)
            progress.update(task, advance=1, visible=time.monotonic() - begun > _SLOW_SECONDS)
    if as_json:
        typer.echo(shown_json(_json(chosen, failures)))
    else:
        typer.echo(f"{len(chosen) - failed} passed, {failed} failed")
        if not chosen:
            # `0 passed` alone would look like success
            why = (
                f"none of {len(cases)} tests has {word!r} in its name" if cases else "no tests: write some under tests:"
            )
            typer.echo(shown(why), err=True)
    if failed:
        raise typer.Exit(1)


def _say(case: Case, failures: Sequence[Failure]) -> None:
    """Print what was expected and what came, and the story of the alert up to there."""
    typer.echo(f"FAILED {shown(case.name)}")
    for failure in failures:
        node = failure.expectation.node
        typer.echo(f"  {node.path}:{node.line}:{node.column}: at {_after(failure.expectation.at)}")
        typer.echo(f"    expected: {shown(failure.expected)}")
        typer.echo(f"    got:      {shown(failure.got)}")
    story, why = failures[0].story, list(dict.fromkeys(each for failure in failures for each in failure.reasons))
    nothing = "nothing happened to it at all: no condition held, and no timer ended"
    typer.echo("  what led there:" if story or why else f"  {nothing}")
    for entry in story[-_STORY:]:
        at = datetime.fromtimestamp(entry[0], case.zone).strftime("%H:%M:%S")
        typer.echo(f"    {_after(entry[0] - case.start):>8}  {at}  {shown(sentence(entry))}")
    for reason in why:
        typer.echo(f"    {shown(reason)}")


def _after(seconds: float) -> str:
    """Return a time of a test as its `at` is written."""
    return format_duration(seconds) if seconds else "0m"


def _json(cases: Sequence[Case], failures: Sequence[Failure]) -> dict[str, Any]:
    failed = {failure.case.name for failure in failures}
    return {
        "passed": len(cases) - len(failed),
        "failed": len(failed),
        "failures": [
            {
                "test": each.case.name,
                "file": each.expectation.node.path,
                "line": each.expectation.node.line,
                "at": each.expectation.at,
                "expected": each.expected,
                "got": each.got,
                "reasons": list(each.reasons),
                "trace": [{"time": rfc3339(row[0]), "text": sentence(row)} for row in each.story],
            }
            for each in failures
        ],
    }
