"""`hub alerts`, `hub ack`, `hub silence`, `hub unsilence`: the alert desk of a running hub from a shell."""

import getpass
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from hub.clock import PEOPLE
from hub.errors import RequestError
from hub.limits import TABLE_ROWS
from hub.model import Phase
from hub.operate.cli.options import Answered, Broker, By, Config, Token, Url
from hub.operate.client.ask import ask, ask_all
from hub.operate.client.reach import Reach, reach_of
from hub.operate.process.runner import run_loop
from hub.printable import shown, shown_json, shown_labels
from hub.settings.machine_zone import zone_named

__all__ = ["ack", "alerts", "listing", "print_table", "request", "silence", "unsilence", "user"]

_SHOWN_ORDER = (Phase.FIRING, Phase.PENDING, Phase.RESOLVED)
_PIPED_WIDTH = 250  # columns, when no terminal gives a width

Comment = Annotated[str, typer.Option("-m", "--comment", help="Why.")]
_WHICH = "Which alerts, as in Alertmanager: alertname=X site=~'a|b'. A single word is the alertname"
Matchers = Annotated[list[str], typer.Argument(help=f"{_WHICH}.", metavar="MATCHER...", show_default=False)]
MatchersOrId = Annotated[
    list[str], typer.Argument(help=f"{_WHICH} or an id.", metavar="MATCHER...", show_default=False)
]


def alerts(
    matchers: Annotated[
        list[str] | None,
        typer.Argument(
            help="Only alerts that match, or the one with this id.", metavar="[MATCHER]...", show_default=False
        ),
    ] = None,
    config: Config = None,
    broker: Broker = None,
    url: Url = None,
    token: Token = None,
    silences: Annotated[bool, typer.Option("--silences", help="List the silences instead.")] = False,
    as_json: Answered = False,
) -> None:
    """List the alerts of a running hub. They are pending, firing, or were resolved lately."""
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
    """Return the place of its state in the list: firing comes first, as on the web page."""
    return next((rank for rank, state in enumerate(_SHOWN_ORDER) if alert["state"] == state), len(_SHOWN_ORDER))


