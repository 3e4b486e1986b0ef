"""The zeromq source on real sockets."""

import asyncio

import zmq
import zmq.asyncio

from hub.operate.mosquitto import free_port
from tests.sources.sources import read, reading


async def test_what_is_pushed_and_what_is_published_comes(request):
    with zmq.asyncio.Context() as context, context.socket(zmq.PUSH) as pusher, context.socket(zmq.PUB) as publisher:
        port, other = free_port(), publisher.bind_to_random_port("tcp://127.0.0.1")
        pull = f"a: {{zeromq: {{bind: 'tcp://127.0.0.1:{port}', pattern: pull}}, topic: in}}"
        async with reading(pull) as reader:
            pusher.connect(f"tcp://127.0.0.1:{port}")
            await pusher.send(b"1")
            await pusher.send_multipart([b"ignored", b"2", b"id"])
            assert await reader.take(2) == [("in", b"1"), ("in", b"2")]
        sub = f"a: {{zeromq: {{connect: 'tcp://127.0.0.1:{other}', prefix: eu}}, topic: 'in/{{frame}}'}}"
        async with reading(sub) as reader:
            taking = asyncio.create_task(reader.take(1))
            while not taking.done():
                await publisher.send_multipart([b"us/1", b"no"])
                await publisher.send_multipart([b"eu/+", b"yes"])
                await asyncio.wait([taking], timeout=0.02)
            assert (await taking)[0] == ("in/eu%2F%2B", b"yes")


async def test_a_port_that_is_taken_is_told():
    with zmq.asyncio.Context() as context, context.socket(zmq.PULL) as taker:
        port = taker.bind_to_random_port("tcp://127.0.0.1")
        async with reading(f"a: {{zeromq: {{bind: 'tcp://127.0.0.1:{port}', pattern: pull}}, topic: in}}") as reader:
            await reader.until(lambda: reader.trouble)
    assert "Address already in use" in reader.trouble[0]


def test_a_mistake_is_shown_with_its_place():
    _, problems = read("a: {zeromq: {pattern: push}, topic: in}")
    assert len(problems) == 2
