"""CPU per message of the session alone, receiving and acknowledging, beside the broker's own.

`python -m tests.bench.ingest`; figures of a shared machine vary, quote ratios of one run.
"""

import argparse
import asyncio
import contextlib
import resource
import tempfile
from multiprocessing import get_context
from pathlib import Path

import mqtt5

from hub.ingest.decode import decode_all
from hub.ingest.mqtt.open_session import open_session
from hub.operate.mosquitto import Mosquitto

try:
    from uvloop import run
except ImportError:
    from asyncio import run

PAYLOAD = (
    b'{"temperature": 21.5, "humidity": 40, "battery": 3.05, "unit": "C", "seq": 123456, "ok": true, "site": "abc"}'
)
WINDOW = 1000
COMMIT_SECONDS = 0.002  # what a group commit takes: batches gather meanwhile


async def blast(settings, qos, count):
    """Publish `count` messages over a bare socket, WINDOW of them under way at QoS 1."""
    reader, writer = await asyncio.open_connection(settings.host, settings.port)
    password = settings.password.reveal().encode()
    writer.write(mqtt5.ConnectPacket("blast", username="device", password=password, clean_start=True).write())
    await reader.readexactly(2)
    writer.write(mqtt5.PingReqPacket().write())
    topics = [f"site/a/freezer/{n}/telemetry" for n in range(1000)]
    free = asyncio.Semaphore(WINDOW // 100)

    async def listen():
        heard = 0
        while data := await reader.read(1 << 16):
            heard += len(data)
            while heard >= 400:
                heard -= 400
                free.release()

    listening = asyncio.create_task(listen())
    for start in range(0, count, 100):
        if qos:
            await free.acquire()
        packets = [
            mqtt5.PublishPacket(
                topics[n % 1000], PAYLOAD, qos=mqtt5.QoS(qos), packet_id=n % 60_000 + 1 if qos else None
            ).write()
            for n in range(start, start + 100)
        ]
        writer.write(b"".join(packets))
        await writer.drain()
        if not qos:
            await asyncio.sleep(0.002)
    await asyncio.sleep(1)
    listening.cancel()
    writer.close()


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def cpu_of(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


async def measure(protocol, qos, count, decoding):
    with tempfile.TemporaryDirectory() as directory:
        async with Mosquitto(Path(directory) / "broker") as broker:
            ready = asyncio.Event()
            session = open_session(
                broker.settings(protocol=protocol), None, lambda notice: notice.kind == "connected" and ready.set()
            )
            running = asyncio.create_task(session.run(["site/#"]))
            await ready.wait()
            sender = get_context("spawn").Process(target=sending, args=(broker.settings("device"), qos, count))
            sender.start()
            batch = await session.receive()
            started, broker_started, before = cpu(), cpu_of(broker.pid), len(batch)
            batches = 0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(60 if qos else 15):
                    while session.handed < count:
                        batch = await session.receive()
                        batches += 1
                        if decoding:
                            decode_all(batch, 0.0)
                        session.acknowledge(session.handed)
                        await asyncio.sleep(COMMIT_SECONDS)
            used, broker_used = cpu() - started, cpu_of(broker.pid) - broker_started
            received = session.handed - before
            sender.join()
            await session.close()
            await running
    what = f"MQTT {protocol}, QoS {qos}{', decoded' if decoding else ''}"
    print(
        f"{what}: {received:,} of {count:,} received in {batches:,} batches; "
        f"session {used / received * 1e6:.2f} µs, broker {broker_used / received * 1e6:.2f} µs CPU a message"
    )


def sending(settings, qos, count):
    asyncio.run(blast(settings, qos, count))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--protocol", default="5", choices=["5", "3.1.1"])
    arguments = parser.parse_args()
    for qos in (0, 1):
        for decoding in (False, True):
            run(measure(arguments.protocol, qos, arguments.count, decoding))


if __name__ == "__main__":
    main()
