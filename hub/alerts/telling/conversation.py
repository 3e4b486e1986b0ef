"""The conversation of a group (`group_by`): which alerts take part, what was said, what is new.

What was said and what is over is stored. Which alerts take part is not: it follows from the alerts that fire.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from hub.alerts.telling.said import NOTHING_SAID, Said
from hub.ids import episode_named
from hub.limits import GROUP_ALERTS

__all__ = ["Conversation", "News", "group_fingerprint"]


@dataclass(slots=True)
class News:
    """What the next message tells beside what fires: ends of alerts, or events.

    `told` are the receivers that heard of these alerts and so hear of their ends. None: these are events, which go to
    whom the rule names. `shown` are the first GROUP_ALERTS of them as members of a message; `count` is how many there
    were.
    """

    told: tuple[str, ...] | None
    count: int = 0
    shown: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class Conversation:
    """One group. `labels` are the values of `group_by`. Times are seconds since 1970, 0 for none.

    `episode` counts how often the group has begun to fire, `serial` counts its messages: both are parts of ids and
    never go back. `spoke` is when the last message went out, `changed` when the first of what is new came.
    The alerts that take part are kept by fingerprint. `members` are all that fire. Those of them that nothing
    suppresses are in `fresh` where this episode has not told of them, and in `active` where it has and nobody has
    acknowledged them. `behind` are those of `active` of which a receiver that the rule names has not heard.
    """

    rule: str
    labels: dict[str, str]
    fingerprint: str
    episode: int = 0
    serial: int = 0
    spoke: float = 0.0
    changed: float = 0.0
    said: Said = NOTHING_SAID
    news: list[News] = field(default_factory=list)
    members: dict[str, None] = field(default_factory=dict)
    fresh: dict[str, None] = field(default_factory=dict)
    active: dict[str, None] = field(default_factory=dict)
    behind: dict[str, None] = field(default_factory=dict)

    @property
    def episode_id(self) -> str:
        """What all ids of its episode begin with; an alert keeps it as `told_in` when it was told here."""
        return episode_named(self.fingerprint, self.episode)

    @property
    def idle(self) -> bool:
        """Whether no alert takes part and nothing is to be told."""
        return not self.members and not self.news

    def report(self, told: tuple[str, ...] | None, body: Any, now: float) -> None:
        """Add an end (`told`: who hears of it) or an event (None) to what the next message tells; `body` is shown."""
        news = next((each for each in self.news if each.told == told), None)
        if news is None:
            news = News(told)
            self.news.append(news)
        news.count += 1
        if len(news.shown) < GROUP_ALERTS:
            news.shown.append(body)
        self.changed = self.changed or now

    def renamed(self, heirs: Callable[[str], Iterable[str]]) -> bool:
        """Put heirs in the place of receivers, by what `heirs` returns for each; tell whether that changed anything."""
        before = self.said, [each.told for each in self.news]
        self.said = self.said.renamed(heirs)
        for each in self.news:
            if each.told is not None:
                each.told = tuple(dict.fromkeys(heir for name in each.told for heir in heirs(name)))
        return before != (self.said, [each.told for each in self.news])

    def shift(self, seconds: float) -> None:
        """Move all times by `seconds`, by which somebody has set the wall clock."""
        self.spoke = self.spoke and self.spoke + seconds
        self.changed = self.changed and self.changed + seconds
        self.said = self.said.shifted(seconds)

    def dump(self) -> str:
        """Return as JSON for the store what does not follow from the alerts that fire."""
        kept: dict[str, Any] = {"rule": self.rule, "labels": self.labels, "episode": self.episode}
        kept |= {"serial": self.serial, "spoke": self.spoke, "changed": self.changed, "said": self.said}
        return orjson.dumps(kept | {"news": self.news}).decode()

    @classmethod
    def load(cls, fingerprint: str, text: str) -> "Conversation":
        """Read what `dump` wrote."""
        stored = orjson.loads(text)
        said = Said.load(stored.pop("said"))
        news = [News(_told(each["told"]), each["count"], each["shown"]) for each in stored.pop("news")]
        return cls(fingerprint=fingerprint, said=said, news=news, **stored)


def _told(names: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


def group_fingerprint(rule: str, labels: Mapping[str, str]) -> str:
    """Identify a group by its rule and its labels: 16 hex digits."""
    return hashlib.blake2b(orjson.dumps(["group", rule, labels]), digest_size=8).hexdigest()
