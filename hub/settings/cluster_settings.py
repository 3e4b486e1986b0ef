"""The `cluster` part of hub.yaml: the NATS servers that keep the log, and who this node is among the others."""

import socket
import ssl
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from hub.documents.document import Node, Problems
from hub.documents.secret import Secret
from hub.documents.value_schema import LASTING, NAMES, TEXT, with_schema
from hub.fields import Bad, Convert, Key, KeyTable, Section, duration, integer, late, secret, text
from hub.limits import LEASE_SECONDS

__all__ = ["CLUSTER", "ClusterSettings", "cluster_missing", "read_cluster"]

_EXTRA = "pip install 'mqtt-notification-hub[cluster]'"
_NEEDED = {"nats": "nats-py", "cryptography": "cryptography"}
"""Module and package; cryptography is for the certificates of `hub cluster init`."""

_SCHEMES = ("nats", "tls", "ws", "wss")
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """How a node reaches the log. `lease` is in seconds: a silent owner is followed by another one after it."""

    nats: tuple[Secret, ...]
    """URLs of the servers, perhaps with user and password."""
    name: str
    """Of the cluster: a part of its streams' and subjects' names."""
    node: str
    """Of this node, different on each."""
    replicas: int = 3
    lease: float = LEASE_SECONDS
    user: str | None = None
    password: Secret | None = None
    credentials: Secret | None = None
    """The text of a .creds file (JWT and seed)."""
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None


def read_cluster(node: Node | None, problems: Problems, path: Convert[Path], client_id: str) -> ClusterSettings | None:
    """Read the key `cluster`; None where it is not there: a single hub. `client_id` is the usual name."""
    if node is None:
        return None

    def existing(given: Node) -> Path:
        found = path(given)
        if not found.is_file():
            raise Bad(given, f"no such file: {found}")
        return found

    def certificates(given: Node) -> Path:
        found = existing(given)
        try:
            ssl.create_default_context(cafile=found)
        except (ssl.SSLError, OSError) as error:
            raise Bad(given, f"{found} is no PEM file of certificates: {error}") from None
        return found

    section = Section(node, problems, "cluster", CLUSTER)
    made = ClusterSettings(
        nats=section.take(_NATS),
        name=section.take(_NAME, default=_plain(client_id)),
        node=section.take(_NODE, default=_plain(socket.gethostname())),
        replicas=section.take(_REPLICAS),
        lease=section.take(_LEASE),
        user=section.take(_USER),
        password=section.take(_PASSWORD),
        credentials=section.take(_CREDENTIALS),
        ca=section.take(_CA, certificates),
        cert=section.take(_CERT, existing),
        key=section.take(_KEY, existing),
    )
    _check(section, made)
    section.finish()
    if missing := _missing():
        section.report(node.problem(f"a cluster needs {missing}, which is not installed", _EXTRA))
    return made


def cluster_missing() -> str:
    """Say what to install for a cluster; "" where it is there."""
    missing = _missing()
    return f"a cluster needs {missing}, which is not installed: {_EXTRA}" if missing else ""


def _missing() -> str:
    return next((package for module, package in _NEEDED.items() if find_spec(module) is None), "")


def _check(section: Section, made: ClusterSettings) -> None:
    if section.is_mapping and "nats" not in section:
        section.report(
            section.node.problem("'cluster' needs 'nats'", "name the servers: nats: [nats://10.0.0.1:4222, …]")
        )
    if (made.user is None) != (made.password is None):
        section.report(section.node.problem("'user' and 'password' belong together", "name both or neither"))
    if made.credentials is not None and made.user is not None:
        section.report(section.node.key_problem("credentials", "'credentials' and 'user' are two logins", "name one"))
    if (made.cert is None) != (made.key is None):
        section.report(section.node.problem("'cert' and 'key' belong together", "name both files or neither"))
    elif made.cert is not None:
        _check_pair(section, made)


def _check_pair(section: Section, made: ClusterSettings) -> None:
    """Try certificate and key: a node must not find out in the middle of the night that they do not fit."""
    if made.cert is None or made.key is None:
        return
    try:
        ssl.create_default_context().load_cert_chain(made.cert, made.key, password="")
    except (ssl.SSLError, OSError) as error:
        told = f"{made.cert} and {made.key} are no certificate and its key: {error}"
        section.report(section.node.key_problem("cert", told, "name PEM files, the key without a passphrase"))


