"""The receiver of what the hub says about itself: alert states and events below its own prefix, on the broker.

It is none a user configures, but takes the same sure way: outbox, order per alert, retry.
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
        """Publish by way of this one."""
        self._publisher = publisher

    async def send(self, notification: Notification) -> Outcome:
        """Publish at QoS 1."""
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
        """Nothing to give back."""
