"""What a browser asks of the hub about push: the key to subscribe with, to subscribe, to unsubscribe."""

from hub.commands.contract import PushLeft, SubscriptionRequest
from hub.commands.request import Request
from hub.contracts.answered import PushAnswer, PushKeyAnswer
from hub.errors import Code, RequestError
from hub.notify.subscribers import Subscribers, read_subscription

__all__ = ["key", "subscribe", "unsubscribe"]


def key(subscribers: Subscribers) -> PushKeyAnswer:
    """Return the public key, as `PushManager.subscribe` takes it; "" where no receiver sends push messages."""
    return {"ok": True, "key": subscribers.public_key, "subscribers": len(subscribers.all)}


def subscribe(subscribers: Subscribers, request: Request, now: float) -> PushAnswer:
    """Take a browser's subscription.

    Raises:
        RequestError: it cannot be read, or there are too many.

    """
    subscribers.add(read_subscription(request, SubscriptionRequest(request).name(""), now))
    return {"ok": True, "subscribers": len(subscribers.all)}


def unsubscribe(subscribers: Subscribers, request: Request, _now: float) -> PushAnswer:
    """Forget a subscription by its endpoint.

    Raises:
        RequestError: there is none.

    """
    endpoint = PushLeft(request).endpoint
    if not isinstance(endpoint, str) or not subscribers.remove(endpoint):
        raise RequestError("there is no such subscription", Code.MISSING)
    return {"ok": True, "subscribers": len(subscribers.all)}
