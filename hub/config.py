"""Reads hub.yaml and the options of the command line into typed settings; the whole file is checked at the start."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from hub.documents.document import Problems
from hub.documents.value_schema import NAMES, TEXT
from hub.errors import ConfigError
from hub.fields import Key, KeyTable, Section, boolean, late, list_of, one_of
from hub.ingest.mqtt.session import BrokerSettings
from hub.selfwatch.heartbeat_settings import (
    HEARTBEAT,
    SELF_WATCH,
    HeartbeatSettings,
    SelfWatchSettings,
    read_heartbeat,
    read_self_watch,
)
from hub.settings.broker_settings import broker_option, parse_broker_url, read_broker
from hub.settings.cluster_settings import CLUSTER, ClusterSettings, read_cluster
from hub.settings.http_settings import AccessToken, HttpSettings, listen_option, parse_address, read_http
from hub.settings.reach_settings import (
    BROKER_KEY,
    DEFAULT_FILE,
    HTTP_KEY,
    PREFIX,
    PREFIX_KEY,
    file_name,
    open_settings,
    topic_prefix,
)
from hub.sources.source_settings import SourceSettings, read_sources, sources_schema
from hub.tracing.tracing_settings import TRACING, TracingSettings, read_tracing

__all__ = [
    "SETTINGS",
    "AccessToken",
    "HttpSettings",
    "Settings",
    "load_settings",
    "parse_address",
    "parse_broker_url",
    "read_settings",
]

_HOME_ASSISTANT = "homeassistant"


@dataclass(frozen=True, slots=True)
class Settings:
    """All of hub.yaml. Paths in the file are relative to it, paths of the command line to the working folder."""

    broker: BrokerSettings = field(default_factory=BrokerSettings)
    rules: tuple[Path, ...] = (Path("rules"),)
    devices: tuple[Path, ...] = (Path("devices"),)
    optional: tuple[Path, ...] = (Path("devices"),)
    """Which of `devices` need not exist; each is read as soon as it does."""
    state: Path = Path("hub.db")
    publish_prefix: str = PREFIX
    http: HttpSettings = field(default_factory=HttpSettings)
    sources: tuple[SourceSettings, ...] = ()
    discovery: str = ""
    """The prefix of Home Assistant's discovery topics; empty: alerts are not announced there."""
    rebirth: bool = False
    """Whether the hub asks a Sparkplug node for its birth where a message cannot be read without it."""
    self_watch: SelfWatchSettings = field(default_factory=SelfWatchSettings)
    heartbeat: HeartbeatSettings | None = None
    tracing: TracingSettings | None = None
    cluster: ClusterSettings | None = None
    """None: a single hub."""
    path: Path = field(default=DEFAULT_FILE, compare=False)
    """The file."""

    def fleets(self) -> list[Path]:
        """Return those of `devices` that exist or must exist."""
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
    """Read the file (hub.yaml where `config` is None and there is one); options replace its values.

    Raises:
        ConfigError: with every problem of the file and the options.

    """
    problems = Problems()
    settings = read_settings(config, problems)
    settings = replace(
        settings,
        broker=broker_option(settings.broker, broker, problems),
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
    section = open_settings(config, problems, SETTINGS)
    return Settings() if section is None else _settings(section, (config or DEFAULT_FILE).parent)


def _settings(section: Section, base: Path) -> Settings:
    default, devices, path = Settings(), (base / "devices",), partial(file_name, base=base)
    broker = read_broker(section.get(BROKER_KEY), section.problems, path)
    made = Settings(
        broker=broker,
        rules=section.take(_RULES, list_of(path), (base / "rules",)),
        devices=section.take(_DEVICES, list_of(path), devices),
        optional=devices,
        state=section.take(_STATE, path, base / default.state),
        publish_prefix=section.take(PREFIX_KEY),
        http=read_http(section.get(HTTP_KEY), section.problems, path),
        sources=read_sources(section.get(_SOURCES), section.problems),
        discovery=_discovery(section),
        rebirth=_rebirth(section),
        self_watch=read_self_watch(section.get(_SELF_WATCH), section.problems),
        heartbeat=read_heartbeat(section.get(_HEARTBEAT), section.problems),
        tracing=read_tracing(section.get(_TRACING), section.problems),
        cluster=read_cluster(section.get(_CLUSTER), section.problems, path, broker.client_id),
        path=Path(section.node.path),
    )
    section.finish()
    return made


def _discovery(parent: Section) -> str:
    """Read `homeassistant`, or `{homeassistant: {prefix: …}}`; the bare word stands for the usual prefix."""
    node = parent.get(_DISCOVERY)
    if node is None or not isinstance(node.value, dict):
        return parent.take(_DISCOVERY)
    outer = Section(node, parent.problems, "discovery", DISCOVERY)
    inner = outer.get(_OF_HOME_ASSISTANT)
    outer.finish()
    if inner is None:
        return _HOME_ASSISTANT
    section = Section(inner, parent.problems, _HOME_ASSISTANT, HOME_ASSISTANT)
    prefix = section.take(_DISCOVERY_PREFIX)
    section.finish()
    return prefix


def _rebirth(parent: Section) -> bool:
    node = parent.get(_SPARKPLUG)
    if node is None:
        return False
    section = Section(node, parent.problems, "sparkplug", SPARKPLUG)
    made = section.take(_REBIRTH)
    section.finish()
    return made


_DISCOVERY_PREFIX = Key("prefix", topic_prefix, _HOME_ASSISTANT, "Its prefix of discovery topics.", "homeassistant")
HOME_ASSISTANT = KeyTable("homeassistant", _DISCOVERY_PREFIX)
_OF_HOME_ASSISTANT = Key(_HOME_ASSISTANT, late, None, "Of Home Assistant.", schema=HOME_ASSISTANT.schema)
DISCOVERY = KeyTable("discovery", _OF_HOME_ASSISTANT)
_REBIRTH = Key(
    "rebirth",
    boolean,
    False,
    "Ask a node for its birth where what it sends cannot be read without.",
    usual=False,
)
SPARKPLUG = KeyTable("sparkplug", _REBIRTH)


_RULES: Key[tuple[Path, ...]] = Key(
    "rules",
    late,
    (),
    "Rule files and folders, relative to this file.",
    ["rules"],
    schema=NAMES,
    sign=False,  # a rule file has its rules there
)
_DEVICES: Key[tuple[Path, ...]] = Key(
    "devices",
    late,
    (),
    "Fleet files and folders.",
    ["devices"],
    schema=NAMES,
    sign=False,  # a fleet has its devices there
)
_STATE: Key[Path] = Key("state", late, Path("hub.db"), "The state file.", "hub.db", schema=TEXT)
_SOURCES = Key(
    "sources",
    late,
    None,
    "Queues whose messages come to the rules as if by MQTT, by name: one kind, and topic.",
    schema=sources_schema,
)
_DISCOVERY = Key(
    "discovery",
    one_of(_HOME_ASSISTANT),
    "",
    "Announces every alert to Home Assistant.",
    *("homeassistant", {"homeassistant": {"prefix": "homeassistant"}}),
    schema={"anyOf": [{"const": _HOME_ASSISTANT}, DISCOVERY.schema]},
)
_SPARKPLUG = Key("sparkplug", late, None, "Of Sparkplug B.", schema=SPARKPLUG.schema)
_SELF_WATCH = Key("self_watch", late, None, "The hub's own alerts.", schema=SELF_WATCH.schema)
_HEARTBEAT = Key(
    "heartbeat",
    late,
    None,
    "A sign of life to an outside place, sent while the hub is well.",
    schema=HEARTBEAT.schema,
)
_TRACING = Key("tracing", late, None, "OpenTelemetry traces (extra `otel`).", schema=TRACING.schema)
_CLUSTER = Key("cluster", late, None, "Hot standbys on a replicated log (extra `cluster`).", schema=CLUSTER.schema)
SETTINGS = KeyTable(
    "hub.yaml",
    *(BROKER_KEY, _RULES, _DEVICES, _STATE, PREFIX_KEY, HTTP_KEY, _SOURCES, _DISCOVERY, _SPARKPLUG),
    *(_SELF_WATCH, _HEARTBEAT, _TRACING, _CLUSTER),
    words="The settings of the MQTT notification hub; all optional.",
)
"""All of hub.yaml."""
