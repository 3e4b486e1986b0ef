"""Checks the addresses of a broker that has several: each answers, and all are one broker, with one memory.

Two brokers that know nothing of each other look alike until the hub changes from one to the other: then what the first
kept for it is not there, and devices at the first are not heard at the second.
"""

import asyncio
from collections.abc import Sequence

from hub.config import Settings
from hub.errors import HubError
from hub.ingest.mqtt.session import BrokerSettings
from hub.ingest.source import Notice
from hub.operate.client.connect import connected
from hub.operate.doctor.finding import Finding, bad, good, warning
from hub.operate.doctor.time_left import QUIET_SECONDS

__all__ = ["look_at_addresses"]

_SUBJECT = "broker"
_ONE = "one broker"
_EXPIRY_SECONDS = 60.0
_START = "start it, or take it out of `broker.url`"
_CLUSTER = "let the brokers form a cluster that shares sessions; a bridge does not"


async def look_at_addresses(settings: Settings, mark: str) -> tuple[BrokerSettings | None, list[Finding]]:
    """Return the first address that answers, None where none does, and what is to be said of the others."""
    answers: list[BrokerSettings] = []
    silent: list[str] = []
    for each in settings.broker.each:
        try:
            async with connected(each, f"hub-doctor-{mark}-there", []):
                answers.append(each)
        except HubError as error:
            silent.append(each.told(str(error)))
    if not answers:
        return None, [bad(_SUBJECT, text, "start the broker, or correct `broker:` in hub.yaml") for text in silent]
    first, *others = answers
    found = [good(_SUBJECT, f"reached at {each}") for each in others]
    found += [warning(_SUBJECT, text, _START) for text in silent]
    return first, [*found, *await _are_one(settings, first, others, mark)]


async def _are_one(
    settings: Settings, first: BrokerSettings, others: Sequence[BrokerSettings], mark: str
) -> list[Finding]:
    """Begin a session at the first and go on with it at the others; send a message from each to the first."""
    topic, found = f"{settings.publish_prefix}/doctor/{mark}/one", list[Finding]()
    for number, other in enumerate(others):
        try:
            if not await _is_resumed(first, other, f"hub-doctor-{mark}-one{number}", topic):
                text = f"a session that began at {first} is not known at {other}: what waits for the hub is lost"
                found.append(bad(_ONE, text, _CLUSTER))
            if not await _is_heard(first, other, f"hub-doctor-{mark}-hears{number}", topic):
                text = f"what is published at {other} does not come at {first}"
                found.append(bad(_ONE, text, "let the brokers form a cluster"))
        except HubError as error:
            found.append(warning(_ONE, other.told(str(error)), _START))
    if others and not found:
        found.append(good(_ONE, f"all {len(others) + 1} addresses share sessions and messages"))
    return found


async def _is_resumed(first: BrokerSettings, other: BrokerSettings, client_id: str, topic: str) -> bool:
    told: list[Notice] = []
    async with connected(first, client_id, [topic], expiry=_EXPIRY_SECONDS):
        pass
    async with connected(other, client_id, [topic], hear=told.append):
        pass  # without an expiry: the broker deletes the session when this ends
    resumed = any(each.kind == "connected" and each.detail == "resumed" for each in told)
    if not resumed:
        async with connected(first, client_id, [topic]):
            pass  # take away what is left there
    return resumed


async def _is_heard(first: BrokerSettings, other: BrokerSettings, client_id: str, topic: str) -> bool:
    async with connected(first, client_id, [topic]) as ears, connected(other, f"{client_id}-w", []) as mouth:
        await mouth.publish(topic, b"one")
        try:
            async with asyncio.timeout(2 * QUIET_SECONDS):
                await ears.receive()
        except TimeoutError:
            return False
        return True
