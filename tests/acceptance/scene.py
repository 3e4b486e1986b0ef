"""A broker, a hub, devices, and somebody who listens: what the sentences of the acceptance tests are made of."""

import asyncio
import json
import time
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime

from tests.support.ends import watching
from tests.support.hub import Hub
from tests.support.mqtt import client
from tests.support.record import PATIENCE

SLACK = 4.0  # what a busy machine may add to a time that is waited for

BUS = 'bus: {mqtt: {topic: "notify/{alertname}"}}'


class Scene:
    """`told` is what came to the receiver `bus`, `states` what is said on hub/alerts/…, each in order."""

    def __init__(self, hub, device, told, states):
        self.hub, self._device, self.told, self.states = hub, device, told, states
        self.heard = 0

    async def send(self, topic, payload, **options):
        """Publish as a device; return the time just before it."""
        at = time.time()
        text = payload if isinstance(payload, str | bytes) else json.dumps(payload)
        assert await self._device.publish(topic, text, **options) < 0x80
        return at

    def notifications(self, alertname=None, state=None, **labels):
        """Return what the bus was told so far."""
        bodies = [json.loads(each.payload) for each in self.told if each.topic.count("/") == 1]
        return [body for body in bodies if _is(body, alertname, state, labels)]

    async def notified(self, alertname, state, number=1, within=SLACK, **labels):
        """Wait for a notification to the bus, the first or a later one of its kind, and return its body."""
        await self.told.until(
            lambda _: len(self.notifications(alertname, state, **labels)) >= number,
            within,
            f"{alertname} {state} {labels}",
        )
        return self.notifications(alertname, state, **labels)[number - 1]

    async def shown(self, name, state, within=SLACK, after=0):
        """Wait until hub/alerts/{name} shows this state; None: until it is emptied."""
        topic = f"hub/alerts/{name}"

        def is_it(message):
            if message.topic != topic:
                return False
            return not message.payload if state is None else _state(message) == state

        message = await self.states.first(is_it, within, f"{topic} {state}", after)
        return json.loads(message.payload) if message.payload else None

    async def settled(self):
        """Wait until all that was sent before has been evaluated and told, and what was told has come to `told`."""
        await self._hear()
        async with asyncio.timeout(PATIENCE):
            while self.hub.rows("SELECT 1 FROM outbox WHERE state = 'queued' LIMIT 1"):
                await asyncio.sleep(0.02)
        await self._hear()

    async def _hear(self):
        self.heard += 1
        await self.send("ask/heard", {"n": self.heard})
        await self.notified("Heard", "event", self.heard, PATIENCE)


@asynccontextmanager
async def scene(folder, broker, rules, receivers="", **options):
    """Set it up with these rules (a YAML list) and the receiver `bus`, which all rules have by default."""
    options["limits"] = {"RELOAD_LOOK_SECONDS": 0.1} | (options.get("limits") or {})
    async with AsyncExitStack() as stack:
        told = await stack.enter_async_context(watching(broker, "notify/#", name="bus"))
        states = await stack.enter_async_context(watching(broker, "hub/alerts/#", name="states"))
        device = await stack.enter_async_context(client(broker.settings("device"), "device"))
        hub = await stack.enter_async_context(Hub(folder, broker, document(rules, receivers), **options))
        yield Scene(hub, device, told, states)


def document(rules, receivers=""):
    """Return a rule file with the receiver `bus` and a rule that hears `settled`."""
    lines = ["receivers:", f"  {BUS}", *(f"  {line}" for line in receivers.splitlines()), "defaults: {notify: [bus]}"]
    return "\n".join([*lines, "rules:", "  - {event: Heard, topic: ask/heard}", rules.strip("\n"), ""])


def seconds(text):
    """Read a time as notifications have it."""
    return datetime.fromisoformat(text).timestamp()


def _state(message):
    return json.loads(message.payload)["state"] if message.payload else None


def _is(body, alertname, state, labels):
    return (
        (alertname is None or body["alertname"] == alertname)
        and (state is None or body["state"] == state)
        and all(body["labels"].get(name) == value for name, value in labels.items())
    )
