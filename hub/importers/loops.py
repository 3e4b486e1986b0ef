"""Keeps imported rules from hearing what imported receivers publish: the hub refuses such a loop."""

import re

from hub.importers.draft import NOWHERE, Draft, DraftEntry, Value
from hub.ingest.topics import overlaps

__all__ = ["OWN", "elsewhere", "unloop"]

OWN = "hub/#"


def unloop(draft: Draft) -> None:
    """Move the topic of each receiver below notify/ where a rule listens to it."""
    for name, receiver in draft.receivers.items():
        if isinstance(receiver, DraftEntry) and isinstance(keys := receiver.keys.get("mqtt"), dict):
            _unloop(draft, name, receiver, keys)


def _unloop(draft: Draft, name: str, receiver: DraftEntry, keys: dict[str, Value]) -> None:
    published = re.sub(r"[^/]*\{[^/]*", "+", str(keys["topic"]))
    heard = [topic for rule in draft.rules for topic in _topics(rule)]
    clash = next((topic for topic in [OWN, *heard] if overlaps(topic, published)), "")
    if not clash:
        return
    keys["topic"] = f"notify/{keys['topic']}"
    say = f"its topic is one that {clash} hears, an endless loop: it publishes below notify/ now"
    draft.remark(receiver, 0, f"receiver {name}: {say}")
    for rule in draft.rules:
        if topic := next((each for each in _topics(rule) if overlaps(each, f"notify/{published}")), ""):
            say = f"the topic {topic} matches what the receiver {name} publishes, a loop"
            elsewhere(draft, rule, 0, say)


def elsewhere(draft: Draft, rule: DraftEntry, line: int, why: str) -> None:
    """Disable a rule whose topic the hub would refuse, and put a first level before it that nobody publishes to."""
    topics = [f"{NOWHERE}/{topic}" for topic in _topics(rule)]
    rule.keys["topic"] = topics[0] if len(topics) == 1 else list(topics)
    draft.disable(rule, line, f"{why}: write a first level in place of {NOWHERE}")


def _topics(rule: DraftEntry) -> list[str]:
    topic = rule.keys["topic"]
    return [str(each) for each in topic] if isinstance(topic, list) else [str(topic)]
