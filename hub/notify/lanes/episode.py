"""What a notification says, by its body: firing, end or group. What its id says is in hub.ids."""

from hub.model import Notification, Phase

__all__ = ["is_end", "is_firing", "is_group"]

_FIRING, _RESOLVED = Phase.FIRING.value, Phase.RESOLVED.value


def is_firing(notification: Notification) -> bool:
    """Tell whether it says that something fires: the first message, a repetition, an escalation."""
    return bool(notification.body.get("state") == _FIRING)


def is_end(notification: Notification) -> bool:
    """Tell whether it says that something is over."""
    return bool(notification.body.get("state") == _RESOLVED)


def is_group(notification: Notification) -> bool:
    """Tell whether it tells of several alerts or events, each in `alerts`."""
    return "alerts" in notification.body
