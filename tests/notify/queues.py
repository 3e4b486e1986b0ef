"""What the tests of all queue receivers share: reading one as a user writes it, and sending until it is answered."""

import asyncio

from hub.documents.document import Problems, parse_document
from hub.model import Retry
from hub.notify.receiver_settings import read_receivers

BOUND = 30.0


def read(yaml):
    problems = Problems()
    settings = read_receivers(parse_document(yaml, "r.yaml", problems), problems)
    return settings, [str(problem) for problem in problems]


async def deliver(made, notification):
    """Send as the dispatcher does, again after each Retry; return the other outcome."""
    async with asyncio.timeout(BOUND):
        while isinstance(outcome := await made.send(notification), Retry):
            await asyncio.sleep(0.05)
    return outcome
