"""commit: who waits for it hears how it ended; who has given up is left alone."""

import asyncio

import pytest

from hub.errors import StoreError
from hub.observer import Observer
from hub.spine.commit import Commit


class Ears(Observer):
    def __init__(self):
        self.heard = []

    def committed(self, count, seconds):
        self.heard.append((count, seconds))

    def alert(self, body):
        self.heard.append(body)


def commit(waiting=(), speaking=(0, 0.0), changed=()):
    return Commit(
        position=1, events=1, speaking=speaking, queued=(), changed=changed, waiting=waiting, begun=0.0, traced=()
    )


async def test_who_waits_is_woken_and_who_was_cancelled_meanwhile_is_not():
    loop = asyncio.get_running_loop()
    waits, gone = loop.create_future(), loop.create_future()
    gone.cancel()
    commit([waits, gone]).wake(None)
    assert waits.result() is None
    assert gone.cancelled()


async def test_who_waits_hears_that_the_hub_ended_before_it_was_on_disk():
    waits = asyncio.get_running_loop().create_future()
    commit([waits]).wake(StoreError("closed"))
    with pytest.raises(StoreError, match="closed"):
        await waits


@pytest.mark.parametrize(("speaking", "told"), [((0, 0.0), []), ((3, 90.0), [(3, 10.0)])])
def test_how_long_events_that_caused_something_took_is_told_and_then_what_became_of_alerts(speaking, told):
    ears = Ears()
    commit(speaking=speaking, changed=[{"id": "a"}]).report(ears, 100.0)
    assert ears.heard == [*told, {"id": "a"}]
