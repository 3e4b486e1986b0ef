"""Which session speaks to the broker: MQTT 5, or 3.1.1 where `broker.protocol` says so."""

from collections.abc import Callable

from hub.ingest.mqtt.session import BrokerSettings, Session, Will
from hub.ingest.mqtt.session5 import Session5
from hub.ingest.source import Notice

__all__ = ["open_session"]


def open_session(
    settings: BrokerSettings,
    will: Will | None,
    on_notice: Callable[[Notice], None],
    may_connect: Callable[[], bool] | None = None,
) -> Session:
    """Return a session that is not connected yet: `run` connects it, whenever `may_connect` says that it may.

    Raises:
        HubError: the TLS files cannot be used.

    """
    if settings.protocol != "3.1.1":
        return Session5(settings, will, on_notice, may_connect)
    # it imports aiomqtt and paho, 80 ms of every `hub ack`: only users whose broker speaks nothing newer pay for that
    from hub.ingest.mqtt.session311 import Session311  # noqa: PLC0415 - see above

    return Session311(settings, will, on_notice, may_connect)
