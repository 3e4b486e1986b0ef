"""The whole hub as its users run it, behind the real Mosquitto: CPU per event beside the broker's own, and latency.

    python -m tests.bench.hub                    # all scenarios
    python -m tests.bench.hub saturation --events 300000

`saturation`: QoS 1 events as fast as the broker takes them, 1 rule, 1 % of events match and are republished, durable
commits on; then the same with 1,000 rules on 1,000 distinct topics. `latency`: publish to republished alert at 1,000
events/s. Figures of a shared machine vary: quote the ratios of one run.
"""

import argparse
import asyncio
import json
import os
import re
import socket
import struct
import sys
import tempfile
import threading
import time
from pathlib import Path

from hub.broker import Mosquitto
from tests.support.mqtt import packet, utf8, varint

TICK = os.sysconf("SC_CLK_TCK")
WINDOW = 2000
SEQUENCE = re.compile(rb"seq=(\d+) t=(\d+)")


def cpu(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Wire:
    """A blocking MQTT 5 connection that shares nothing with the project."""

    def __init__(self, settings, user):
        self.socket = socket.create_connection((settings.host, settings.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        properties = b"\x21\xff\xff"
        body = utf8("MQTT") + bytes([5, 0xC2]) + b"\0\0" + varint(len(properties)) + properties + utf8(f"bench-{user}")
        body += utf8(settings.username) + utf8(settings.password.reveal())
        self.socket.sendall(packet(0x10, body))
        head = self.socket.recv(2, socket.MSG_WAITALL)
        assert self.socket.recv(head[1], socket.MSG_WAITALL)[1] == 0, "connection refused"

    def packets(self):
        """Yield (first byte, body) until the peer closes."""
        buffer = b""
        while data := self.socket.recv(1 << 18):
            buffer += data
            at = 0
            while at + 2 <= len(buffer):
                length = shift = 0
                start = at + 1
                while start < len(buffer):
                    byte = buffer[start]
                    length |= (byte & 127) << shift
                    shift, start = shift + 7, start + 1
                    if byte < 128:
                        break
                else:
                    break
                if len(buffer) - start < length:
                    break
                yield buffer[at], buffer[start : start + length]
                at = start + length
            buffer = buffer[at:]


def publish_all(settings, topics, count, rate):
    """Publish `count` QoS 1 events over `topics` in turn, every hundredth hot; return the seconds it took."""
    wire = Wire(settings, "device")
    acknowledged = 0

    def listen():
        nonlocal acknowledged
        for first, _ in wire.packets():
            acknowledged += first >> 4 == 4

    threading.Thread(target=listen, daemon=True).start()
    step = max(1, min(100, rate // 100)) if rate else 100
    start, sent = time.time(), 0
    names = [utf8(topic) for topic in topics]
    while sent < count:
        while sent - acknowledged > WINDOW:
            time.sleep(0.0005)
        data = []
        for n in range(sent, min(count, sent + step)):
            value = 35.0 if n % 100 == 0 else 20 + n * 7 % 800 / 100
            payload = b'{"temperature": %.2f, "humidity": %d, "battery": %d, "seq": %d, "t": %d, "status": "ok"}' % (
                value, 40 + n % 30, n % 100, n, time.time_ns() // 1000,
            )  # fmt: skip
            data.append(packet(0x32, names[n % len(names)] + struct.pack(">H", n % 65000 + 1) + b"\0" + payload))
        wire.socket.sendall(b"".join(data))
        sent += len(data)
        if rate and (ahead := start + sent / rate - time.time()) > 0:
            time.sleep(ahead)
    while acknowledged < count:
        time.sleep(0.002)
    wire.socket.sendall(b"\xe0\0")
    return time.time() - start


def collect(settings, due, results, ready):
    """Receive republished alerts until all that are due have come."""
    wire = Wire(settings, "viewer")
    wire.socket.sendall(packet(0x82, b"\0\1\0" + utf8("alerts/#") + b"\0"))
    wire.socket.settimeout(60)
    seen = set()
    for first, body in wire.packets():
        if first >> 4 == 9:
            ready.set()
        found = SEQUENCE.search(body) if first >> 4 == 3 else None
        if found:
            results.append((time.time_ns() // 1000 - int(found[2])) / 1000)
            seen.add(int(found[1]))
            if len(seen) >= due:
                return


def rules_text(rules, topics_each):
    text = 'receivers:\n  out: {mqtt: {topic: "alerts/{alertname}", payload: "{summary}"}}\nrules:\n'
    for n in range(rules):
        topic = f"site/{n}/device/telemetry" if topics_each else "site/{site}/device/telemetry"
        text += f"  - event: r{n}\n    topic: {topic}\n    when: temperature > 30\n    notify: [out]\n"
        text += '    summary: "seq={seq} t={t} temperature={temperature}"\n'
    return text


async def scenario(name, *, rules, events, rate, topics_each):
    """Run one load against a fresh broker and hub, and return the figures."""
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        (place / "rules").mkdir()
        (place / "rules" / "bench.yaml").write_text(rules_text(rules, topics_each))
        async with Mosquitto(place / "broker") as broker:
            settings = broker.settings("hub")
            (place / "password").write_text(settings.password.reveal())
            (place / "hub.yaml").write_text(
                f"broker: {{url: mqtt://127.0.0.1:{broker.port}, username: hub, password: !file password}}\n"
            )
            with (place / "out").open("wb") as out:
                hub = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "hub", "run", "-c", str(place / "hub.yaml"), stdout=out, stderr=out, cwd=place
                )
            try:
                await subscribed(place / "out", hub)
                return await asyncio.to_thread(load, name, broker, hub.pid, rules, events, rate)
            finally:
                hub.terminate()
                await hub.wait()


async def subscribed(log, hub):
    while "drained" not in log.read_text():
        assert hub.returncode is None, log.read_text()
        await asyncio.sleep(0.05)


def load(name, broker, pid, rules, events, rate):
    due, latencies, ready = (events + 99) // 100, [], threading.Event()
    collector = threading.Thread(target=collect, args=(broker.settings("viewer"), due, latencies, ready))
    collector.start()
    ready.wait(10)
    topics = [f"site/{n}/device/telemetry" for n in range(1000)]
    before = cpu(pid), cpu(broker.pid)
    took = publish_all(broker.settings("device"), topics, events, rate)
    collector.join(60)
    time.sleep(1.2)  # the last checkpoint
    after = cpu(pid), cpu(broker.pid)
    latencies.sort()
    ours, theirs = ((b - a) / events * 1e6 for a, b in zip(before, after, strict=True))
    return {
        "scenario": name,
        "rules": rules,
        "events": events,
        "events_per_second": round(events / took),
        "hub_us_per_event": round(ours, 2),
        "broker_us_per_event": round(theirs, 2),
        "hub_to_broker": round(ours / theirs, 2),
        "alerts": f"{len(latencies)} of {due}",
        "p50_ms": round(latencies[len(latencies) // 2], 2),
        "p99_ms": round(latencies[int(len(latencies) * 0.99)], 2),
    }


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="?", choices=["saturation", "latency"])
    parser.add_argument("--events", type=int, default=200_000)
    options = parser.parse_args()
    if options.scenario != "latency":
        results = []
        for rules in (1, 1000, 1, 1000):
            figures = await scenario("saturation", rules=rules, events=options.events, rate=0, topics_each=rules > 1)
            results.append(figures["hub_us_per_event"])
            print(json.dumps(figures), flush=True)
        print(f"1,000 rules on 1,000 topics cost {sum(results[1::2]) / sum(results[::2]):.2f} times one rule")
    if options.scenario != "saturation":
        print(json.dumps(await scenario("latency", rules=1, events=20_000, rate=1000, topics_each=False)))


if __name__ == "__main__":
    asyncio.run(main())
