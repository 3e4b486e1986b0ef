"""The owner dies at each step of a commit: the next one tells what was due once, and again only what it cannot know."""

import asyncio
import json
from contextlib import AsyncExitStack

import pytest

from tests.support.cluster import Cluster
from tests.support.ends import Web
from tests.support.mqtt import client

RULES = """\
receivers:
  hook: {{webhook: {{url: "{url}"}}}}
defaults: {{notify: [hook]}}
rules:
  - {{event: Hot, topic: "load/{{device}}", when: v > 900}}
"""

# Where the file `die` stands in the node's folder, the process ends at the step that it names, at the next commit that
# queues a notification. Only a test has this: the product has no such places.
FAIL_POINTS = """
import asyncio, os, signal
from pathlib import Path

from hub.cluster.log.log_record import RecordKind, decode_changes
from hub.cluster.log.replica import Replica
from hub.cluster.servers.jetstream import JetStream
from hub.notify.dispatcher import Dispatcher

def die(step):
    if Path("die").exists() and Path("die").read_text() == step:
        os.kill(os.getpid(), signal.SIGKILL)

append, apply, offer, delivered = JetStream.append, Replica.apply, Dispatcher.offer, Dispatcher._delivered

async def dying_append(self, subject, data, headers, expected):
    tells = headers.get("Hub-Kind") == RecordKind.DELTA and bool(decode_changes(data).queued)
    if tells:
        die("before the publish")
    answer = await append(self, subject, data, headers, expected)
    if tells:
        die("after the publish, before its answer")
    return answer

def dying_apply(self, changes, tip, time):
    if changes.queued:
        die("after the answer, before the local file")
    apply(self, changes, tip, time)

def dying_offer(self, queued):
    offer(self, queued)
    die("after the offer, before the send")

def dying_delivered(self, channel, queued):
    die("after the send, before it is settled")
    delivered(self, channel, queued)

JetStream.append, Replica.apply = dying_append, dying_apply
Dispatcher.offer, Dispatcher._delivered = dying_offer, dying_delivered
"""
STEPS = (
    "before the publish",
    "after the publish, before its answer",
    "after the answer, before the local file",
    "after the offer, before the send",
    "after the send, before it is settled",
)
TWICE = STEPS[-1]
"""The only one after which nobody can know that it was sent."""


@pytest.mark.time_limit(150, "five take-overs")
async def test_what_is_due_is_told_under_one_id_when_the_owner_dies_at_any_step_of_a_commit(tmp_path, broker):
    async with AsyncExitStack() as stack:
        hook = await stack.enter_async_context(Web())
        device = await stack.enter_async_context(client(broker.settings("device"), "load"))
        # without the wait for one's turn both standbys claim at once
        limits = {"RANK_SECONDS": 0.0}
        cluster = await stack.enter_async_context(
            Cluster(tmp_path, broker, RULES.format(url=hook.url), "abc", before=FAIL_POINTS, limits=limits)
        )
        sent = 0

        async def hot():
            nonlocal sent
            sent += 1
            assert await device.publish(f"load/d{sent}", json.dumps({"v": 999, "n": sent}).encode()) == 0
            await hook.requests.until(lambda found, n=sent: any(_number(each) == n for each in found), 60)

        twice = set()
        for step in STEPS:
            node = cluster.nodes[await cluster.owner()]
            await hot()
            await recorded(node, sent)  # else that one is told twice, too
            (node.folder / "die").write_text(step)
            await hot()
            assert await node.ended() == -9, f"it did not die {step}"
            if step == TWICE:
                twice.add(sent)
            (node.folder / "die").unlink()
            await node.start(connected=False)
            await hot()
        owners = [await cluster.owner()]
        await hot()
        for node in cluster.nodes.values():
            assert not node.errors
            owners += [each for each in (*node.past, *node.lines) if each.split()[1:2] == ["owner"]]
        numbers = [_number(each) for each in hook.requests]
        ids = {}
        for each in hook.requests:
            ids.setdefault(_number(each), set()).add(each["key"])
        assert set(numbers) == set(range(1, sent + 1))
        assert {number for number, found in ids.items() if len(found) > 1} == set(), "one event under two ids"
        assert {number for number in numbers if numbers.count(number) > 1} == twice
        assert len(owners) - 1 == len(STEPS) + 1, "two nodes owned at a time"
        for node in cluster.nodes.values():
            await asyncio.to_thread(node.process.terminate)
        assert [await node.ended() for node in cluster.nodes.values()] == [0, 0, 0]


async def recorded(node, sent):
    """Wait until all that was sent is settled, in the log and in the node's file, which comes behind it."""
    async with asyncio.timeout(20):
        while node.rows("SELECT count(*) FROM trace WHERE kind = 'delivery'") < [(sent,)]:
            await asyncio.sleep(0.02)


def _number(request):
    return request["json"]["event"]["payload"]["n"]
