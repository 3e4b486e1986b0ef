"""Silences: for a while nobody is told of the alerts that match. They go by id, start and end by the clock."""

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
    """What programs note beside the comment: a ticket, what it is for."""

    def active(self, now: float) -> bool:
        """Tell whether it holds."""
        return self.start <= now < self.end

    def state(self, now: float) -> str:
        """Return `pending`, `active` or `expired`, Alertmanager's words."""
        if now >= self.end:
            return "expired"
        return "active" if now >= self.start else "pending"

    def body(self, now: float) -> SilenceBody:
        """Return it as Alertmanager's API has it."""
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
        """Write it for the store."""
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
    """Tell whether two say the same of the same time, to the second: a start of "now" moves between two requests."""
    said = [(each.matchers, each.by, each.comment, each.annotations) for each in (one, other)]
    return said[0] == said[1] and abs(one.end - other.end) < 1.0 and abs(one.start - other.start) < 1.0


class Silences(Keeper):
    """All silences by id. The serial that ids are made of never goes back, also over a restart.

    The book asks at every tick what has changed, and for every alert that it might tell which silence hides it. So the
    times of all are kept in order, and who holds now is kept until the next one starts or ends.
    """

    kind = "silence"

    def __init__(self) -> None:
        """Begin with none."""
        self.all: dict[str, Silence] = {}
        self._serial = 0
        self._dirty: set[str] = set()
        self._starts, self._ends = Timeline(), Timeline()
        self._active: list[Silence] = []
        self._active_from, self._active_until = inf, -inf

    def restore(self, rows: Iterable[tuple[str, str]]) -> None:
        """Bring stored ones in."""
        for identity, text in rows:
            if identity == SERIAL:
                self._serial = int(text)
            else:
                self._keep(Silence.load(identity, text))

    def add(self, asked: Silence) -> Silence:
        """Make one as asked, whose time of change is now; it is given an id.

        The same one again is the one that is there: requests come twice where an answer was lost.
        """
        for _, identity in self._ends.between(asked.end - 1.0, asked.end + 1.0):
            if _is_same(self.all[identity], asked):
                return self.all[identity]
        self._make_room()
        self._serial += 1
        identity = hashlib.blake2b(str(self._serial).encode(), digest_size=8).hexdigest()
        made = replace(asked, id=identity)
        self._put(made)
        self._dirty.add(SERIAL)
        return made

    def change(self, asked: Silence, now: float) -> Silence | None:
        """Make the one of this id so; None where there is none by this id.

        It stays the same one only where it silences the same from the same time on, or is still to begin; otherwise it
        ends, and another one takes its place.
        """
        found = self.all.get(asked.id)
        if found is None:
            return None
        pending, start = found.start > now, max(asked.start, now)
        stays = now < found.end and (pending or abs(found.start - asked.start) < 1.0)
        if not stays or found.matchers != asked.matchers:
            self._make_room()
            self.expire(asked.id, now)
            return self.add(replace(asked, start=start, updated=now))
        made = replace(asked, start=start if pending else found.start, updated=now)
        self._put(made)
        return made

    def _make_room(self) -> None:
        """See that there may be one more.

        Raises:
            RequestError: there are too many.

        """
        if len(self.all) >= SILENCES:
            raise RequestError(
                f"there are {SILENCES:,} silences already, those of the last days included", Code.CONFLICT
            )

    def expire(self, identity: str, now: float) -> Silence | None:
        """End one now; None where none is pending or active by this id."""
        found = self.all.get(identity)
        if found is None or found.end <= now:
            return None
        ended = replace(found, start=min(found.start, now), end=now, updated=now)
        self._put(ended)
        return ended

    def forget(self, now: float) -> None:
        """Drop those that ended long ago."""
        for _, identity in self._ends.between(-inf, now - SILENCE_KEPT_SECONDS):
            self._lose_times(identity)
            del self.all[identity]
            self._dirty.add(identity)

    def of(self, labels: Mapping[str, str], now: float, unfilled: Collection[str] = ()) -> Silence | None:
        """Return an active one that matches: the one that ends last, the same one after a restart."""
        found = [each for each in self._holding(now) if match_all(each.matchers, labels, unfilled)]
        return max(found, key=lambda each: (each.end, each.id), default=None)

    def next_change(self, now: float) -> float | None:
        """Return when the next one starts or ends."""
        times = (self._starts.next(now), self._ends.next(now))
        return min((at for at in times if at is not None), default=None)

    def changed_between(self, before: float, now: float) -> list[Silence]:
        """Return those that started or ended since `before`, in that order."""
        moments = sorted(self._starts.between(before, now) + self._ends.between(before, now))
        return [self.all[identity] for identity in dict.fromkeys(identity for _, identity in moments)]

    def _holding(self, now: float) -> list[Silence]:
        """Return the active ones, which are the same from one start or end to the next."""
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
        found = self.all.get(identity)
        return None if found is None else found.dump()

    def _put(self, silence: Silence) -> None:
        self._keep(silence)
        self._dirty.add(silence.id)

    def _keep(self, silence: Silence) -> None:
        """Put it in, where it stood if it is known, and its times."""
        self._lose_times(silence.id)
        self.all[silence.id] = silence
        self._starts.add(silence.start, silence.id)
        self._ends.add(silence.end, silence.id)

    def _lose_times(self, identity: str) -> None:
        """Take the times out of one that changes or goes; who holds now is to be found anew."""
        self._active_until = -inf
        if identity in self.all:
            self._starts.drop(self.all[identity].start, identity)
            self._ends.drop(self.all[identity].end, identity)
