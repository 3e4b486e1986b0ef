"""Checks the receivers without sending anything: can the host be reached, does a server listen, is the file writable?

This finds why a receiver cannot work. Only a message shows that it does work, and `hub drill` sends one.
"""

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hub.clock import rfc3339
from hub.documents.secret import Secret
from hub.errors import StoreError
from hub.notify.receiver import ReceiverSettings
from hub.operate.doctor.finding import Finding, Level, bad, good, unknown, warning
from hub.store.reader import LastAttempt
from hub.store.sqlite.sqlite_reader import ask_file

__all__ = ["last_attempts", "look_at_receivers"]

CONNECT_SECONDS = 5.0  # for one server; all receivers are tried at once
_PORTS = {"amqp": 5672, "amqps": 5671, "nats": 4222, "tls": 4222, "redis": 6379, "rediss": 6379}
_DRILL = "`hub drill` sends a test through it"
Servers = list[tuple[str, int]]
"""Host and port of each."""


async def look_at_receivers(
    receivers: Mapping[str, ReceiverSettings], attempts: Iterable[LastAttempt] = ()
) -> list[Finding]:
    """Try to reach the servers of all receivers at once; add what came of each receiver's last notification."""
    findings = await asyncio.gather(*(_look(name, settings) for name, settings in receivers.items()))
    known = list(attempts)
    return [_tried(finding, name, known) for name, finding in zip(receivers, findings, strict=True)]


def last_attempts(state: Path) -> list[LastAttempt]:
    """Return each receiver's last attempts from a state file; none if that cannot be read, which state_check says."""
    try:
        return ask_file(state, lambda reader: reader.last_attempts())
    except StoreError:
        return []


def _tried(finding: Finding, name: str, attempts: Iterable[LastAttempt]) -> Finding:
    """Add to a good finding what came of the last attempt: a server that is reached may refuse every message."""
    if finding.level is not Level.GOOD:
        return finding  # what is wrong now counts more than what was
    last = max((each for each in attempts if each.receiver == name), key=lambda each: each.at, default=None)
    if last is None:
        never = "not tried yet" if _DRILL in finding.text else f"not tried yet; {_DRILL}"
        return replace(finding, text=f"{finding.text}; {never}")
    if last.outcome == "delivered":
        return replace(finding, text=f"{finding.text}; last delivered {rfc3339(last.at)}")
    text = f"{finding.text}; but the last notification, {rfc3339(last.at)}, was not taken: {last.reason}"
    return warning(finding.subject, text, _DRILL)


async def _look(name: str, settings: ReceiverSettings) -> Finding:
    """Check one receiver, by what its kind depends on."""
    subject = f"receiver {name}"
    if settings.kind == "file":
        return _file(subject, Path(settings.options.path))
    if settings.kind == "mqtt":
        return good(subject, "publishes on the hub's own broker; its ACL must allow the topic")
    servers = _SERVERS.get(settings.kind, lambda _: [])(settings.options)
    if not servers:
        return unknown(subject, "cannot be checked without sending something", _DRILL)
    for host, port in servers:
        why = await _why_unreachable(host, port)
        if why:
            return bad(subject, f"{host}:{port} {why}", "correct its host and port, or start what should listen there")
    return good(subject, f"reached at {', '.join(f'{host}:{port}' for host, port in servers)}; {_DRILL}")


async def _why_unreachable(host: str, port: int) -> str:
    """Return why no TCP connection can be made, "" if one can."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return f"does not answer within {CONNECT_SECONDS:.0f} s"
    except OSError as error:
        return f"cannot be reached: {error.strerror or error}"
    writer.close()
    return ""


def _file(subject: str, path: Path) -> Finding:
    folder = Path(os.path.realpath(path)).parent
    if path.exists() and not os.access(path, os.W_OK):
        return bad(subject, f"{path} cannot be written", "give the hub's user the file")
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        return bad(subject, f"{folder} cannot be written", "make the folder, and give it to the hub's user")
    return good(subject, f"{path} can be written")


def _webhook(options: Any) -> Servers:
    if options.url.guarded:
        return []  # each event names its own host
    url = options.url.render({})
    return [(url.host or "", url.port or 443)]


def _smtp(options: Any) -> Servers:
    return [(options.host, options.port)]


def _queue(options: Any) -> Servers:
    return [_server(options.url)]


def _kafka(options: Any) -> Servers:
    return [_server(Secret(f"kafka://{each}"), 9092) for each in options.login.servers]


def _server(url: Secret, default: int = 0) -> tuple[str, int]:
    parts = urlsplit(url.reveal())
    return parts.hostname or "", parts.port or default or _PORTS.get(parts.scheme, 0)


_SERVERS: Mapping[str, Callable[[Any], Servers]] = {
    "webhook": _webhook,
    "smtp": _smtp,
    "amqp": _queue,
    "nats": _queue,
    "redis": _queue,
    "kafka": _kafka,
}
