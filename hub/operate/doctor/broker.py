"""The broker, tried out: may the hub read and write, how much is kept for a hub that is away, how long a message takes.

What a broker does not tell, a few messages below `PREFIX/doctor/` do: Mosquitto drops what exceeds its queue without a
word, and with an ACL file it grants subscriptions from which nothing ever comes.
"""

import asyncio
import contextlib
import secrets
import statistics
import time

from hub.config import Settings
from hub.errors import Disconnected, HubError, PublishRefused, SubscriptionDenied
from hub.ingest.session import Session
from hub.model import Delivery
from hub.operate.connect import connected
from hub.operate.doctor.finding import Finding, Level, bad, good, unknown, warning

__all__ = ["look_at_broker"]

QUEUED = 1200  # messages: more than the 1,000 that Mosquitto keeps by default, 20 kB together
QUIET_SECONDS = 1.0  # nothing more comes when nothing came for so long
ROUND_TRIPS = 30
SLOW_SECONDS = 0.005
_SUBJECT = "broker"


async def look_at_broker(settings: Settings) -> list[Finding]:
    """Connect as the hub does, under another client id, and try out what the hub relies on."""
    mark = secrets.token_hex(6)
    try:
        found = [good(_SUBJECT, f"reached at {settings.broker}")]
        found += await _version(settings, mark)
        found += await _filters(settings, mark)
        own = await _own_topics(settings, mark)
        found += own
        if all(finding.level is not Level.BAD for finding in own):
            found += await _backlog(settings, mark)
            found += await _redelivery(settings, mark)
    except HubError as error:
        return [bad(_SUBJECT, f"{settings.broker}: {error}", "start the broker, or correct `broker:` in hub.yaml")]
    return found


async def _version(settings: Settings, mark: str) -> list[Finding]:
    """Ask for what Mosquitto says of itself."""
    heard: list[Delivery] = []
    with contextlib.suppress(SubscriptionDenied):
        async with connected(settings.broker, f"hub-doctor-{mark}", ["$SYS/broker/version"]) as session:
            heard = await _all_until_quiet(session)
    if not heard:
        return [unknown(_SUBJECT, "does not say what it is ($SYS/broker/version)", "let the hub's user read $SYS/#")]
    version = heard[0].payload.decode("utf-8", "replace")
    if version.startswith("mosquitto version 2.0.16"):
        why = "max_queued_messages 0, which the hub needs, is broken in this version"
        return [bad(_SUBJECT, f"{version}: {why}", "install 2.0.17 or later")]
    return [good(_SUBJECT, version)]


async def _own_topics(settings: Settings, mark: str) -> list[Finding]:
    """Write below the hub's own prefix and read it back, one message after another: rights, and the time it takes."""
    topic = f"{settings.publish_prefix}/doctor/{mark}"
    subject = f"topics below {settings.publish_prefix}/"
    remedy = f"give the hub's user readwrite on {settings.publish_prefix}/# in the broker's ACL"
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
                "in mosquitto.conf: set_tcp_nodelay true; or the network is slow",
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
    """Subscribe to all topics: does the broker refuse?"""
    try:
        async with connected(settings.broker, f"hub-doctor-{mark}", ["#"]):
            pass
    except SubscriptionDenied as error:
        return [warning("topics of rules", str(error), "allow what the rules name in the broker's ACL; `hub run` asks")]
    return [good("topics of rules", "the broker takes subscriptions to all topics")]


async def _backlog(settings: Settings, mark: str) -> list[Finding]:
    """Be away while messages are published, come back, and count: what is missing, devices would miss."""
    topic, client_id = f"{settings.publish_prefix}/doctor/{mark}/backlog", f"hub-doctor-{mark}-away"
    async with connected(settings.broker, client_id, [topic], expiry=60.0):
        pass
    async with connected(settings.broker, f"hub-doctor-{mark}-w", []) as writer:
        await asyncio.gather(*(writer.publish(topic, b"%d" % number) for number in range(QUEUED)))
    async with connected(settings.broker, client_id, [topic]) as back:
        window = await _all_until_quiet(back, acknowledge=False)
        rest = await _all_until_quiet(back)
    return _judge(len(window), len(window) + len(rest), settings.broker.receive_maximum)


async def _redelivery(settings: Settings, mark: str) -> list[Finding]:
    """Leave a message unacknowledged and come back: it must come again at once, before anything newer."""
    topic, client_id = f"{settings.publish_prefix}/doctor/{mark}/again", f"hub-doctor-{mark}-again"
    subject = "redelivery"
    async with connected(settings.broker, client_id, [topic], expiry=60.0) as reader:
        async with connected(settings.broker, f"hub-doctor-{mark}-w", []) as writer:
            await writer.publish(topic, b"again")
        await _all_until_quiet(reader, acknowledge=False)
    async with connected(settings.broker, client_id, [topic]) as back:
        again = await _all_until_quiet(back)
    if again:
        return [good(subject, "what was not acknowledged comes again at once")]
    return [
        warning(
            subject,
            "what was not acknowledged does not come again at once after a reconnect: newer events overtake it, and "
            "timers wait for it up to a minute",
            "nats-server does so: shorten `ack_wait` in its `mqtt` block; give rules a `timestamp` where there is one",
        )
    ]


def _judge(window: int, total: int, receive_maximum: int) -> list[Finding]:
    found = []
    if total < QUEUED:
        text = f"{QUEUED - total} of {QUEUED} events are lost while the hub is away, though the broker took them"
        found.append(bad("backlog", text, "in mosquitto.conf: max_queued_messages 0 and max_queued_bytes 0"))
    else:
        found.append(good("backlog", f"{QUEUED} of {QUEUED} events were kept for a hub that was away"))
    if window < min(total, receive_maximum):
        text = f"sends {window} events at most before the first is acknowledged"
        remedy = "in mosquitto.conf: max_inflight_messages 65534"
        found.append(
            warning("window", f"the broker {text}: commits of many at once are what makes the hub quick", remedy)
        )
    else:
        found.append(good("window", f"{window} events under way at once"))
    return found


async def _all_until_quiet(session: Session, *, acknowledge: bool = True) -> list[Delivery]:
    """Receive until nothing comes any more."""
    if acknowledge:
        session.acknowledge(session.handed)
    found: list[Delivery] = []
    with contextlib.suppress(TimeoutError):
        while True:
            async with asyncio.timeout(QUIET_SECONDS):
                found += await session.receive()
            if acknowledge:
                session.acknowledge(session.handed)
    return found
