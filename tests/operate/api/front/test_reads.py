"""Long answers give the loop its turns, and are counted until they are sent."""

import asyncio

import orjson
import pytest
from starlette.responses import Response

from hub.limits import READ_SLICE_SECONDS, READS
from hub.operate.api.front.actor import Refused
from hub.operate.api.front.reads import Reads, SentAnswer


class Timer:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


async def test_others_have_a_turn_whenever_a_slice_is_used_up():
    timer, turns = Timer(), []

    def items():
        for number in range(10):
            timer.now += READ_SLICE_SECONDS * 0.6
            yield {"n": number}

    async def count():
        while True:
            turns.append(timer.now)
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    found = await Reads(timer).write(items())
    counting.cancel()
    assert orjson.loads(orjson.dumps(found)) == [{"n": number} for number in range(10)]
    assert len(set(turns)) == 5


async def test_what_is_not_meant_is_left_out():
    assert orjson.dumps(await Reads().write([None, 1, None, [2]])) == b"[1,[2]]"


async def test_so_many_are_under_way_and_no_more_until_one_is_sent_or_cannot_be():
    reads = Reads()
    for _ in range(READS):
        reads.enter()
    with pytest.raises(Refused) as refused:
        reads.enter()
    assert refused.value.status == 503

    async def gone(_):
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await SentAnswer(Response(b"x"), reads.leave)({"type": "http"}, None, gone)
    reads.enter()
