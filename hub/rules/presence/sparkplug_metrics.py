"""The last values of Sparkplug metrics: nodes report by exception, so a message lacks every metric that is unchanged.

It stands before the rules, beside the births: a data message gets the values that the birth and the later messages of
the same node or device have said, so a rule sees all metrics. Durable: the birth in one row, and what has changed since
in another, because each commit writes the second one.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from hub.ingest.sparkplug import ABOUT
from hub.limits import PAYLOAD_BYTES, SPARKPLUG_VALUE_BYTES
from hub.model import Event
from hub.rules.reading.subjects import MessageKind, Says, about
from hub.store.keeper import Keeper

__all__ = ["Metrics"]

Fields = dict[str, Any]
_LEAST = 8  # what has changed since is written apart, unless it is more than this, and half of all
_TOO_LARGE = f"its metrics are more than {PAYLOAD_BYTES >> 10} KB of JSON together: those of before are forgotten"
_TOO_MANY = (
    f"the values of metrics are more than {SPARKPLUG_VALUE_BYTES >> 20} MB of JSON:"
    " these, heard longest ago, are forgotten"
)


class _Values:
    """What one subject has said: `base` is in the row of the whole, `since` is newer; `size`: bytes of JSON of both."""

    __slots__ = ("base", "since", "size")

    def __init__(self, base: Fields, since: Fields, size: int) -> None:
        self.base, self.since, self.size = base, since, size


class Metrics(Keeper):
    """Completes messages; where there is too much, the subjects heard longest ago are forgotten.

    Its rows have the whole of each subject; the rows of `newer` follow them.
    """

    kind = "metrics"

    def __init__(self, on_error: Callable[[str, str, str], None]) -> None:
        """Begin without values; `on_error` hears of each subject that is forgotten."""
        self._on_error = on_error
        self._known: OrderedDict[str, _Values] = OrderedDict()
        self._size = 0
        self._whole: set[str] = set()
        self._newer: set[str] = set()
        self.newer = Newer(self._known, self._newer, self._add)
        """The keeper of what is newer than the whole."""

    def hear(self, event: Event) -> None:
        """Remember what a birth or data message says; give data what it leaves out."""
        what = about(event.topic)
        if what is None or what.kind not in _KINDS or what.says not in _TELLING or type(event.value) is not dict:
            return
        if event.retain:
            return  # Sparkplug never retains data: a retained message may be older than what is known
        own = {name: value for name, value in event.fields.items() if name != ABOUT}
        if what.says is Says.BIRTH:
            self._begin(what.subject, own, len(event.raw))
        else:
            self._complete(what.subject, own, event)

    def _begin(self, subject: str, own: Fields, size: int) -> None:
        before = self._known.get(subject)
        self._keep(subject, _Values(own, {}, size))
        if before is None or before.since or before.base != own:
            self._whole.add(subject)

    def _complete(self, subject: str, own: Fields, event: Event) -> None:
        known, said = self._known.get(subject), event.fields.get(ABOUT)
        found = own if known is None else {**known.base, **known.since, **own}
        of_this = {**(said if isinstance(said, dict) else {}), "reported": list(own)}
        complete = {**found, ABOUT: of_this}
        raw = orjson.dumps(complete)
        if known is not None and len(raw) > PAYLOAD_BYTES:
            self._on_error("Sparkplug B", event.topic, _TOO_LARGE)
            self._begin(subject, own, len(event.raw))
            return
        event.fields = event.value = complete
        event.raw = raw
        if known is None:
            self._begin(subject, own, len(raw))
        else:
            self._go_on(subject, known, own, found, len(raw))

    def _go_on(self, subject: str, known: _Values, own: Fields, found: Fields, size: int) -> None:
        """Take new values; where these are many by now, the next commit writes the whole again."""
        since = {**known.since, **own}
        if len(since) > max(_LEAST, len(found) // 2):
            self._keep(subject, _Values(found, {}, size))
            self._whole.add(subject)
        else:
            self._keep(subject, _Values(known.base, since, size))
            self._newer.add(subject)

    def _keep(self, subject: str, values: _Values) -> None:
        before = self._known.pop(subject, None)
        self._size += values.size - (0 if before is None else before.size)
        self._known[subject] = values
        self._bound()

    def _add(self, size: int) -> None:
        """Count what rows of `newer` bring in at a start."""
        self._size += size
        self._bound()

    def _bound(self) -> None:
        while self._size > SPARKPLUG_VALUE_BYTES and len(self._known) > 1:
            oldest, gone = self._known.popitem(last=False)
            self._size -= gone.size
            self._whole.add(oldest)
            self._on_error("Sparkplug B", oldest, _TOO_MANY)

    # the store

    def restore(self, rows: Iterable[tuple[str, str]]) -> None:
        """Bring in the rows of the store, at the start."""
        for subject, text in rows:
            self._keep(subject, _Values(orjson.loads(text), {}, len(text)))

    def forget(self) -> None:
        """Forget all values: no rule needs them, so the next ones will not be heard."""
        self._whole |= self._known.keys()
        self._known.clear()
        self._size = 0

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the rows that changed since the last call; `newer` then writes its rows of these subjects too."""
        whole = sorted(self._whole)
        self._newer |= self._whole
        self._whole = set()
        found = [(subject, self._known.get(subject)) for subject in whole]
        return [(subject, None if values is None else orjson.dumps(values.base).decode()) for subject, values in found]


class Newer(Keeper):
    """What single metrics have said since the whole was written: small rows, since most commits have some."""

    kind = "metrics since"

    def __init__(self, known: Mapping[str, _Values], changed: set[str], count: Callable[[int], None]) -> None:
        """Share `known` and `changed` with Metrics; `count` gets the bytes of JSON that a start brings in."""
        self._known, self._changed, self._count = known, changed, count

    def restore(self, rows: Iterable[tuple[str, str]]) -> None:
        """Bring in the rows of the store, after those of the whole."""
        for subject, text in rows:
            values = self._known.get(subject)
            if values is not None:
                values.since = orjson.loads(text)
                values.size += len(text)
                self._count(len(text))

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the rows that changed since the last call, once those of the whole are taken."""
        changed = sorted(self._changed)
        self._changed.clear()
        return [(subject, _newer_of(self._known.get(subject))) for subject in changed]


_KINDS, _TELLING = frozenset({MessageKind.NODE, MessageKind.DEVICE}), frozenset({Says.BIRTH, Says.DATA})


def _newer_of(values: _Values | None) -> str | None:
    return orjson.dumps(values.since).decode() if values is not None and values.since else None
