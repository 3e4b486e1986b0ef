"""`hub why`, `hub why-not`: tell what led to an alert, or why there is none."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from hub.clock import PEOPLE
from hub.config import load_settings
from hub.documents.document import Problems
from hub.operate.cli.desk import request
from hub.operate.cli.options import Broker, Config, OpenState, Token, Url
from hub.operate.client.reach import reach_of
from hub.printable import shown, shown_json, shown_labels
from hub.project.files import load_files, people_of
from hub.store.sqlite.sqlite_reader import ask_file
from hub.why.story import ToldAlert, as_body, of_body, read, tell

__all__ = ["why", "why_not"]

Labels = Annotated[
    list[str] | None,
    typer.Argument(help="The labels of one instance, as in site=a device=7.", metavar="[LABEL=VALUE]..."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def why(
    alert: Annotated[str, typer.Argument(help="The name of an alert, or the id of a notification.", metavar="ALERT")],
    labels: Labels = None,
    config: Config = None,
    url: Url = None,
    token: Token = None,
    state: OpenState = None,
    as_json: AsJson = False,
) -> None:
    """Tell what led to an alert, and who was told. Shows messages, values, what held it back, and each attempt.

    It reads the hub's state file, whether the hub runs or not. With --url it asks a running hub, here or elsewhere.
    """
    if url is not None:
        wanted = {"alert": alert, "labels": _labels(labels or ())}
        stories = [of_body(each) for each in request("why", wanted, reach_of(config, None, url, token))["alerts"]]
    else:
        settings = load_settings(config, state=state)
        PEOPLE.zone = people_of(load_files(settings, Problems()).rules)
        stories = ask_file(settings.state, lambda reader: read(reader, alert, _labels(labels or ())))
    if as_json:
        typer.echo(shown_json([as_body(each) for each in stories]))
        return
    for story in stories:
        _say(story)


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
    """Tell why a rule tells nobody. Names what in its condition does not hold, or what holds the alert back.

    It asks a running hub, because only that knows the last message of each topic.
    """
    wanted = {"rule": rule, "labels": _labels(labels or ())}
    answer = request("why-not", wanted, reach_of(config, broker, url, token))
    if as_json:
        typer.echo(shown_json(answer))
        return
    for sentence in answer.get("sentences", ()):
        typer.echo(f"{shown(rule)}: {shown(sentence)}")
    for instance in answer["instances"]:
        typer.echo(f"{shown(rule)} {shown_labels(instance['labels'])}: {instance['state']}")
        for sentence in instance["sentences"]:
            typer.echo(f"  {shown(sentence)}")


def _labels(written: Sequence[str]) -> Mapping[str, str]:
    """Read arguments such as site=a device="7"; a value may stand in quotes, as it does where it was copied from."""
    labels = {}
    for argument in written:
        name, equals, value = argument.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"{argument!r} is not LABEL=VALUE, as in site=a")
        labels[name.strip()] = value.strip().strip('"')
    return labels
