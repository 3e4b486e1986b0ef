"""What Apprise does not say of its services: what they make of text, how much of it they take, how loud they can be.

The tables go by the name of the plug-in's class. A service that is in none of them is taken for a chat that takes as
much as Apprise says.
"""

import html
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from apprise import NotifyFormat, OverflowMode

from hub.limits import SMS_CHARS
from hub.notify.wording.fitting import BARE, HTML, MAIL, MARKDOWN, MARKED, PLAIN, Form, Room, octets
from hub.notify.wording.level import LEVELS

__all__ = ["AppriseMessage", "loudness", "message_of"]

# What other programs read: a text stays what it is. Mails as text show mentions and brackets as they are.
_DATA = {"NotifyJSON", "NotifyXML", "NotifyForm", "NotifyMQTT", "NotifyAMQP", "NotifySyslog", "NotifyRSyslog"}
_MAIL = {"NotifyEmail", "NotifyACS", "NotifyBrevo", "NotifyGroundmail", "NotifyMailerSend", "NotifyPingram"}
# An SMS has no links but bare ones, and a narrow space would make it a longer one of another alphabet.
_SMS = {
    *("Notify46Elks", "NotifyAfricasTalking", "NotifyBulkSMS", "NotifyBulkVS", "NotifyBurstSMS", "NotifyCM"),
    *("NotifyClickSend", "NotifyClickatell", "NotifyD7Networks", "NotifyEight00com", "NotifyExotel"),
    *("NotifyFreeMobile", "NotifyHttpSMS", "NotifyInfobip", "NotifyKaleyra", "NotifyKavenegar", "NotifyMSG91"),
    *("NotifyMessageBird", "NotifyMobileMessage", "NotifyNotifyre", "NotifyOctopush", "NotifyPlivo"),
    *("NotifyRingCentral", "NotifySFR", "NotifySMPP", "NotifySMSC", "NotifySMSEagle", "NotifySMSManager"),
    *("NotifySMSTunnel", "NotifySNS", "NotifySerwerSMS", "NotifySeven", "NotifySinch", "NotifyTelesign"),
    *("NotifyTelnyx", "NotifyTwilio", "NotifyVoipms", "NotifyVonage"),
}
# They show Markdown although Apprise calls what they take text.
_MARKED = {
    *("NotifyDiscord", "NotifyFluxer", "NotifyGuilded", "NotifyHumHub", "NotifyMattermost"),
    *("NotifyNextcloudTalk", "NotifyNotifiarr", "NotifyRevolt", "NotifyRyver", "NotifyZulip"),
}


