"""The conversation of a group (`group_by`): who takes part, what was said, what is new. An alert alone is its own.

Only what was said and what is over is stored; who takes part follows from the alerts that fire.
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
    """What is over and was told to these receivers, or events (`told` is None: to whom the rule names).

    `shown` are the first notifications of them, as members of a group's; `count` is how many there were.
    """

    told: tuple[str, ...] | None
    count: int = 0
    shown: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class Conversation:
    """One group. `labels` are the values of `group_by`; times are seconds since 1970, 0 where there is none.

    `episode` counts how often it has begun, `serial` its messages: both are parts of ids and never go back. `spoke` is
    when the last message went out, `changed` when the first of what is new came. The alerts that take part, by
    fingerprint: `members` are all that fire; of those that are not held back `fresh` are those that were not told in
    this episode, `active` those that were and nobody has acknowledged. Of some of these, in `behind`, a receiver that
    the rule names has not heard.
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
    def name(self) -> str:
        """The beginning of all ids of its episode; alerts remember by it that they were told here."""
        return episode_named(self.fingerprint, self.episode)

    @property
    def idle(self) -> bool:
        """Whether nobody takes part and nothing is to be told."""
        return not self.members and not self.news

    def report(self, told: tuple[str, ...] | None, body: Any, now: float) -> None:
        """Show this in the next message."""
        found = next((each for each in self.news if each.told == told), None)
        if found is None:
            found = News(told)
            self.news.append(found)
        found.count += 1
        if len(found.shown) < GROUP_ALERTS:
            found.shown.append(body)
        self.changed = self.changed or now

    def renamed(self, heirs: Callable[[str], Iterable[str]]) -> bool:
        """Let receivers take the place of others, as `heirs` says; tell whether that changed anything."""
        before = self.said, [each.told for each in self.news]
        self.said = self.said.renamed(heirs)
        for each in self.news:
            if each.told is not None:
                each.told = tuple(dict.fromkeys(heir for name in each.told for heir in heirs(name)))
        return before != (self.said, [each.told for each in self.news])

    def shift(self, seconds: float) -> None:
        """Move all times: the wall clock was set by so many seconds."""
        self.spoke = self.spoke and self.spoke + seconds
        self.changed = self.changed and self.changed + seconds
        self.said = self.said.shifted(seconds)

    def dump(self) -> str:
        """Write it for the store."""
        kept: dict[str, Any] = {"rule": self.rule, "labels": self.labels, "episode": self.episode}
        kept |= {"serial": self.serial, "spoke": self.spoke, "changed": self.changed, "said": self.said}
        return orjson.dumps(kept | {"news": self.news}).decode()

    @classmethod
    def load(cls, fingerprint: str, text: str) -> "Conversation":
        """Read what `dump` wrote."""
        found = orjson.loads(text)
        said = Said.load(found.pop("said"))
        news = [News(_told(each["told"]), each["count"], each["shown"]) for each in found.pop("news")]
        return cls(fingerprint=fingerprint, said=said, news=news, **found)


def _told(names: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


def group_fingerprint(rule: str, labels: Mapping[str, str]) -> str:
    """Identify a group by its rule and its labels: 16 hex digits."""
    return hashlib.blake2b(orjson.dumps(["group", rule, labels]), digest_size=8).hexdigest()
