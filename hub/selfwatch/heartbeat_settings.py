"""`self_watch` and `heartbeat` of hub.yaml: who is told of the hub's own alerts, and where its sign of life goes."""

from dataclasses import dataclass, field
from pathlib import Path

from yarl import URL

from hub.documents.document import Node, Problems
from hub.documents.secret import Secret
from hub.documents.value_schema import LASTING, NAMES, TEXT, with_schema
from hub.fields import Bad, Key, KeyTable, Section, boolean, duration, late, one_of, secret
from hub.limits import HEARTBEAT_EVERY_SECONDS, HEARTBEAT_LEAST_SECONDS

__all__ = [
    "CLUSTER_RULES",
    "HEARTBEAT",
    "RULES",
    "SELF_WATCH",
    "HeartbeatSettings",
    "SelfWatchSettings",
    "read_heartbeat",
    "read_self_watch",
]

RULES = Path(__file__).parent / "rules.yaml"
"""The rules that ship."""
CLUSTER_RULES = Path(__file__).parent / "cluster_rules.yaml"
"""What ships for a cluster beside them."""


@dataclass(frozen=True, slots=True)
class SelfWatchSettings:
    """Whether the shipped rules are at work; whom they tell is known when the receivers are."""

    enabled: bool = True
    notify: Node | None = field(default=None, compare=False, repr=False)
    """As it is written; None: `defaults.notify` of the rule files."""


@dataclass(frozen=True, slots=True)
class HeartbeatSettings:
    """Where the sign of life goes; the URL is secret as a whole. `every`: seconds."""

    url: Secret
    every: float = HEARTBEAT_EVERY_SECONDS
    method: str = "GET"


def read_self_watch(node: Node | None, problems: Problems) -> SelfWatchSettings:
    """Read `{enabled: true, notify: [chat]}`."""
    if node is None:
        return SelfWatchSettings()
    section = Section(node, problems, "self_watch", SELF_WATCH)
    made = SelfWatchSettings(section.take(_ENABLED), section.get(_NOTIFY))
    section.finish()
    return made


def read_heartbeat(node: Node | None, problems: Problems) -> HeartbeatSettings | None:
    """Read `{url: …, every: 1m, method: GET}`."""
    if node is None:
        return None
    section = Section(node, problems, "heartbeat", HEARTBEAT)
    made = HeartbeatSettings(
        section.take(_URL),
        section.take(_EVERY),
        section.take(_METHOD),
    )
    section.finish()
    return made


@with_schema(TEXT)
def _url(node: Node) -> Secret:
    found = secret(node)
    try:
        url = URL(found.reveal())
        good = url.scheme in ("http", "https") and bool(url.host)
    except ValueError:
        good = False
    if not good:
        raise Bad(node, "is no HTTP URL", "write it as https://host/path, better with !env or !file")
    return found


@with_schema(LASTING)
def _every(node: Node) -> float:
    seconds = duration(node)
    if not HEARTBEAT_LEAST_SECONDS <= seconds <= 86400:
        raise Bad(node, f"must be from {HEARTBEAT_LEAST_SECONDS:.0f}s to 1d")
    return seconds


_ENABLED = Key("enabled", boolean, True, "Whether the rules that ship, about the hub itself, are at work.", usual=True)
_NOTIFY: Key[Node | None] = Key(
    "notify",
    late,  # which receivers there are is known when the rule files are read
    None,
    "Whom they tell; without it `defaults.notify` of the rule files.",
    ["chat"],
    schema=NAMES,
)
SELF_WATCH = KeyTable("self_watch", _ENABLED, _NOTIFY)

_URL = Key("url", _url, Secret(""), "Where it goes; a secret, better from !env NAME or !file PATH.", required=True)
_EVERY = Key("every", _every, HEARTBEAT_EVERY_SECONDS, "How often.", "1m")
_METHOD = Key("method", one_of("GET", "HEAD", "POST"), "GET", "The request.", usual="GET")
HEARTBEAT = KeyTable("heartbeat", _URL, _EVERY, _METHOD)
