"""The ids of notifications, taken apart and put together in this one place; on the wire and in the store they are text.

    0123456789abcdef-7-repeat-2       fingerprint, episode, step        an alert, or a group by a fingerprint of its own
    0123456789abcdef-12-event         the serial in place of the episode: an event is over as soon as it is told
    0123456789abcdef-3-group          a group's message of an early hub, with a serial and without an episode
    drill-4-1                         the first test of drill 4
    own-9, discovery-2                what the hub says of itself: no fingerprint, no episode

Nothing in an id comes from a clock or a random number: after a crash the same step has the same id again.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

__all__ = ["NotificationId", "episode_id", "episode_named", "fingerprint_in", "parsed", "read_alert"]


@dataclass(frozen=True, slots=True)
class NotificationId:
    """A step of an episode of an alert or group; `str` writes the id and `parse` reads it."""

    fingerprint: str
    """Of the alert or group, without a "-"."""
    episode: int
    """From 1; of an event its serial."""
    step: str
    """What is said of the episode: `firing`, `resolved`, `repeat-2`, `escalate-1`, `group-3`, `event`, …"""

    def __str__(self) -> str:
        """Write it as it goes over the wire."""
        return f"{self.fingerprint}-{self.episode}-{self.step}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` writes.

        Raises:
            ValueError: it has another form.

        """
        fingerprint, _, rest = text.partition("-")
        episode, _, step = rest.partition("-")
        number = int(episode) if episode.isascii() and episode.isdecimal() and len(episode) < _DIGITS else -1
        if not (fingerprint and step) or str(number) != episode:
            raise ValueError(f"{text!r} is not the id of a step of an episode")
        return cls(fingerprint, number, step)

    @property
    def episode_id(self) -> str:
        """What all ids of its episode begin with, and no other's does before a "-"."""
        if self.step == _GROUP:  # of an early hub: what stands in place of the episode counts its messages
            return self.fingerprint
        return episode_named(self.fingerprint, self.episode)

    @property
    def begins(self) -> bool:
        """Whether it is the first message of an alert's episode."""
        return self.step == _FIRING

    @property
    def of_group(self) -> bool:
        """Whether it tells of the members of a group, each by its own id."""
        return self.step.startswith(_OF_GROUP)


_DIGITS = 19  # of an episode, which fits into 64 bits
_FIRING, _GROUP = "firing", "group"
_OF_GROUP = ("group-", "escalate-")
_ALERT = re.compile(r"([0-9a-f]{16})(?:-([0-9]+)(?:-[a-z0-9-]+)?)?")


def parsed(text: str) -> NotificationId | None:
    """Read an id of whatever form; None where it is no step of an episode."""
    try:
        return NotificationId.parse(text)
    except ValueError:
        return None


def fingerprint_in(text: str) -> str:
    """Return the fingerprint of the alert or group in an id of any form; the text itself where it has none."""
    return text.partition("-")[0]


@lru_cache(4096)  # a lane asks again and again for those that wait in it
def episode_id(text: str) -> str:
    """Return what all ids of an id's episode begin with; an id without an episode is returned as it is."""
    found = parsed(text)
    return text if found is None else found.episode_id


def episode_named(fingerprint: str, episode: int) -> str:
    """Return the episode id: what all ids of an episode begin with."""
    return f"{fingerprint}-{episode}"


def read_alert(text: str) -> tuple[str, int | None]:
    """Read which alert a person means, by a fingerprint, an episode id or a notification id; and which episode, if any.

    Raises:
        ValueError: it is none of these. What was typed is read more strictly than what the hub has written.

    """
    parts = _ALERT.fullmatch(text)
    if parts is None:
        raise ValueError(f"{text!r} is not the id of an alert or notification")
    return parts[1], None if parts[2] is None else int(parts[2])
