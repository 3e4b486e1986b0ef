"""What `hub cluster init` writes: for each node a folder with all that its machine needs, made on one machine.

One authority signs a certificate for each node. It is used between the servers, and by the hubs to know the servers; a
hub logs in with a password. The authority's key stands in none of the folders, so keep it, or make all anew.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hub.cluster.servers.streams import ClusterError

__all__ = ["NodeAddress", "node_addresses", "write_starter"]

_CLIENT_PORT, _ROUTES_ABOVE = 4222, 2000
_LAST_PORT = 65535 - _ROUTES_ABOVE
_HOST = re.compile(r"[\w.-]+|\[?[0-9a-fA-F:.]+\]?", re.ASCII)
_NAME = re.compile(r"[\w-]{1,64}", re.ASCII)
_DAYS = 3650

_NATS = """\
# The NATS server of node {node}, made by `hub cluster init`. Start it with: nats-server -c {folder}/nats.conf
server_name: {node}
listen: "0.0.0.0:{port}"
max_payload: 8388608  # a commit of the hub is one message

# What the server says it has, it has on disk: without this, two minutes may be lost with the power.
jetstream: {{store_dir: "{folder}/data", sync_interval: always}}

tls: {{cert_file: "{folder}/node.pem", key_file: "{folder}/node.key", ca_file: "{folder}/ca.pem", timeout: 5}}
accounts: {{
  HUB: {{jetstream: enabled, users: [{{user: hub, password: "{password}"}}]}}
  SYS: {{users: [{{user: admin, password: "{admin}"}}]}}
}}
system_account: SYS

cluster: {{
  name: "{cluster}"
  listen: "0.0.0.0:{route}"
  tls: {{
    cert_file: "{folder}/node.pem", key_file: "{folder}/node.key", ca_file: "{folder}/ca.pem", verify: true, timeout: 5
  }}
  routes: [{routes}]
}}
"""
_YAML = """\
# What hub.yaml of node {node} needs, made by `hub cluster init`; the rest of hub.yaml is the same on all nodes.
cluster:
  nats: [{urls}]
  name: {cluster}
  node: {node}
  replicas: {replicas}
  user: hub
  password: !file {folder}/password
  ca: {folder}/ca.pem
state: /var/lib/hub/cluster.db  # this node's copy; it may be lost. A file of its own: not that of a single hub
"""
_UNIT = """\
[Unit]
Description=NATS server of the hub's cluster
Wants=network-online.target
After=network-online.target

[Service]
User=hub
Group=hub
UMask=0077
ExecStart=/usr/bin/env nats-server -c {folder}/nats.conf
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=1
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
"""


class NodeAddress(NamedTuple):
    """Where a node's NATS server listens."""

    node: str
    host: str
    port: int

    @property
    def route(self) -> int:
        """The port on which the servers speak to each other."""
        return self.port + _ROUTES_ABOVE

    @property
    def shown(self) -> str:
        """The host as it stands in a URL."""
        return f"[{self.host}]" if ":" in self.host else self.host


def node_addresses(text: str) -> list[NodeAddress]:
    """Read `a=10.0.0.1,b=10.0.0.2:4333`.

    Raises:
        ClusterError: it says something else, or names a node twice.

    """
    found = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        node, equals, place = part.partition("=")
        host, colon, number = place, "", ""
        if place.count(":") == 1 or "]:" in place:  # else the colons are those of an IPv6 address
            host, colon, number = place.rpartition(":")
        if colon and not (number.isdecimal() and 0 < int(number) <= _LAST_PORT):
            raise ClusterError(f"{part!r}: the port is a number up to {_LAST_PORT}, as in a=10.0.0.1:4222")
        port = int(number) if colon else _CLIENT_PORT
        if not (equals and _HOST.fullmatch(host) and _NAME.fullmatch(node)):
            raise ClusterError(f"{part!r} is no node; write them as a=10.0.0.1,b=10.0.0.2,c=10.0.0.3")
        found.append(NodeAddress(node, host.strip("[]"), port))
    if len({each.node for each in found}) < len(found):
        raise ClusterError("each node has a name of its own")
    if len(found) not in (1, 3, 5):
        raise ClusterError("a cluster has 3 or 5 servers, of which 1 or 2 may die; 1 is for trying it out")
    return found


def write_starter(folder: Path, addresses: Sequence[NodeAddress], cluster: str) -> list[Path]:
    """Write a folder for each node below this one; return them.

    Raises:
        ClusterError: a folder is there already, or cannot be made.

    """
    if not _NAME.fullmatch(cluster):
        raise ClusterError(f"{cluster!r}: a cluster's name is 1 to 64 letters, digits, '-' or '_'")
    made = [folder / each.node for each in addresses]
    for path in made:
        if path.exists():
            raise ClusterError(f"{path} is there already; nothing was written")
    authority, password, admin = _Authority(cluster), secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    urls = ", ".join(f'"tls://{each.shown}:{each.port}"' for each in addresses)
    for address, path in zip(addresses, made, strict=True):
        others = [each for each in addresses if each is not address]
        routes = ", ".join(f'"nats-route://{each.shown}:{each.route}"' for each in others)
        try:
            path.mkdir(parents=True)
        except OSError as error:
            raise ClusterError(f"{path} cannot be made: {error.strerror}; see who may write there") from None
        values = {
            "node": address.node,
            "folder": path.absolute(),
            "port": address.port,
            "route": address.route,
            "routes": routes,
            "urls": urls,
            "cluster": cluster,
            "password": password,
            "admin": admin,
            "replicas": len(addresses),
        }
        _write(path, authority.files(address.host), values)
    return made


def _write(folder: Path, certificates: Mapping[str, bytes], values: Mapping[str, object]) -> None:
    files = {
        "nats.conf": _NATS.format(**values).encode(),
        "cluster.yaml": _YAML.format(**values).encode(),
        "hub-nats.service": _UNIT.format(**values).encode(),
        "password": str(values["password"]).encode(),
        **certificates,
    }
    for name, content in files.items():
        path = folder / name
        path.touch(0o600)
        path.write_bytes(content)


class _Authority:
    """Signs certificates; it is forgotten when all are made."""

    def __init__(self, cluster: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{cluster} cluster")])
        builder = _dated(self._name, self._name, self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self._certificate = builder.sign(self._key, SHA256())

    def files(self, host: str) -> dict[str, bytes]:
        """Return certificate and key of a node, and the authority's certificate, by file name."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
        uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = _dated(name, self._name, key.public_key())
        builder = builder.add_extension(x509.SubjectAlternativeName([_named(host)]), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        certificate = builder.sign(self._key, SHA256())
        return {
            "ca.pem": self._certificate.public_bytes(Encoding.PEM),
            "node.pem": certificate.public_bytes(Encoding.PEM),
            "node.key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        }


def _dated(name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=_DAYS))


def _named(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
