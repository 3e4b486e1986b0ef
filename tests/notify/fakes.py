"""Twins for unit tests: an outbox in memory, a receiver that does as it is told, an observer that remembers."""

import asyncio
from collections import defaultdict
from types import SimpleNamespace

from hub.clock import SystemClock
from hub.model import Delivered, Notification
from hub.notify.outbox_port import Queued
from hub.notify.receiver import ReceiverSettings, Toolbox
from hub.observer import Observer


def notification(number=1, receiver="chat", order="a", created=None, **body):
    key = f"{order}-{number}"
    whole = {
        "id": key,
        "alertname": "FreezerTooWarm",
        "state": "firing",
        "severity": "critical",
        "labels": {"alertname": "FreezerTooWarm", "severity": "critical", "site": "a", "device": "7"},
        "summary": "7 at a is -9.0 °C",
        "details": "",
        "runbook": "",
        "since": "2026-03-01T00:55:00.000Z",
        "until": None,
        "episode": 1,
        "event": {
            "topic": "site/a/freezer/7/telemetry",
            "payload": {"temperature": -9},
            "time": "2026-03-01T00:55:00.000Z",
        },
    }
    created = SystemClock().now() if created is None else created
    return Notification(key, receiver, order, whole | body, created)


class MemoryOutbox:
    """Rows as the store has them; a row is visible as soon as it is put."""

    def __init__(self):
        self.rows = {}
        self.log = defaultdict(list)
        self.handed_over, self.closed, self.known_as_handed = [], [], []
        self.entered = lambda _: None

    def put(self, *notifications, attempts=0, next_at=0.0):
        added = []
        for each in notifications:
            row = len(self.rows) + 1
            self.rows[row] = ["queued", Queued(row, each, attempts, next_at)]
            added.append(self.rows[row][1])
        return added

    def settle(self, results):
        for result in results:
            state, queued = self.rows[result.row]
            assert state == "queued", f"row {result.row} is {state} and settled again as {result.state}"
            self.log[result.row].append(result)
            if result.state == "retry":
                self.rows[result.row][1] = Queued(result.row, queued.notification, result.attempts, result.next_at)
            else:
                self.rows[result.row][0] = result.state
            if (entered := result.entered) is not None:
                self.handed_over += [(result.row, entered.notification.receiver)] if entered.handed else []
                self.closed += [entered.closes] if entered.closes else []
                self.entered(self.put(entered.notification))
            for entered in result.heirs:
                self.entered(self.put(entered.notification))

    async def queued(self, receiver, after_row, limit):
        rows = [
            queued
            for row, (state, queued) in sorted(self.rows.items())
            if row > after_row and state == "queued" and queued.notification.receiver == receiver
        ][:limit]
        await asyncio.sleep(0)
        return rows

    async def receivers(self):
        await asyncio.sleep(0)
        return sorted({q.notification.receiver for state, q in self.rows.values() if state == "queued"})

    async def handed(self):
        return self.known_as_handed

    def states(self):
        return [state for state, _ in self.rows.values()]

    def last(self, row):
        return self.log[row][-1]


class Scripted:
    """Answers with what `outcomes` gives for each attempt: an outcome, an exception, or something to await first."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.sent = []
        self.closed = False

    async def send(self, notification):
        self.sent.append(notification.id)
        outcome = self.outcomes.pop(0) if self.outcomes else Delivered()
        if isinstance(outcome, asyncio.Event):
            await outcome.wait()
            outcome = Delivered()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def close(self):
        self.closed = True


class Remembering(Observer):
    def __init__(self):
        self.deliveries, self.dead_letters = [], []
        self.superseded_ones, self.fallbacks, self.circuits = [], [], []

    def delivery(self, notification, outcome, attempt, _now):
        self.deliveries.append((notification.id, outcome, attempt))

    def dead(self, notification, reason):
        self.dead_letters.append((notification.id, reason))

    def superseded(self, notification, reason):
        self.superseded_ones.append((notification.id, reason))

    def fallback(self, notification, to, reason):
        self.fallbacks.append((notification.id, to, reason))

    def receiver(self, name, circuit, _detail):
        self.circuits.append((name, str(circuit)))


def settings(name="chat", **rest):
    return ReceiverSettings(name, "scripted", None, **rest)


def toolbox(http=None, publish=None, clock=None):
    return Toolbox(http, SimpleNamespace(publish=publish), "hub", "0.1.0", clock or SystemClock())
