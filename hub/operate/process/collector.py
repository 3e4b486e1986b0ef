"""Sends the hub's spans to an OpenTelemetry collector, by OTLP over HTTP, from a thread of its own.

The hub has made the spans with their ids and times. Here they become the SDK's and wait in its bounded queue. A span
that finds no room or no collector is lost: alerts must not wait for somebody who watches. This module is imported only
if hub.yaml has `tracing`.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from hub import __version__
from hub.app import App
from hub.limits import TRACE_BATCH, TRACE_CLOSE_SECONDS, TRACE_FLUSH_SECONDS, TRACE_QUEUE, TRACE_TIMEOUT_SECONDS
from hub.tracing.context import TraceContext
from hub.tracing.spans import Span
from hub.tracing.tracing_settings import TracingSettings

__all__ = ["Collector"]

_KINDS = {"consumer": SpanKind.CONSUMER, "internal": SpanKind.INTERNAL, "producer": SpanKind.PRODUCER}
_SCOPE = InstrumentationScope("hub", __version__)
_NAME = "mqtt-notification-hub"


class Collector:
    """Takes spans without ever waiting; its `run`, beside the hub, tells when the collector cannot be reached."""

    name = "traces"

    def __init__(self, settings: TracingSettings, client_id: str) -> None:
        """Make the exporter and its queue; nothing is sent yet. `client_id` becomes `service.instance.id`."""
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # `run` tells a failure, once
        attributes = {"service.version": __version__, "service.instance.id": client_id}
        if settings.service or not os.environ.get("OTEL_SERVICE_NAME"):
            attributes["service.name"] = settings.service or _NAME
        self._resource = Resource.create(attributes)
        headers = {name: value.reveal() for name, value in settings.headers}
        exporter = OTLPSpanExporter(settings.endpoint or None, headers=headers or None, timeout=TRACE_TIMEOUT_SECONDS)
        self._watched = _Watched(exporter)
        self._processor = BatchSpanProcessor(self._watched, TRACE_QUEUE, TRACE_FLUSH_SECONDS * 1000, TRACE_BATCH)

    def take(self, span: Span) -> None:
        """Queue a span; the SDK drops it if its queue is full."""
        readable = ReadableSpan(
            span.name,
            _context(span.context),
            parent=_remote(span.context.trace, span.parent) if span.parent else None,
            resource=self._resource,
            attributes=span.attributes,
            links=[Link(_context(each)) for each in span.links],
            kind=_KINDS[span.kind],
            status=Status(StatusCode.ERROR, span.error) if span.error else Status(),
            start_time=int(span.start * 1e9),
            end_time=int(span.end * 1e9),
            instrumentation_scope=_SCOPE,
        )
        self._processor.on_end(readable)

    async def run(self, app: App) -> None:
        """Tell when the collector stops taking spans, and when it takes them again."""
        changed, loop = asyncio.Event(), asyncio.get_running_loop()
        self._watched.on_change = lambda: loop.call_soon_threadsafe(changed.set)
        try:
            while True:
                await changed.wait()
                changed.clear()
                if self._watched.failing:
                    app.observer.trouble("traces", "the collector does not take them; until it does, they are lost")
                else:
                    app.observer.trouble("traces", "the collector takes them again")
        finally:
            self._watched.on_change = lambda: None

    def close(self) -> None:
        """Send what waits, for at most TRACE_CLOSE_SECONDS: the hub must end even if the collector hangs."""
        ending = threading.Thread(target=self._processor.shutdown, name="traces end", daemon=True)
        ending.start()
        ending.join(TRACE_CLOSE_SECONDS)


class _Watched(SpanExporter):
    """Exports in the processor's thread, and calls `on_change` when that begins or ends to fail."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner
        self.failing = False
        self.on_change: Callable[[], object] = lambda: None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch."""
        result = self._inner.export(spans)
        failing = result is not SpanExportResult.SUCCESS
        if failing != self.failing:
            self.failing = failing
            self.on_change()
        return result

    def shutdown(self) -> None:
        """Wait for the batch that is being sent."""
        self._inner.shutdown()


def _context(context: TraceContext) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if context.sampled else TraceFlags.DEFAULT)
    return SpanContext(int(context.trace, 16), int(context.span, 16), is_remote=False, trace_flags=flags)


def _remote(trace: str, span: str) -> SpanContext:
    return SpanContext(int(trace, 16), int(span, 16), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
