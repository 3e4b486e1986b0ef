"""The receiver of what the hub says on the broker below its own prefix: alert states and events.

No user configures it, but its notifications are as durable as all others: outbox, order per alert, retry.
"""

import orjson

from hub.errors import PublishRefused, SessionError
from hub.ingest.source import Publisher
from hub.limits import BROKER_PATIENCE_SECONDS
from hub.model import OWN, Delivered, Notification, Outcome, Rejected, Retry
from hub.notify.receiver import ReceiverSettings

__all__ = ["OWN_SETTINGS", "Own"]

OWN_SETTINGS = ReceiverSettings(OWN, "own", None, timeout=BROKER_PATIENCE_SECONDS, concurrency=32, breaker=0)


class Own:
    """Publishes `topic`, `payload` (JSON; None empties a retained topic) and `retain` of a notification's body."""

    def __init__(self, publisher: Publisher) -> None:
        """Publish with the session of the hub's broker."""
        self._publisher = publisher

    async def send(self, notification: Notification) -> Outcome:
        """Publish at QoS 1; a session that is away is Retry, a broker that refuses the message is Rejected."""
        body = notification.body
        payload = b"" if body["payload"] is None else orjson.dumps(body["payload"])
        try:
            await self._publisher.publish(body["topic"], payload, 1, body["retain"])
        except PublishRefused as error:
            return Rejected(str(error))
        except SessionError as error:
            return Retry(str(error))
        return Delivered()

    async def close(self) -> None:
        """Close nothing: the session is the hub's."""
