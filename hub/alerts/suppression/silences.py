"""Silences, which operators make: from start to end nobody is told of the alerts that match."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf

import orjson

from hub.alerts.matchers import Matcher, match_all
from hub.alerts.suppression.timeline import Timeline
from hub.clock import rfc3339
from hub.contracts.answered import MatcherBody, SilenceBody
from hub.errors import Code, RequestError
from hub.limits import SILENCE_KEPT_SECONDS, SILENCES
from hub.model import Labels
from hub.store.keeper import Keeper

__all__ = ["Silence", "Silences"]

SERIAL = "serial"


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence; times are seconds since 1970."""

    id: str
    matchers: tuple[Matcher, ...]
    start: float
    end: float
    by: str
    comment: str
    updated: float
    annotations: Labels = ()
    """Names and values that programs note beside the comment, as the number of a ticket."""

    def active(self, now: float) -> bool:
        """Tell whether it suppresses what matches now."""
        return self.start <= now < self.end

    def state(self, now: float) -> str:
        """Return `pending`, `active` or `expired`, Alertmanager's words."""
        if now >= self.end:
            return "expired"
        return "active" if now >= self.start else "pending"

    def body(self, now: float) -> SilenceBody:
        """Return the silence as Alertmanager's API shows it, with `matchers_text` beside."""
        return {
            "id": self.id,
            "status": {"state": self.state(now)},
            "matchers": [_matcher_body(each) for each in self.matchers],
            "matchers_text": [str(each) for each in self.matchers],
            "startsAt": rfc3339(self.start),
            "endsAt": rfc3339(self.end),
            "updatedAt": rfc3339(self.updated),
            "createdBy": self.by,
            "comment": self.comment,
            "annotations": dict(self.annotations),
        }

    def dump(self) -> str:
        """Return the silence as JSON for the store."""
        matchers = [(each.name, each.operator, each.value) for each in self.matchers]
        rest = (self.start, self.end, self.by, self.comment, self.updated, self.annotations)
        return orjson.dumps([matchers, *rest]).decode()

    @classmethod
    def load(cls, identity: str, text: str) -> "Silence":
        """Read what `dump` wrote."""
        matchers, *rest, annotations = orjson.loads(text)
        noted = tuple((str(name), str(value)) for name, value in annotations)
        return replace(cls(identity, tuple(Matcher(*each) for each in matchers), *rest), annotations=noted)


def _matcher_body(matcher: Matcher) -> MatcherBody:
    regex, equal = "~" in matcher.operator, not matcher.operator.startswith("!")
    return {"name": matcher.name, "value": matcher.value, "isRegex": regex, "isEqual": equal}


def _is_same(one: Silence, other: Silence) -> bool:
    """Tell whether two silences say the same and have the same times, to the second.

    To the second because a start of "now" moves between two requests of one person.
    """
    said = [(each.matchers, each.by, each.comment, each.annotations) for each in (one, other)]
    return said[0] == said[1] and abs(one.end - other.end) < 1.0 and abs(one.start - other.start) < 1.0


