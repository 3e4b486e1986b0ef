"""The kafka receiver on the mock cluster of librdkafka: the protocol and a socket, no Java."""

import asyncio
import contextlib

import orjson
import pytest
from aiokafka import AIOKafkaConsumer

from hub.limits import QUEUE_CONFIRM_SECONDS
from hub.model import Delivered, Rejected, Retry
from hub.notify.receivers import kafka
from tests.notify.fakes import notification
from tests.notify.queues import deliver, read
from tests.support.servers import KafkaCluster

MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, TOPIC_AUTHORIZATION_FAILED = 10, 18, 29  # error codes of the protocol
PRODUCE = 0


@pytest.fixture
def cluster():
    with KafkaCluster() as running:
        yield running


@contextlib.asynccontextmanager
async def consumer(cluster, topic):
    made = AIOKafkaConsumer(topic, bootstrap_servers=cluster.servers, auto_offset_reset="earliest")
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def records(cluster, topic, count):
    async with consumer(cluster, topic) as reader, asyncio.timeout(20):
        return [await reader.getone() for _ in range(count)]


async def test_a_record_has_the_notification_its_id_and_its_alert_as_key(receiver, cluster):
    made = receiver("kafka", f"{{servers: '{cluster.servers}', topic: 'alerts.{{site}}'}}")
    assert await made.send(notification()) == Delivered()
    (record,) = await records(cluster, "alerts.a", 1)
    assert orjson.loads(record.value) == notification().body
    assert record.key == notification().order.encode()
    assert dict(record.headers) == {"id": notification().id.encode(), "content-type": b"application/json"}


async def test_key_and_payload_are_as_written(receiver, cluster):
    options = (
        f"{{servers: ['{cluster.servers}'], topic: alerts, key: '{{site}}/{{device}}', payload: '{{state}} {{id}}'}}"
    )
    made = receiver("kafka", options)
    assert await made.send(notification()) == Delivered()
    (record,) = await records(cluster, "alerts", 1)
    assert (record.key, record.value) == (b"a/7", b"firing a-1")


async def test_no_value_of_a_device_makes_a_topic_that_kafka_refuses(receiver, cluster):
    made = receiver("kafka", f"{{servers: '{cluster.servers}', topic: 'a-{{device}}', payload: '{{device}}'}}")
    for value in ("a/b", "ü", "", ".."):
        assert await made.send(notification(labels={"device": value})) == Delivered()
    assert len(await records(cluster, "a-_", 2)) == 2
    assert [record.value for record in await records(cluster, "a-a_b", 1)] == [b"a/b"]


async def test_many_at_once_keep_their_order(receiver, cluster):
    made = receiver("kafka", f"{{servers: '{cluster.servers}', topic: alerts, payload: '{{id}}'}}")
    outcomes = await asyncio.gather(*(made.send(notification(number)) for number in range(64)))
    assert set(outcomes) == {Delivered()}
    assert [each.value for each in await records(cluster, "alerts", 64)] == [f"a-{n}".encode() for n in range(64)]


async def test_a_cluster_that_cannot_be_reached_is_a_retry_that_says_so(receiver, cluster):
    cluster.down()
    made = receiver("kafka", f"{{servers: '{cluster.servers}', topic: alerts}}")
    outcome = await made.send(notification())
    assert isinstance(outcome, Retry)
    assert "Unable to bootstrap" in outcome.reason
    cluster.up()
    assert await deliver(made, notification()) == Delivered()


async def test_a_cluster_that_goes_away_is_a_retry_and_has_it_when_it_is_back(receiver, cluster, monkeypatch):
    monkeypatch.setattr(kafka, "QUEUE_CONFIRM_SECONDS", 0.5)
    made = receiver("kafka", f"{{servers: '{cluster.servers}', topic: alerts, payload: '{{id}}'}}")
    assert await made.send(notification(1)) == Delivered()
    cluster.down()
    assert isinstance(await made.send(notification(2)), Retry)
    cluster.up()
    assert await deliver(made, notification(2)) == Delivered()
    found = [record.value for record in await records(cluster, "alerts", 2)]
    assert found[:2] == [b"a-1", b"a-2"]
    assert QUEUE_CONFIRM_SECONDS > 0.5


@pytest.mark.parametrize("code", [MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE])
async def test_what_the_cluster_refuses_for_good_is_rejected(receiver, cluster, code):
    made = receiver("kafka", f"{{servers: '{cluster.servers}', topic: alerts}}")
    assert await made.send(notification(1)) == Delivered()
    cluster.fail(PRODUCE, code)
    outcome = await made.send(notification(2))
    assert isinstance(outcome, Rejected)
    assert await made.send(notification(3)) == Delivered()


async def test_what_is_larger_than_a_request_is_rejected(receiver, cluster):
    made = receiver("kafka", f"{{servers: '{cluster.servers}', topic: alerts}}")
    assert isinstance(await made.send(notification(details="x" * 1_100_000)), Rejected)


async def test_a_right_that_is_missing_is_a_retry_for_somebody_can_give_it(receiver, cluster):
    made = receiver("kafka", f"{{servers: '{cluster.servers}', topic: alerts}}")
    assert await made.send(notification(1)) == Delivered()
    cluster.fail(PRODUCE, TOPIC_AUTHORIZATION_FAILED)
    outcome = await made.send(notification(2))
    assert isinstance(outcome, Retry)
    assert "TopicAuthorizationFailed" in outcome.reason
    assert await made.send(notification(2)) == Delivered()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("{topic: a}", "needs the key 'servers'"),
        ("{servers: 'h:9092'}", "needs the key 'topic'"),
        ("{servers: h, topic: a}", "r.yaml:1:24: is not host:port: 'h'"),
        ("{servers: 'h:9092', topic: 'a/b'}", "is no topic of Kafka: 'a/b'"),
        ("{servers: 'h:9092', topic: a, username: b}", "needs both username and password"),
        ("{servers: 'h:9092', topic: a, mechanism: PLANE}", "did you mean 'PLAIN'?"),
        ("{servers: 'h:9092', topic: a, key: '{b'}", "'{' without '}'"),
    ],
)
def test_a_mistake_is_shown_with_its_place(options, message):
    _, problems = read(f"out: {{kafka: {options}}}")
    assert len(problems) == 1
    assert message in problems[0]
