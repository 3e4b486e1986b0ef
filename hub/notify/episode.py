"""What notifications of one episode have in common, and which of them says what."""

from hub.model import Notification, Phase

__all__ = ["episode", "is_end", "is_firing", "is_group"]

_FIRING, _RESOLVED = Phase.FIRING.value, Phase.RESOLVED.value


def episode(identity: str) -> str:
    """Return what the ids of one episode have in common, from one of them.

    A group's message is `{mark}-{episode}-group-{serial}`. One of an earlier version is `{mark}-{serial}-group`, of
    which only the mark is common to all.
    """
    parts = identity.split("-")
    return parts[0] if parts[-1] == "group" else "-".join(parts[:2])


def is_firing(notification: Notification) -> bool:
    """Tell whether it says that something fires: the first message, a repetition, an escalation."""
    return bool(notification.body.get("state") == _FIRING)


def is_end(notification: Notification) -> bool:
    """Tell whether it says that something is over."""
    return bool(notification.body.get("state") == _RESOLVED)


def is_group(notification: Notification) -> bool:
    """Tell whether it tells of several alerts or events, each in `alerts`."""
    return "alerts" in notification.body