class Silences(Keeper):
    """All silences by id. Ids are made of a serial that never goes back, also over a restart.

    At every tick the book asks what has changed, and for every alert that it might tell, which silence suppresses it.
    So the times of all silences are kept in order, and the list of active ones until the next one starts or ends.
    """

    kind = "silence"

    def __init__(self) -> None:
        """Begin empty."""
        self.all: dict[str, Silence] = {}
        self._serial = 0
        self._dirty: set[str] = set()
        self._starts, self._ends = Timeline(), Timeline()
        self._active: list[Silence] = []
        self._active_from, self._active_until = inf, -inf

    def restore(self, rows: Iterable[tuple[str, str]]) -> None:
        """Restore silences and the serial from the store."""
        for identity, text in rows:
            if identity == SERIAL:
                self._serial = int(text)
            else:
                self._keep(Silence.load(identity, text))

    def add(self, asked: Silence) -> Silence:
        """Make the silence that is asked for, with an id of its own; `asked.updated` is the time of now.

        Where the same one is there already it is returned: a client asks twice where the answer was lost.

        Raises:
            RequestError: there are too many.

        """
        for _, identity in self._ends.between(asked.end - 1.0, asked.end + 1.0):
            if _is_same(self.all[identity], asked):
                return self.all[identity]
        self._make_room()
        self._serial += 1
        identity = hashlib.blake2b(str(self._serial).encode(), digest_size=8).hexdigest()
        silence = replace(asked, id=identity)
        self._put(silence)
        self._dirty.add(SERIAL)
        return silence

    def change(self, asked: Silence, now: float) -> Silence | None:
        """Change the silence with the id of `asked`; None where no silence has this id.

        It keeps its id only where it matches the same and has the same start, or is still pending. Otherwise it ends
        and a new one takes its place, so that the old one still says what it has suppressed.

        Raises:
            RequestError: a new one is needed and there are too many.

        """
        before = self.all.get(asked.id)
        if before is None:
            return None
        pending, start = before.start > now, max(asked.start, now)
        stays = now < before.end and (pending or abs(before.start - asked.start) < 1.0)
        if not stays or before.matchers != asked.matchers:
            self._make_room()
            self.expire(asked.id, now)
            return self.add(replace(asked, start=start, updated=now))
        silence = replace(asked, start=start if pending else before.start, updated=now)
        self._put(silence)
        return silence

    def _make_room(self) -> None:
        """Raise RequestError where there are as many silences as there may be."""
        if len(self.all) >= SILENCES:
            raise RequestError(
                f"there are {SILENCES:,} silences already, those of the last days included", Code.CONFLICT
            )

    def expire(self, identity: str, now: float) -> Silence | None:
        """End a silence now; None where no silence with this id is pending or active."""
        silence = self.all.get(identity)
        if silence is None or silence.end <= now:
            return None
        ended = replace(silence, start=min(silence.start, now), end=now, updated=now)
        self._put(ended)
        return ended

    def forget(self, now: float) -> None:
        """Forget the silences that ended more than SILENCE_KEPT_SECONDS ago."""
        for _, identity in self._ends.between(-inf, now - SILENCE_KEPT_SECONDS):
            self._lose_times(identity)
            del self.all[identity]
            self._dirty.add(identity)

    def of(self, labels: Mapping[str, str], now: float, unfilled: Collection[str] = ()) -> Silence | None:
        """Return the active silence that matches and ends last, so that it is the same one after a restart."""
        found = [each for each in self._holding(now) if match_all(each.matchers, labels, unfilled)]
        return max(found, key=lambda each: (each.end, each.id), default=None)

    def next_change(self, now: float) -> float | None:
        """Return when the next silence starts or ends; None where none does."""
        times = (self._starts.next(now), self._ends.next(now))
        return min((at for at in times if at is not None), default=None)

    def changed_between(self, before: float, now: float) -> list[Silence]:
        """Return the silences that started or ended after `before` and up to `now`, in order of these times."""
        moments = sorted(self._starts.between(before, now) + self._ends.between(before, now))
        return [self.all[identity] for identity in dict.fromkeys(identity for _, identity in moments)]

    def _holding(self, now: float) -> list[Silence]:
        """Return the active silences; they are looked for only after a start or an end."""
        if not self._active_from <= now < self._active_until:
            since, until = (self._starts.last(now), self._ends.last(now)), self.next_change(now)
            self._active = [each for each in self.all.values() if each.active(now)]
            self._active_from = max((at for at in since if at is not None), default=-inf)
            self._active_until = inf if until is None else until
        return self._active

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the rows that changed since the last call."""
        dirty, self._dirty = self._dirty, set()
        return [(identity, self._row(identity)) for identity in dirty]

    def _row(self, identity: str) -> str | None:
        if identity == SERIAL:
            return str(self._serial)
        silence = self.all.get(identity)
        return None if silence is None else silence.dump()

    def _put(self, silence: Silence) -> None:
        self._keep(silence)
        self._dirty.add(silence.id)

    def _keep(self, silence: Silence) -> None:
        """Enter a silence and its times; one that is known keeps its place."""
        self._lose_times(silence.id)
        self.all[silence.id] = silence
        self._starts.add(silence.start, silence.id)
        self._ends.add(silence.end, silence.id)

    def _lose_times(self, identity: str) -> None:
        """Take out the times of a silence that changes or goes; the active ones must be looked for anew."""
        self._active_until = -inf
        if identity in self.all:
            self._starts.drop(self.all[identity].start, identity)
            self._ends.drop(self.all[identity].end, identity)
