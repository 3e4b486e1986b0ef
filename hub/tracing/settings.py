"""`tracing` of hub.yaml: where spans go, and how many events begin a trace of their own."""

from dataclasses import dataclass
from importlib.util import find_spec

from yarl import URL

from hub.document import Node, Problems
from hub.fields import Bad, Section, number, secret, text
from hub.limits import TRACE_SAMPLE
from hub.secret import Secret

__all__ = ["TracingSettings", "read_tracing"]

_EXTRA = "pip install 'mqtt-notification-hub[otel]'"
_NEEDED = ("opentelemetry", "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


@dataclass(frozen=True, slots=True)
class TracingSettings:
    """What is empty is left to OpenTelemetry's own variables (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME, …).

    `sample` is the share, 0 to 1, of the events without a `traceparent` that begin a trace.
    """

    endpoint: str = ""
    sample: float = TRACE_SAMPLE
    service: str = ""
    headers: tuple[tuple[str, Secret], ...] = ()


def read_tracing(node: Node | None, problems: Problems) -> TracingSettings | None:
    """Read `{endpoint: http://…:4318, sample: 0.1, service: hub, headers: {…}}`; None where there is none."""
    if node is None:
        return None
    section = Section(node, problems, "tracing")
    made = TracingSettings(
        section.take("endpoint", _endpoint, ""),
        section.take("sample", _share, TRACE_SAMPLE),
        section.take("service", text, ""),
        section.take("headers", _headers, ()),
    )
    section.finish()
    if not _installed():
        section.report(node.problem("traces need OpenTelemetry, which is not installed", _EXTRA))
    return made


def _installed() -> bool:
    try:
        return all(find_spec(name) for name in _NEEDED)
    except ModuleNotFoundError:
        return False


def _endpoint(node: Node) -> str:
    found = text(node).rstrip("/")
    try:
        url = URL(found)
        good = url.scheme in ("http", "https") and bool(url.host) and not url.query_string
    except ValueError:
        good = False
    if not good:
        raise Bad(node, "is no place for traces", "write it as http://collector:4318")
    return found if found.endswith("/v1/traces") else f"{found}/v1/traces"


def _share(node: Node) -> float:
    share = number(node)
    if not 0 <= share <= 1:
        raise Bad(node, "must be from 0 to 1", "0.1 traces every tenth event")
    return share


def _headers(node: Node) -> tuple[tuple[str, Secret], ...]:
    if not isinstance(node.value, dict):
        raise Bad(node, "must be a mapping of header names to values")
    return tuple((name, secret(child)) for name, child in node.value.items())
