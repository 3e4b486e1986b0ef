"""The load of `hub bench`: events as devices send them, every hundredth too hot, and a client that hears the alerts."""

import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hub.ingest.mqtt.session import BrokerSettings
from hub.operate.bench.bench_wire import PUBACK, PUBLISH, SUBACK, BenchWire, packet, utf8

__all__ = ["HOT", "Ears", "SentLoad", "publish", "rules_text"]

HOT = 100
"""One event in HOT matches the rules."""
_WINDOW = 2000  # QoS 1 publishes under way: with fewer the hub has to wait, with more they only wait in the broker
_STEP = 100
_SILENCE_SECONDS = 30.0
_SEQUENCE = re.compile(rb"seq=(\d+) t=(\d+)")


def rules_text(rules: int, *, topics_each: bool) -> str:
    """Return a rule file with `rules` rules, all on one filter, or each on a topic of its own."""
    text = 'receivers:\n  out: {mqtt: {topic: "alerts/{alertname}", payload: "{summary}"}}\nrules:\n'
    for n in range(rules):
        topic = f"site/{n}/device/telemetry" if topics_each else "site/{site}/device/telemetry"
        limit = "30" if topics_each or n == 0 else f"{100 + n}"  # on one filter all are evaluated and one matches
        text += f"  - event: r{n}\n    topic: {topic}\n    when: temperature > {limit}\n    notify: [out]\n"
        text += '    summary: "seq={seq} t={t} temperature={temperature}"\n'
    return text


@dataclass(frozen=True, slots=True)
class SentLoad:
    """How many events were published, and the seconds until the broker had acknowledged all of them."""

    events: int
    seconds: float


def publish(
    settings: BrokerSettings,
    topics: Sequence[str],
    *,
    events: int = 0,
    seconds: float = 0.0,
    rate: int = 0,
    sent: Callable[[int], None] = lambda _: None,
) -> SentLoad:
    """Publish at QoS 1 to these topics in turn: `events` events, or, where that is 0, for `seconds` seconds.

    `rate` is events per second; 0: as fast as the broker takes them. `sent` hears now and then how many are sent.
    """
    wire = BenchWire(settings, "bench-device")
    acknowledged = [0]

    def listen() -> None:
        for kind, _ in wire.packets():
            if kind == PUBACK:
                acknowledged[0] += 1

    listening = threading.Thread(target=listen, name="bench acknowledgements", daemon=True)
    listening.start()
    names, step = [utf8(topic) for topic in topics], max(1, min(_STEP, rate // _STEP)) if rate else _STEP
    begun, out = time.time(), 0
    while (out < events) if events else (time.time() < begun + seconds):
        while out - acknowledged[0] > _WINDOW:
            time.sleep(0.0005)
        until = min(events, out + step) if events else out + step
        wire.socket.sendall(b"".join([_event(names, n) for n in range(out, until)]))
        out = until
        sent(out)
        if rate and (ahead := begun + out / rate - time.time()) > 0:
            time.sleep(ahead)
    while acknowledged[0] < out:
        time.sleep(0.002)
    took = time.time() - begun
    wire.end()
    listening.join()
    return SentLoad(out, took)


def _event(names: Sequence[bytes], n: int) -> bytes:
    value = 35.0 if n % HOT == 0 else 20 + n * 7 % 800 / 100
    payload = b'{"temperature": %.2f, "humidity": %d, "battery": %d, "seq": %d, "t": %d, "status": "ok"}' % (
        value, 40 + n % 30, n % 100, n, time.time_ns() // 1000,
    )  # fmt: skip
    return packet(0x32, names[n % len(names)] + (n % 65000 + 1).to_bytes(2) + b"\0" + payload)


@dataclass
class Ears:
    """Hears the alerts in a thread of its own; `seconds` has, for each, the time from its event to its alert."""

    settings: BrokerSettings
    seconds: list[float] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Connect and subscribe, and wait until the broker has taken the subscription."""
        self._wire, self._subscribed = BenchWire(self.settings, "bench-viewer"), threading.Event()
        self._due, self._heard = -1, threading.Event()
        self._thread = threading.Thread(target=self._listen, name="bench alerts", daemon=True)
        self._thread.start()
        self._subscribed.wait(_SILENCE_SECONDS)

    def wait(self, events: int) -> int:
        """Wait until all alerts of so many events have come, or none has come for a while; return how many were due."""
        self._due = -(-events // HOT)
        before = -1
        while len(self._seen) < self._due and len(self._seen) != before:
            before = len(self._seen)
            self._heard.clear()
            self._heard.wait(_SILENCE_SECONDS)
        self._wire.end()
        self._thread.join()
        return self._due

    def _listen(self) -> None:
        self._wire.subscribe("alerts/#")
        for kind, body in self._wire.packets():
            if kind == SUBACK:
                self._subscribed.set()
            event = _SEQUENCE.search(body) if kind == PUBLISH else None
            if event is not None and int(event[1]) not in self._seen:  # one that comes again would count twice
                self._seen.add(int(event[1]))
                self.seconds.append(time.time() - int(event[2]) / 1e6)
                if self._due >= 0:
                    self._heard.set()
