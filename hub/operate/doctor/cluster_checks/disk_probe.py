"""Writes a few records to a server's disk: whether it waits for its disk, and what the servers' clocks say.

A server that does not sync answers before the record is safe: with the power, minutes of what was acknowledged are
lost. No server tells how it is set (only its system account may ask), but it shows: it answers a record as quickly as
a question that it need not write down. The records go into a short stream, which is deleted again. Nobody can say which
server is to have a stream alone. So it begins with a replica on each, the server in question becomes its leader, and a
stream that is cut to one replica stays with its leader.
"""

import asyncio
import contextlib
import secrets
import statistics
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple

from hub.cluster.log.state_log import LogNames
from hub.cluster.servers.jetstream import JetStream, LogRefused
from hub.cluster.servers.link import Link, LinkError, NobodyAnswers
from hub.limits import LINK_WAIT_SECONDS
from hub.operate.doctor.cluster_checks.server_check import Server
from hub.operate.doctor.finding import Finding, bad, good, unknown, warning

__all__ = ["look_at_disks"]

RECORDS = 40  # of 2 KB, as a small commit has
UNSYNCED_SECONDS = 0.0001  # [measured] a flush takes 0.23 ms and more on an SSD, a record without one 0.07 ms and less
SLOW_SECONDS = 0.05  # each alert waits for one
CLOCK_SECONDS = 1.0
_STREAM_SECONDS = 60  # records go by themselves where the doctor was killed
_ATTEMPTS = 3
_PATIENCE_SECONDS = 5.0  # for each server: it takes 0.5 s where all is well, and an election is not waited for
_SUBJECT = "durable publish"
_SYNC = "write sync_interval: always into `jetstream` of each nats.conf; a disk with a battery may be as quick, too"


class _Probe(NamedTuple):
    """What a server did. `flush` is what a record takes longer than a question, both as in the quicker quarter."""

    middle: float
    flush: float
    clock: float
    """Seconds by which its clock is ahead of ours."""


async def look_at_disks(names: LogNames, servers: Sequence[Server]) -> list[Finding]:
    """Measure each server that keeps streams, and look at its clock."""
    able = {each.name: each for each in servers if each.jetstream}
    clocks: dict[str, float] = {}
    found: list[Finding] = []
    for name, server in able.items():
        try:
            async with _stream_of(server, names, len(able)) as (stream, subject):
                probe = await _measure(server.link, stream, subject)
        except (LogRefused, LinkError) as error:
            found.append(unknown(_SUBJECT, f"{name} could not be tried out: {error}", "see the servers' logs"))
            continue
        clocks[name] = probe.clock
        found.append(_disk(name, probe))
    return [*found, *_clocks(clocks)]


def _ahead(theirs: float, before: float, after: float) -> float:
    """Return the clocks' difference: the truth lies between `before` and `after`, what is outside is too much."""
    return min(0.0, theirs - before) + max(0.0, theirs - after)


@contextlib.asynccontextmanager
async def _stream_of(server: Server, names: LogNames, replicas: int) -> AsyncIterator[tuple[str, str]]:
    """Make a stream that this server alone has, for a while; give its name and its subject."""
    stream, mark = JetStream(server.link), secrets.token_hex(4)
    name, subject = f"HUB_{names.cluster}_DOCTOR_{mark}", f"hub.{names.cluster}.doctor.{mark}"
    config = {
        "name": name,
        "subjects": [subject],
        "num_replicas": replicas,
        "storage": "file",
        "max_bytes": 1 << 20,
        "max_age": int(_STREAM_SECONDS * 1e9),
    }
    await stream.api(f"STREAM.CREATE.{name}", config, _PATIENCE_SECONDS)
    try:
        if replicas > 1:
            await _leave_to(server.name, stream, config)
        await _until_it_takes(stream, subject)
        yield name, subject
    finally:
        with contextlib.suppress(LogRefused, LinkError):
            await stream.api(f"STREAM.DELETE.{name}", {})


async def _leave_to(server: str, stream: JetStream, config: Mapping[str, Any]) -> None:
    """Let a server lead a stream, and then have it alone.

    Raises:
        LinkError: it does not come to that in time.

    """
    name, until = config["name"], time.monotonic() + _PATIENCE_SECONDS
    while (leader := (await _spread(stream, name)).get("leader")) != server:
        if time.monotonic() > until:
            raise LinkError("it does not take the lead of a stream")
        if leader:  # else they are still electing the first one
            await stream.api(f"STREAM.LEADER.STEPDOWN.{name}", {"placement": {"preferred": server}})
        await asyncio.sleep(LINK_WAIT_SECONDS)
    await stream.api(f"STREAM.UPDATE.{name}", {**config, "num_replicas": 1}, _PATIENCE_SECONDS)
    while (now := await _spread(stream, name)).get("replicas") or now.get("leader") != server:
        if time.monotonic() > until:
            raise LinkError("it does not get a stream alone")
        await asyncio.sleep(LINK_WAIT_SECONDS)


async def _until_it_takes(stream: JetStream, subject: str) -> None:
    """Write a record: a server that has just got a stream alone lets one fall now and then.

    Raises:
        LogRefused, LinkError: it takes none.

    """
    for left in reversed(range(_ATTEMPTS)):
        try:
            await stream.append(subject, b"", {}, None)
        except (LogRefused, LinkError):
            if not left:
                raise
        else:
            return


async def _spread(stream: JetStream, name: str) -> Mapping[str, Any]:
    """Return who has a stream: its leader, and the other replicas."""
    found: Mapping[str, Any] = ((await stream.info(name)) or {}).get("cluster") or {}
    return found


async def _measure(link: Link, name: str, subject: str) -> _Probe:
    stream, records, questions = JetStream(link), list[float](), list[float]()
    before = after = 0.0
    for _ in range(RECORDS):
        begun, before = time.perf_counter(), time.time()
        await stream.append(subject, b"x" * 2048, {}, None)
        records.append(time.perf_counter() - begun)
        after, begun = time.time(), time.perf_counter()
        with contextlib.suppress(NobodyAnswers):  # the server itself says that, at once
            await link.request(f"{subject}.nobody")
        questions.append(time.perf_counter() - begun)
    last = await stream.last(name, subject)
    clock = 0.0 if last is None else _ahead(last.time, before, after)
    quarter = statistics.quantiles(records, n=4)[0] - statistics.quantiles(questions, n=4)[0]
    return _Probe(statistics.median(records), quarter, clock)


def _disk(name: str, probe: _Probe) -> Finding:
    if probe.flush < UNSYNCED_SECONDS:
        text = f"{name} answers in {probe.middle * 1000:.1f} ms, as quickly as if it did not wait for its disk"
        return warning(_SUBJECT, f"{text}: what it has said it has may be gone with the power", _SYNC)
    text = f"{name} has a record on its disk in {probe.middle * 1000:.1f} ms"
    if probe.middle > SLOW_SECONDS:
        return warning(_SUBJECT, text, "put its store_dir on an SSD: each alert waits for the disks of a majority")
    return good(_SUBJECT, text)


def _clocks(clocks: Mapping[str, float]) -> list[Finding]:
    found = [
        bad(
            "clocks",
            f"{name} is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} this machine: where a leader"
            " changes, that much counts as time in which nobody was heard, or is missing",
            "let chrony or systemd-timesyncd set the clock on both",
        )
        for name, ahead in sorted(clocks.items())
        if abs(ahead) > CLOCK_SECONDS
    ]
    return found or ([good("clocks", f"{', '.join(sorted(clocks))}: as this machine's")] if clocks else [])
