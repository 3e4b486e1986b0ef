"""hub.yaml and the options of the command line into typed settings; all of the file is checked from the start."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from hub.broker_settings import broker_option, parse_broker_url, read_broker
from hub.document import Problems
from hub.errors import ConfigError
from hub.fields import Section, boolean, list_of, one_of
from hub.http_settings import HttpSettings, Token, listen_option, parse_address, read_http
from hub.ingest.session import BrokerSettings
from hub.reach_settings import DEFAULT_FILE, PREFIX, file_name, open_settings, topic_prefix
from hub.selfwatch.settings import HeartbeatSettings, SelfWatchSettings, read_heartbeat, read_self_watch
from hub.sources.settings import SourceSettings, read_sources
from hub.tracing.settings import TracingSettings, read_tracing

__all__ = ["HttpSettings", "Settings", "Token", "load_settings", "parse_address", "parse_broker_url", "read_settings"]

_HOME_ASSISTANT = "homeassistant"


@dataclass(frozen=True, slots=True)
class Settings:
    """All of hub.yaml. Paths in the file are relative to the file, those of the command line to the working folder."""

    broker: BrokerSettings = field(default_factory=BrokerSettings)
    rules: tuple[Path, ...] = (Path("rules"),)
    devices: tuple[Path, ...] = (Path("devices"),)
    optional: tuple[Path, ...] = (Path("devices"),)
    """Which of `devices` need not be there; they are read once they are."""
    state: Path = Path("hub.db")
    publish_prefix: str = PREFIX
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
    section = open_settings(config, problems)
    return Settings() if section is None else _settings(section, (config or DEFAULT_FILE).parent)


def _settings(section: Section, base: Path) -> Settings:
    default = Settings()
    devices = (base / "devices",)

    path = partial(file_name, base=base)
    made = Settings(
        broker=read_broker(section, path),
        rules=section.take("rules", list_of(path), (base / "rules",)),
        devices=section.take("devices", list_of(path), devices),
        optional=devices,
        state=section.take("state", path, base / default.state),
        publish_prefix=section.take("publish_prefix", topic_prefix, default.publish_prefix),
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
    prefix = section.take("prefix", topic_prefix, _HOME_ASSISTANT)
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
