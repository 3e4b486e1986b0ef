"""What `hub run` runs where hub.yaml has a `cluster:`: a node, with all its parts. Only then is it read.

It stands beside App as the only place that constructs collaborators: those of a node.
"""

import socket
from collections.abc import Callable, Sequence
from functools import partial

from hub.app import App, Companion
from hub.clock import Clock
from hub.cluster.cluster_node import ClusterNode
from hub.cluster.log.replica import open_replica
from hub.cluster.rule_files import RuleFiles
from hub.cluster.servers.link import Link
from hub.cluster.voice import Voice
from hub.config import Settings
from hub.node.opening import Opening
from hub.observer import Observers
from hub.operate.api.standby.node_server import NodeServer
from hub.operate.figures.figures import Figures
from hub.settings.cluster_settings import ClusterSettings
from hub.tracing.spans import Tracing

__all__ = ["node_of"]


def node_of(
    settings: Settings,
    cluster: ClusterSettings,
    observers: Observers,
    clock: Clock,
    figures: Figures,
    listening: Callable[[str], None],
    beside: Sequence[Companion],
    tracing: Tracing | None,
) -> ClusterNode:
    """Return a node that stands by and, while it owns, runs an App with what runs `beside` it.

    `listening` hears where its HTTP interface is, which serves whoever owns.

    Raises:
        ConfigError: with every problem of the rules and fleets.

    """
    front = NodeServer(settings, clock, figures, listening) if settings.http.enabled else None
    servers = [front] if front is not None else []
    observers.all += [server.observer for server in servers]
    trouble, voice = observers.trouble, Voice(observers, cluster.node, "main")
    rules = RuleFiles(settings, partial(trouble, "reload"))

    def work(opening: Opening) -> App:
        return App(
            settings,
            observers,
            clock,
            [*beside, *servers],
            tracing,
            opening=opening,
            files=rules.files,
            peers=node.company,
        )

    async def serve(node: ClusterNode) -> None:
        if front is not None:
            await front.run_node(node, trouble)

    node = ClusterNode(
        cluster=cluster,
        link=Link(cluster, f"hub {cluster.name} {cluster.node}", voice.connection),
        voice=voice,
        clock=clock,
        rules=rules,
        path=settings.state,
        work=work,
        front=serve if front is not None else None,
        replica=partial(open_replica, settings.state, partial(trouble, "store"), partial(trouble, "log")),
        address=settings.http.url or socket.gethostname(),
    )
    return node
