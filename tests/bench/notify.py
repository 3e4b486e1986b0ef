"""Notifications a second and CPU for each, from the dispatcher through the mqtt receiver to a real broker and back.

python -m tests.bench.notify [COUNT]: 1,000 alerts in turn, no store behind it.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from hub.clock import SystemClock
from hub.documents.document import Problems, parse_document
from hub.notify.dispatcher import Dispatcher
from hub.notify.outbox_port import Queued
from hub.notify.receiver_settings import build_receiver, read_receivers
from hub.observer import Observer
from hub.operate.mosquitto import Mosquitto
from tests.notify.fakes import notification, toolbox
from tests.notify.test_mqtt import publisher, session

BATCH = 100
RECEIVERS = """
notification as JSON: {mqtt: {topic: "notify/{site}/{device}/{alertname}"}}
text of a template: {mqtt: {topic: "notify/{site}/{device}", payload: "{device}: {event.payload.temperature:.1f}"}}
"""


class Nowhere:
    """An outbox that holds nothing."""

    def settle(self, results):
        pass

    async def queued(self, *_):
        return []

    async def receivers(self):
        return []

    async def handed(self):
        return []


async def measure(name, settings, hub, count):
    receiver = build_receiver(settings, toolbox(publish=publisher(hub)))
    dispatcher = Dispatcher({name: (settings, receiver)}, Nowhere(), SystemClock(), Observer())
    task = asyncio.create_task(dispatcher.run())
    await asyncio.sleep(0)
    await dispatcher.idle()
    rows = [Queued(n + 1, notification(n, name, str(n % 1000))) for n in range(count)]
    begun, cpu = time.perf_counter(), time.process_time()
    for start in range(0, count, BATCH):
        dispatcher.offer(rows[start : start + BATCH])
        if start % 2000 == 0:
            await dispatcher.idle()
    await dispatcher.idle()
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    print(f"{name}: {count / seconds:,.0f} notifications/s, {cpu / count * 1e6:.1f} µs CPU each")
    await dispatcher.drain(1.0)
    await task
    await receiver.close()


async def main(count):
    problems = Problems()
    receivers = read_receivers(parse_document(RECEIVERS, "bench", problems), problems)
    with tempfile.TemporaryDirectory() as folder:
        async with Mosquitto(Path(folder) / "broker") as broker, session(broker, "hub") as hub:
            for name, settings in receivers.items():
                await measure(name, settings, hub, count)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
