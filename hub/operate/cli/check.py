"""`hub check`: lint settings, rules and devices before they run."""

import enum
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from hub.app import check as find_problems
from hub.config import read_settings
from hub.documents.document import Problems
from hub.errors import Problem
from hub.printable import shown, shown_json
from hub.project.files import load_files, people_of

__all__ = ["CheckFormat", "check"]


class CheckFormat(enum.StrEnum):
    """How problems are written."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Rule, device or settings files, or folders of them [default: what `hub run` would use].",
            metavar="[PATH]...",
            exists=True,
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="The settings [default: hub.yaml, where it exists].")
    ] = None,
    without_secrets: Annotated[
        bool,
        typer.Option("--without-secrets", help="What !env and !file name need not be there: for CI, for a review."),
    ] = False,
    form: Annotated[
        CheckFormat, typer.Option("--format", help="text for people and editors, json, or github for its annotations.")
    ] = CheckFormat.TEXT,
    strict: Annotated[bool, typer.Option("--strict", help="End with 1 for notes, too.")] = False,
) -> None:
    """Tell every problem of rules, devices and settings as file:line:column; ends with 1 if there is one.

    A note may be as it was meant, and is no problem.
    """
    problems = find_problems(config, paths or (), secrets=not without_secrets, notes=True)
    _WRITERS[form](problems)
    if form is CheckFormat.TEXT and not paths:
        _tell_zone(config)
    if any(strict or not problem.note for problem in problems):
        raise typer.Exit(1)


def _tell_zone(config: Path | None) -> None:
    """Say beside what is printed in which zone people are told times, where no file says it."""
    unheard = Problems()
    rules = load_files(read_settings(config, unheard), unheard).rules
    if rules.defaults.tz is None:
        typer.echo(
            f"times are told in {people_of(rules)}, this machine's zone; defaults: {{tz: …}} sets another", err=True
        )


def _text(problems: Sequence[Problem]) -> None:
    for problem in problems:
        for line in str(problem).splitlines():
            typer.echo(shown(line))
    grave = [problem for problem in problems if not problem.note]
    files = len({problem.path for problem in grave})
    count = f"{len(grave)} problem{'s' if len(grave) != 1 else ''}"
    typer.echo(f"{count} in {files} file{'s' if files != 1 else ''}" if grave else "no problems")


def _json(problems: Sequence[Problem]) -> None:
    typer.echo(shown_json(list(problems)))


def _github(problems: Sequence[Problem]) -> None:
    """Write workflow commands: docs.github.com, "Workflow commands for GitHub Actions", setting an error message."""
    for problem in problems:
        text = "\n".join(filter(None, (problem.message, problem.hint, problem.excerpt)))
        place = f"file={_escape(problem.path, property=True)}"
        if problem.line:
            place += f",line={problem.line},col={problem.column}"
        typer.echo(f"::{'notice' if problem.note else 'error'} {place}::{_escape(text)}")


def _escape(text: str, *, property: bool = False) -> str:  # noqa: A002 - GitHub's word for it
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if property else text


_WRITERS = {CheckFormat.TEXT: _text, CheckFormat.JSON: _json, CheckFormat.GITHUB: _github}
