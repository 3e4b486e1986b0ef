"""Makes rules of detector models of AWS IoT Events, a service that ended in May 2026."""

from hub.importers.iotevents.awsiotevents import read_awsiotevents

__all__ = ["read_awsiotevents"]
