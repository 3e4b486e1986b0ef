"""The redis receiver on a real redis-server."""

import asyncio

import orjson
import pytest
from redis.asyncio import Redis as Client

from hub.model import Delivered, Retry
from tests.notify.fakes import notification
from tests.notify.queues import deliver, read
from tests.support.servers import PASSWORD, PLAIN_PASSWORD, RedisServer


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with RedisServer(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
async def client(server):
    made = Client.from_url(server.url)
    await made.flushall()
    yield made
    await made.aclose()


async def test_an_entry_of_a_stream_has_the_id_and_the_notification(receiver, server, client):
    made = receiver("redis", f"{{url: '{server.url}', stream: 'alerts:{{site}}'}}")
    assert await made.send(notification()) == Delivered()
    ((_, fields),) = await client.xrange("alerts:a")
    assert fields[b"id"].decode() == notification().id
    assert orjson.loads(fields[b"payload"]) == notification().body


async def test_a_stream_is_cut_to_its_length(receiver, server, client):
    made = receiver("redis", f"{{url: '{server.url}', stream: alerts, maxlen: 1000}}")
    for number in range(1200):
        assert await made.send(notification(number)) == Delivered()
    assert await client.xlen("alerts") < 1200


async def test_a_list_gets_the_payload_at_its_end(receiver, server, client):
    made = receiver("redis", f"{{url: '{server.url}', list: 'jobs', payload: '{{state}} {{device}} {{id}}'}}")
    assert [await made.send(notification(each)) for each in (1, 2)] == [Delivered(), Delivered()]
    assert await client.lrange("jobs", 0, -1) == [b"firing 7 a-1", b"firing 7 a-2"]


async def test_a_channels_listeners_hear_it(receiver, server, client):
    made = receiver("redis", f"{{url: '{server.url}', channel: 'alerts.{{device}}'}}")
    async with client.pubsub() as ears:
        await ears.psubscribe("alerts.*")
        await ears.get_message(timeout=10)
        assert await made.send(notification()) == Delivered()
        heard = await ears.get_message(timeout=10)
    assert heard["channel"] == b"alerts.7"
    assert orjson.loads(heard["data"]) == notification().body


async def test_no_value_of_a_device_leaves_its_place_in_a_key(receiver, server, client):
    made = receiver("redis", f"{{url: '{server.url}', list: 'jobs:{{device}}'}}")
    for value in ("a:b", "", "x" * 5000, "\x00", "ü"):
        assert await made.send(notification(labels={"device": value})) == Delivered()
    assert set(await client.keys()) == {b"jobs:a_b", b"jobs:_", b"jobs:" + b"x" * 64}


async def test_a_server_that_is_killed_is_a_retry_and_has_it_when_it_is_back(receiver, server, client):
    made = receiver("redis", f"{{url: '{server.url}', stream: alerts}}")
    assert await made.send(notification(1)) == Delivered()
    server.kill()
    outcome = await made.send(notification(2))
    assert isinstance(outcome, Retry)
    assert "the server has not taken it: " in outcome.reason
    server.start()
    assert await deliver(made, notification(2)) == Delivered()
    async with Client.from_url(server.url) as again:
        assert [fields[b"id"] for _, fields in await again.xrange("alerts")] == [b"a-1", b"a-2"]


async def test_a_wrong_password_is_a_retry_whose_reason_does_not_hold_it(receiver, server):
    made = receiver("redis", f"{{url: '{server.url.replace(PASSWORD, 's3cr%40t')}', stream: alerts}}")
    outcome = await made.send(notification())
    assert isinstance(outcome, Retry)
    assert "the server refuses the login" in outcome.reason
    assert "s3cr" not in outcome.reason
    assert PLAIN_PASSWORD not in outcome.reason


async def test_many_at_once_all_arrive_once(receiver, server, client):
    made = receiver("redis", f"{{url: '{server.url}', list: jobs, payload: '{{id}}'}}")
    for first in range(0, 200, 8):
        await asyncio.gather(*(made.send(notification(first + number)) for number in range(8)))
    assert sorted(await client.lrange("jobs", 0, -1)) == sorted(f"a-{number}".encode() for number in range(200))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("{url: 'redis://h'}", "needs one of 'stream', 'list', 'channel'"),
        ("{url: 'redis://h', stream: a, list: b}", "needs one of 'stream', 'list', 'channel'"),
        ("{url: 'http://h', stream: a}", "is no URL of redis:// or rediss:// (as in redis://"),
        ("{url: 'redis://:pa[ss@h', stream: a}", "is no URL of redis://"),
        ("{url: 'redis://h', list: a, maxlen: 5}", "r.yaml:1:42: 'maxlen' belongs to 'stream'"),
        ("{url: 'redis://h', stream: '{device'}", "'{' without '}'"),
        ("{url: 'redis://h', straem: a, list: b}", "did you mean 'stream'?"),
    ],
)
def test_a_mistake_is_shown_with_its_place(options, message):
    _, problems = read(f"out: {{redis: {options}}}")
    assert len(problems) == 1
    assert message in problems[0]
    assert "pa[ss" not in problems[0]
