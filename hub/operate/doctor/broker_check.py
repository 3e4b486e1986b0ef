"""Tries the broker out: whether the hub may read and write, what is kept while it is away, how long a message takes.

A broker does not tell these things, so the doctor publishes messages below `PREFIX/doctor/`. Mosquitto, for one, drops
what exceeds its queue without a word, and with an ACL file it grants subscriptions that never bring a message.
"""

import asyncio
import secrets
import statistics
import time
from dataclasses import replace

from hub.config import Settings
from hub.errors import Disconnected, HubError, PublishRefused, SubscriptionDenied
from hub.operate.client.connect import connected
from hub.operate.doctor.broker_addresses import look_at_addresses
from hub.operate.doctor.broker_kinds import UNKNOWN, BrokerKind, recognise
from hub.operate.doctor.finding import Finding, Level, bad, good, unknown, warning
from hub.operate.doctor.keeping import look_at_retained, look_at_session
from hub.operate.doctor.time_left import QUIET_SECONDS, all_until_quiet

__all__ = ["look_at_broker"]

QUEUED = 1200  # messages: more than the 1,000 that Mosquitto keeps by default; all together 20 kB
ROUND_TRIPS = 30  # enough for a median, and done in a second even when each is slow
SLOW_SECONDS = 0.005  # for one message; a broker on the same machine needs less than 1 ms
_SUBJECT = "broker"


async def look_at_broker(settings: Settings) -> list[Finding]:
    """Connect as the hub does, under another client id, and try out what the hub relies on.

    Of several addresses all are asked whether they are one broker, and the first that answers is tried out.
    """
    mark = secrets.token_hex(6)
    if not settings.broker.others:
        return await _try_out(settings, mark)
    first, found = await look_at_addresses(settings, mark)
    return found if first is None else [*await _try_out(replace(settings, broker=first), mark), *found]


async def _try_out(settings: Settings, mark: str) -> list[Finding]:
    try:
        findings = [good(_SUBJECT, f"reached at {settings.broker}")]
        kind = await recognise(settings.broker, settings.publish_prefix, mark)
        findings += _named(kind)
        findings += await _filters(settings, mark)
        own = await _own_topics(settings, kind, mark)
        findings += own
        session = await look_at_session(settings, kind, mark)
        findings += session
        if any(finding.level is Level.BAD for finding in own):
            return findings  # the checks below publish on the hub's topics, and would only fail
        if all(finding.level is not Level.BAD for finding in session):  # without a session there is no queue
            findings += await _backlog(settings, kind, mark)
            findings += await _redelivery(settings, kind, mark)
        findings += await look_at_retained(settings, kind, mark)
    except HubError as error:
        return [bad(_SUBJECT, settings.broker.told(str(error)), "start the broker, or correct `broker:` in hub.yaml")]
    return findings


def _named(kind: BrokerKind) -> list[Finding]:
    """Name the broker; one version of Mosquitto is bad by itself."""
    if not kind.said:
        text = "unknown broker: it does not say what it is ($SYS/broker/version)"
        if kind is UNKNOWN:
            return [unknown(_SUBJECT, text, "let the hub's user read $SYS/#, where the broker has it")]
        return [good(_SUBJECT, f"{kind.name}, by its answers")]
    if kind.said.startswith("mosquitto version 2.0.16"):
        why = "max_queued_messages 0, which the hub needs, is broken in this version"
        return [bad(_SUBJECT, f"{kind.said}: {why}", "install 2.0.17 or later")]
    return [good(_SUBJECT, kind.said)]


async def _own_topics(settings: Settings, kind: BrokerKind, mark: str) -> list[Finding]:
    """Publish below the hub's own prefix and read it back: this shows the hub's rights and how long a message takes."""
    topic = f"{settings.publish_prefix}/doctor/{mark}"
    subject = f"topics below {settings.publish_prefix}/"
    remedy = kind.remedy("rights", settings.publish_prefix)
    try:
        middle = statistics.median(await _round_trips(settings, mark, topic))
    except TimeoutError:
        return [bad(subject, "what is published there does not come back", remedy)]
    except (PublishRefused, SubscriptionDenied, Disconnected) as error:
        return [bad(subject, f"cannot be used: {error}", remedy)]
    if middle > SLOW_SECONDS:
        return [
            good(subject, "can be written and read"),
            warning(
                _SUBJECT,
                f"a message takes {middle * 1000:.1f} ms through it",
                kind.remedy("slow"),
            ),
        ]
    return [good(subject, f"can be written and read, in {middle * 1000:.1f} ms")]


