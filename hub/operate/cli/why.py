"""`hub why`, `hub why-not`: what led to an alert, or why none came."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from hub.clock import PEOPLE
from hub.config import load_settings
from hub.documents.document import Problems
from hub.operate.cli.desk import Broker, Config, Token, Url, request
from hub.operate.client.reach import reach_of
from hub.printable import shown, shown_json, shown_labels
from hub.project.files import load_files, people_of
from hub.store.sqlite.sqlite_reader import ask_file
from hub.why.story import ToldAlert, as_body, of_body, read, tell

__all__ = ["why", "why_not"]

Labels = Annotated[
    list[str] | None, typer.Argument(help="Which instance: site=a device=7.", metavar="[LABEL=VALUE]...")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def why(
    alert: Annotated[str, typer.Argument(help="The name of an alert, or an id of a notification.", metavar="ALERT")],
    labels: Labels = None,
    config: Config = None,
    url: Url = None,
    token: Token = None,
    state: Annotated[Path | None, typer.Option(help="The hub's state file; a running hub may have it open.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell what led to an alert: messages, values, what held it back, who was told, each attempt.

    It reads the hub's state file, whether the hub runs or not; with --url it asks a running hub, here or elsewhere.
    """
    if url is not None:
        wanted = {"alert": alert, "labels": _labels(labels or ())}
        found = [of_body(each) for each in request("why", wanted, reach_of(config, None, url, token))["alerts"]]
    else:
        settings = load_settings(config, state=state)
        PEOPLE.zone = people_of(load_files(settings, Problems()).rules)
        found = ask_file(settings.state, lambda reader: read(reader, alert, _labels(labels or ())))
    if as_json:
        typer.echo(shown_json([as_body(each) for each in found]))
        return
    for each in found:
        _say(each)


def _say(told: ToldAlert) -> None:
    state = told.state.get("state", "") if told.state else ""
    typer.echo(f"{shown(told.rule)} {shown_labels(told.labels)}{f': {state}' if state else ''}")
    for line in tell(told):
        typer.echo(f"  {shown(line)}")


def why_not(
    rule: Annotated[str, typer.Argument(help="The name of a rule.", metavar="RULE")],
    labels: Labels = None,
    config: Config = None,
    broker: Broker = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Tell why nobody is told: which part of the condition does not hold, or which stage holds it back.

    It asks the running hub, which knows the last message of each topic.
    """
    wanted = {"rule": rule, "labels": _labels(labels or ())}
    answer = request("why-not", wanted, reach_of(config, broker, url, token))
    if as_json:
        typer.echo(shown_json(answer))
        return
    for sentence in answer.get("sentences", ()):
        typer.echo(f"{shown(rule)}: {shown(sentence)}")
    for each in answer["instances"]:
        typer.echo(f"{shown(rule)} {shown_labels(each['labels'])}: {each['state']}")
        for sentence in each["sentences"]:
            typer.echo(f"  {shown(sentence)}")


def _labels(written: Sequence[str]) -> Mapping[str, str]:
    """Read site=a device=7, quotes around a value or not."""
    found = {}
    for each in written:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"{each!r} is not LABEL=VALUE, as in site=a")
        found[name.strip()] = value.strip().strip('"')
    return found
