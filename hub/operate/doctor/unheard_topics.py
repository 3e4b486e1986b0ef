"""Finds topics of rules on which no message comes, and for each the topic on the broker that is most like it.

That no message comes proves nothing: a device may send once a day. So the finding says what was listened to, for how
long, and which topic is nearest. It is a warning only if that topic is nearly the same, as after a typing error.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from difflib import SequenceMatcher
from functools import lru_cache
from heapq import nlargest
from pathlib import Path

import orjson

from hub.config import Settings
from hub.errors import HubError, SubscriptionDenied
from hub.ingest.topics import matches
from hub.model import OWN_TOPICS
from hub.operate.client.connect import connected
from hub.operate.doctor.finding import Finding, good, unknown, warning
from hub.rules.instances.lasts import Lasts
from hub.rules.reading.loader import RuleSet
from hub.store.sqlite.checkup import remembered
from hub.store.sqlite.lock import kind_of

__all__ = ["LISTEN_SECONDS", "look_at_topics", "nearest"]

LISTEN_SECONDS = 5.0
TOPICS = 20_000  # that are remembered: 2 MB
SHOWN = 20  # findings of one kind; more would hide the others
_CANDIDATES = 50  # topics that are compared level by level, which is slow
_SUBJECT = "topics of rules"
_CAME = 6  # the place of the topic in the row of an instance, see hub/rules/instances/
_NEAR = 1.0  # levels: one level more or less, or a few letters


async def look_at_topics(settings: Settings, rules: RuleSet, mark: str, seconds: float) -> list[Finding]:
    """Listen for `seconds`; return the rules' topics without a message, be it new, retained or in the state file."""
    asked = _asked(rules)
    if not asked:
        return []
    try:
        heard = await _heard(settings, rules.filters(), mark, seconds)
    except HubError as error:
        return [unknown(_SUBJECT, f"cannot be listened to: {error}")]
    known = heard | await asyncio.to_thread(_remembered, settings.state)
    unheard = [topic_filter for topic_filter in asked if not any(matches(topic_filter, topic) for topic in known)]
    own = f"{settings.publish_prefix}/"
    others = {topic for topic in known if not topic.startswith((own, "$"))}
    findings = [_finding(each, asked[each], others, settings, seconds) for each in unheard[:SHOWN]]
    if len(unheard) > SHOWN:
        findings.append(unknown(_SUBJECT, f"no message has come on {len(unheard) - SHOWN} more"))
    return findings or [good(_SUBJECT, f"messages have come on all {len(asked)}")]


def _asked(rules: RuleSet) -> dict[str, list[str]]:
    """Return the filters of the rules, each with the names of its rules; no broker has the hub's own `$hub/…`."""
    asked: dict[str, list[str]] = {}
    for rule in rules.rules.values():
        for pattern in rule.patterns:
            if not pattern.filter.startswith(OWN_TOPICS):
                asked.setdefault(pattern.filter, []).append(rule.name)
    return asked


async def _heard(settings: Settings, filters: Sequence[str], mark: str, seconds: float) -> set[str]:
    """Return the topics of all messages, retained and new; if the broker refuses `#`, only on the rules' topics."""
    try:
        return await _listen(settings, ["#", *filters], mark, seconds)
    except SubscriptionDenied:
        return await _listen(settings, filters, mark, seconds)


async def _listen(settings: Settings, filters: Sequence[str], mark: str, seconds: float) -> set[str]:
    heard: set[str] = set()
    async with connected(settings.broker, f"hub-doctor-{mark}-hears", filters) as session:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(heard) < TOPICS:
                    heard.update(packet.topic for packet in await session.receive())
                    session.acknowledge(session.handed)
    return heard


def _remembered(state: Path) -> set[str]:
    """Return the topics that the hub of this state file has heard, and the last topic of each of its instances."""
    try:
        if not state.exists() or kind_of(state):
            return set()
        heard, states = remembered(state, Lasts.kind, TOPICS)
        return {*heard, *(str(orjson.loads(each)[_CAME]).partition("\0")[0] for each in states)}
    except (OSError, ValueError, LookupError):
        return set()  # state_check says what is wrong with the file


def _finding(topic: str, rules: Sequence[str], others: Collection[str], settings: Settings, seconds: float) -> Finding:
    """Say that no message has come on a topic of these rules, and name the nearest of the `others`."""
    names = ", ".join(rules[:3]) + (f" and {len(rules) - 3} more" if len(rules) > 3 else "")
    text = f"no message has come on {topic} (rule {names}): none is retained, none came within {seconds:g} s"
    elsewhere = "; a source may bring its messages, too" if settings.sources else ""
    distance, near = nearest(topic, others)
    if not near:
        return unknown(_SUBJECT, text, f"its messages may be rare; see what devices publish{elsewhere}")
    if distance <= _NEAR:
        return warning(_SUBJECT, text, f"the nearest that there is: {near}; if that is meant, correct the rule's topic")
    return unknown(_SUBJECT, text, f"the nearest that there is: {near}; or its messages are rare{elsewhere}")


def nearest(topic_filter: str, topics: Iterable[str]) -> tuple[float, str]:
    """Return how far the nearest topic is from a filter, in levels, and that topic; "" if none is like it."""
    wanted = topic_filter.split("/")
    literals = {level for level in wanted if level not in ("+", "#")}
    split = {topic: topic.split("/") for topic in sorted(topics)}
    alike = nlargest(_CANDIDATES, split, key=lambda topic: len(literals.intersection(split[topic])))
    firsts: Mapping[str, str] = {levels[0]: topic for topic, levels in split.items()}
    candidates = [*alike, *list(firsts.values())[:_CANDIDATES]]
    distance, near = min(((_distance(wanted, split[topic]), topic) for topic in candidates), default=(0.0, ""))
    # a topic without a word of the filter, or most of one, is no hint
    like = distance < len(literals) or bool(literals.intersection(split.get(near, ())))
    return (distance, near) if near and like else (0.0, "")


def _distance(wanted: Sequence[str], given: Sequence[str]) -> float:
    """Return how many levels must be changed, added or removed; a level with nearly the same letters costs less."""
    row = [float(place) for place in range(len(given) + 1)]
    for level in wanted:
        if level == "#":
            return min(row)
        before, row = row, [row[0] + 1]
        for place, name in enumerate(given, 1):
            row.append(min(before[place - 1] + _unlike(level, name), before[place] + 1, row[place - 1] + 1))
    return row[-1]


@lru_cache(4096)
def _unlike(level: str, name: str) -> float:
    """Return how unlike two levels are: 0.0 for the same or `+`, 1.0 without a common letter."""
    if level in ("+", name):
        return 0.0
    return max(0.05, 1 - SequenceMatcher(None, level.lower(), name.lower()).ratio())
