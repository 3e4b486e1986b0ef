"""The zeromq receiver on real sockets."""

import asyncio
import contextlib

import orjson
import pytest
import zmq
import zmq.asyncio

from hub.model import Delivered, Retry
from hub.notify.receivers import zeromq
from hub.operate.mosquitto import free_port
from tests.notify.fakes import notification
from tests.notify.queues import deliver, read

BOUND = 20.0


@contextlib.contextmanager
def peer(kind):
    with zmq.asyncio.Context() as context, context.socket(kind) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        yield socket


async def received(socket):
    return await asyncio.wait_for(socket.recv_multipart(), BOUND)


async def test_a_subscriber_gets_the_very_first_message_of_a_socket_that_binds(receiver):
    port = free_port()
    made = receiver("zeromq", f"{{bind: 'tcp://127.0.0.1:{port}', topic: 'alerts/{{site}}'}}")
    with peer(zmq.SUB) as ears:
        ears.subscribe("alerts/")
        ears.connect(f"tcp://127.0.0.1:{port}")
        assert await made.send(notification()) == Delivered()
        topic, payload, key = await received(ears)
    assert (topic, key) == (b"alerts/a", notification().id.encode())
    assert orjson.loads(payload) == notification().body


async def test_a_subscriber_that_binds_is_connected_to(receiver):
    with peer(zmq.SUB) as ears:
        ears.subscribe("")
        port = ears.bind_to_random_port("tcp://127.0.0.1")
        made = receiver("zeromq", f"{{connect: 'tcp://127.0.0.1:{port}', topic: alerts, payload: '{{id}}'}}")
        heard = asyncio.create_task(received(ears))  # a socket subscribes only while somebody reads it
        for number in (1, 2):
            assert await made.send(notification(number)) == Delivered()
        assert [await heard, await received(ears)] == [[b"alerts", b"a-1", b"a-1"], [b"alerts", b"a-2", b"a-2"]]


async def test_nobody_need_listen_to_what_is_published(receiver, monkeypatch):
    monkeypatch.setattr(zeromq, "ZEROMQ_JOIN_SECONDS", 0.05)
    made = receiver("zeromq", f"{{bind: 'tcp://127.0.0.1:{free_port()}', topic: alerts}}")
    assert await made.send(notification()) == Delivered()


async def test_what_is_pushed_waits_for_who_pulls_it_and_survives_that_one(receiver, monkeypatch):
    monkeypatch.setattr(zeromq, "QUEUE_CONFIRM_SECONDS", 0.1)
    port = free_port()
    options = f"{{connect: 'tcp://127.0.0.1:{port}', pattern: push, topic: jobs, payload: '{{id}}'}}"
    made = receiver("zeromq", options)
    assert await made.send(notification(1)) == Retry("nobody is connected to take it")
    with peer(zmq.PULL) as taker:
        taker.bind(f"tcp://127.0.0.1:{port}")
        assert await deliver(made, notification(2)) == Delivered()
        assert await received(taker) == [b"jobs", b"a-2", b"a-2"]
    with peer(zmq.PULL) as taker:
        taker.bind(f"tcp://127.0.0.1:{port}")
        heard = asyncio.create_task(received(taker))
        while not heard.done():  # what goes to a connection that is just breaking is lost
            await made.send(notification(3))
            await asyncio.wait([heard], timeout=0.05)
        assert await heard == [b"jobs", b"a-3", b"a-3"]


async def test_a_port_that_is_taken_is_a_retry_that_says_so(receiver):
    with peer(zmq.PULL) as taker:
        port = taker.bind_to_random_port("tcp://127.0.0.1")
        made = receiver("zeromq", f"{{bind: 'tcp://127.0.0.1:{port}', topic: alerts}}")
        outcome = await made.send(notification())
        assert isinstance(outcome, Retry)
        assert outcome.reason.startswith(f"tcp://127.0.0.1:{port}: Address already in use")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("{topic: a}", "needs either 'connect' or 'bind'"),
        ("{topic: a, bind: 'tcp://*:1', connect: 'tcp://h:1'}", "needs either 'connect' or 'bind'"),
        ("{bind: 'tcp://*:5556'}", "needs the key 'topic'"),
        ("{bind: 'http://h:1', topic: a}", "r.yaml:1:23: is no endpoint of ZeroMQ"),
        ("{bind: 'tcp://h', topic: a}", "is no endpoint of ZeroMQ: 'tcp://h' (as in tcp://host:5556"),
        ("{bind: 'tcp://h:1', topic: a, pattern: rep}", "must be one of pub, push, not 'rep'"),
    ],
)
def test_a_mistake_is_shown_with_its_place(options, message):
    _, problems = read(f"out: {{zeromq: {options}}}")
    assert len(problems) == 1
    assert message in problems[0]
