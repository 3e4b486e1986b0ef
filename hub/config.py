"""hub.yaml and the options of the command line into typed settings; all of the file is checked from the start."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from hub.document import Node, Problems, read_document
from hub.errors import ConfigError, Problem
from hub.fields import Bad, Section, boolean, duration, integer, list_of, one_of, secret, text
from hub.http_settings import HttpSettings, Token, listen_option, parse_address, read_http
from hub.ingest.session import BrokerSettings
from hub.ingest.topics import check_topic
from hub.limits import KEEP_ALIVE_SECONDS, PAYLOAD_BYTES, RECEIVE_MAXIMUM, SESSION_EXPIRY_SECONDS
from hub.secret import Secret
from hub.selfwatch.settings import HeartbeatSettings, SelfWatchSettings, read_heartbeat, read_self_watch
from hub.sources.settings import SourceSettings, read_sources
from hub.tracing.settings import TracingSettings, read_tracing

__all__ = ["HttpSettings", "Settings", "Token", "load_settings", "parse_address", "parse_broker_url", "read_settings"]

DEFAULT_FILE = Path("hub.yaml")
_HOME_ASSISTANT = "homeassistant"
_SCHEMES = {"mqtt": (False, 1883), "mqtts": (True, 8883), "ws": (False, 80), "wss": (True, 443)}
_WEBSOCKET = "/mqtt"  # where most brokers have it


@dataclass(frozen=True, slots=True)
class Settings:
    """All of hub.yaml. Paths in the file are relative to the file, those of the command line to the working folder."""

    broker: BrokerSettings = field(default_factory=BrokerSettings)
    rules: tuple[Path, ...] = (Path("rules"),)
    devices: tuple[Path, ...] = (Path("devices"),)
    optional: tuple[Path, ...] = (Path("devices"),)
    """Which of `devices` need not be there; they are read once they are."""
    state: Path = Path("hub.db")
    publish_prefix: str = "hub"
    http: HttpSettings = field(default_factory=HttpSettings)
    sources: tuple[SourceSettings, ...] = ()
    discovery: str = ""
    """The prefix of Home Assistant's discovery topics; empty: alerts are not announced there."""
    rebirth: bool = False
    """Whether Sparkplug nodes are asked for their births where a message cannot be read without."""
    self_watch: SelfWatchSettings = field(default_factory=SelfWatchSettings)
    heartbeat: HeartbeatSettings | None = None
    tracing: TracingSettings | None = None
    path: Path = field(default=DEFAULT_FILE, compare=False)
    """The file."""

    def fleets(self) -> list[Path]:
        """Return those of `devices` that are to be read."""
        return [path for path in self.devices if path not in self.optional or os.path.lexists(path)]


def load_settings(
    config: Path | None,
    *,
    broker: str | None = None,
    rules: Sequence[Path] = (),
    devices: Sequence[Path] = (),
    state: Path | None = None,
    http: str | None = None,
) -> Settings:
    """Read the file (hub.yaml where `config` is None and there is one) and put the options over it.

    Raises:
        ConfigError: with every problem of the file and the options.

    """
    problems = Problems()
    settings = read_settings(config, problems)
    settings = replace(
        settings,
        broker=_override(settings.broker, broker, problems),
        rules=tuple(rules) or settings.rules,
        devices=tuple(devices) or settings.devices,
        optional=() if devices else settings.optional,
        state=state or settings.state,
        http=listen_option(settings.http, http, problems),
    )
    if problems:
        raise ConfigError(problems)
    return settings


def read_settings(config: Path | None, problems: Problems) -> Settings:
    """Read the file alone; look into `problems` before using what comes back."""
    path = config or DEFAULT_FILE
    if config is None and not path.exists():
        return Settings()
    if not path.is_file():
        problems.append(Problem(str(path), 0, 0, "no such file", "name the configuration with -c"))
        return Settings()
    node = read_document(path, problems)
    return Settings() if node is None else _settings(Section(node, problems, "hub.yaml"), path.parent)


def _settings(section: Section, base: Path) -> Settings:
    default = Settings()
    devices = (base / "devices",)

    def path(node: Node) -> Path:
        return _path(node, base)

    made = Settings(
        broker=_broker(section, base),
        rules=section.take("rules", list_of(path), (base / "rules",)),
        devices=section.take("devices", list_of(path), devices),
        optional=devices,
        state=section.take("state", path, base / default.state),
        publish_prefix=section.take("publish_prefix", _prefix, default.publish_prefix),
        http=read_http(section.get("http"), section.problems, path),
        sources=read_sources(section.get("sources"), section.problems),
        discovery=_discovery(section),
        rebirth=_rebirth(section),
        self_watch=read_self_watch(section.get("self_watch"), section.problems),
        heartbeat=read_heartbeat(section.get("heartbeat"), section.problems),
        tracing=read_tracing(section.get("tracing"), section.problems),
        path=Path(section.node.path),
    )
    section.finish()
    return made


def _path(node: Node, base: Path) -> Path:
    name = text(node)
    if not name or not name.isprintable():
        raise Bad(node, f"no file has the name {name!r}")
    try:
        return base / Path(name).expanduser()
    except RuntimeError:
        raise Bad(node, f"{name}: there is no such user") from None


def _broker(parent: Section, base: Path) -> BrokerSettings:
    node = parent.get("broker")
    if node is None:
        return BrokerSettings()
    section = Section(node, parent.problems, "broker")

    def path(node: Node) -> Path:
        found = _path(node, base)
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
        client_id=section.take("client_id", _client_id, made.client_id),
        protocol=section.take("protocol", one_of("5", "3.1.1"), made.protocol),
        session_expiry=section.take("session_expiry", _session_expiry, SESSION_EXPIRY_SECONDS),
        receive_maximum=section.take("receive_maximum", integer(1, RECEIVE_MAXIMUM), RECEIVE_MAXIMUM),
        keep_alive=round(section.take("keep_alive", _keep_alive, float(KEEP_ALIVE_SECONDS))),
        payload_bytes=section.take("payload_bytes", integer(1, 64 << 20), PAYLOAD_BYTES),
    )
    _check_tls(section, made)
    section.finish()
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


def _override(broker: BrokerSettings, url: str | None, problems: Problems) -> BrokerSettings:
    """Put an address over the file's; user and password stay unless the URL has its own."""
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


def _prefix(node: Node) -> str:
    prefix = text(node).strip("/")
    if why := check_topic(prefix):
        raise Bad(node, f"not a topic to publish below: {why}")
    return prefix


def _discovery(parent: Section) -> str:
    """Read `homeassistant`, or `{homeassistant: {prefix: …}}`; the word is the usual prefix, too."""
    node = parent.get("discovery")
    if node is None or not isinstance(node.value, dict):
        return parent.take("discovery", one_of(_HOME_ASSISTANT), "")
    outer = Section(node, parent.problems, "discovery")
    inner = outer.get(_HOME_ASSISTANT)
    outer.finish()
    if inner is None:
        return _HOME_ASSISTANT
    section = Section(inner, parent.problems, _HOME_ASSISTANT)
    prefix = section.take("prefix", _prefix, _HOME_ASSISTANT)
    section.finish()
    return prefix


def _rebirth(parent: Section) -> bool:
    node = parent.get("sparkplug")
    if node is None:
        return False
    section = Section(node, parent.problems, "sparkplug")
    made = section.take("rebirth", boolean, default=False)
    section.finish()
    return made
