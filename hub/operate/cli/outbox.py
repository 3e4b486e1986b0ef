"""`hub outbox`: what is queued, failed or dead, listed from the state file; tried again, or dropped.

Listing reads beside a running hub. What changes something is done by the hub that has the file open, asked over the
broker, and on the file itself where none has.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from hub.clock import PEOPLE, SystemClock
from hub.commands.dead_letters import entry_body, find, named
from hub.config import load_settings
from hub.documents.document import Problems
from hub.errors import StoreLocked
from hub.limits import OUTBOX_SHOWN
from hub.operate.cli.desk import Broker, By, Config, Token, Url, listing, print_table, request, user
from hub.operate.client.reach import reach_of
from hub.printable import shown, shown_json
from hub.project.files import load_files, people_of
from hub.spine.delivery_trace import delivery_row
from hub.spine.store_outbox import StoreOutbox, outbox_row, revived
from hub.store.changes import Changes
from hub.store.reader import OutboxEntry, Reader
from hub.store.sqlite.sqlite_reader import ask_file
from hub.store.sqlite.writer import SqliteStore
from hub.store.store import Store, durably
from hub.store.waiting import unless_failing

__all__ = ["outbox"]

Action = Literal["list", "retry", "drop"]
_CELLS = ("state", "receiver", "says", "alertname", "attempts", "created", "next_attempt", "reason", "summary", "id")


def outbox(
    action: Annotated[Action, typer.Argument(help="What to do.", metavar="list|retry|drop")] = "list",
    ids: Annotated[
        list[str] | None, typer.Argument(help="Only these, by id.", metavar="[ID]...", show_default=False)
    ] = None,
    config: Config = None,
    broker: Broker = None,
    url: Url = None,
    token: Token = None,
    state: Annotated[Path | None, typer.Option(help="The hub's state file; a running hub may have it open.")] = None,
    receiver: Annotated[str | None, typer.Option(help="Only what is for this receiver.", metavar="NAME")] = None,
    queued: Annotated[bool, typer.Option("--queued", help="Only what is queued.")] = False,
    dead: Annotated[bool, typer.Option("--dead", help="Only dead letters.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Retry all dead letters, or drop all there is.")] = False,
    by: By = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List what is to be told and what was given up; queue dead letters anew; drop what nobody needs any more."""
    if queued and dead:
        raise typer.BadParameter("--queued and --dead exclude each other")
    wanted: dict[str, Any] = {"ids": list(ids or ()), "receiver": receiver or "", "by": by or user(), "all": every}
    wanted["state"] = "queued" if queued else "dead" if dead else ""

    def ask() -> dict[str, Any]:
        return dict(request(f"outbox-{action}", wanted, reach_of(config, broker, url, token)))

    if action != "list":
        named(wanted)
    if url is not None:
        reach = reach_of(config, broker, url, token)
        answer = ask() if action != "list" else dict(listing("outbox", wanted, reach))
    elif action == "list":
        settings = load_settings(config, state=state)
        path, PEOPLE.zone = settings.state, people_of(load_files(settings, Problems()).rules)
        answer = {"outbox": [entry_body(entry) for entry in ask_file(path, lambda reader: _listed(reader, wanted))]}
    else:
        answer = _change(action, load_settings(config, state=state).state, wanted, ask)
    if as_json:
        typer.echo(shown_json(answer["outbox"]))
    elif action == "list":
        _show(answer["outbox"])
    else:
        _say(action, answer)


def _listed(reader: Reader, wanted: dict[str, Any]) -> list[OutboxEntry]:
    found = some = find(reader, wanted)
    while len(some) == OUTBOX_SHOWN:
        some = find(reader, wanted, after=some[-1].row)
        found += some
    return found


def _change(action: Action, path: Path, wanted: dict[str, Any], ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Change the file where no hub has it open, else let that hub do it."""
    ask_file(path, lambda _: None)  # a file that is none is told of, not made
    try:
        found = asyncio.run(_change_file(action, path, wanted))
    except StoreLocked:
        return ask()
    return {"outbox": [entry_body(entry) for entry in found]}


async def _change_file(action: Action, path: Path, wanted: dict[str, Any]) -> list[OutboxEntry]:
    """Do what a running hub does, by the commit that it makes."""
    store: Store = SqliteStore(path, lambda _: None)
    try:
        among = "dead" if action == "retry" else ""
        found, last = await store.read(lambda reader: (find(reader, wanted, among=among), reader.last_row()))
        await unless_failing(store, durably(store, _changes(action, found, wanted["by"], StoreOutbox(store, last))))
    finally:
        await store.close()
    return found


def _changes(action: Action, found: Sequence[OutboxEntry], by: str, outbox: StoreOutbox) -> Changes:
    clock = SystemClock()
    now = clock.now()
    if action == "retry":
        outbox.revive(found, now)
        said: dict[str, object] = {}
    else:
        outbox.drop(entry.row for entry in found)
        said = {"outcome": "dropped", "reason": f"by {by}"}
    return Changes(
        queued=[outbox_row(each) for each in outbox.enter(outbox.take_entering(), clock)],
        dropped=outbox.take_marks()[2],
        trace=[delivery_row(each, now, said) for each in revived(found, now)] if said else (),
    )


def _show(found: Sequence[dict[str, Any]]) -> None:
    table = Table(*(name.replace("_", " ") for name in _CELLS), box=None)
    for each in found:
        told = {name: PEOPLE.told(each[name]) for name in ("created", "next_attempt") if each[name]}
        cells = {**each, **told}
        table.add_row(*(shown("" if cells[name] is None else cells[name]) for name in _CELLS))
    print_table(table, found, "the outbox is empty")


def _say(action: Action, answer: dict[str, Any]) -> None:
    for each in answer["outbox"]:
        typer.echo(f"{'queued again' if action == 'retry' else 'dropped'}: {shown(each['receiver'])} {each['id']}")
    if not answer["outbox"]:
        typer.echo("nothing to do")
    if answer.get("busy"):
        typer.echo(f"{answer['busy']} being sent at this moment: left alone", err=True)
