"""Traces: a device's trace goes on through the hub. `context` reads and writes W3C Trace Context, `spans` makes spans.

The package does not import OpenTelemetry: `hub.operate.process.collector` takes the spans and sends them.
"""
