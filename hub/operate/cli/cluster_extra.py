"""`hub cluster` where the extra `cluster` is installed; else a command of that name, which says what to install."""

from typing import Annotated

import typer

from hub.errors import HubError
from hub.settings.cluster_settings import cluster_missing

__all__ = ["cluster"]


def _without_extra() -> typer.Typer:
    """Make the command that stands in for `hub cluster`."""
    stand_in = typer.Typer()

    @stand_in.command(
        "cluster",
        context_settings={"ignore_unknown_options": True},  # whatever was asked of the cluster
        help="Several hubs on a replicated log, with the extra `cluster`: see docs/cluster.md.",
    )
    def _(rest: Annotated[list[str] | None, typer.Argument(hidden=True)] = None) -> None:  # noqa: ARG001
        raise HubError(cluster_missing())

    return stand_in


if cluster_missing():
    cluster = _without_extra()
else:
    from hub.operate.cli.cluster import cluster