def _ntfy(text: str) -> int:
    """Count as ntfy does: it makes an attachment of more than 4096 bytes, as Apprise does of 8000 bytes of JSON."""
    return max(octets(text), len(json.dumps(text)) * 4096 // 7600)


def _escaped(text: str) -> int:
    """Count as Slack and Google Chat do: Apprise writes their three control characters as entities."""
    return len(html.escape(text, quote=False))


# Where a service counts bytes and not characters. WeCom takes 2048; Bark's way to the phone, APNs, takes 4096 for all
# that is sent, of which about 1000 are not text.
_MEASURED: dict[str, tuple[int, Callable[[str], int]]] = {
    "NotifyNtfy": (4096, _ntfy),
    "NotifyWeComBot": (2048, octets),
    "NotifyBark": (3000, octets),
    "NotifyGoogleChat": (4000, _escaped),
}
_BLOCK_CHARS = (3000, 150)  # text and title of Slack's blocks (?blocks=yes)

_PUSH = {"critical": "high", "warning": "normal", "info": "normal", "resolved": "normal"}
_CONTENT = {"critical": 1, "warning": 0, "info": 0, "resolved": 0}
_RANKS = {"critical": "1", "warning": "2", "info": "4", "resolved": "4"}
_URGENCY = {"critical": "2", "warning": "1", "info": "1", "resolved": "1"}

# The argument of the plug-in, and what it is for each level. Services that Apprise itself tells by the type of a
# notification how grave it is (PagerDuty, syslog, Notifiarr …) do not stand here. Pushover's 2 (emergency) rings until
# somebody answers: that is for the user to ask for, by ?priority=.
_LOUDNESS: dict[str, tuple[str, dict[str, Any]]] = {
    "NotifyNtfy": ("priority", {"critical": "max", "warning": "high", "info": "default", "resolved": "default"}),
    "NotifyGotify": ("priority", {"critical": "8", "warning": "5", "info": "5", "resolved": "5"}),
    "NotifyPushover": ("priority", _PUSH),
    "NotifyProwl": ("priority", _PUSH),
    "NotifyJoin": ("priority", _PUSH),
    "NotifyPushSafer": ("priority", _PUSH),
    "NotifyGrowl": ("priority", _PUSH),
    "NotifyLauther": ("priority", _PUSH),
    "NotifyFCM": ("priority", _PUSH),
    "NotifyGorush": ("priority", _PUSH),
    "NotifyExotel": ("priority", _PUSH),
    "NotifySMSEagle": ("priority", _CONTENT),
    "NotifyDapnet": ("priority", _CONTENT),
    "NotifyBark": ("level", {**dict.fromkeys(LEVELS, "active"), "critical": "timeSensitive"}),
    "NotifyPinglet": ("priority", {**_PUSH, "critical": "urgent"}),
    "NotifyTrigv": ("urgency", {**dict.fromkeys(LEVELS, "standard"), "critical": "time_sensitive"}),
    "NotifySimplePush": ("priority", {"critical": "5", "warning": "4", "info": "3", "resolved": "3"}),
    "NotifyOpsgenie": ("priority", _RANKS),
    "NotifyJira": ("priority", _RANKS),
    "NotifySquadcast": ("priority", {level: f"P{rank}" for level, rank in _RANKS.items()}),
    "NotifyILert": ("priority", {"critical": "high", "warning": "high", "info": "low", "resolved": "low"}),
    "NotifyFireHydrant": (
        "priority",
        {"critical": "high", "warning": "medium", "info": "low", "resolved": "low"},
    ),
    "NotifyPagerTree": (
        "urgency",
        {"critical": "critical", "warning": "high", "info": "medium", "resolved": "medium"},
    ),
    "NotifyDBus": ("urgency", _URGENCY),
    "NotifyGLib": ("urgency", _URGENCY),
    "NotifyGnome": ("urgency", _URGENCY),
}
_NTFY_TAGS = {
    "critical": "rotating_light",
    "warning": "warning",
    "info": "information_source",
    "resolved": "white_check_mark",
}


@dataclass(frozen=True, slots=True)
class AppriseMessage:
    """How to write for a plug-in: the notation, what Apprise calls it, and the room."""

    form: Form
    declared: NotifyFormat
    room: Room


def message_of(plugin: Any, *, asked: bool) -> AppriseMessage:
    """Return how to write for a plug-in; `asked`: the user's URL says (`overflow=`) what becomes of a long text."""
    name = type(plugin).__name__
    declared = plugin.resolve_format(NotifyFormat.TEXT)
    return AppriseMessage(_form(name, declared), declared, _room(name, plugin, asked=asked))


def _form(name: str, declared: NotifyFormat) -> Form:
    if declared == NotifyFormat.HTML:
        return HTML
    if name in _DATA:
        return BARE
    if name in _MAIL | _SMS:
        return MAIL
    if declared == NotifyFormat.MARKDOWN:
        return MARKDOWN
    return MARKED if name in _MARKED else PLAIN


def _room(name: str, plugin: Any, *, asked: bool) -> Room:
    title = max(plugin.title_maxlen, 0)
    if asked and plugin.overflow_mode != OverflowMode.TRUNCATE:
        return Room(title=0) if title == 0 else Room()  # as the user asked, Apprise splits it or sends all of it
    text: int = plugin.body_maxlen
    size: Callable[[str], int] = len
    if name in _MEASURED:
        text, size = _MEASURED[name]
    elif name in _SMS:
        text = min(text, SMS_CHARS)
    elif getattr(plugin, "use_blocks", False):
        text, title, size = min(text, _BLOCK_CHARS[0]), min(title, _BLOCK_CHARS[1]), _escaped
    together = plugin.overflow_amalgamate_title and title > 0
    return Room(text, title, plugin.body_max_line_count, together, size)


def loudness(plugin: type, given: Mapping[str, Any], level: str) -> dict[str, Any]:
    """Return the plug-in's arguments that tell a service how grave a `level` is; what the user's URL says stays."""
    asked = given.get("qsd") or {}
    wanted = {}
    if plugin.__name__ in _LOUDNESS:
        name, values = _LOUDNESS[plugin.__name__]
        if not asked.get(name) and not asked.get("priority"):
            wanted[name] = values[level]
    if plugin.__name__ == "NotifyNtfy" and not asked.get("xtags") and not asked.get("tags"):
        wanted["xtags"] = _NTFY_TAGS[level]
    return wanted
