"""The messages of one instance that may still be overtaken by late ones (`late`), and what was told of their time.

Durable: a row for each instance, of the kind `late`. The messages older than `late` before the newest are folded into
a mark, how the condition stood after them.
"""

from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Callable, Iterable, Iterator
from math import inf

import orjson

from hub.limits import HEAVY_PAYLOAD_BYTES, OUT_OF_ORDER_MESSAGES
from hub.model import Phase
from hub.rules.instances.out_of_order import INACTIVE, Episode, Judged, PastPhase, Spans, lived, placed
from hub.store.keeper import Keeper

__all__ = ["LateLog", "LateLogs"]

Key = tuple[str, ...]
Name = tuple[str, Key]
"""Rule and instance."""


class LateLog:
    """`live` is when the condition of what the alert book knows as pending or firing began, by the device's own time.

    `told` are the times, from when the condition held until the end, of which people know. `came` is when the last
    message came, by the hub's clock, `led` when the newest did, and `lag` how long that was under way. `due`: when the
    clock looks at it.
    """

    __slots__ = ("_over", "_tip", "came", "due", "lag", "led", "live", "mark", "messages", "told")

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self.mark, self.messages = INACTIVE, list[Judged]()
        self.told: list[tuple[float, float]] = []
        self.came = self.lag = self.led = self.live = 0.0
        self.due = inf
        self._over: list[Episode] = []
        self._tip: PastPhase | None = None
        """How the condition stands at the newest message, and what was over since the last look; None: to be found."""

    @property
    def newest(self) -> float:
        """The time of the newest message, 0 where there is none."""
        return self.messages[-1].time if self.messages else 0.0

    def add(self, spans: Spans, message: Judged, now: float) -> bool:
        """Take a message that has come now; tell whether it is the newest."""
        if len(message.raw) > HEAVY_PAYLOAD_BYTES:
            message = message._replace(raw=b"")
        is_newest = placed(self.messages, message) == len(self.messages) - 1
        if is_newest:
            self.led, self.lag = now, now - message.time
        if is_newest and self._tip is not None:  # one step, however many messages there are
            over, self._tip = lived(spans, self._tip, (message,))
            self._over += over
        else:
            self._tip = None
        self.came = now
        return is_newest

    def lived(self, spans: Spans) -> tuple[Iterable[Episode], PastPhase]:
        """Return the episodes that are over, and how the condition stands now."""
        if self._tip is None:
            over, self._tip = lived(spans, self.mark, self.messages)
            self._over = list(over)
        return self._over, self._tip

    def note_told(self) -> None:
        """Note that all episodes that are over are known to people."""
        self._over = []

    def is_known(self, episode: Episode) -> bool:
        """Tell whether people know of an episode, or of a part of it."""
        return any(begun <= episode.until and episode.begun <= until for begun, until in self.told)

    def fold(self, spans: Spans, late: float) -> None:
        """Let go of what no late message can overtake any more; the newest message stays."""
        horizon, messages = self.newest - late, self.messages
        count = next((place for place, each in enumerate(messages) if each.time >= horizon), 0)
        count = max(count, len(messages) - OUT_OF_ORDER_MESSAGES)
        if count > 0:
            _, self.mark = lived(spans, self.mark, messages[:count])
            del messages[:count]
        oldest = min(messages[0].time if messages else inf, self.mark.begun or inf)
        self.told = [each for each in self.told if each[1] >= oldest]

    def last_by(self, at: float) -> Judged | None:
        """Return the last message that is not later than this."""
        return next((each for each in reversed(self.messages) if each.time <= at), None)

    def dump(self) -> str:
        """Write it for the store."""
        mark = [self.mark.phase.value, *self.mark[1:]]
        messages = [[*each[:4], b64encode(each.raw).decode()] for each in self.messages]
        due = None if self.due == inf else self.due
        return orjson.dumps([mark, messages, self.told, self.came, self.led, self.lag, self.live, due]).decode()

    @classmethod
    def load(cls, text: str) -> "LateLog":
        """Read what `dump` wrote."""
        made = cls()
        (phase, *times), messages, told, made.came, made.led, made.lag, made.live, due = orjson.loads(text)
        made.mark = PastPhase(Phase(phase), *times)
        made.messages = [Judged(at, holds, ends, on, a2b_base64(raw)) for at, holds, ends, on, raw in messages]
        made.told = [(begun, until) for begun, until in told]
        made.due = inf if due is None else due
        return made


class LateLogs(Keeper):
    """The logs of all rules with `late`, by rule and instance."""

    kind = "late"

    def __init__(self) -> None:
        """Begin with none."""
        self.all: dict[Name, LateLog] = {}
        self._dirty: set[Name] = set()

    def of(self, name: Name) -> LateLog:
        """Return the log of an instance, to be changed: it is written with the next commit."""
        self._dirty.add(name)
        found = self.all.get(name)
        if found is None:
            found = self.all[name] = LateLog()
        return found

    def drop(self, name: Name) -> None:
        """Forget the log of an instance."""
        if self.all.pop(name, None) is not None:
            self._dirty.add(name)

    def keep(self, wanted: Callable[[Name], bool]) -> None:
        """Forget all logs but those that are wanted."""
        for name in [each for each in self.all if not wanted(each)]:
            self.drop(name)

    def shift(self, seconds: float) -> None:
        """Move the times of the hub's clock by `seconds`: somebody has set it."""
        for name, log in self.all.items():
            log.came, log.led, log.due = log.came + seconds, log.led + seconds, log.due + seconds
            self._dirty.add(name)

    def restore(self, rows: Iterable[tuple[str, str]]) -> None:
        """Restore the logs from the store."""
        for key, text in rows:
            rule, instance = orjson.loads(key)
            self.all[rule, tuple(instance)] = LateLog.load(text)

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the rows that changed since the last call."""
        dirty, self._dirty = self._dirty, set()
        return list(self._rows(dirty))

    def _rows(self, names: Iterable[Name]) -> Iterator[tuple[str, str | None]]:
        for name in names:
            log = self.all.get(name)
            yield orjson.dumps(name).decode(), None if log is None else log.dump()
