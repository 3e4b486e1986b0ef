"""What may be a topic or a topic filter, and which of them match: pure functions for ingest, rules and receivers.

The numbers in brackets are sections of MQTT 5. Characters that the standard only says SHOULD NOT be used are refused,
too: Mosquitto disconnects a publisher for them, and the same message would be sent again after each reconnect.
"""

import re

__all__ = ["TOPIC_LEVELS", "check_filter", "check_topic", "covers", "matches", "overlaps"]

TOPIC_LEVELS = 200  # Mosquitto's TOPIC_HIERARCHY_LIMIT: it disconnects a client that goes deeper
_LONGEST = 65_535  # bytes of UTF-8 (1.5.4)
_PLANES = "".join(chr(plane << 16 | low) for plane in range(1, 17) for low in (0xFFFE, 0xFFFF))
# controls, surrogates, non-characters (1.5.4)
_UNFIT = re.compile(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff{_PLANES}]")


def check_topic(topic: str) -> str | None:
    """Return why nothing can be published to `topic`, None where something can."""
    if "+" in topic or "#" in topic:
        return "a topic to publish to holds no + and no #"
    if topic.startswith("$"):
        return "topics that begin with $ belong to the broker"
    return _problem(topic)


def check_filter(topic_filter: str) -> str | None:
    """Return why `topic_filter` cannot be subscribed, None where it can."""
    levels = topic_filter.split("/")
    if any("+" in level and level != "+" for level in levels):
        return "+ stands alone in its level, as in site/+/door"
    if "#" in topic_filter.removesuffix("#") or ("#" in topic_filter and levels[-1] != "#"):
        return "# stands alone in the last level, as in site/#"
    if levels[0] == "$share":
        return "shared subscriptions are not supported: a hub needs all of its events, in order"
    return _problem(topic_filter)


def matches(topic_filter: str, topic: str) -> bool:
    """Tell whether a message on `topic` reaches a subscription to `topic_filter`; both are valid (4.7)."""
    wanted, given = topic_filter.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in {"+", "#"}:
        return False  # 4.7.2
    for level, name in zip(wanted, given, strict=False):
        if level == "#":
            return True
        if level not in {"+", name}:
            return False
    return len(wanted) == len(given) or wanted[len(given) :] == ["#"]  # `a/#` matches `a` itself (4.7.1.2)


def covers(wide: str, narrow: str) -> bool:
    """Tell whether every topic that `narrow` matches is matched by `wide` too."""
    ours, theirs = wide.split("/"), narrow.split("/")
    if ours[0] in {"+", "#"} and theirs[0].startswith("$"):
        return False  # 4.7.2
    for level, name in zip(ours, theirs, strict=False):
        if level == "#":
            return True
        if level != name and (level != "+" or name == "#"):
            return False
    return len(ours) == len(theirs) or ours[len(theirs) :] == ["#"]


def overlaps(one: str, other: str) -> bool:
    """Tell whether some topic is matched by both filters; a plain topic is a filter too."""
    ours, theirs = one.split("/"), other.split("/")
    for first, second in ((ours[0], theirs[0]), (theirs[0], ours[0])):
        if first in {"+", "#"} and second.startswith("$"):
            return False
    for level, name in zip(ours, theirs, strict=False):
        if "#" in {level, name}:
            return True
        if level != name and "+" not in {level, name}:
            return False
    longer, shorter = (ours, theirs) if len(ours) > len(theirs) else (theirs, ours)
    return len(longer) == len(shorter) or longer[len(shorter) :] == ["#"]


def _problem(text: str) -> str | None:
    """Return what is wrong with a text that is to be a topic or a filter."""
    if not text:
        return "it is empty"
    unfit = _UNFIT.search(text)
    if unfit:
        return f"it holds the character U+{ord(unfit[0]):04X}, for which brokers disconnect"
    if text.count("/") >= TOPIC_LEVELS:
        return f"it has more than {TOPIC_LEVELS} levels"
    if len(text) * 4 > _LONGEST and len(text.encode()) > _LONGEST:
        return f"it is longer than {_LONGEST} bytes"
    return None
