"""Which session speaks to the broker: MQTT 5, or 3.1.1 where `broker.protocol` says so."""

from collections.abc import Callable

from hub.ingest.mqtt.session import BrokerSettings, Session, Will
from hub.ingest.mqtt.session5 import Session5
from hub.ingest.mqtt.session311 import Session311
from hub.ingest.source import Notice

__all__ = ["open_session"]


def open_session(settings: BrokerSettings, will: Will | None, on_notice: Callable[[Notice], None]) -> Session:
    """Return a session that is not connected yet: `run` connects it.

    Raises:
        HubError: the TLS files cannot be used.

    """
    kind = Session311 if settings.protocol == "3.1.1" else Session5
    return kind(settings, will, on_notice)
