"""Load under which a hub, or the owner of a cluster, is killed, and the check of what was told by the oracle."""

import asyncio
import collections
import json
import time

from tests.faults import oracle

RATE = 2000
BATCH = 40
DEVICES = 200
BEHIND = 300  # spikes not yet told (15 s of traffic): on a machine that cannot keep up the devices wait
SENTINEL = "End"

RULES = """\
receivers:
  bus: {{mqtt: {{topic: "alerts/{{alertname}}/{{device}}"}}}}
  hook: {{webhook: {{url: "{url}"}}}}
  log: {{file: {{path: out.ndjson}}}}
defaults: {{notify: [bus, hook, log]}}
rules:
  - {{event: Spike, topic: "load/eu/{{device}}/+", when: v > 900}}
  - {{event: Twice, topic: ["load/eu/{{device}}/+", "load/+/{{device}}/x"], when: v > 900}}
  - {{alert: Flap, topic: "load/eu/{{device}}/+", when: v > 500, clear: v < 300}}
  - {{alert: Held, topic: "held/eu/{{device}}/+", when: v > 10, for: 2s}}
  - {{alert: Sticky, topic: "held/eu/{{device}}/+", when: v > 10, clear_for: 2s}}
  - {{event: End, topic: "end/eu/{{device}}/+"}}
"""


class Traffic:
    """Publishes at RATE; `published` is what the broker has acknowledged: (time, kind, device, n, v)."""

    def __init__(self, device, chance, told):
        self.device, self.chance, self.told = device, chance, told
        self.spikes = 0
        self.published = []
        self.number = 0
        self.bursts = asyncio.Queue()
        self.running = self.more_rounds = True

    async def send(self, *messages):
        """Publish (kind, device, v) in one go and note each with the time before it was sent."""
        noted, packets = [], []
        for kind, name, v in messages:
            self.number += 1
            noted.append((time.time(), kind, name, self.number, v))
            packets.append((f"{kind}/eu/{name}/{'xy'[self.number % 2]}", json.dumps({"n": self.number, "v": v})))
        assert set(await self.device.publish_all(packets)) == {0}
        self.published += noted

    async def run(self):
        begun, sent = time.monotonic(), 0
        while self.running:
            batch = [self.reading() for _ in range(BATCH)]
            while not self.bursts.empty():
                batch += self.bursts.get_nowait()
            await self.send(*batch)
            sent += BATCH
            self.spikes += sum(kind == "load" and v > 900 for kind, _, v in batch)
            if self.spikes - self.told.spikes > BEHIND:
                await self.told.until(lambda told: self.spikes - told.spikes <= BEHIND // 2, 120, "the hub to catch up")
                begun, sent = time.monotonic(), 0
            await asyncio.sleep(max(0.0, begun + sent / RATE - time.monotonic()))

    def reading(self):
        """One in 100 is a spike, one in 50 begins or ends a flap, the rest changes nothing."""
        draw, name = self.chance.random(), f"d{self.chance.randrange(DEVICES)}"
        if draw < 0.01:
            return "load", name, self.chance.randrange(901, 1000)
        if draw < 0.02:
            return "load", name, self.chance.randrange(501, 900)
        if draw < 0.03:
            return "load", name, self.chance.randrange(0, 300)
        return "load", name, self.chance.randrange(300, 500)


async def slow_devices(traffic, told, names):
    """Play devices whose rules have timers; go on to the next step only when the hub has told of the last one.

    So what is due never hangs on how long a restart took: a hot phase lasts until `Held` has fired, a cold one until
    `Sticky` has ended; what is shorter is sent within one batch.
    """
    rounds = 0

    def wait(alertname, state, count):
        wanted = {(name, alertname, state): count for name in names}
        return told.until(
            lambda _: all(told.counts[key] >= count for key in wanted), 60, f"{alertname} {state} {count}"
        )

    while traffic.more_rounds:
        rounds += 1
        blips = [("held", name, v) for name in names for v in (11, 1, 12, 2, 13)]
        traffic.bursts.put_nowait(blips)  # Sticky fires with the first, Held waits from the last
        await wait("Held", "firing", rounds)
        traffic.bursts.put_nowait([("held", name, v) for name in names for v in (3, 14, 4)])
        await wait("Sticky", "resolved", rounds)
    return rounds


async def count(told):
    """Keep count of what the bus has told, each id once."""
    ids, at = set(), 0
    while True:
        await told.until(lambda items, at=at: len(items) > at, 3600)
        for message in told[at:]:
            body = json.loads(message.payload)
            if body["id"] not in ids:
                ids.add(body["id"])
                told.counts[body["labels"]["device"], body["alertname"], body["state"]] += 1
                told.spikes += body["alertname"] == "Spike"
        at = len(told)
        told.look()
        await asyncio.sleep(0)


def distinct(bodies):
    """Return the bodies of ids not seen before, in order, and how many were repetitions, which must be equal."""
    first, repeated = {}, 0
    for body in bodies:
        known = first.setdefault(body["id"], body)
        assert known == body, "an id that means two things"
        repeated += known is not body
    return list(first.values()), repeated


def states(bodies, alertname):
    """Return the states of each device in order, after a look at the episodes' numbers."""
    found = collections.defaultdict(list)
    for body in bodies:
        if body["alertname"] == alertname:
            told = found[body["labels"]["device"]]
            told.append(body["state"])
            assert body["episode"] == (len(told) + 1) // 2
    return dict(found)


def without_nobody(expected):
    return {device: told for device, told in expected.items() if told}


def check_told(bodies, published, about, *, in_order=True):
    """Check what one end was told, each id once, against the oracle; `about` begins what is said where it is wrong.

    `in_order` is false where nobody knows which of two bodies came first.
    """
    due = oracle.events(published)
    for rule in ("Spike", "Twice"):  # Twice: half of the messages come by two subscriptions
        found = [(b["labels"]["device"], b["event"]["payload"]["n"]) for b in bodies if b["alertname"] == rule]
        assert len(found) == len(set(found)), f"{about}: one {rule} under two ids"
        assert set(found) == due, f"{about}: {len(due - set(found))} {rule} lost"
    for rule, evaluate in (("Flap", oracle.flaps), ("Held", oracle.held), ("Sticky", oracle.sticky)):
        if in_order:
            assert states(bodies, rule) == without_nobody(evaluate(published)), f"{about}: {rule}"