async def _round_trips(settings: Settings, mark: str, topic: str) -> list[float]:
    """Return how long each message took from one session through the broker to another, in seconds."""
    times = []
    async with (
        connected(settings.broker, f"hub-doctor-{mark}", [topic]) as listener,
        connected(settings.broker, f"hub-doctor-{mark}-w", []) as writer,
    ):
        for number in range(ROUND_TRIPS):
            begun = time.perf_counter()
            async with asyncio.timeout(2 * QUIET_SECONDS):
                await writer.publish(topic, b"%d" % number)
                await listener.receive()
            listener.acknowledge(listener.handed)
            times.append(time.perf_counter() - begun)
    return times


async def _filters(settings: Settings, mark: str) -> list[Finding]:
    """Subscribe to all topics; a refusal is only a warning, as the rules may need fewer."""
    try:
        async with connected(settings.broker, f"hub-doctor-{mark}", ["#"]):
            pass
    except SubscriptionDenied as error:
        return [
            warning(
                "topics of rules",
                str(error),
                "allow the rules' topics in the broker's ACL; `hub run` subscribes to those, not to #",
            )
        ]
    return [good("topics of rules", "the broker takes subscriptions to all topics")]


async def _backlog(settings: Settings, kind: BrokerKind, mark: str) -> list[Finding]:
    """Be away while messages are published, come back and count: events of devices would be lost in the same way."""
    topic, client_id = f"{settings.publish_prefix}/doctor/{mark}/backlog", f"hub-doctor-{mark}-away"
    async with connected(settings.broker, client_id, [topic], expiry=60.0):
        pass
    async with connected(settings.broker, f"hub-doctor-{mark}-w", []) as writer:
        await asyncio.gather(*(writer.publish(topic, b"%d" % number) for number in range(QUEUED)))
    async with connected(settings.broker, client_id, [topic]) as back:
        window = await all_until_quiet(back, acknowledge=False)
        rest = await all_until_quiet(back)
    return _judge(kind, len(window), len(window) + len(rest), settings.broker.receive_maximum)


async def _redelivery(settings: Settings, kind: BrokerKind, mark: str) -> list[Finding]:
    """Leave a message unacknowledged, reconnect, and see whether it comes again at once, before anything newer."""
    topic, client_id = f"{settings.publish_prefix}/doctor/{mark}/again", f"hub-doctor-{mark}-again"
    subject = "redelivery"
    async with connected(settings.broker, client_id, [topic], expiry=60.0) as reader:
        async with connected(settings.broker, f"hub-doctor-{mark}-w", []) as writer:
            await writer.publish(topic, b"again")
        await all_until_quiet(reader, acknowledge=False)
    async with connected(settings.broker, client_id, [topic]) as back:
        again = await all_until_quiet(back)
    if again:
        return [good(subject, "what was not acknowledged comes again at once")]
    return [
        warning(
            subject,
            "what was not acknowledged does not come again at once after a reconnect: newer events overtake it, and "
            "timers wait for it up to a minute",
            kind.remedy("redelivery"),
        )
    ]


def _judge(kind: BrokerKind, window: int, total: int, receive_maximum: int) -> list[Finding]:
    """Judge the backlog: `window` messages came before the first was acknowledged, `total` came in all."""
    findings = []
    if total < QUEUED:
        text = f"{QUEUED - total} of {QUEUED} events are lost while the hub is away, though the broker took them"
        findings.append(bad("backlog", text, kind.remedy("queue")))
    else:
        findings.append(good("backlog", f"{QUEUED} of {QUEUED} events were kept for a hub that was away"))
    if window < min(total, receive_maximum):
        text = f"sends {window} events at most before the first is acknowledged"
        text = f"the broker {text}: the hub is fast only if it can commit many events at once"
        findings.append(warning("window", text, kind.remedy("window")))
    else:
        findings.append(good("window", f"{window} events under way at once"))
    return findings
