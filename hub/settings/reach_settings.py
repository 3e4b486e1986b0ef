"""The parts of hub.yaml by which a running hub is reached: its broker, its topics, its HTTP interface, and no others.

A command such as `hub ack` sends one request. It must neither wait until the whole file is read and checked, nor fail
for a mistake in a part that it does not use: `hub check` and `hub run` report such mistakes.
"""

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from hub.documents.document import Node, Problems, read_document
from hub.documents.value_schema import TEXT, with_schema
from hub.errors import ConfigError, Problem
from hub.fields import Bad, Key, KeyTable, Section, late, text
from hub.ingest.mqtt.session import BrokerSettings
from hub.ingest.topics import check_topic
from hub.settings.broker_settings import BROKER, broker_option, read_broker_access
from hub.settings.http_settings import HTTP, HttpSettings, read_http

__all__ = [
    "BROKER_KEY",
    "DEFAULT_FILE",
    "HTTP_KEY",
    "PREFIX",
    "PREFIX_KEY",
    "ReachSettings",
    "file_name",
    "load_http",
    "load_reach",
    "open_settings",
    "topic_prefix",
]

DEFAULT_FILE = Path("hub.yaml")
PREFIX = "hub"
"""The prefix of the hub's own topics, where hub.yaml names no other."""
_OVER_MQTT, _OVER_HTTP = frozenset({"broker", "publish_prefix"}), frozenset({"http"})


@dataclass(frozen=True, slots=True)
class ReachSettings:
    """How to reach the hub of these settings; `http` is used only where its broker's protocol has no responses."""

    broker: BrokerSettings = field(default_factory=BrokerSettings)
    publish_prefix: str = PREFIX
    http: HttpSettings = field(default_factory=HttpSettings)
    path: Path | None = None
    """The file, where it names the broker: one that an option names may be another hub's."""


def load_reach(config: Path | None, broker: str | None) -> ReachSettings:
    """Read how to ask the hub of a settings file (hub.yaml where `config` is None and there is one).

    Raises:
        ConfigError: with every problem of the keys that are read, and of `--broker`; of no others.

    """
    problems = Problems()
    section = open_settings(config, problems)
    if section is None:
        made = ReachSettings(broker_option(BrokerSettings(), broker, problems))
    else:
        path = partial(file_name, base=_folder(config))
        at = broker_option(read_broker_access(section.get(BROKER_KEY), problems, path), broker, problems)
        wanted = _OVER_MQTT
        made = ReachSettings(at, section.take(PREFIX_KEY), path=None if broker else Path(section.node.path))
        if at.protocol != "5" and broker is None:
            wanted |= _OVER_HTTP
            made = replace(made, http=read_http(section.get(HTTP_KEY), problems, path))
        problems = Problems(each for each in problems if _concerns(each, section.node, wanted))
    if problems:
        raise ConfigError(problems)
    return made


def load_http(config: Path | None) -> HttpSettings:
    """Read where the hub of a settings file speaks HTTP.

    Raises:
        ConfigError: with every problem of the key `http`; of no others.

    """
    problems = Problems()
    section = open_settings(config, problems)
    made = HttpSettings()
    if section is not None:
        made = read_http(section.get(HTTP_KEY), problems, partial(file_name, base=_folder(config)))
        problems = Problems(each for each in problems if _concerns(each, section.node, _OVER_HTTP))
    if problems:
        raise ConfigError(problems)
    return made


def _folder(config: Path | None) -> Path:
    return (config or DEFAULT_FILE).parent


def _concerns(problem: Problem, root: Node, wanted: frozenset[str]) -> bool:
    """Tell whether a problem stands under one of these keys; a problem without a place concerns an option.

    YAML is read as a whole, so a secret that is not set is a problem wherever it stands; it counts only under a key.
    """
    if problem.path != root.path:
        return True
    above = [(place, key) for key, place in root.keys.items() if place <= (problem.line, problem.column)]
    return not above or max(above)[1] in wanted


def open_settings(config: Path | None, problems: Problems, table: KeyTable | None = None) -> Section | None:
    """Open the file; None where there is none, or it cannot be read, which is a problem then.

    `table` has the keys where all of the file is read.
    """
    path = config or DEFAULT_FILE
    if config is None and not path.exists():
        return None
    if not path.is_file():
        problems.append(Problem(str(path), 0, 0, "no such file", "name the configuration with -c"))
        return None
    node = read_document(path, problems)
    return None if node is None else Section(node, problems, "hub.yaml", table)


def file_name(node: Node, base: Path) -> Path:
    """Read the name of a file; a relative one is below `base`."""
    name = text(node)
    if not name or not name.isprintable():
        raise Bad(node, f"no file has the name {name!r}")
    try:
        return base / Path(name).expanduser()
    except RuntimeError:
        raise Bad(node, f"{name}: there is no such user") from None


@with_schema(TEXT)
def topic_prefix(node: Node) -> str:
    """Read what topics of the hub begin with."""
    prefix = text(node).strip("/")
    if why := check_topic(prefix):
        raise Bad(node, f"not a topic to publish below: {why}")
    return prefix


BROKER_KEY = Key("broker", late, None, "The MQTT broker.", schema=BROKER.schema)
PREFIX_KEY = Key(
    "publish_prefix", topic_prefix, PREFIX, "Everything that the hub says about itself is published below it.", "hub"
)
HTTP_KEY = Key(
    "http",
    late,
    None,
    "The HTTP interface; false switches it off.",
    schema={"anyOf": [{"const": False}, HTTP.schema]},
)
