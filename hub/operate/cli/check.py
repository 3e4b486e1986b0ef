"""`hub check`: finds problems in settings, rules and devices before a hub runs with them."""

import enum
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from hub.app import check as find_problems
from hub.config import read_settings
from hub.documents.document import Problems
from hub.errors import Problem
from hub.operate.cli.options import Config
from hub.printable import shown, shown_json
from hub.project.files import load_files, people_of

__all__ = ["CheckFormat", "check"]


class CheckFormat(enum.StrEnum):
    """The forms in which problems are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Files or folders with rules, devices or settings [default: what `hub run` would use].",
            metavar="[PATH]...",
            exists=True,
            show_default=False,
        ),
    ] = None,
    config: Config = None,
    without_secrets: Annotated[
        bool,
        typer.Option("--without-secrets", help="Accept !env and !file names that are not there, as in CI or a review."),
    ] = False,
    form: Annotated[
        CheckFormat,
        typer.Option("--format", help="text is for people and editors, github for annotations in its workflows."),
    ] = CheckFormat.TEXT,
    strict: Annotated[bool, typer.Option("--strict", help="End with 1 for notes, too.")] = False,
) -> None:
    """Find problems in rules, devices and settings. Each is printed as file:line:column; ends with 1 if there is one.

    A note is about something that you may have meant just so; it is not a problem.
    """
    problems = find_problems(config, paths or (), secrets=not without_secrets, notes=True)
    _WRITERS[form](problems)
    if form is CheckFormat.TEXT and not paths:
        _tell_zone(config)
    if any(strict or not problem.note for problem in problems):
        raise typer.Exit(1)


def _tell_zone(config: Path | None) -> None:
    """Say on stderr in which zone people are told times, if no file says it: a hub elsewhere may have another zone."""
    already_printed = Problems()
    rules = load_files(read_settings(config, already_printed), already_printed).rules
    if rules.defaults.tz is None:
        typer.echo(
            f"times are told in {people_of(rules)}, this machine's zone; defaults: {{tz: …}} sets another", err=True
        )


def _text(problems: Sequence[Problem]) -> None:
    """Print each problem and note, and count the problems."""
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
    """Print workflow commands (docs.github.com, "Workflow commands for GitHub Actions", "Setting an error message")."""
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