def _plain(name: str) -> str:
    """Return a name with only what a subject of NATS may hold."""
    return "".join(letter if letter in _WORD else "-" for letter in name) or "hub"


@with_schema(TEXT)
def _word(node: Node) -> str:
    found = text(node)
    if not 0 < len(found) <= 64 or not set(found) <= _WORD:
        raise Bad(node, "a name here is 1 to 64 letters, digits, '-' or '_'")
    return found


@with_schema(TEXT)
def _revealed(node: Node) -> str:
    return secret(node).reveal()


@with_schema(NAMES)
def _servers(node: Node) -> tuple[Secret, ...]:
    nodes = node.value if isinstance(node.value, list) else [node]
    return tuple(_server(each) for each in nodes)


def _server(node: Node) -> Secret:
    url = node.value.reveal() if isinstance(node.value, Secret) else text(node)
    scheme, found, rest = url.partition("://")
    if not found or scheme not in _SCHEMES or not rest:
        raise Bad(node, "a NATS server's URL begins with nats://, tls://, ws:// or wss://, as in nats://10.0.0.1:4222")
    try:
        host, port = urlsplit(url).hostname or "", urlsplit(url).port
    except ValueError:  # its text may hold the password
        host, port = "", None
    if not host or port == 0 or any(letter.isspace() for letter in host):
        raise Bad(node, "a NATS server's URL needs a host and a port from 1 to 65535, as in nats://10.0.0.1:4222")
    return Secret(url)


@with_schema({"enum": [1, 3, 5]})
def _copies(node: Node) -> int:
    found = integer(1, 5)(node)
    if found % 2 == 0:  # of two, both must agree, and of four, three: one more that can fail, and no more that may
        raise Bad(node, f"must be 1, 3 or 5, not {found}", "with 3 servers one may die, with 5 two")
    return found


@with_schema(LASTING)
def _lease(node: Node) -> float:
    seconds = duration(node)
    if not 1 <= seconds <= 60:
        raise Bad(node, "must be from 1s to 60s", "a shorter one takes a slow owner for a dead one")
    return seconds


_NATS: Key[tuple[Secret, ...]] = Key(
    "nats",
    _servers,
    (),
    "The NATS servers: nats://host:4222, tls://…, ws://… or wss://….",
    ["nats://10.0.0.1:4222", "nats://10.0.0.2:4222", "nats://10.0.0.3:4222"],
)
_NAME = Key(
    "name", _word, "", "The cluster's name, the same on all nodes. The broker's client_id where it is not said.", "hub"
)
_NODE = Key("node", _word, "", "This node's name, different on each. The host's name where it is not said.", "a")
_REPLICAS = Key("replicas", _copies, 3, "How many servers keep the log. With 1, that server may not die.", 3)
_LEASE = Key("lease", _lease, LEASE_SECONDS, "After how long a silent owner is followed by another node.", "5s")
_USER = Key("user", _revealed, None, "Login at the NATS servers.", "hub")
_PASSWORD = Key("password", secret, None, "Login; a secret, better from !env NAME or !file PATH.")
_CREDENTIALS = Key(
    "credentials", secret, None, "The text of a .creds file, by !file PATH; instead of user and password."
)
_CA: Key[Path | None] = Key(
    "ca", late, None, "PEM file of the authority that signed the servers' certificates.", "ca.pem", schema=TEXT
)
_CERT: Key[Path | None] = Key("cert", late, None, "PEM file of this node's certificate.", "node.pem", schema=TEXT)
_KEY: Key[Path | None] = Key("key", late, None, "PEM file of its key.", "node.key", schema=TEXT)
CLUSTER = KeyTable(
    "cluster",
    *(_NATS, _NAME, _NODE, _REPLICAS, _LEASE, _USER, _PASSWORD, _CREDENTIALS, _CA, _CERT, _KEY),
    words="Hot standbys on a replicated log: see docs/cluster.md.",
)
"""All of `cluster`."""
