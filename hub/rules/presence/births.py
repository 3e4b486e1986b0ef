"""What Sparkplug births say of metrics, remembered for the messages after them: names of aliases, signs of integers.

It is durable with the rest of the state, so a restart of the hub makes no difference. Only a birth that the hub has not
heard leaves metrics unknown; unknown metrics are no fields of the payload, and are counted and reported.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson

from hub.ingest.sparkplug import Declared, MetricEvent, NotSparkplug, Pending, read_value
from hub.limits import SPARKPLUG_NAMES
from hub.model import Event
from hub.rules.reading.subjects import Says, about, node_of
from hub.store.keeper import Keeper

__all__ = ["Births"]

_TOO_MANY = f"births name more than {SPARKPLUG_NAMES:,} metrics: this one, heard longest ago, is forgotten"
_TELLING = frozenset({1, 2, 3, 4, *range(22, 35)})  # datatypes that change how a value is read


class _Birth:
    """The metrics of one subject whose later messages cannot be read without the birth."""

    __slots__ = ("by_alias", "by_name", "text")

    def __init__(self, declared: Sequence[Declared]) -> None:
        known = [each for each in declared if each.alias is not None or each.datatype in _TELLING]
        self.by_alias = {each.alias: each for each in known if each.alias is not None}
        self.by_name = {each.name: each for each in known if each.datatype in _TELLING}
        self.text = orjson.dumps([[*each] for each in known]).decode()

    def __len__(self) -> int:
        return 1 + len(self.by_alias) + len(self.by_name)  # a birth that declares nothing takes room as well


class Births(Keeper):
    """Stands before the rules on every Sparkplug topic; the oldest births go where there are too many metrics."""

    kind = "birth"

    def __init__(self, on_error: Callable[[str, str, str], None], ask: Callable[[str], None]) -> None:
        """Begin without births; `on_error` hears of metrics that no birth has named.

        `ask` gets each node whose birth would make a message readable.
        """
        self._on_error, self._ask = on_error, ask
        self._known: OrderedDict[str, _Birth] = OrderedDict()
        self._size = 0
        self._dirty: set[str] = set()

    def hear(self, event: Event) -> None:
        """Give a message the metrics that only a birth makes readable, or learn of a birth."""
        if not isinstance(event, MetricEvent):
            return
        what = about(event.topic)
        if what is None:
            return
        if what.says is Says.BIRTH:
            self._learn(what.subject, event.declared)
        elif what.says is Says.DATA and what.subject not in self._known:
            self._ask(node_of(what.subject))  # values that have not changed since its birth are unknown
        if event.pending:
            self._resolve(what.subject, event)

    def _learn(self, subject: str, declared: Sequence[Declared]) -> None:
        made, before = _Birth(declared), self._known.pop(subject, None)
        self._size += len(made) - (0 if before is None else len(before))
        if before is None or before.text != made.text:
            self._dirty.add(subject)
        self._known[subject] = made
        while self._size > SPARKPLUG_NAMES and self._known:
            oldest, gone = self._known.popitem(last=False)
            self._size -= len(gone)
            self._dirty.add(oldest)
            self._on_error("Sparkplug B", oldest, _TOO_MANY)

    def _resolve(self, subject: str, event: MetricEvent) -> None:
        # an alias is unique among all metrics of a node, those of its devices included (3.0, 6.4.6)
        births = [self._known.get(name) for name in dict.fromkeys((subject, node_of(subject)))]
        known = [birth for birth in births if birth is not None]
        found: dict[str, Any] = {}
        unknown: list[Pending] = []
        for each in event.pending:
            declared = next((d for birth in known if (d := _declared(birth, each)) is not None), None)
            try:
                if declared is None:
                    unknown.append(each)
                else:
                    found[declared.name] = read_value(each.kind, each.value, each.datatype or declared.datatype)
            except NotSparkplug:
                unknown.append(each)
        event.resolve(found, len(unknown))
        if unknown:
            self._on_error("Sparkplug B", event.topic, _complaint(unknown, subject))
            self._ask(node_of(subject))

    # the store

    def restore(self, rows: Iterable[tuple[str, str]]) -> None:
        """Bring in the rows of the store, at the start."""
        for subject, text in rows:
            self._learn(subject, [Declared(*each) for each in orjson.loads(text)])
        self._dirty.clear()

    def forget(self) -> None:
        """Forget all births: no rule needs them, so the next ones will not be heard."""
        self._dirty |= self._known.keys()
        self._known.clear()
        self._size = 0

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the rows that changed since the last call."""
        dirty, self._dirty = self._dirty, set()
        return [(key, self._known[key].text if key in self._known else None) for key in sorted(dirty)]


def _declared(birth: _Birth, pending: Pending) -> Declared | None:
    """Find what a birth has declared of a metric; a name that is not remembered needs no datatype to be read."""
    if pending.name is not None:
        return birth.by_name.get(pending.name) or Declared(pending.name, None, pending.datatype)
    return None if pending.alias is None else birth.by_alias.get(pending.alias)


def _complaint(unknown: Sequence[Pending], subject: str) -> str:
    first = unknown[0]
    which = f"alias {first.alias}" if first.name is None else f"{first.name!r}, whose datatype is not known,"
    more = f" and {len(unknown) - 1} metrics more" if len(unknown) > 1 else ""
    return f"no birth of {subject} has told of {which}{more}: the node must send its birth anew (docs/presence.md)"
