"""The amqp receiver on a real RabbitMQ, one for all of these tests."""

import asyncio

import aio_pika
import orjson
import pytest

from hub.model import Delivered, Rejected, Retry
from tests.notify.fakes import notification
from tests.notify.queues import deliver, read
from tests.support.servers import PASSWORD, PLAIN_PASSWORD


@pytest.fixture
def server(rabbitmq):
    return rabbitmq


@pytest.fixture
async def channel(server):
    async with await aio_pika.connect(server.url) as connection:
        yield await connection.channel()


@pytest.fixture
async def queue(channel):
    made = await channel.declare_queue("jobs", durable=True)
    yield made
    await made.delete(if_unused=False, if_empty=False)


@pytest.fixture
async def exchange(channel):
    made = await channel.declare_exchange("alerts", "topic", durable=True)
    yield made
    await made.delete()


async def test_a_queue_has_a_persistent_message_with_id_and_notification(receiver, server, queue):
    made = receiver("amqp", f"{{url: '{server.url}', queue: jobs}}")
    assert await made.send(notification()) == Delivered()
    message = await queue.get(no_ack=True, timeout=10)
    assert orjson.loads(message.body) == notification().body
    assert (message.message_id, message.content_type) == (notification().id, "application/json")
    assert (message.delivery_mode, message.app_id) == (aio_pika.DeliveryMode.PERSISTENT, "hub")


async def test_an_exchange_routes_by_a_key_made_of_labels(receiver, server, queue, exchange):
    await queue.bind(exchange, "a.*.critical")
    options = (
        f"{{url: '{server.url}', exchange: alerts, routing_key: '{{site}}.{{device}}.{{severity}}', payload: '{{id}}'}}"
    )
    made = receiver("amqp", options)
    assert await made.send(notification()) == Delivered()
    message = await queue.get(no_ack=True, timeout=10)
    assert (message.routing_key, message.body, message.content_type) == (
        *("a.7.critical", b"a-1"),
        "text/plain; charset=utf-8",
    )


async def test_no_value_of_a_device_brings_a_word_into_the_routing_key(receiver, server, queue, exchange):
    await queue.bind(exchange, "device.*")
    made = receiver("amqp", f"{{url: '{server.url}', exchange: alerts, routing_key: 'device.{{device}}'}}")
    evil = ["a.b", "#", "*", "", "\x00", "ü" * 300, "x" * 5000]
    for value in evil:
        assert await made.send(notification(labels={"device": value})) == Delivered()
    keys = [(await queue.get(no_ack=True, timeout=10)).routing_key for _ in evil]
    assert keys == [f"device.{each}" for each in ("a_b", "_", "_", "_", "_", "_" * 64, "x" * 64)]


async def test_a_message_that_no_queue_would_get_is_a_retry_and_delivered_when_there_is_one(
    receiver, server, queue, exchange
):
    made = receiver("amqp", f"{{url: '{server.url}', exchange: alerts, routing_key: a}}")
    assert await made.send(notification()) == Retry(
        "the broker returned it: no queue is bound for it, or the queue is full"
    )
    await queue.bind(exchange, "a")
    assert await made.send(notification()) == Delivered()
    assert (await queue.get(no_ack=True, timeout=10)).message_id == notification().id


async def test_an_exchange_that_is_missing_is_a_retry_and_delivered_when_it_is_there(receiver, server, queue, channel):
    made = receiver("amqp", f"{{url: '{server.url}', exchange: later, routing_key: a}}")
    for _ in range(2):
        outcome = await made.send(notification())
        assert isinstance(outcome, Retry)
        assert "the broker knows no such exchange: NOT_FOUND - no exchange 'later'" in outcome.reason
    exchange = await channel.declare_exchange("later", "direct")
    await queue.bind(exchange, "a")
    assert await deliver(made, notification()) == Delivered()
    await exchange.delete()


async def test_a_wrong_password_is_a_retry_whose_reason_does_not_hold_it(receiver, server):
    made = receiver("amqp", f"{{url: '{server.url.replace(PASSWORD, 's3cr%40t')}', queue: jobs}}")
    outcome = await made.send(notification())
    assert isinstance(outcome, Retry)
    assert "the broker refuses the login: ACCESS_REFUSED" in outcome.reason
    assert "s3cr" not in outcome.reason
    assert PLAIN_PASSWORD not in outcome.reason


async def test_what_is_too_large_for_the_broker_is_refused_and_the_next_one_is_not(receiver, server, queue):
    made = receiver("amqp", f"{{url: '{server.url}', queue: jobs}}")
    outcome = await made.send(notification(details="x" * 1_100_000))
    assert isinstance(outcome, Rejected)
    assert "larger than" in outcome.reason
    assert await deliver(made, notification()) == Delivered()


async def test_many_at_once_share_one_connection_and_keep_their_order(receiver, server, queue):
    made = receiver("amqp", f"{{url: '{server.url}', queue: jobs, payload: '{{id}}'}}")
    outcomes = await asyncio.gather(*(made.send(notification(number)) for number in range(64)))
    assert set(outcomes) == {Delivered()}
    bodies = [(await queue.get(no_ack=True, timeout=10)).body for _ in range(64)]
    assert bodies == [f"a-{number}".encode() for number in range(64)]


async def test_a_broker_that_is_killed_is_a_retry_and_keeps_what_it_had_confirmed(receiver, server):
    made = receiver("amqp", f"{{url: '{server.url}', queue: kept, payload: '{{id}}'}}")
    async with await aio_pika.connect(server.url) as connection:
        await (await connection.channel()).declare_queue("kept", durable=True)
    assert await made.send(notification(1)) == Delivered()
    server.kill()
    for _ in range(2):
        outcome = await made.send(notification(2))
        assert isinstance(outcome, Retry)
        assert "the broker has not taken it: " in outcome.reason
    server.start()
    assert await deliver(made, notification(2)) == Delivered()
    async with await aio_pika.connect(server.url) as connection:
        queue = await (await connection.channel()).get_queue("kept")
        assert [(await queue.get(no_ack=True, timeout=10)).body for _ in range(2)] == [b"a-1", b"a-2"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("{url: 'amqp://h'}", "needs either 'exchange' or 'queue'"),
        ("{url: 'amqp://h', queue: a, exchange: b}", "needs either 'exchange' or 'queue'"),
        ("{url: 'amqp://h', queue: a, routing_key: b}", "r.yaml:1:41: 'routing_key' belongs to 'exchange'"),
        ("{url: 'mqtt://h', queue: a}", "is no URL of amqp:// or amqps:// (as in amqp://"),
        ("{url: 'amqp://h', queue: 'ü'}", "is no name of a queue"),
        (f"{{url: 'amqp://h', queue: '{'x' * 256}'}}", "is no name of a queue"),
    ],
)
def test_a_mistake_is_shown_with_its_place(options, message):
    _, problems = read(f"out: {{amqp: {options}}}")
    assert len(problems) == 1
    assert message in problems[0]