def ack(
    matchers: MatchersOrId,
    config: Config = None,
    broker: Broker = None,
    url: Url = None,
    token: Token = None,
    by: By = None,
    comment: Comment = "",
    lasting: Annotated[
        str | None, typer.Option("--for", help="For how long, as in 2h [default: until the alert resolves].")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take the acknowledgement back.")] = False,
    as_json: Answered = False,
) -> None:
    """Acknowledge firing alerts: somebody takes care of them. `repeat` and `escalate` end until they fire again."""
    wanted = which(matchers) | {"by": by or user(), "comment": comment}
    if lasting is not None:
        wanted["for"] = lasting
    answer = request("unack" if undo else "ack", wanted, reach_of(config, broker, url, token))
    if as_json:
        typer.echo(shown_json(answer["alerts"]))
        return
    for each in answer["alerts"]:
        typer.echo(f"{'taken back' if undo else 'acknowledged'}: {_alert_line(each)}")


def silence(
    matchers: Matchers,
    config: Config = None,
    broker: Broker = None,
    url: Url = None,
    token: Token = None,
    by: By = None,
    comment: Comment = "",
    lasting: Annotated[str, typer.Option("--for", help="For how long, counted from the start.")] = "1h",
    start: Annotated[str | None, typer.Option(help="From when, RFC 3339 [default: now].", metavar="TIME")] = None,
    as_json: Answered = False,
) -> None:
    """Silence alerts for a while: nobody is told of them. Prints the id of the silence."""
    # a silence matches labels and outlives alerts, an id would match one alert for ever
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
    for warning in answer.get("warnings", ()):  # on stderr: a program may read stdout
        typer.echo(f"warning: {shown(warning)}", err=True)


def _silenced(answer: Mapping[str, Any]) -> str:
    entry, count = answer["silence"], answer["silenced"]
    start = f" from {PEOPLE.told(entry['startsAt'])}" if entry["status"]["state"] == "pending" else ""
    firing = "1 firing alert matches" if count == 1 else f"{count} firing alerts match"
    return f"{entry['id']}{start} until {PEOPLE.told(entry['endsAt'])}; {firing}"


def unsilence(
    identity: Annotated[str, typer.Argument(help="The silence's id.", metavar="ID", show_default=False)],
    config: Config = None,
    broker: Broker = None,
    url: Url = None,
    token: Token = None,
    by: By = None,
    as_json: Answered = False,
) -> None:
    """End a silence. Alerts that still fire and were held back are told now."""
    answer = request("unsilence", {"id": identity, "by": by or user()}, reach_of(config, broker, url, token))
    if as_json:
        typer.echo(shown_json(answer["silence"]))
    else:
        typer.echo(f"ended: {shown(identity)}")


def request(name: str, wanted: Mapping[str, Any], reach: Reach) -> Mapping[str, Any]:
    """Ask a running hub to do something, and return its answer.

    Raises:
        RequestError: the hub refuses, and says why.
        HubError: there is no answer.

    """
    return _agreed(run_loop(ask(reach, name, wanted)))


def listing(name: str, wanted: Mapping[str, Any], reach: Reach) -> Mapping[str, Any]:
    """Ask a running hub for a whole list, page by page.

    Raises:
        RequestError: the hub refuses, and says why.
        HubError: there is no answer.

    """
    return _agreed(run_loop(ask_all(reach, name, wanted)))


def _agreed(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an answer that is a yes; from here on times are shown in the hub's zone, not in this machine's."""
    if not answer.get("ok"):
        raise RequestError.of(answer)
    PEOPLE.zone = zone_named(str(answer.get("tz", "")))
    if answer.get("truncated"):
        typer.echo(f"{answer.get('total', 'more')} in all: the hub's answer has no room for each of them", err=True)
    return answer


def which(matchers: Sequence[str]) -> dict[str, Any]:
    """Return the keys of a request that say which alerts are meant: an id if the only word is one, else matchers."""
    if len(matchers) == 1 and _is_id(matchers[0]):
        return {"id": matchers[0]}
    return {"matchers": [_matcher(text) for text in matchers]} if matchers else {}


def _is_id(word: str) -> bool:
    """Tell whether a word is a fingerprint (16 hex digits), or an id of a notification, which begins with one."""
    return len(word) >= 16 and all(letter in "0123456789abcdef" for letter in word[:16]) and word[16:17] in ("", "-")


def _matcher(text: str) -> str:
    """Return a matcher; a word without an operator is an alertname."""
    return text if any(mark in text for mark in "=~!{") else f'alertname="{text}"'


def user() -> str:
    """Return the name of the user of this shell."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in a container
        return f"user {os.getuid()}"


def _alert_table(answer: Mapping[str, Any]) -> None:
    table = Table("state", "severity", "alert", "labels", "since", "acknowledged", "summary", box=None)
    for alert in answer["alerts"]:
        table.add_row(*_alert_cells(alert))
    print_table(table, answer["alerts"], "no alerts")


def _alert_cells(alert: Mapping[str, Any]) -> list[str]:
    acknowledged = alert.get("acknowledged") or {}
    held = alert.get("held") or {}
    state = alert["state"] + (f" ({held['stage']})" if held else "")
    first = map(shown, (state, alert["severity"], alert["alertname"]))
    last = map(shown, (PEOPLE.told(alert["since"]), acknowledged.get("by", ""), alert["summary"]))
    return [*first, shown_labels(alert["labels"]), *last]


def _silence_table(answer: Mapping[str, Any]) -> None:
    table = Table("id", "state", "matchers", "from", "until", "by", "comment", box=None)
    for entry in answer["silences"]:
        cells = (entry["id"], entry["status"]["state"], ", ".join(entry["matchers_text"]))
        times = (PEOPLE.told(entry["startsAt"]), PEOPLE.told(entry["endsAt"]))
        table.add_row(*map(shown, (*cells, *times, entry["createdBy"], entry["comment"])))
    print_table(table, answer["silences"], "no silences")


def print_table(table: Table, rows: Sequence[Any], nothing: str) -> None:
    """Print a table as wide as the terminal, in a pipe 250 columns wide; without rows print `nothing`."""
    if len(rows) > TABLE_ROWS:
        _print_plain(table)
        return
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)
    if rows:
        console.print(table)
    else:
        typer.echo(nothing)


def _print_plain(table: Table) -> None:
    """Print a long table, each cell in one line: Rich needs half a minute to fit ten thousand rows."""
    columns = [[str(column.header), *map(str, column.cells)] for column in table.columns]
    widths = [max(map(_width, column)) for column in columns]
    lines = []
    for row in zip(*columns, strict=True):
        line = "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        lines.append(line.rstrip())
    typer.echo("\n".join(lines))


def _width(cell: str) -> int:
    """Return the columns of a cell; plain ASCII, which most cells are, need not be looked up letter by letter."""
    return len(cell) if cell.isascii() else cell_len(cell)


def _alert_line(alert: Mapping[str, Any]) -> str:
    return f"{shown(alert['alertname'])} {shown_labels(alert['labels'])}"
