"""The redis source on a real redis-server."""

import pytest
from redis.asyncio import Redis as Client

from tests.sources.sources import read, reading
from tests.support.servers import PASSWORD, RedisServer


@pytest.fixture
def server(tmp_path):
    with RedisServer(tmp_path / "redis") as running:
        yield running


def orders(server, more=""):
    return f"orders: {{redis: {{url: '{server.url}', stream: orders{more}}}, topic: 'in/{{stream}}'}}"


async def put(server, *numbers):
    async with Client.from_url(server.url) as client:
        for number in numbers:
            await client.xadd("orders", {"payload": str(number)})


async def test_entries_come_in_order_from_the_one_that_was_committed(server):
    await put(server, 1, 2)
    async with reading(orders(server, ", start: first")) as reader:
        assert await reader.take(2) == [("in/orders", b"1"), ("in/orders", b"2")]
        marks = reader.commit()
        await put(server, 3)
        assert await reader.take(1) == [("in/orders", b"3")]
    async with reading(orders(server), marks) as reader:
        assert await reader.take(1) == [("in/orders", b"3")]


async def test_an_entry_without_the_field_is_an_object_of_its_fields(server):
    async with reading(orders(server, ", field: body, start: first")) as reader, Client.from_url(server.url) as client:
        await client.xadd("orders", {"device": "7", "temperature": "-9"})
        await client.xadd("orders", {"body": "x"})
        assert await reader.take(2) == [("in/orders", b'{"device":"7","temperature":"-9"}'), ("in/orders", b"x")]


async def test_a_hub_that_begins_with_what_is_new_misses_nothing_of_its_first_downtime(server):
    await put(server, 1)
    async with reading(orders(server)) as reader:
        await reader.until(lambda: reader.source.marks)
        marks = reader.commit()
    await put(server, 2)
    async with reading(orders(server), marks) as reader:
        assert await reader.take(1) == [("in/orders", b"2")]


async def test_many_that_wait_come_in_order_and_no_more_than_the_window_at_once(server):
    async with Client.from_url(server.url) as client:
        pipe = client.pipeline()
        for number in range(3000):
            pipe.xadd("orders", {"payload": str(number)})
        await pipe.execute()
    async with reading(orders(server, ", start: first")) as reader:
        await reader.until(lambda: reader.source._unacknowledged >= 1000)
        assert reader.source._unacknowledged < 1000 + 512
        got = []
        while len(got) < 3000:
            got += await reader.take(1)
            reader.commit()
    assert got == [("in/orders", str(number).encode()) for number in range(3000)]


async def test_a_server_that_is_killed_is_read_on_behind_what_was_taken(server):
    await put(server, 1)
    async with reading(orders(server, ", start: first")) as reader:
        await reader.take(1)
        server.kill()
        await reader.until(lambda: reader.trouble)
        server.start()
        await put(server, 2)
        assert await reader.take(1) == [("in/orders", b"2")]
        assert reader.trouble[-1] == "connected again"


async def test_a_wrong_password_is_told_without_it(server):
    async with reading(orders(server).replace(PASSWORD, "s3cr%40t")) as reader:
        await reader.until(lambda: reader.trouble)
    assert "invalid username-password" in reader.trouble[0]
    assert "s3cr" not in reader.trouble[0]


def test_a_mistake_is_shown_with_its_place():
    _, problems = read("a: {redis: {url: 'redis://h', straem: s}, topic: 'x/{stream}'}")
    assert [problem.split(": ")[0] for problem in problems] == ["hub.yaml:1:12", "hub.yaml:1:31"]
