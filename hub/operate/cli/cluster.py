"""`hub cluster`: what an operator does with a cluster as a whole."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from hub.cluster.log.log_record import Tip
from hub.cluster.log.state_log import LogNames
from hub.cluster.overview import let_leave, move_unit, overview
from hub.cluster.servers.command_link import command_link
from hub.cluster.servers.jetstream import JetStream, Stored
from hub.cluster.servers.link import Link
from hub.cluster.servers.streams import create as create_streams
from hub.cluster.starter_files import node_addresses, write_starter
from hub.cluster.told.overview_lines import overview_lines
from hub.cluster.transfer import export_file, import_file
from hub.config import load_settings
from hub.errors import HubError
from hub.operate.cli.options import Config
from hub.printable import shown_json
from hub.settings.cluster_settings import ClusterSettings

__all__ = ["cluster"]

T = TypeVar("T")
cluster = typer.Typer(
    name="cluster", no_args_is_help=True, help="Several hubs on a replicated log: see docs/cluster.md."
)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@cluster.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where the folders of the nodes are made.")],
    nodes: Annotated[str, typer.Option(help="Name and host of each node.", metavar="a=HOST,b=HOST,c=HOST")],
    name: Annotated[str, typer.Option(help="The name of the cluster.")] = "hub",
) -> None:
    """Write what each machine needs: nats.conf, certificates, a systemd unit, the cluster part of hub.yaml."""
    for made in write_starter(folder, node_addresses(nodes), name):
        typer.echo(f"{made}: copy it to its machine, to the same place; start nats-server -c {made}/nats.conf there")
    typer.echo("then put each cluster.yaml into the node's hub.yaml, and run `hub cluster create` once")


@cluster.command()
def create(config: Config = None) -> None:
    """Make the cluster's streams on the NATS servers, once; what is there stays."""

    async def work(link: Link, settings: ClusterSettings) -> list[str]:
        return await create_streams(JetStream(link), LogNames(settings.name), settings.replicas)

    said, state = _asked(config, work), load_settings(config).state
    for line in said:
        typer.echo(line)
    if said[0].startswith("made ") and state.exists():
        see = "see 'A stream that is gone' in docs/cluster.md"
        typer.echo(f"{state} has a state of before: the nodes begin without it unless it is imported first; {see}")


@cluster.command()
def status(config: Config = None, as_json: AsJson = False) -> None:
    """Say who owns the unit, how far each node is, and what differs; exit 1 where nobody owns it."""
    found = _asked(config, overview)
    if as_json:
        typer.echo(shown_json(found))
    else:
        _show(found)
    if any(unit["owner"] is None for unit in found["units"]):
        raise typer.Exit(1)


@cluster.command("import")
def import_state(
    file: Annotated[Path, typer.Argument(help="The state file of a single hub, or a backup.")], config: Config = None
) -> None:
    """Let the cluster go on with the state of a file. No node may own the unit: stop all of them first."""

    async def work(link: Link, settings: ClusterSettings) -> Tip:
        return await import_file(link, LogNames(settings.name), file)

    tip = _asked(config, work)
    typer.echo(f"{file} was imported with record {tip.seq}; start the nodes")


@cluster.command()
def export(file: Annotated[Path, typer.Argument(help="The file to write.")], config: Config = None) -> None:
    """Write this node's copy as the state file of a single hub; the node may run meanwhile."""
    tip = export_file(load_settings(config).state, file)
    typer.echo(f"{file} was written, as of record {tip.seq}")


@cluster.command()
def backup(folder: Annotated[Path, typer.Argument(help="The folder to write to.")], config: Config = None) -> None:
    """Write this node's copy into a folder, under a name with the time; `hub cluster import` brings it back."""
    file = folder / f"hub-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db"

    async def work(link: Link, settings: ClusterSettings) -> Stored | None:
        names = LogNames(settings.name)
        return await JetStream(link).last(names.stream, names.subject)

    last = _asked(config, work)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HubError(f"{folder} cannot be made: {error.strerror}; see who may write there") from None
    tip = export_file(load_settings(config).state, file)
    behind = (last.seq if last is not None else 0) - tip.seq
    typer.echo(f"{file} was written, as of record {tip.seq}" + (f", {behind} behind the log" if behind > 0 else ""))


@cluster.command()
def move(
    unit: Annotated[str, typer.Argument(help="What is to move: main.")],
    node: Annotated[str, typer.Argument(help="The node that is to own it.")],
    config: Config = None,
) -> None:
    """Let another node own a unit, in good order."""

    async def work(link: Link, settings: ClusterSettings) -> str:
        return await move_unit(link, settings, unit, node)

    typer.echo(_asked(config, work))


@cluster.command()
def leave(
    node: Annotated[str | None, typer.Argument(help="The node; without it that of hub.yaml.")] = None,
    config: Config = None,
) -> None:
    """Let a node own nothing any more until it is started again; one that does not run is no longer missed."""

    async def work(link: Link, settings: ClusterSettings) -> str:
        return await let_leave(link, settings, node or settings.node)

    typer.echo(_asked(config, work))


def _show(found: dict[str, Any]) -> None:
    for line in overview_lines(found):
        typer.echo(line)


def _asked(config: Path | None, work: Callable[[Link, ClusterSettings], Awaitable[T]]) -> T:
    """Connect, do the work, and disconnect."""
    settings = load_settings(config).cluster
    if settings is None:
        raise HubError("hub.yaml has no `cluster:`: this is a single hub; see docs/cluster.md")

    async def run() -> T:
        async with command_link(settings) as link:
            return await work(link, settings)

    return asyncio.run(run())
