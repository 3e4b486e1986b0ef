"""`hub alerts`, `hub ack`, `hub silence`, `hub unsilence`: the alert desk of a running hub from a shell."""

import getpass
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from hub.clock import PEOPLE
from hub.errors import RequestError
from hub.limits import TABLE_ROWS
from hub.model import Phase
from hub.operate.client.ask import ask, ask_all
from hub.operate.client.reach import Reach, reach_of
from hub.operate.process.runner import run_loop
from hub.printable import shown, shown_json, shown_labels
from hub.settings.machine_zone import zone_named

__all__ = ["ack", "alerts", "listing", "print_table", "request", "silence", "unsilence", "user"]

_SHOWN_ORDER = (Phase.FIRING, Phase.PENDING, Phase.RESOLVED)
_PIPED_WIDTH = 250  # columns, where nobody's terminal says how wide it is

Config = Annotated[
    Path | None, typer.Option("-c", "--config", help="The settings [default: hub.yaml, where it exists].")
]
Broker = Annotated[str | None, typer.Option(help="The broker of the hub: mqtt://[user:password@]host[:port].")]
Url = Annotated[
    str | None,
    typer.Option(
        help="Ask the hub over HTTP, at this address [default: over its broker, or, with protocol: 3.1.1, as hub.yaml"
        " says].",
        show_default=False,
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        help="One of the hub's tokens, for HTTP, or '!env NAME', '!file PATH'.", envvar="HUB_TOKEN", show_default=False
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the hub's answer as JSON.")]
By = Annotated[str | None, typer.Option("--by", help="Who does it [default: the user of this shell].")]
Comment = Annotated[str, typer.Option("-m", "--comment", help="Why.")]
Matchers = Annotated[
    list[str],
    typer.Argument(
        help="Which alerts, as in Alertmanager: alertname=X site=~'a|b'. A word alone is the alertname, or an id.",
        metavar="MATCHER...",
        show_default=False,
    ),
]


Meant = Annotated[
    list[str],
    typer.Argument(
        help="Which alerts, as in Alertmanager: alertname=X site=~'a|b'. A word alone is the alertname.",
        metavar="MATCHER...",
        show_default=False,
    ),
]


def alerts(
    matchers: Annotated[
        list[str] | None,
        typer.Argument(help="Only those that match, or the one of an id.", metavar="[MATCHER]...", show_default=False),
    ] = None,
    config: Config = None,
    broker: Broker = None,
    url: Url = None,
    token: Token = None,
    silences: Annotated[bool, typer.Option("--silences", help="List the silences instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the alerts of a running hub: pending, firing, resolved a while ago."""
    name, show = ("silences", _silence_table) if silences else ("alerts", _alert_table)
    wanted = {} if silences else which(matchers or [])
    answer = listing(name, wanted, reach_of(config, broker, url, token))
    since = "startsAt" if silences else "since"
    answer = {**answer, name: sorted(answer[name], key=lambda each: str(each[since]), reverse=not silences)}
    if not silences:
        answer["alerts"].sort(key=_rank)
    if as_json:
        typer.echo(shown_json(answer["silences" if silences else "alerts"]))
    else:
        show(answer)


def _rank(alert: Mapping[str, Any]) -> int:
    """Firing first, as on the page."""
    return next((rank for rank, state in enumerate(_SHOWN_ORDER) if alert["state"] == state), len(_SHOWN_ORDER))


def ack(
    matchers: Matchers,
    config: Config = None,
    broker: Broker = None,
    url: Url = None,
    token: Token = None,
    by: By = None,
    comment: Comment = "",
    lasting: Annotated[
        str | None, typer.Option("--for", help="For how long, as in 2h [default: until it resolves].")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take the acknowledgement back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Acknowledge firing alerts: somebody cares; `repeat` and `escalate` end for this episode."""
    wanted = which(matchers) | {"by": by or user(), "comment": comment}
    if lasting is not None:
        wanted["for"] = lasting
    answer = request("unack" if undo else "ack", wanted, reach_of(config, broker, url, token))
    if as_json:
        typer.echo(shown_json(answer["alerts"]))
        return
    for each in answer["alerts"]:
        typer.echo(f"{'taken back' if undo else 'acknowledged'}: {_line(each)}")


def silence(
    matchers: Meant,
    config: Config = None,
    broker: Broker = None,
    url: Url = None,
    token: Token = None,
    by: By = None,
    comment: Comment = "",
    lasting: Annotated[str, typer.Option("--for", help="For how long, from its start.")] = "1h",
    start: Annotated[str | None, typer.Option(help="From when, RFC 3339 [default: now].", metavar="TIME")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell nobody of the alerts that match, for a while; prints the silence's id."""
    if "id" in which(matchers):
        raise RequestError(
            "a silence is for labels, not for one id; write alertname=… and labels as `hub alerts` has them"
        )
    wanted = {
        "matchers": [_matcher(text) for text in matchers],
        "by": by or user(),
        "comment": comment,
        "for": lasting,
    }
    if start is not None:
        wanted["start"] = start
    answer = request("silence", wanted, reach_of(config, broker, url, token))
    typer.echo(shown_json(answer["silence"]) if as_json else _silenced(answer))
    for warning in answer.get("warnings", ()):  # beside what is printed, which may be read by a program
        typer.echo(f"warning: {shown(warning)}", err=True)


def _silenced(answer: Mapping[str, Any]) -> str:
    made, count = answer["silence"], answer["silenced"]
    planned = f" from {PEOPLE.told(made['startsAt'])}" if made["status"]["state"] == "pending" else ""
    until, firing = PEOPLE.told(made["endsAt"]), f"{count} firing alert{'s' if count != 1 else ''} match"
    return f"{made['id']}{planned} until {until}; {firing}"


def unsilence(
    identity: Annotated[str, typer.Argument(help="The silence's id.", metavar="ID", show_default=False)],
    config: Config = None,
    broker: Broker = None,
    url: Url = None,
    token: Token = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """End a silence; what still fires and was held back is told."""
    answer = request("unsilence", {"id": identity, "by": by or user()}, reach_of(config, broker, url, token))
    if as_json:
        typer.echo(shown_json(answer["silence"]))
    else:
        typer.echo(f"ended: {shown(identity)}")


def request(name: str, wanted: Mapping[str, Any], reach: Reach) -> Mapping[str, Any]:
    """Ask a running hub.

    Raises:
        RequestError: the hub says no, and why.
        HubError: there is no answer.

    """
    return _agreed(run_loop(ask(reach, name, wanted)))


def listing(name: str, wanted: Mapping[str, Any], reach: Reach) -> Mapping[str, Any]:
    """Ask a running hub for a whole list, page by page.

    Raises:
        HubError: as above.

    """
    return _agreed(run_loop(ask_all(reach, name, wanted)))


def _agreed(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    if not answer.get("ok"):
        raise RequestError.of(answer)
    PEOPLE.zone = zone_named(str(answer.get("tz", "")))
    if answer.get("truncated"):
        typer.echo(f"{answer.get('total', 'more')} in all: the hub's answer has no room for each of them", err=True)
    return answer


def which(matchers: Sequence[str]) -> dict[str, Any]:
    """Say which alerts are meant: by id where one word alone is one, else by matchers."""
    if len(matchers) == 1 and _is_id(matchers[0]):
        return {"id": matchers[0]}
    return {"matchers": [_matcher(text) for text in matchers]} if matchers else {}


def _is_id(word: str) -> bool:
    return len(word) >= 16 and all(letter in "0123456789abcdef" for letter in word[:16]) and word[16:17] in ("", "-")


def _matcher(text: str) -> str:
    """A word without an operator is the alertname."""
    return text if any(mark in text for mark in "=~!{") else f'alertname="{text}"'


def user() -> str:
    """Return the name of the user of this shell."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no name for this user, as in a container
        return f"user {os.getuid()}"


def _alert_table(answer: Mapping[str, Any]) -> None:
    found = answer["alerts"]
    table = Table("state", "severity", "alert", "labels", "since", "acknowledged", "summary", box=None)
    for each in found:
        table.add_row(*_cells(each))
    print_table(table, found, "no alerts")


def _cells(each: Mapping[str, Any]) -> list[str]:
    seen = each.get("acknowledged") or {}
    held = each.get("held") or {}
    state = each["state"] + (f" ({held['stage']})" if held else "")
    words = (
        state,
        each["severity"],
        each["alertname"],
        None,
        PEOPLE.told(each["since"]),
        seen.get("by", ""),
        each["summary"],
    )
    return [shown_labels(each["labels"]) if word is None else shown(word) for word in words]


def _silence_table(answer: Mapping[str, Any]) -> None:
    table = Table("id", "state", "matchers", "from", "until", "by", "comment", box=None)
    for each in answer["silences"]:
        cells = (each["id"], each["status"]["state"], ", ".join(each["matchers_text"]))
        table.add_row(
            *map(
                shown,
                (
                    *cells,
                    PEOPLE.told(each["startsAt"]),
                    PEOPLE.told(each["endsAt"]),
                    each["createdBy"],
                    each["comment"],
                ),
            )
        )
    print_table(table, answer["silences"], "no silences")


def print_table(table: Table, rows: Sequence[Any], nothing: str) -> None:
    """Print a table as wide as the terminal, or wide where there is none; without rows what says so."""
    if len(rows) > TABLE_ROWS:
        _print_plain(table)
        return
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)
    if rows:
        console.print(table)
    else:
        typer.echo(nothing)


def _print_plain(table: Table) -> None:
    """Print a long table in columns, no cell in two lines: Rich needs half a minute to fit ten thousand rows."""
    columns = [[str(column.header), *map(str, column.cells)] for column in table.columns]
    widths = [max(map(_width, column)) for column in columns]
    lines = []
    for row in zip(*columns, strict=True):
        line = "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        lines.append(line.rstrip())
    typer.echo("\n".join(lines))


def _width(cell: str) -> int:
    return len(cell) if cell.isascii() else cell_len(cell)


def _line(each: Mapping[str, Any]) -> str:
    return f"{shown(each['alertname'])} {shown_labels(each['labels'])}"
