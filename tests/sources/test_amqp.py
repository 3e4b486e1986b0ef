"""The amqp source on a real RabbitMQ."""

import aio_pika
import pytest

from hub.sources.kinds import amqp
from tests.sources.sources import reading, settled
from tests.support.servers import PASSWORD


@pytest.fixture
def server(rabbitmq):
    return rabbitmq


@pytest.fixture
async def channel(server):
    async with await aio_pika.connect(server.url) as connection:
        yield await connection.channel()


def orders(server):
    return f"orders: {{amqp: {{url: '{server.url}', queue: orders}}, topic: 'in/{{routing_key}}'}}"


def acknowledged(reader):
    async def look():
        return reader.source._unacknowledged == 0

    return look


async def put(channel, *numbers):
    exchange = await channel.declare_exchange("shop", "topic", durable=True)
    queue = await channel.declare_queue("orders", durable=True)
    await queue.bind(exchange, "#")
    for number in numbers:
        message = aio_pika.Message(str(number).encode(), delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await exchange.publish(message, routing_key="eu.new")


async def test_messages_are_acknowledged_behind_the_commit_and_come_again_before_it(server, channel):
    await put(channel, 1, 2, 3)
    async with reading(orders(server)) as reader:
        assert await reader.take(3) == [("in/eu/new", b"1"), ("in/eu/new", b"2"), ("in/eu/new", b"3")]
        assert not reader.source.behind
    await put(channel, 4)
    async with reading(orders(server)) as reader:
        assert [payload for _, payload in await reader.take(4)] == [b"1", b"2", b"3", b"4"]
        reader.commit()
        await settled(acknowledged(reader))
    await put(channel, 5)
    async with reading(orders(server)) as reader:
        assert await reader.take(1) == [("in/eu/new", b"5")]
        reader.commit()

        async def empty():
            return (await channel.declare_queue("orders", passive=True)).declaration_result.message_count == 0

        await settled(empty)


async def test_a_queue_that_is_deleted_is_told_and_read_when_it_is_there_again(server, channel, monkeypatch):
    monkeypatch.setattr(amqp, "SOURCE_WAIT_SECONDS", 0.1)
    await put(channel)
    async with reading(orders(server)) as reader:
        await reader.until(lambda: reader.source._queue)
        await channel.queue_delete("orders")
        await reader.until(lambda: reader.trouble)
        await put(channel, 7)
        assert await reader.take(1) == [("in/eu/new", b"7")]
        reader.commit()
        await settled(acknowledged(reader))


async def test_a_broker_that_is_killed_sends_again_what_was_not_acknowledged(server):
    async with await aio_pika.connect(server.url) as connection:
        await put(await connection.channel(), 8, 9)
    async with reading(orders(server)) as reader:
        await reader.take(2)
        server.kill()
        await reader.until(lambda: reader.trouble)
        server.start()
        assert [payload for _, payload in await reader.take(2)] == [b"8", b"9"]
        reader.commit()


async def test_a_wrong_password_is_told_without_it(server):
    async with reading(orders(server).replace(PASSWORD, "s3cr%40t")) as reader:
        await reader.until(lambda: reader.trouble)
    assert "ACCESS_REFUSED" in reader.trouble[0]
    assert "s3cr" not in reader.trouble[0]
