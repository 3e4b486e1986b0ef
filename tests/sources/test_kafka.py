"""The kafka source on the mock cluster of librdkafka."""

import contextlib

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from tests.sources.sources import reading, settled
from tests.support.servers import KafkaCluster


@pytest.fixture
def cluster():
    with KafkaCluster() as running:
        running.topic("orders", 2)
        yield running


def orders(cluster, more=""):
    return (
        f"orders: {{kafka: {{servers: '{cluster.servers}', topic: orders{more}}}, topic: 'in/{{partition}}/{{key}}'}}"
    )


@contextlib.asynccontextmanager
async def producing(cluster):
    made = AIOKafkaProducer(bootstrap_servers=cluster.servers)
    await made.start()
    try:
        yield lambda partition, value: made.send_and_wait("orders", value, key=b"a.b", partition=partition)
    finally:
        await made.stop()


async def test_each_partition_comes_in_order_from_the_offset_that_was_committed(cluster):
    async with producing(cluster) as put:
        for number in range(4):
            await put(number % 2, str(number).encode())
        async with reading(orders(cluster, ", start: first")) as reader:
            got = await reader.take(4)
            assert [value for topic, value in got if topic == "in/0/a/b"] == [b"0", b"2"]
            assert [value for topic, value in got if topic == "in/1/a/b"] == [b"1", b"3"]
            assert not reader.source.behind
            marks = reader.commit()
            assert marks == {"0": "1", "1": "1"}
            await put(1, b"5")
            assert await reader.take(1) == [("in/1/a/b", b"5")]
        async with reading(orders(cluster), marks) as reader:
            assert await reader.take(1) == [("in/1/a/b", b"5")]


async def test_the_group_of_the_hub_is_told_behind_the_commit(cluster):
    async with producing(cluster) as put, reading(orders(cluster, ", start: first")) as reader:
        await put(0, b"1")
        await reader.take(1)
        watcher = AIOKafkaConsumer(bootstrap_servers=cluster.servers, group_id="hub-orders", enable_auto_commit=False)
        await watcher.start()
        try:
            part = TopicPartition("orders", 0)
            assert await watcher.committed(part) is None
            reader.commit()

            async def told():
                return await watcher.committed(part) == 1

            await settled(told)
        finally:
            await watcher.stop()


async def test_a_hub_that_begins_with_what_is_new_misses_nothing_of_its_first_downtime(cluster):
    async with producing(cluster) as put:
        await put(0, b"1")
        async with reading(orders(cluster)) as reader:
            await reader.until(lambda: reader.source.marks)
            marks = reader.commit()
        await put(0, b"2")
        async with reading(orders(cluster), marks) as reader:
            assert await reader.take(1) == [("in/0/a/b", b"2")]


async def test_a_topic_that_is_missing_and_a_cluster_that_is_away_are_told(cluster):
    async with reading(orders(cluster).replace("topic: orders", "topic: nothing")) as reader:
        await reader.until(lambda: reader.trouble)
    assert "the cluster has no topic 'nothing'; trying again" in reader.trouble[0]
    cluster.down()
    async with reading(orders(cluster)) as reader:
        await reader.until(lambda: reader.trouble)
        assert "Unable to bootstrap" in reader.trouble[0]
        assert not reader.source.behind
