"""Checks the NATS servers by what each says when one connects: whether they can keep a log, and are apart."""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from hub.cluster.servers.link import Link
from hub.documents.secret import Secret
from hub.limits import LINK_CONNECT_SECONDS, LINK_LEAST_PAYLOAD
from hub.operate.doctor.finding import Finding, bad, good, warning
from hub.settings.cluster_settings import ClusterSettings

__all__ = ["Server", "look_at_servers", "reached"]

LEAST_VERSION = (2, 12)
LEAST_PAYLOAD = 8 << 20
_SUBJECT = "servers"


@dataclass(frozen=True, slots=True)
class Server:
    """A NATS server that answers: its `address` as hub.yaml has it, without a login, and what it says of itself."""

    address: str
    link: Link = field(repr=False)
    name: str
    identity: str
    version: str
    jetstream: bool
    cluster: str
    max_payload: int
    machine: str
    """The IP address behind the host's name; the name where that cannot be found out."""


@contextlib.asynccontextmanager
async def reached(settings: ClusterSettings, url: Secret) -> AsyncIterator[Server | str]:
    """Connect to one server of the cluster; give why it does not answer where it does not."""
    parts, refused = urlsplit(url.reveal()), asyncio.get_running_loop().create_future()
    address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    def said(why: str) -> None:
        if why and not refused.done():
            refused.set_result(why)

    link = Link(replace(settings, nats=(url,)), "hub doctor", said, least_payload=0)  # it is told below
    running = asyncio.create_task(link.run(), name=f"link to {address}")
    ready = asyncio.create_task(link.ready(), name=f"ready {address}")
    try:
        await asyncio.wait({ready, refused}, timeout=LINK_CONNECT_SECONDS + 1, return_when=asyncio.FIRST_COMPLETED)
        if ready.done():
            yield await _server(address, parts.hostname or "", link)
        else:
            yield f"{address} does not answer: {refused.result() if refused.done() else 'nothing comes from there'}"
    finally:
        running.cancel()
        ready.cancel()
        await asyncio.gather(running, ready, return_exceptions=True)


async def _server(address: str, host: str, link: Link) -> Server:
    about = link.server
    try:
        known = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        known = []
    return Server(
        address=address,
        link=link,
        name=str(about.get("server_name", "")),
        identity=str(about.get("server_id", "")),
        version=str(about.get("version", "")),
        jetstream=bool(about.get("jetstream")),
        cluster=str(about.get("cluster", "")),
        max_payload=link.max_payload,
        machine=str(known[0][4][0]) if known else host,
    )


def look_at_servers(settings: ClusterSettings, servers: Sequence[Server], silent: Sequence[str]) -> list[Finding]:
    """Judge how many there are, their versions, JetStream, what they take, and whether one machine has several."""
    start = "start nats-server there, or correct `cluster.nats` and the login"
    if not servers:
        return [bad(_SUBJECT, text, start) for text in silent]
    return [
        *(warning(_SUBJECT, text, start) for text in silent),
        *_count(settings, servers),
        *_versions(servers),
        *_jetstream(servers),
        *_one_cluster(servers),
        *_payload(servers),
        *_machines(servers),
    ]


def _count(settings: ClusterSettings, servers: Sequence[Server]) -> list[Finding]:
    """Judge whether enough are there; two URLs of one server are one server."""
    names = {each.identity: each.name for each in servers}
    listed = f"{len(names)} reached: {', '.join(sorted(names.values()))}"
    twice = [name for identity, name in names.items() if [each.identity for each in servers].count(identity) > 1]
    found = [
        warning(_SUBJECT, f"{name} is named twice in `cluster.nats`", "name each server once, by its own address")
        for name in twice
    ]
    if len(names) <= settings.replicas // 2:
        text = f"{listed}; that is no majority of {settings.replicas} replicas: nothing can be committed"
        return [*found, bad(_SUBJECT, text, "start the others, and name all of them in `cluster.nats`")]
    if settings.replicas < 3:
        text = f"the log has {settings.replicas} replicas: the cluster stands still when a server is away"
        remedy = "run three servers and make the streams with `replicas: 3`"
        return [*found, good(_SUBJECT, listed), warning(_SUBJECT, text, remedy)]
    if len(names) < settings.replicas:
        text = f"{listed}, for {settings.replicas} replicas: the next one that dies may stop the cluster"
        return [*found, warning(_SUBJECT, text, "start the others, and name all of them in `cluster.nats`")]
    return [*found, good(_SUBJECT, listed)]


def _versions(servers: Sequence[Server]) -> list[Finding]:
    least = ".".join(map(str, LEAST_VERSION))
    found = [
        bad(f"server {each.name}", f"nats-server {each.version}", f"install {least} or later")
        for each in servers
        if _numbers(each.version) < LEAST_VERSION
    ]
    versions = sorted({each.version for each in servers})
    if len(versions) > 1:
        text = f"have different versions: {', '.join(f'{each.name} {each.version}' for each in servers)}"
        found.append(warning(_SUBJECT, text, "install the same on all, one server after the other"))
    return found or [good(_SUBJECT, f"all are nats-server {versions[0]}")]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else 0 for part in version.split(".")[:2])


def _jetstream(servers: Sequence[Server]) -> list[Finding]:
    without = [each.name for each in servers if not each.jetstream]
    if not without:
        return [good("JetStream", "is on")]
    text = f"is off on {', '.join(without)}"
    remedy = "write jetstream {store_dir: …, sync_interval: always} into nats.conf"
    # where one of several is without it, the others still keep the log
    return [(bad if len(without) == len(servers) else warning)("JetStream", text, remedy)]


def _one_cluster(servers: Sequence[Server]) -> list[Finding]:
    names = sorted({each.cluster for each in servers})
    if len(servers) < 2 or (len(names) == 1 and names[0]):
        return []
    listed = ", ".join(f"{each.name} is of {each.cluster or 'none'}" for each in servers)
    text = f"do not form one cluster: {listed}"
    return [bad(_SUBJECT, text, "give `cluster` in each nats.conf the same name, and routes to all others")]


def _payload(servers: Sequence[Server]) -> list[Finding]:
    small = [each for each in servers if each.max_payload < LEAST_PAYLOAD]
    if not small:
        return [good("max_payload", f"at least {LEAST_PAYLOAD >> 20} MB")]
    text = ", ".join(f"{each.max_payload / (1 << 20):g} MB on {each.name}" for each in small)
    remedy = f"write max_payload: {LEAST_PAYLOAD} into nats.conf"
    if any(each.max_payload < LINK_LEAST_PAYLOAD for each in small):
        least = f"no hub connects to a server that takes less than {LINK_LEAST_PAYLOAD >> 10} KB"
        return [bad("max_payload", f"{text}: {least}", remedy)]
    return [warning("max_payload", f"{text}: commits that are longer go in pieces, one after the other", remedy)]


def _machines(servers: Sequence[Server]) -> list[Finding]:
    """Find two servers behind one IP address. Two addresses of one machine cannot be told from two machines."""
    where = {each.identity: each for each in servers}.values()
    crowded = [machine for machine, count in Counter(each.machine for each in where).items() if count > 1]
    if not crowded and len(where) > 1:
        return [good("machines", "each server has an address of its own")]
    return [
        warning(
            "machines",
            f"{', '.join(sorted(each.name for each in where if each.machine == machine))} run on one machine"
            f" ({machine}): what stops it stops all of them",
            "run each server on a machine of its own",
        )
        for machine in crowded
    ]
