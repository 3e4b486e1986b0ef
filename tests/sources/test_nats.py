"""The nats source on a real nats-server."""

import contextlib

import nats
import pytest

from tests.sources.sources import read, reading, settled
from tests.support.servers import PASSWORD, PLAIN_PASSWORD, NatsServer


@pytest.fixture
def server(tmp_path):
    with NatsServer(tmp_path / "nats") as running:
        yield running


@contextlib.asynccontextmanager
async def stream(server, **more):
    client = await nats.connect(server.address, user="hub", password=PLAIN_PASSWORD, allow_reconnect=False)
    try:
        made = client.jetstream()
        await made.add_stream(name="orders", subjects=["orders.>"], **more)
        yield made
    finally:
        await client.close()


def orders(server, more=""):
    return f"orders: {{nats: {{url: '{server.url}', subject: 'orders.>'{more}}}, topic: 'in/{{subject}}'}}"


async def put(stream, *numbers):
    for number in numbers:
        await stream.publish(f"orders.eu.{number}", str(number).encode())


async def test_messages_come_in_order_on_topics_made_of_their_subjects(server):
    async with stream(server) as made:
        await put(made, 0)
        async with reading(orders(server)) as reader:
            await reader.until(lambda: not reader.source.behind)
            await put(made, 1, 2)
            assert await reader.take(2) == [("in/orders/eu/1", b"1"), ("in/orders/eu/2", b"2")]


async def test_what_was_not_committed_comes_again_and_nothing_that_was(server):
    async with stream(server) as made:
        await put(made, 1, 2, 3)
        async with reading(orders(server, ", start: first")) as reader:
            await reader.take(2 + 1)
            marks = reader.commit()
            await put(made, 4, 5)
            assert [payload for _, payload in await reader.take(2)] == [b"4", b"5"]
        assert marks == {"sequence": "3"}
        async with reading(orders(server), marks) as reader:
            assert [payload for _, payload in await reader.take(2)] == [b"4", b"5"]


async def test_a_stream_that_keeps_messages_only_until_they_are_acknowledged_loses_them_behind_the_commit(server):
    async with stream(server, retention="interest") as made, reading(orders(server)) as reader:
        await reader.until(lambda: not reader.source.behind)
        await put(made, 1, 2, 3)
        await reader.take(3)

        async def count():
            return (await made.stream_info("orders")).state.messages

        assert await count() == 3
        reader.commit()

        async def empty():
            return await count() == 0

        await settled(empty)


async def test_a_server_that_is_killed_is_told_once_and_read_on_behind_what_was_taken(server):
    async with stream(server) as made:
        await put(made, 1, 2)
    async with reading(orders(server, ", start: first")) as reader:
        assert len(await reader.take(2)) == 2
        server.kill()
        await reader.until(lambda: reader.trouble)
        assert "; trying again" in reader.trouble[0]
        server.start()
        await reader.until(lambda: reader.trouble[-1] == "connected again")
        assert len(reader.trouble) == len(set(reader.trouble))
        async with stream(server) as made:
            await put(made, 3)
        assert await reader.take(1) == [("in/orders/eu/3", b"3")]


async def test_a_hub_that_begins_with_what_is_new_misses_nothing_of_its_first_downtime(server):
    async with stream(server) as made:
        await put(made, 1)
        async with reading(orders(server)) as reader:
            await reader.until(lambda: reader.source.marks)
            marks = reader.commit()
        await put(made, 2)
        async with reading(orders(server), marks) as reader:
            assert [payload for _, payload in await reader.take(1)] == [b"2"]


async def test_a_wrong_password_is_told_without_it(server):
    async with reading(orders(server).replace(PASSWORD, "s3cr%40t")) as reader:
        await reader.until(lambda: reader.trouble)
    assert "Authorization Violation" in reader.trouble[0]
    assert "s3cr" not in reader.trouble[0]


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("a: {nats: {url: 'nats://h', subject: s}}", "source 'a' needs the key 'topic'"),
        (
            "a: {nats: {url: 'nats://h', subject: s}, topic: 'x/{sobject}'}",
            "hub.yaml:1:50: {sobject} is not known here",
        ),
        ("a: {nats: {url: 'nats://h', subject: s}, topic: 'x/#'}", "is no topic: 'x/#'"),
        ("a: {nats: {url: 'nats://h'}, topic: x}", "needs the key 'subject'"),
        (
            "a: {nots: {url: 'nats://h'}, topic: x}",
            "source 'a' needs one of amqp, kafka, nats, redis, zeromq, and topic (did you mean",
        ),
        ("a: {topic: x}", "source 'a' needs one of"),
        ("a: {nats: {url: 'nats://h', subject: s, strat: new}, topic: x}", "did you mean 'start'?"),
    ],
)
def test_a_mistake_is_shown_with_its_place(yaml, message):
    _, problems = read(yaml)
    assert len(problems) == 1
    assert message in problems[0]
