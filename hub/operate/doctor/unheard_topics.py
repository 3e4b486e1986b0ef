"""The rules' topics on the live broker: on which of them has no message come, and what is there instead?

Silence proves nothing: a device may speak once a day. So what is said is what was looked at, for how long, and which
topic comes nearest; only where that one is nearly the same is it a warning.
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
TOPICS = 20_000  # as many as are remembered: 2 MB
SHOWN = 20  # more findings would hide the others
_CANDIDATES = 50  # topics that are compared level by level
_SUBJECT = "topics of rules"
_CAME = 6  # where rules.instance writes the topic
_NEAR = 1.0  # one level more or less, or a few letters


async def look_at_topics(settings: Settings, found: RuleSet, mark: str, seconds: float) -> list[Finding]:
    """Listen for so long, and name the topics of rules on which nothing came, was retained or is known of before."""
    asked = _asked(found)
    if not asked:
        return []
    try:
        heard = await _heard(settings, found.filters(), mark, seconds)
    except HubError as error:
        return [unknown(_SUBJECT, f"cannot be listened to: {error}")]
    known = heard | await asyncio.to_thread(_remembered, settings.state)
    deaf = [each for each in asked if not any(matches(each, topic) for topic in known)]
    own = f"{settings.publish_prefix}/"
    others = {topic for topic in known if not topic.startswith((own, "$"))}
    findings = [_said(each, asked[each], others, settings, seconds) for each in deaf[:SHOWN]]
    if len(deaf) > SHOWN:
        findings.append(unknown(_SUBJECT, f"no message has come on {len(deaf) - SHOWN} more"))
    return findings or [good(_SUBJECT, f"messages have come on all {len(asked)}")]


def _asked(found: RuleSet) -> dict[str, list[str]]:
    """Return the filters of the user's rules, each with the names of its rules."""
    asked: dict[str, list[str]] = {}
    for rule in found.rules.values():
        for pattern in rule.patterns:
            if not pattern.filter.startswith(OWN_TOPICS):
                asked.setdefault(pattern.filter, []).append(rule.name)
    return asked


async def _heard(settings: Settings, filters: Sequence[str], mark: str, seconds: float) -> set[str]:
    """Return the topics of all messages that are retained or come meanwhile: of all topics, where we may."""
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
                    heard.update(each.topic for each in await session.receive())
                    session.acknowledge(session.handed)
    return heard


def _remembered(state: Path) -> set[str]:
    """Return the topics that the hub of the state file has heard, and those that its instances had last."""
    try:
        if not state.exists() or kind_of(state):
            return set()
        heard, states = remembered(state, Lasts.kind, TOPICS)
        return {*heard, *(str(orjson.loads(each)[_CAME]).partition("\0")[0] for each in states)}
    except (OSError, ValueError, LookupError):
        return set()  # what is wrong with it is told elsewhere


def _said(topic: str, rules: Sequence[str], others: Collection[str], settings: Settings, seconds: float) -> Finding:
    names = ", ".join(rules[:3]) + (f" and {len(rules) - 3} more" if len(rules) > 3 else "")
    text = f"no message has come on {topic} (rule {names}): none is retained, none came within {seconds:g} s"
    elsewhere = "; a source may bring them, too" if settings.sources else ""
    distance, near = nearest(topic, others)
    if not near:
        return unknown(_SUBJECT, text, f"it may be a rare one; see what devices publish{elsewhere}")
    if distance <= _NEAR:
        return warning(_SUBJECT, text, f"the nearest that there is: {near}; mend the rule's topic, if it is meant")
    return unknown(_SUBJECT, text, f"the nearest that there is: {near}; or it is a rare one{elsewhere}")


def nearest(topic_filter: str, topics: Iterable[str]) -> tuple[float, str]:
    """Return the topic that comes nearest to a filter, and how far it is: in levels; "" where none is like it."""
    wanted = topic_filter.split("/")
    literals = {level for level in wanted if level not in ("+", "#")}
    split = {topic: topic.split("/") for topic in sorted(topics)}
    alike = nlargest(_CANDIDATES, split, key=lambda topic: len(literals.intersection(split[topic])))
    firsts: Mapping[str, str] = {levels[0]: topic for topic, levels in split.items()}
    candidates = [*alike, *list(firsts.values())[:_CANDIDATES]]
    distance, near = min(((_distance(wanted, split[topic]), topic) for topic in candidates), default=(0.0, ""))
    # at least one of its words, or most of one, must be there: what has nothing in common is no hint
    like = distance < len(literals) or bool(literals.intersection(split.get(near, ())))
    return (distance, near) if near and like else (0.0, "")


def _distance(wanted: Sequence[str], given: Sequence[str]) -> float:
    """Return how many levels must be changed, put in or left out, a level of nearly the same letters for less."""
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
    if level in ("+", name):
        return 0.0
    return max(0.05, 1 - SequenceMatcher(None, level.lower(), name.lower()).ratio())
