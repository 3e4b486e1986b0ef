"""`tracing` of hub.yaml: where spans go, and how many events begin a trace of their own."""

from dataclasses import dataclass
from importlib.util import find_spec

from yarl import URL

from hub.documents.document import Node, Problems
from hub.documents.secret import Secret
from hub.documents.value_schema import TEXT, with_schema
from hub.fields import Bad, Key, KeyTable, Section, number, secret, text
from hub.limits import TRACE_SAMPLE

__all__ = ["TRACING", "TracingSettings", "read_tracing"]

_EXTRA = "pip install 'mqtt-notification-hub[otel]'"
_NEEDED = ("opentelemetry", "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


@dataclass(frozen=True, slots=True)
class TracingSettings:
    """Where spans are sent, and how the hub is called there.

    For a field that is empty, OpenTelemetry's own variables count (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME, …).
    `sample` is the share, 0 to 1, of the events without a `traceparent` that begin a trace.
    """

    endpoint: str = ""
    sample: float = TRACE_SAMPLE
    service: str = ""
    headers: tuple[tuple[str, Secret], ...] = ()


def read_tracing(node: Node | None, problems: Problems) -> TracingSettings | None:
    """Read `{endpoint: http://…:4318, sample: 0.1, service: hub, headers: {…}}`; None where hub.yaml has none."""
    if node is None:
        return None
    section = Section(node, problems, "tracing", TRACING)
    settings = TracingSettings(
        section.take(_ENDPOINT),
        section.take(_SAMPLE),
        section.take(_SERVICE),
        section.take(_HEADERS),
    )
    section.finish()
    if not _installed():
        section.report(node.problem("traces need OpenTelemetry, which is not installed", _EXTRA))
    return settings


def _installed() -> bool:
    try:
        return all(find_spec(name) for name in _NEEDED)
    except ModuleNotFoundError:
        return False


@with_schema(TEXT)
def _endpoint(node: Node) -> str:
    """Read the collector's URL; where its path does not end with OTLP's own /v1/traces, that is added."""
    address = text(node).rstrip("/")
    try:
        url = URL(address)
        good = url.scheme in ("http", "https") and bool(url.host) and not url.query_string
    except ValueError:
        good = False
    if not good:
        raise Bad(node, "is no URL of a collector", "write it as http://collector:4318")
    return address if address.endswith("/v1/traces") else f"{address}/v1/traces"


@with_schema({"type": "number", "minimum": 0, "maximum": 1})
def _share(node: Node) -> float:
    share = number(node)
    if not 0 <= share <= 1:
        raise Bad(node, "must be from 0 to 1", "0.1 traces every tenth event")
    return share


@with_schema({"type": "object", "additionalProperties": TEXT})
def _headers(node: Node) -> tuple[tuple[str, Secret], ...]:
    if not isinstance(node.value, dict):
        raise Bad(node, "must be a mapping of header names to values")
    return tuple((name, secret(child)) for name, child in node.value.items())


_ENDPOINT = Key("endpoint", _endpoint, "", "The collector, by OTLP over HTTP.", "http://localhost:4318")
_SAMPLE = Key("sample", _share, TRACE_SAMPLE, "Share of the events without a traceparent that begin a trace.", 0.1)
_SERVICE = Key("service", text, "", "What the hub is called there.", "mqtt-notification-hub")
_HEADERS: Key[tuple[tuple[str, Secret], ...]] = Key(
    "headers", _headers, (), "Sent along, such as a login; a secret, better from !env NAME or !file PATH."
)
TRACING = KeyTable("tracing", _ENDPOINT, _SAMPLE, _SERVICE, _HEADERS)
