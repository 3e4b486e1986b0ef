"""Which device a topic of Sparkplug B or Homie is about, and what a message there says of it. Pure functions of topics.

A subject is a text: `spBv1.0/{group}/{node}`, `spBv1.0/{group}/{node}/{device}`, `homie/{device}`, `homie/5/{device}`.
The sources are Sparkplug 3.0, chapter 4, and Homie 4.0 and 5.0.
"""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from hub.limits import PLAN_CACHE_TOPICS
from hub.rules.reading.rule import Rule
from hub.rules.topics.topic_pattern import TopicPattern

__all__ = ["About", "MessageKind", "Says", "about", "kinds", "node_of", "presence_filters", "reads_sparkplug"]

SPARKPLUG, HOMIE, FIVE = "spBv1.0", "homie", "5"


class MessageKind(enum.Enum):
    """What a subject is."""

    NODE = 1
    DEVICE = 2
    HOMIE = 3
    HOMIE5 = 4


class Says(enum.Enum):
    """What a message says about the presence of its subject."""

    DATA = 1
    BIRTH = 2
    DEATH = 3
    STATE = 4
    """Homie's $state: the payload says which."""
    DESCRIPTION = 5
    """Of a Homie 5 device: it may name the root whose connection it lives on."""
    NOTHING = 6
    """A command: somebody speaks to the device, which says nothing about its presence."""

    @property
    def reports(self) -> bool:
        """Whether such a message tells of presence by itself; data only tells it of its own instance."""
        return self not in {Says.DATA, Says.NOTHING}


_SPARKPLUG = {
    "NBIRTH": (4, Says.BIRTH),
    "NDATA": (4, Says.DATA),
    "NDEATH": (4, Says.DEATH),
    "NCMD": (4, Says.NOTHING),
    "DBIRTH": (5, Says.BIRTH),
    "DDATA": (5, Says.DATA),
    "DDEATH": (5, Says.DEATH),
    "DCMD": (5, Says.NOTHING),
}


@dataclass(frozen=True, slots=True)
class About:
    """A topic that is about a device."""

    subject: str
    kind: MessageKind
    says: Says


@lru_cache(maxsize=PLAN_CACHE_TOPICS)
def about(topic: str) -> About | None:
    """Return the device that a topic is about, None where it is about none."""
    levels = topic.split("/")
    if levels[0] == SPARKPLUG:
        return _sparkplug(levels)
    return _homie(levels) if levels[0] == HOMIE else None


def _sparkplug(levels: Sequence[str]) -> About | None:
    length, says = _SPARKPLUG.get(levels[2], (0, Says.NOTHING)) if len(levels) > 3 else (0, Says.NOTHING)
    if length != len(levels):
        return None
    kind = MessageKind.NODE if length == 4 else MessageKind.DEVICE
    return About("/".join([SPARKPLUG, levels[1], *levels[3:]]), kind, says)


def _homie(levels: Sequence[str]) -> About | None:
    place = 2 if levels[1:2] == [FIVE] else 1
    if len(levels) <= place + 1 or levels[place].startswith("$"):
        return None  # homie/$broadcast/… is to all devices
    says, last = Says.DATA, levels[-1]
    if len(levels) == place + 2 and last in {"$state", "$description"}:
        says = Says.STATE if last == "$state" else Says.DESCRIPTION
    elif last == "set":
        says = Says.NOTHING
    return About("/".join(levels[: place + 1]), MessageKind.HOMIE if place == 1 else MessageKind.HOMIE5, says)


def node_of(subject: str) -> str:
    """Return the node that a Sparkplug device belongs to; for a node, the node itself."""
    return "/".join(subject.split("/", 3)[:3])


# what a rule wants to know


def kinds(rule: Rule) -> frozenset[MessageKind]:
    """Return the kinds of subjects that instances of a rule stand for: its topic or `by` must name a single one."""
    return frozenset(kind for pattern in rule.patterns for kind in _kinds(pattern, rule.by))


def _kinds(pattern: TopicPattern, by: Sequence[str]) -> Iterable[MessageKind]:
    levels = pattern.filter.split("/")
    places = {place for name, place in zip(pattern.captures, pattern.levels, strict=True) if name in by}

    def told(place: int) -> bool:
        if pattern.rest is not None and place >= pattern.rest:
            return pattern.rest in places
        return place in places or (place < len(levels) and levels[place] not in {"+", "#"})

    if levels[0] == SPARKPLUG and told(1) and told(3):
        if len(levels) == 4 or levels[4] == "#" or not told(4):
            yield MessageKind.NODE
        if len(levels) > 4 and told(4):
            yield MessageKind.DEVICE
    elif levels[0] == HOMIE and levels[1:2] == [FIVE] and told(2):
        yield MessageKind.HOMIE5
    elif levels[0] == HOMIE and levels[1:2] != [FIVE] and told(1):
        yield MessageKind.HOMIE


def reads_sparkplug(rule: Rule) -> bool:
    """Tell whether a rule listens to Sparkplug messages, whose payload only an optional package can read."""
    return any(_wants_metrics(pattern.filter.split("/")) for pattern in rule.patterns)


def _wants_metrics(levels: Sequence[str]) -> bool:
    return levels[0] == SPARKPLUG and levels[1:2] != ["STATE"]


def presence_filters(rules: Iterable[Rule]) -> list[str]:
    """Return the filters to subscribe to beside the rules' topics.

    These are births for rules that read metrics, deaths and $state for rules that have `absent` too, and what `offline`
    names.
    """
    filters: dict[str, None] = {}
    for rule in rules:
        watched = kinds(rule) if rule.absent is not None else frozenset()
        for pattern in rule.patterns:
            levels = pattern.filter.split("/")
            if _wants_metrics(levels):
                filters |= dict.fromkeys(_sparkplug_filters(levels, deaths=bool(watched)))
            elif levels[0] == HOMIE and watched:
                filters |= dict.fromkeys(_homie_filters(levels, watched))
        if rule.offline is not None:
            filters[rule.offline.pattern.filter] = None
    return list(filters)


def _sparkplug_filters(levels: Sequence[str], *, deaths: bool) -> Iterable[str]:
    group, node, device = _level(levels, 1), _level(levels, 3), _level(levels, 4)
    for word in ("BIRTH", "DEATH") if deaths else ("BIRTH",):
        yield f"{SPARKPLUG}/{group}/N{word}/{node}"
        if len(levels) > 4 or levels[-1] == "#":
            yield f"{SPARKPLUG}/{group}/D{word}/{node}/{device}"


def _homie_filters(levels: Sequence[str], watched: frozenset[MessageKind]) -> Iterable[str]:
    if levels[1:2] != [FIVE] and MessageKind.HOMIE in watched:
        yield f"{HOMIE}/{_level(levels, 1)}/$state"
    elif levels[1:2] == [FIVE] and MessageKind.HOMIE5 in watched:
        yield f"{HOMIE}/{FIVE}/+/$state"  # of roots too, whose names only a device's description will tell
        yield f"{HOMIE}/{FIVE}/{_level(levels, 2)}/$description"


def _level(levels: Sequence[str], place: int) -> str:
    """Return a level of a filter; `+` for any level after its end or from its `#` on."""
    return levels[place] if place < len(levels) and levels[place] != "#" else "+"
