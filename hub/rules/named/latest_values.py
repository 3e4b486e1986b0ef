"""The latest message of each name of a rule's `topic` map, by the values of the captures that its topic has.

A topic with fewer captures than the rule is shared: its message stands once, whatever the number of instances that see
it. Durable: a row for each message.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from hub.errors import EvaluationError
from hub.ingest.decode import decode_again
from hub.ingest.decoding.decoder import Decoder
from hub.limits import LATEST_BYTES, LATEST_VALUES
from hub.model import Event
from hub.rules.instances.instance import unwritten, written
from hub.store.keeper import Keeper

__all__ = ["Latest", "LatestSeen", "LatestValues"]

Key = tuple[str, ...]
_FULL = f"{LATEST_VALUES:,} latest values are remembered, as many as there may be: this one is not"
_LARGE = f"a payload over {LATEST_BYTES:,} bytes is not remembered as the latest value of a name"


class Latest(NamedTuple):
    """A message: what it says, and when it came, in seconds since 1970."""

    value: Any
    raw: bytes
    at: float


def seen_as(value: Any) -> Any:
    """Return what a name means: an object with nothing but the field `value` is that value."""
    return value["value"] if isinstance(value, dict) and value.keys() == {"value"} else value


class LatestSeen:
    """What the names of one rule mean in one instance; it looks when it is asked."""

    __slots__ = ("_captures", "_of", "_places", "at_hand", "touched")

    def __init__(
        self,
        of: Mapping[str, Mapping[Key, Latest]],
        places: Mapping[str, tuple[int, ...] | None],
        captures: Key,
        at_hand: str,
        touched: set[str],
    ) -> None:
        """Look for `captures`; `places` says which of them each name's topic has, None: all.

        `at_hand` is the name that has spoken; names that are asked for are added to `touched`.
        """
        self._of, self._places, self._captures = of, places, captures
        self.at_hand, self.touched = at_hand, touched

    def __getitem__(self, name: str) -> Any:
        """Return the latest value of a name.

        Raises:
            EvaluationError: nothing has come on its topic yet.

        """
        captures, places = self._captures, self._places[name]
        self.touched.add(name)
        found = self._of[name].get(captures if places is None else tuple([captures[place] for place in places]))
        if found is None:
            raise EvaluationError(f"nothing has come yet for {name!r}")
        return found.value

    def taken(self) -> dict[str, Any]:
        """Return all that is known now, for texts that are made later."""
        made = {}
        for name in self._places:
            try:
                made[name] = self[name]
            except EvaluationError:
                continue
        return made


class LatestValues(Keeper):
    """Keeps them for all rules."""

    kind = "latest"

    def __init__(self) -> None:
        """Begin without any."""
        self._known: dict[str, dict[str, dict[Key, Latest]]] = {}
        self._stored: list[tuple[str, str, Key, str]] = []
        self._dirty: set[tuple[str, str, Key]] = set()
        self._number = 0

    def of(self, rule: str, names: Iterable[str]) -> dict[str, dict[Key, Latest]]:
        """Return what is known of a rule's names; what is put later stands there, too."""
        known = self._known.setdefault(rule, {})
        for name in names:
            known.setdefault(name, {})
        return known

    def put(self, rule: str, name: str, key: Key, event: Event) -> str:
        """Take a message, if it is the newest; an empty one takes the value back. Return why it is not remembered."""
        values = self._known[rule][name]
        before = values.get(key)
        if before is not None and before.at > event.time:
            return ""
        if event.value is None or len(event.raw) > LATEST_BYTES:
            if values.pop(key, None) is not None:
                self._number -= 1
                self._dirty.add((rule, name, key))
            return _LARGE if event.value is not None else ""
        if before is None:
            if self._number >= LATEST_VALUES:
                return _FULL
            self._number += 1
        values[key] = Latest(seen_as(event.value), event.raw, event.time)
        self._dirty.add((rule, name, key))
        return ""

    # the store

    def restore(self, rows: Iterable[tuple[str, str]]) -> None:
        """Put the rows of the store aside until the rules are known (`keep`)."""
        self._stored = [(rule, name, tuple(key), text) for row, text in rows for rule, name, key in [orjson.loads(row)]]

    def keep(self, decoders: Mapping[str, Decoder | None], names: Mapping[str, Iterable[str]]) -> None:
        """Keep what belongs to these rules and their names, and forget all else."""
        for rule, name, key, text in self._stored:
            at, raw = orjson.loads(text)
            payload = unwritten(raw)
            value = decode_again("", payload, at, decoders.get(rule)).value
            self._known.setdefault(rule, {}).setdefault(name, {})[key] = Latest(seen_as(value), payload, at)
            self._number += 1
        self._stored = []
        for rule, known in list(self._known.items()):
            wanted = set(names.get(rule, ()))
            for name in [name for name in known if name not in wanted]:
                gone = known.pop(name)
                self._number -= len(gone)
                self._dirty |= {(rule, name, key) for key in gone}
            if not known:
                del self._known[rule]

    def drop(self, rule: str) -> None:
        """Forget what is known of a rule whose meaning has changed."""
        stored, self._stored = self._stored, []
        for row in stored:
            if row[0] == rule:
                self._dirty.add(row[:3])
            else:
                self._stored.append(row)
        for name, known in self._known.pop(rule, {}).items():
            self._number -= len(known)
            self._dirty |= {(rule, name, key) for key in known}

    def shift(self, seconds: float) -> None:
        """Move all times: the wall clock was set by `seconds`."""
        for rule, name, key, value in list(self._all()):
            self._known[rule][name][key] = value._replace(at=value.at + seconds)
            self._dirty.add((rule, name, key))

    def _all(self) -> Iterator[tuple[str, str, Key, Latest]]:
        for rule, known in self._known.items():
            for name, values in known.items():
                yield from ((rule, name, key, value) for key, value in values.items())

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the rows that changed since the last call."""
        dirty, self._dirty = self._dirty, set()
        rows: list[tuple[str, str | None]] = []
        for rule, name, key in sorted(dirty):
            value = self._known.get(rule, {}).get(name, {}).get(key)
            text = None if value is None else orjson.dumps([value.at, written(value.raw)]).decode()
            rows.append((orjson.dumps([rule, name, key]).decode(), text))
        return rows
