"""The last values of Sparkplug metrics: nodes report by exception, so each message lacks what has not changed since.

Stands before the rules beside the births: a data message gets what the birth and the messages since have said of the
same node or device, so that a rule sees it whole. Durable: what a birth said once, and apart from it what has changed
since, because that is what each commit writes.
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
    """What one subject has said: `base` as it was written last as a whole, `since` what is newer; `size` of both."""

    __slots__ = ("base", "since", "size")

    def __init__(self, base: Fields, since: Fields, size: int) -> None:
        self.base, self.since, self.size = base, since, size


class Metrics(Keeper):
    """Completes messages; who was heard longest ago is forgotten where there is too much.

    Its rows are what stands as a whole; behind them go those of `newer`.
    """

    kind = "metrics"

    def __init__(self, on_error: Callable[[str, str, str], None]) -> None:
        """Begin with nothing known; `on_error` hears of what is forgotten."""
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
            return  # Sparkplug retains none: such a one may be older than what is known
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
        """Take what is new; where that has become much, the whole is written again."""
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
        """Bring in what a store held."""
        for subject, text in rows:
            self._keep(subject, _Values(orjson.loads(text), {}, len(text)))

    def forget(self) -> None:
        """Know nothing any more: nobody hears what comes next."""
        self._whole |= self._known.keys()
        self._known.clear()
        self._size = 0

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the rows that changed since the last call; what is newer of these subjects is written anew, too."""
        whole = sorted(self._whole)
        self._newer |= self._whole
        self._whole = set()
        found = [(subject, self._known.get(subject)) for subject in whole]
        return [(subject, None if values is None else orjson.dumps(values.base).decode()) for subject, values in found]


class Newer(Keeper):
    """What single metrics have said since the whole was written: small rows, since most commits have some."""

    kind = "metrics since"

    def __init__(self, known: Mapping[str, _Values], changed: set[str], count: Callable[[int], None]) -> None:
        """Look at the values that are `known`; `count` hears how much JSON a start brings in."""
        self._known, self._changed, self._count = known, changed, count

    def restore(self, rows: Iterable[tuple[str, str]]) -> None:
        """Bring in what a store held, behind what stands as a whole."""
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
