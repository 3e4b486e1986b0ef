"""kill -9 of a hub that reads a stream of NATS: every message is evaluated exactly once, in order."""

import asyncio
import json

import nats

from tests.support.hub import Hub
from tests.support.servers import PLAIN_PASSWORD, NatsServer

RULES = """
receivers:
  journal: {file: {path: journal.ndjson}}
rules:
  - event: Order
    topic: in/orders/{number}
    notify: [journal]
    summary: "{number}"
"""
COUNT = 400


def told(folder):
    path = folder / "journal.ndjson"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


async def test_a_hub_that_is_killed_evaluates_each_message_of_a_stream_once(tmp_path, broker):
    with NatsServer(tmp_path / "nats") as server:
        client = await nats.connect(server.address, user="hub", password=PLAIN_PASSWORD)
        stream = client.jetstream()
        await stream.add_stream(name="orders", subjects=["orders.>"])
        hub = Hub(tmp_path / "hub", broker, RULES)
        source = (
            f"sources:\n  shop:\n    nats: {{url: '{server.url}', subject: 'orders.>'}}\n    topic: in/{{subject}}\n"
        )
        with (hub.folder / "hub.yaml").open("a") as settings:
            settings.write(source)
        async with hub:
            for number in range(COUNT):
                await stream.publish(f"orders.{number}", b"{}")
                if number in (100, 250):
                    await hub.kill()
                    await hub.start()
            async with asyncio.timeout(60):
                while len({each["summary"] for each in told(hub.folder)}) < COUNT:
                    await asyncio.sleep(0.05)
        await client.close()
    seen = dict.fromkeys((each["id"], each["summary"]) for each in told(hub.folder))
    assert sorted(int(summary) for _, summary in seen) == list(range(COUNT))
