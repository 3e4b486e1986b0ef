"""What an operator tells a running node: to hand over, to leave. A plain request, answered when it has begun."""

from collections.abc import Callable
from typing import Any

import orjson
from nats.aio.msg import Msg

from hub.cluster.log.state_log import LogNames
from hub.cluster.servers.link import Link, LinkError, NobodyAnswers
from hub.cluster.servers.streams import ClusterError

__all__ = ["NotRunning", "Orders", "order"]


class NotRunning(ClusterError):
    """The node does not listen: its process is not there."""


class Orders:
    """Listens for orders to one node. `carry_out` takes an order and the node that it names."""

    def __init__(self, link: Link, names: LogNames, node: str, carry_out: Callable[[str, str], str]) -> None:
        """Listen to nothing yet; `carry_out` returns what is wrong, or "" where it has begun."""
        self._link, self._subject, self._carry_out = link, names.orders(node), carry_out

    async def listen(self) -> None:
        """Begin to listen."""
        await self._link.listen(self._subject, self._heard)

    async def _heard(self, message: Msg) -> None:
        try:
            asked: dict[str, Any] = orjson.loads(message.data)
            wrong = self._carry_out(str(asked["order"]), str(asked.get("to", "")))
        except (ValueError, KeyError, TypeError):
            wrong = "that is no order"
        if message.reply:
            await message.respond(orjson.dumps({"error": wrong}))


async def order(link: Link, names: LogNames, node: str, what: str, to: str = "") -> None:
    """Give an order to a node.

    Raises:
        NotRunning: it is not there.
        ClusterError: it says why it does not.

    """
    try:
        answer = await link.request(names.orders(node), orjson.dumps({"order": what, "to": to}))
    except NobodyAnswers:
        raise NotRunning(f"the node {node!r} does not run") from None
    except LinkError as error:
        raise ClusterError(f"the node {node!r} does not answer: {error}") from None
    if wrong := orjson.loads(answer.data).get("error"):
        raise ClusterError(f"{node}: {wrong}")
