"""The values in answers that only HTTP has: rules, devices, receivers, topics, history, audit; as programs read them.

The OpenAPI document is made of these types. Fields are only ever added.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from hub.contracts.json_schema import Also, Time, means

__all__ = [
    "AuditBody",
    "ClusterBody",
    "DeviceBody",
    "HistoryBody",
    "LastEventBody",
    "ReceiverBody",
    "RuleBody",
    "SeriesBody",
]


class ReceiverBody(TypedDict):
    """A receiver: what waits for it, and what came of its last attempts."""

    name: str
    kind: str
    queued: int
    dead: int
    state: Annotated[Literal["works", "fails", "untried"], means("By the last attempt; `untried`: there was none.")]
    circuit: Literal["closed", "open", "half-open"]
    delivered: int
    last_delivered: Time | None
    failed_attempts: int
    last_error: str
    last_error_at: Time | None


class RuleBody(TypedDict):
    """A rule in force with its counts; `clear`, `absent`, `by`, `unless` only if one rule is asked for."""

    name: str
    kind: Literal["alert", "event"]
    topics: list[str]
    when: str | None
    severity: str
    notify: list[str]
    shadow: bool
    enabled: bool
    file: str
    line: int
    instances: int
    firing: int
    pending: int
    evaluations: int
    matches: int
    cost_microseconds: float | None
    errors: int
    last_error: str
    clear: NotRequired[str | None]
    absent: NotRequired[float | None]
    by: NotRequired[list[str]]
    unless: NotRequired[list[str]]


class DeviceBody(TypedDict):
    """A device that was heard or is registered: when it was heard, and whether it keeps its interval."""

    device: str
    topics: list[str]
    attributes: Mapping[str, Any]
    last_seen: Time | None
    interval_seconds: float | None
    presence: Literal["online", "late", "silent", "unknown"]
    registered: bool


class LastEventBody(TypedDict):
    """The last message of a topic."""

    topic: str
    payload: Any
    time: Time


class SeriesBody(TypedDict):
    """The last numbers of one field of a topic; a point is its time in seconds since 1970, and the number."""

    topic: str
    field: str
    points: list[Annotated[list[float], Also({"minItems": 2, "maxItems": 2})]]


class HistoryBody(TypedDict):
    """One entry of the trace; further fields depend on `kind`."""

    row: int
    time: Time
    kind: str
    alertname: str
    fingerprint: str
    notification: str | None


class AuditBody(TypedDict):
    """Who has changed what, when, and by which way."""

    row: int
    time: Time
    actor: str
    via: str
    action: str
    detail: Mapping[str, Any]


class UnitBody(TypedDict):
    """What has one owner at a time; in this edition the whole hub."""

    unit: str
    owner: str | None
    since: Time | None
    applied: int
    lag_seconds: float


class NodeBody(TypedDict):
    """A node of a cluster, as it says of itself, or as it was known before it was gone."""

    node: str
    alive: bool
    role: Literal["owner", "standby", "stuck", "left", "gone"]
    since: Time | None
    version: str | None
    rules: Annotated[str | None, means("A hash of its rule and fleet files.")]
    applied: int | None
    lag: Annotated[int | None, means("Records of the log that it has yet to apply.")]
    lag_seconds: float | None
    trouble: Annotated[str, means("Why it cannot follow the log.")]
    address: str


class LogBody(TypedDict):
    """The log on each NATS server, and how much room it may take."""

    bytes: int | None
    max_bytes: int | None
    percent: float | None


class SnapshotBody(TypedDict):
    """The newest snapshot beside the log."""

    record: int
    node: str
    made: Time
    bytes: int


class ClusterBody(TypedDict):
    """A cluster: all its nodes, as `hub cluster status --json` shows them."""

    name: str
    units: list[UnitBody]
    nodes: list[NodeBody]
    log: LogBody
    snapshot: SnapshotBody | None
