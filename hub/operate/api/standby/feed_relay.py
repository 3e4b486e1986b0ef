"""The live feed of the owner on the other nodes: told on a subject of NATS, and numbered anew by each node."""

import zlib
from collections.abc import Callable

import orjson
from nats.aio.msg import Msg

from hub.cluster.servers.link import Heard, Link
from hub.limits import FEED_BATCH
from hub.operate.api.feed.feed import Feed

__all__ = ["hear", "relay"]


async def relay(link: Link, subject: str, feed: Feed) -> None:
    """Tell the other nodes what the feed says from now on, until cancelled. What falls behind is lost to them."""
    at = feed.latest
    while True:
        news = feed.since(at, FEED_BATCH)
        if not news:
            await feed.wait()
            continue
        at = news[-1].number
        told = [(each.text.decode(), each.brief.decode() if each.brief is not None else None) for each in news]
        await link.publish(subject, zlib.compress(orjson.dumps(told), 1))


def hear(feed: Feed, owns: Callable[[], bool]) -> Heard:
    """Return what puts the owner's messages into this node's feed; an owner hears its own and lets them be."""

    async def heard(message: Msg) -> None:
        if owns():
            return
        for text, brief in orjson.loads(zlib.decompress(message.data)):
            told = orjson.loads(text)
            feed.repeat(
                told["type"], told["time"], told["data"], None if brief is None else orjson.loads(brief)["data"]
            )

    return heard
