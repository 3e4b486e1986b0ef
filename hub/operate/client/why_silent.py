"""Why no hub has answered over MQTT, as far as who asked can know it: by its cluster, or by the hub's last word.

Only the owner of a cluster is at the broker. Who stands by says over the log's servers that nobody owns, and what
comes next; who has no hub.yaml with a cluster still finds the retained status of the last owner.
"""

import asyncio
from pathlib import Path

import orjson

from hub.errors import ConfigError, HubError
from hub.ingest.mqtt.session import Session
from hub.limits import LAST_WORD_SECONDS
from hub.printable import shown

__all__ = ["why_silent"]


async def why_silent(path: Path | None, session: Session, prefix: str) -> str:
    """Say why nobody may have answered, and what to do. `path` is the hub.yaml of the hub that was asked, if any."""
    return await _by_cluster(path) or await _by_status(session, f"{prefix}/status")


async def _by_cluster(path: Path | None) -> str:
    """Say who owns the hub, where hub.yaml has a cluster; "" where it has none, or cannot be read."""
    if path is None:
        return ""
    from hub.config import load_settings  # noqa: PLC0415 - all settings are read only where no hub answers

    try:
        cluster = load_settings(path).cluster
    except ConfigError:
        return ""  # a mistake elsewhere in the file, of which `hub check` tells
    if cluster is None:
        return ""
    from hub.cluster.overview import overview  # noqa: PLC0415 - a single hub has no nats-py
    from hub.cluster.servers.command_link import command_link  # noqa: PLC0415 - the same
    from hub.cluster.told.overview_lines import unowned  # noqa: PLC0415 - the same

    try:
        async with command_link(cluster) as link:
            found = await overview(link, cluster)
    except HubError as error:
        return f"its cluster {cluster.name} cannot be asked who owns it: {error}"
    owner = found["units"][0]["owner"]
    if owner is None:
        return f"cluster {cluster.name}: {unowned(found)}; see `hub cluster status`"
    return (
        f"node {shown(owner)} of cluster {cluster.name} owns it: see there whether it reaches this broker; or may this"
        " user not write there?"
    )


async def _by_status(session: Session, topic: str) -> str:
    """Say what the hub's retained status tells."""
    word = await _last_word(session, topic)
    if word.get("status") == "offline":
        return (
            f"{topic} says that it is offline; start `hub run`, or, if it is a cluster, see `hub cluster status` on a"
            " node: nobody owns it"
        )
    if word.get("status") == "online":
        return f"{topic} says that it is online since {shown(word.get('since'))}; may this user write there?"
    return "is `hub run` running, and may this user write there?"


async def _last_word(session: Session, topic: str) -> dict[str, object]:
    """Return what the broker keeps on a topic; nothing where it keeps nothing, or this user may not read it."""
    try:
        async with asyncio.timeout(LAST_WORD_SECONDS):
            await session.resubscribe([topic])
            while deliveries := await session.receive():
                session.acknowledge(session.handed)
                for each in deliveries:
                    if each.topic == topic:  # else it is an answer that comes too late
                        word = orjson.loads(each.payload)
                        return word if isinstance(word, dict) else {}
    except (TimeoutError, HubError, ValueError):
        pass
    return {}
