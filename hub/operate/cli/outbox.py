"""`hub outbox`: lists what is queued, failed or dead in the outbox, retries dead letters, and drops rows.

Listing reads the state file, also beside a running hub. A change is made by the hub that has the file open, which is
asked over the broker; if no hub has it open, the change is made in the file.
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
from hub.operate.cli.desk import listing, print_table, request, user
from hub.operate.cli.options import Broker, By, Config, OpenState, Token, Url
from hub.operate.client.reach import reach_of
from hub.printable import shown, shown_json
from hub.project.files import load_files, people_of
from hub.spine.delivery_trace import delivery_row
from hub.spine.store_outbox import StoreOutbox, outbox_row, revived
from hub.store.changes import Changes
from hub.store.reader import COPY_ROW, OutboxEntry, Reader
from hub.store.sqlite.sqlite_reader import ask_file
from hub.store.sqlite.writer import SqliteStore
from hub.store.store import Store, durably
from hub.store.waiting import unless_failing

__all__ = ["outbox"]

Action = Literal["list", "retry", "drop"]
_COLUMNS = ("state", "receiver", "says", "alertname", "attempts", "created", "next_attempt", "reason", "summary", "id")


def outbox(
    action: Annotated[Action, typer.Argument(help="What to do.", metavar="list|retry|drop")] = "list",
    ids: Annotated[
        list[str] | None,
        typer.Argument(help="Only the notifications with these ids.", metavar="[ID]...", show_default=False),
    ] = None,
    config: Config = None,
    broker: Broker = None,
    url: Url = None,
    token: Token = None,
    state: OpenState = None,
    receiver: Annotated[str | None, typer.Option(help="Only those for this receiver.", metavar="NAME")] = None,
    queued: Annotated[bool, typer.Option("--queued", help="Only those that are queued.")] = False,
    dead: Annotated[bool, typer.Option("--dead", help="Only dead letters.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Retry all dead letters, or drop everything.")] = False,
    by: By = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List, retry or drop undelivered notifications. A dead letter is one that the hub has given up."""
    if queued and dead:
        raise typer.BadParameter("--queued and --dead exclude each other")
    wanted: dict[str, Any] = {"ids": list(ids or ()), "receiver": receiver or "", "by": by or user(), "all": every}
    wanted["state"] = "queued" if queued else "dead" if dead else ""

    def ask() -> dict[str, Any]:
        return dict(request(f"outbox-{action}", wanted, reach_of(config, broker, url, token)))

    if action != "list":
        named(wanted)  # raises unless ids, a receiver, a state or --all is given: nobody drops everything by mistake
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
    """Return all rows that are wanted; one query gives OUTBOX_SHOWN of them at most."""
    entries = page = find(reader, wanted)
    while len(page) == OUTBOX_SHOWN:
        page = find(reader, wanted, after=page[-1].row)
        entries += page
    return entries


def _change(action: Action, path: Path, wanted: dict[str, Any], ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Change the file; if a hub has it open, let that hub do it, as it knows what is being sent."""
    meta = ask_file(path, lambda reader: reader.meta())  # raises if there is no file: SqliteStore would make one
    if COPY_ROW in meta:
        return ask()  # a node's copy must not be changed past the log of its cluster: only the owner can
    try:
        entries = asyncio.run(_change_file(action, path, wanted))
    except StoreLocked:
        return ask()
    return {"outbox": [entry_body(entry) for entry in entries]}


async def _change_file(action: Action, path: Path, wanted: dict[str, Any]) -> list[OutboxEntry]:
    """Retry or drop rows in the file, with the same commit that a running hub would make."""
    store: Store = SqliteStore(path, lambda _: None)
    try:
        among = "dead" if action == "retry" else ""
        entries, last = await store.read(lambda reader: (find(reader, wanted, among=among), reader.last_row()))
        await unless_failing(store, durably(store, _changes(action, entries, wanted["by"], StoreOutbox(store, last))))
    finally:
        await store.close()
    return entries


def _changes(action: Action, entries: Sequence[OutboxEntry], by: str, outbox: StoreOutbox) -> Changes:
    """Return what one commit changes: dead letters become new rows; what is dropped leaves an entry in the trace."""
    clock = SystemClock()
    now = clock.now()
    if action == "retry":
        outbox.revive(entries, now)
        outcome: dict[str, object] = {}
    else:
        outbox.drop(entry.row for entry in entries)
        outcome = {"outcome": "dropped", "reason": f"by {by}"}
    return Changes(
        queued=[outbox_row(each) for each in outbox.enter(outbox.take_entering(), now, clock.monotonic())],
        dropped=outbox.take_marks()[2],
        trace=[delivery_row(each, now, outcome) for each in revived(entries, now)] if outcome else (),
    )


def _show(rows: Sequence[dict[str, Any]]) -> None:
    table = Table(*(name.replace("_", " ") for name in _COLUMNS), box=None)
    for row in rows:
        times = {name: PEOPLE.told(row[name]) for name in ("created", "next_attempt") if row[name]}
        cells = {**row, **times}
        table.add_row(*(shown("" if cells[name] is None else cells[name]) for name in _COLUMNS))
    print_table(table, rows, "the outbox is empty")


def _say(action: Action, answer: dict[str, Any]) -> None:
    for row in answer["outbox"]:
        typer.echo(f"{'queued again' if action == 'retry' else 'dropped'}: {shown(row['receiver'])} {row['id']}")
    if not answer["outbox"]:
        typer.echo("nothing to do")
    if answer.get("busy"):  # a row that is being sent cannot be dropped: its receiver may have it already
        typer.echo(f"{answer['busy']} being sent at this moment: left alone", err=True)
