"""The `broker` part of hub.yaml: where the broker is, who the hub is there, and how its session is kept.

A command that only sends a request reads less of it (`read_broker_access`): of the session's own settings it needs
none, so a mistake in one of those does not stop it.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from hub.document import Node, Problems
from hub.errors import Problem
from hub.fields import Bad, Section, duration, integer, one_of, secret, text
from hub.ingest.session import BrokerSettings
from hub.limits import KEEP_ALIVE_SECONDS, PAYLOAD_BYTES, RECEIVE_MAXIMUM, SESSION_EXPIRY_SECONDS
from hub.secret import Secret

__all__ = ["broker_option", "parse_broker_url", "read_broker", "read_broker_access"]

_SCHEMES = {"mqtt": (False, 1883), "mqtts": (True, 8883), "ws": (False, 80), "wss": (True, 443)}
_WEBSOCKET = "/mqtt"  # where most brokers have it
FileName = Callable[[Node], Path]


def read_broker(parent: Section, file_name: FileName) -> BrokerSettings:
    """Read all of the key `broker`; `file_name` reads the name of a file."""
    node = parent.get("broker")
    if node is None:
        return BrokerSettings()
    section = Section(node, parent.problems, "broker")
    made = replace(
        _access(section, file_name),
        client_id=section.take("client_id", _client_id, BrokerSettings().client_id),
        session_expiry=section.take("session_expiry", _session_expiry, SESSION_EXPIRY_SECONDS),
        receive_maximum=section.take("receive_maximum", integer(1, RECEIVE_MAXIMUM), RECEIVE_MAXIMUM),
        keep_alive=round(section.take("keep_alive", _keep_alive, float(KEEP_ALIVE_SECONDS))),
        payload_bytes=section.take("payload_bytes", integer(1, 64 << 20), PAYLOAD_BYTES),
    )
    section.finish()
    return made


def read_broker_access(parent: Section, file_name: FileName) -> BrokerSettings:
    """Read how the broker is reached and who asks there, and nothing else of the key `broker`."""
    node = parent.get("broker")
    return BrokerSettings() if node is None else _access(Section(node, parent.problems, "broker"), file_name)


def _access(section: Section, file_name: FileName) -> BrokerSettings:
    def path(node: Node) -> Path:
        found = file_name(node)
        if not found.is_file():
            raise Bad(node, f"no such file: {found}")
        return found

    made = section.take("url", _url, BrokerSettings())
    username = section.take("username", _revealed, made.username)
    made = replace(
        made,
        ca=section.take("ca", path, None),
        cert=section.take("cert", path, None),
        key=section.take("key", path, None),
        username=username,
        password=section.take("password", secret, made.password),
        protocol=section.take("protocol", one_of("5", "3.1.1"), made.protocol),
    )
    _check_tls(section, made)
    return made


def _check_tls(section: Section, made: BrokerSettings) -> None:
    for key in ("ca", "cert", "key"):
        if key in section and not made.tls:
            section.report(section.node.key_problem(key, f"{key!r} needs TLS", "write the url as mqtts://… or wss://…"))
    if (made.cert is None) != (made.key is None):
        section.report(section.node.problem("'cert' and 'key' belong together", "name both files or neither"))
    if made.password is not None and made.username is None:
        section.report(section.node.key_problem("password", "'password' needs 'username' beside it"))


def parse_broker_url(url: str) -> BrokerSettings:
    """Read `mqtt://user:password@host:port`, `mqtts://…`, `ws://user:password@host:port/path` or `wss://…`.

    Raises:
        ValueError: with what is wrong and what to do; the password is not in it.

    """
    try:
        parts = urlsplit(url if "://" in url else f"mqtt://{url}")
        host, port = parts.hostname, parts.port
    except ValueError:  # its text can hold a part of the password
        raise ValueError(
            "not a broker's URL: it is mqtt://user:password@host:1883; a user or password with / ? # @ writes them as"
            " %2F %3F %23 %40, or stands under 'username' and 'password'"
        ) from None
    if parts.scheme not in _SCHEMES:
        raise ValueError(f"a broker's URL begins with mqtt://, mqtts://, ws:// or wss://, not {parts.scheme}://")
    if not host or port == 0:
        raise ValueError("a broker's URL needs a host and a port, as in mqtt://localhost:1883")
    websocket = _websocket(parts)
    tls, default_port = _SCHEMES[parts.scheme]
    return BrokerSettings(
        host=host,
        port=default_port if port is None else port,
        tls=tls,
        username=unquote(parts.username) if parts.username else None,
        password=Secret(unquote(parts.password)) if parts.password else None,
        websocket=websocket,
    )


def _websocket(parts: SplitResult) -> str:
    """Return the path of a WebSocket, with its query; empty for MQTT on the socket itself."""
    if not parts.scheme.startswith("ws"):
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("a broker's URL ends with the port: mqtt://host:1883; ws:// and wss:// have a path")
        return ""
    found = (parts.path or _WEBSOCKET) + (f"?{parts.query}" if parts.query else "")
    if parts.fragment or not found.isascii() or not found.isprintable() or " " in found:
        raise ValueError("a broker's URL ends with the path: ws://host:8083/mqtt; other characters are written as %20")
    return found


def _url(node: Node) -> BrokerSettings:
    url = node.value.reveal() if isinstance(node.value, Secret) else text(node)
    try:
        return parse_broker_url(url)
    except ValueError as error:
        raise Bad(node, str(error)) from None


def broker_option(broker: BrokerSettings, url: str | None, problems: Problems) -> BrokerSettings:
    """Put the address of `--broker` over the file's; user and password stay unless the URL has its own."""
    if url is None:
        return broker
    try:
        given = parse_broker_url(url)
    except ValueError as error:
        problems.append(Problem("--broker", 0, 0, str(error)))
        return broker
    made = replace(broker, host=given.host, port=given.port, tls=given.tls, websocket=given.websocket)
    if given.username is not None:
        made = replace(made, username=given.username, password=given.password)
    return made


def _revealed(node: Node) -> str:
    return secret(node).reveal()


def _client_id(node: Node) -> str:
    found = text(node)
    if not 0 < len(found.encode()) <= 256 or not found.isprintable():
        raise Bad(node, "a client id is 1 to 256 printable characters")
    return found


def _keep_alive(node: Node) -> float:
    seconds = duration(node)
    if not 1 <= seconds <= 65535:
        raise Bad(node, "must be from 1s to 65535s")
    return seconds


def _session_expiry(node: Node) -> float:
    seconds = duration(node)
    if seconds < 1:  # 0 ends the session with the connection (MQTT 5, 3.1.2.11.2)
        raise Bad(node, "must be at least 1s", "for that long the broker keeps events while the hub is away")
    return seconds
