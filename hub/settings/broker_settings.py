"""The `broker` part of hub.yaml: where the broker is, who the hub is there, and how its session is kept.

A command that only sends a request reads less of it (`read_broker_access`): it needs none of the session's settings, so
a mistake in one of these does not stop it.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from hub.documents.document import Node, Problems
from hub.documents.secret import Secret
from hub.documents.value_schema import LASTING, NAMES, TEXT, with_schema
from hub.errors import Problem
from hub.fields import (
    Bad,
    Convert,
    Key,
    KeyTable,
    Section,
    ToldElsewhere,
    duration,
    integer,
    late,
    list_of,
    one_of,
    secret,
    text,
)
from hub.ingest.mqtt.session import BrokerAddress, BrokerSettings
from hub.limits import KEEP_ALIVE_SECONDS, PAYLOAD_BYTES, RECEIVE_MAXIMUM, SESSION_EXPIRY_SECONDS

__all__ = ["BROKER", "broker_option", "parse_broker_url", "read_broker", "read_broker_access"]

_SCHEMES = {"mqtt": (False, 1883), "mqtts": (True, 8883), "ws": (False, 80), "wss": (True, 443)}
_WEBSOCKET = "/mqtt"  # where most brokers have it
_USUAL = BrokerSettings()


def read_broker(node: Node | None, problems: Problems, path: Convert[Path]) -> BrokerSettings:
    """Read all of the key `broker`; `path` reads the name of a file."""
    if node is None:
        return BrokerSettings()
    section = Section(node, problems, "broker", BROKER)
    keep_alive = section.take(_KEEP_ALIVE)
    made = replace(
        _access(section, path),
        client_id=section.take(_CLIENT_ID),
        session_expiry=section.take(_SESSION_EXPIRY),
        receive_maximum=section.take(_RECEIVE_MAXIMUM),
        keep_alive=round(keep_alive),
        payload_bytes=section.take(_PAYLOAD_BYTES),
    )
    section.finish()
    return made


def read_broker_access(node: Node | None, problems: Problems, path: Convert[Path]) -> BrokerSettings:
    """Read only address, TLS and login from the key `broker`: all that a single request needs."""
    return BrokerSettings() if node is None else _access(Section(node, problems, "broker", BROKER), path)


def _access(section: Section, path: Convert[Path]) -> BrokerSettings:
    def existing(node: Node) -> Path:
        found = path(node)
        if not found.is_file():
            raise Bad(node, f"no such file: {found}")
        return found

    made = section.take(_URL)
    username = section.take(_USERNAME, default=made.username)
    made = replace(
        made,
        ca=section.take(_CA, existing),
        cert=section.take(_CERT, existing),
        key=section.take(_KEY, existing),
        username=username,
        password=section.take(_PASSWORD, default=made.password),
        protocol=section.take(_PROTOCOL),
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


@with_schema(NAMES)
def _urls(node: Node) -> BrokerSettings:
    """Read one URL or several of one broker; the first login of them holds for all."""
    if not isinstance(node.value, list):
        return _url(node)
    if not node.value:
        raise Bad(node, "names no broker", "write mqtt://host:1883, or a list of such URLs")
    found = list_of(_placed)(node)
    if not found:
        raise ToldElsewhere(node)  # each is a secret that is not set
    known = next((url for _, url in found if url.username is not None), found[0][1])
    _check_same(found, known)
    others = tuple(BrokerAddress(url.host, url.port, url.websocket) for _, url in found[1:])
    return replace(found[0][1], username=known.username, password=known.password, others=others)


def _placed(node: Node) -> tuple[Node, BrokerSettings]:
    return node, _url(node)


def _check_same(found: Sequence[tuple[Node, BrokerSettings]], known: BrokerSettings) -> None:
    """Refuse what makes a URL of the list another broker than the others are, or less safe than the first."""
    seen: set[BrokerAddress] = set()
    for node, url in found:
        address = BrokerAddress(url.host, url.port, url.websocket)
        if address in seen:
            raise Bad(node, f"{url} stands here twice", "name each address of the broker once")
        seen.add(address)
        if url.tls != found[0][1].tls:
            # a login that goes through TLS at one address must not go in the clear at the next
            raise Bad(
                node, f"{url} and {found[0][1]}: one has TLS and one has not", "use mqtts:// and wss:// for all or none"
            )
        if url.username is not None and (url.username, url.password) != (known.username, known.password):
            raise Bad(
                node,
                f"{url} has another login than the URLs before it; all are one broker, with one login",
                "write it once, as 'username' and 'password'",
            )


def _url(node: Node) -> BrokerSettings:
    url = node.value.reveal() if isinstance(node.value, Secret) else text(node)
    try:
        return parse_broker_url(url)
    except ValueError as error:
        raise Bad(node, str(error)) from None


@with_schema(TEXT)
def _revealed(node: Node) -> str:
    return secret(node).reveal()


@with_schema(TEXT)
def _client_id(node: Node) -> str:
    found = text(node)
    if not 0 < len(found.encode()) <= 256 or not found.isprintable():
        raise Bad(node, "a client id is 1 to 256 printable characters")
    return found


@with_schema(LASTING)
def _keep_alive(node: Node) -> float:
    seconds = duration(node)
    if not 1 <= seconds <= 65535:
        raise Bad(node, "must be from 1s to 65535s")
    return seconds


@with_schema(LASTING)
def _session_expiry(node: Node) -> float:
    seconds = duration(node)
    if seconds < 1:  # 0 ends the session with the connection (MQTT 5, 3.1.2.11.2)
        raise Bad(node, "must be at least 1s", "for that long the broker keeps events while the hub is away")
    return seconds


def broker_option(broker: BrokerSettings, url: str | None, problems: Problems) -> BrokerSettings:
    """Replace the file's addresses by that of an option; user and password stay, unless the URL has its own."""
    if url is None:
        return broker
    try:
        given = parse_broker_url(url)
    except ValueError as error:
        problems.append(Problem("--broker", 0, 0, str(error)))
        return broker
    made = replace(broker, host=given.host, port=given.port, tls=given.tls, websocket=given.websocket, others=())
    if given.username is not None:
        made = replace(made, username=given.username, password=given.password)
    return made


