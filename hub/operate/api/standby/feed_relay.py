"""The live feed of the owner on the other nodes: told on a subject of NATS, and numbered anew by each node.

A client asks a node for the whole state first and then hears what changes. So a node repeats a message only when its
copy has what the message tells: else a client that asks in between would have it neither from the list nor the feed.
"""

import asyncio
import contextlib
import zlib
from collections.abc import Callable

import orjson
from nats.aio.msg import Msg

from hub.cluster.log.replica import Replica
from hub.cluster.servers.link import Heard, Link
from hub.errors import StoreError
from hub.limits import FEED_BATCH, FEED_COPY_SECONDS
from hub.operate.api.feed.feed import Feed

__all__ = ["hear", "relay"]

Copy = Callable[[], Replica | None]
"""Returns the node's copy, None where it has none yet."""


async def relay(link: Link, subject: str, feed: Feed, at: int, copy: Copy) -> None:
    """Tell the other nodes what the feed says behind the number `at`, until cancelled; what falls behind is lost."""
    while True:
        news = feed.since(at, FEED_BATCH)
        if not news:
            await feed.wait()
            continue
        at = news[-1].number
        told = [(each.text.decode(), each.brief.decode() if each.brief is not None else None) for each in news]
        replica = copy()
        record = 0 if replica is None else replica.tip.seq  # all that was told so far is in the log up to here
        await link.publish(subject, zlib.compress(orjson.dumps([record, told]), 1))


def hear(feed: Feed, owns: Callable[[], bool], copy: Copy) -> Heard:
    """Return what puts the owner's messages into this node's feed; an owner hears its own and lets them be."""

    async def heard(message: Msg) -> None:
        if owns():
            return
        record, messages = orjson.loads(zlib.decompress(message.data))
        await _has(copy(), record)
        for text, brief in messages:
            told = orjson.loads(text)
            feed.repeat(
                told["type"], told["time"], told["data"], None if brief is None else orjson.loads(brief)["data"]
            )

    return heard


async def _has(replica: Replica | None, record: int) -> None:
    """Wait until the copy can be asked for a record; a node that is far behind says so, and tells a gap at its end."""
    if replica is not None:
        with contextlib.suppress(TimeoutError, StoreError):
            async with asyncio.timeout(FEED_COPY_SECONDS):
                await replica.reach(record)