_URL = Key(
    "url",
    _urls,
    _USUAL,
    "mqtt://host:1883, mqtts://host:8883, ws://host:8083/mqtt or wss://host/mqtt, perhaps with user:password@;"
    " a list where the broker is a cluster: the hub goes to the next where one is away.",
    "mqtt://localhost:1883",
)
_CA: Key[Path | None] = Key(
    "ca", late, None, "PEM file of the authority that signed the broker's certificate.", "ca.pem", schema=TEXT
)
_CERT: Key[Path | None] = Key("cert", late, None, "PEM file of the hub's certificate.", "hub.pem", schema=TEXT)
_KEY: Key[Path | None] = Key("key", late, None, "PEM file of its key.", "hub.key", schema=TEXT)
_USERNAME = Key("username", _revealed, None, "Login.", "hub")
_PASSWORD = Key("password", secret, None, "Login; a secret, better from !env NAME or !file PATH.")
_CLIENT_ID = Key(
    "client_id",
    _client_id,
    _USUAL.client_id,
    "The client id, under which the broker keeps events while the hub is away.",
    "hub",
)
_PROTOCOL = Key(
    "protocol",
    one_of("5", "3.1.1"),
    _USUAL.protocol,
    "The version of MQTT.",
    "5",
    schema={"enum": ["5", "3.1.1", 5]},
)
_SESSION_EXPIRY = Key(
    "session_expiry",
    _session_expiry,
    SESSION_EXPIRY_SECONDS,
    "How long the broker keeps events while the hub is away.",
    "7d",
)
_RECEIVE_MAXIMUM = Key(
    "receive_maximum",
    integer(1, RECEIVE_MAXIMUM),
    RECEIVE_MAXIMUM,
    "Unacknowledged events that the broker may have sent.",
    65535,
)
_KEEP_ALIVE = Key("keep_alive", _keep_alive, float(KEEP_ALIVE_SECONDS), "How often the connection is tried out.", "30s")
_PAYLOAD_BYTES = Key(
    "payload_bytes",
    integer(1, 64 << 20),
    PAYLOAD_BYTES,
    "The largest payload that is evaluated, in bytes.",
    262_144,
)
BROKER = KeyTable(
    "broker",
    *(_URL, _CA, _CERT, _KEY, _USERNAME, _PASSWORD, _CLIENT_ID, _PROTOCOL),
    *(_SESSION_EXPIRY, _RECEIVE_MAXIMUM, _KEEP_ALIVE, _PAYLOAD_BYTES),
)
