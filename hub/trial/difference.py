"""What another version of the rules would have told: fewer, new and missed notifications.

Notifications of two versions are the same where rule, labels and state are equal and their times are not further apart
than TOLERANCE_SECONDS. `fewer` are those that only the old version sends, `new` those that only the new one sends.
`missed` are alerts (episodes, or events) of which the old version told somebody and the new one tells nobody at all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import Any

import orjson

from hub.store.changes import TraceRow
from hub.trial.replaying import Replay, ReplayNotice
from hub.why.readings import value_text

__all__ = ["Change", "Difference", "compare"]

TOLERANCE_SECONDS = 60.0
_OWN = ("alertname", "severity", "reason")
_TELLING = ("transition", "held")
Identity = tuple[str, tuple[tuple[str, str], ...]]
Episodes = Mapping[Identity, Sequence[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Change:
    """A notification that one version sends and the other does not, and why not."""

    notice: ReplayNotice
    reason: str
    missed: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """All changes, in order of time, and how many notifications are the same."""

    fewer: list[Change]
    new: list[Change]
    same: int

    @property
    def missed(self) -> list[Change]:
        """The first notification of each alert of which nobody would hear any more."""
        return [change for change in self.fewer if change.missed]


def compare(new: Replay, old: Replay) -> Difference:
    """Compare what both would have told."""
    ours, theirs = new.notices(), old.notices()
    gone, fresh, same = _matched(theirs, ours)
    why_gone, why_fresh = _Reasons(new), _Reasons(old)
    before, after = _episodes(theirs), _episodes(ours)
    fewer = [Change(each, why_gone.of(each), _is_missed(each, before, after)) for each in gone]
    return Difference(fewer, [Change(each, why_fresh.came(each, new)) for each in fresh], same)


def _identity(notice: ReplayNotice) -> Identity:
    return notice.rule, tuple(sorted((k, v) for k, v in notice.labels.items() if k not in _OWN))


def _matched(
    one: Iterable[ReplayNotice], other: Iterable[ReplayNotice]
) -> tuple[list[ReplayNotice], list[ReplayNotice], int]:
    """Pair notifications of the same alert and state, in order of time; return those of each side that are left."""
    waiting: dict[tuple[Identity, str], list[ReplayNotice]] = {}
    for each in other:
        waiting.setdefault((_identity(each), each.state), []).append(each)
    left, same = [], 0
    for each in one:
        near = waiting.get((_identity(each), each.state), [])
        found = next((it for it in near if abs(it.at - each.at) <= TOLERANCE_SECONDS), None)
        if found is None:
            left.append(each)
        else:
            near.remove(found)
            same += 1
    rest = [each for found in waiting.values() for each in found]
    return left, sorted(rest, key=lambda each: each.at), same


def _episodes(notices: Iterable[ReplayNotice]) -> dict[Identity, list[tuple[float, float]]]:
    """Return the times from when to when somebody knew of an alert; an event begins and ends at one moment."""
    found: dict[Identity, list[tuple[float, float]]] = {}
    for each in notices:
        episodes = found.setdefault(_identity(each), [])
        if each.state == "event":
            episodes.append((each.at, each.at))
        elif each.state == "firing" and not (episodes and episodes[-1][1] == inf):
            episodes.append((each.at, inf))
        elif each.state == "resolved" and episodes and episodes[-1][1] == inf:
            episodes[-1] = (episodes[-1][0], each.at)
    return found


def _is_missed(notice: ReplayNotice, theirs: Episodes, ours: Episodes) -> bool:
    """Tell whether this is the first of an episode of which the other version tells nobody until it is over."""
    identity = _identity(notice)
    episode = next((each for each in theirs.get(identity, ()) if each[0] == notice.at), None)
    if episode is None or notice.state == "resolved":
        return False
    begin, end = episode[0] - TOLERANCE_SECONDS, episode[1] + TOLERANCE_SECONDS
    return not any(first <= end and last >= begin for first, last in ours.get(identity, ()))


class _Reasons:
    """Looks up in a version's trace why it did not tell what the other one did."""

    def __init__(self, replay: Replay) -> None:
        self._rules = replay.rules.rules
        self._rows: dict[str, list[TraceRow]] = {}
        for row in replay.trace:
            self._rows.setdefault(row[2], []).append(row)

    def of(self, notice: ReplayNotice) -> str:
        """Say why this version does not tell it."""
        rule = self._rules.get(notice.rule)
        if rule is None:
            return "there is no such rule"
        rows = [row for row in self._rows.get(notice.fingerprint, []) if row[0] <= notice.at]
        if not rows:
            return f"`{rule.when.text}` did not hold" if rule.when is not None else "it was not silent for so long"
        last = next((row for row in reversed(rows) if row[1] in _TELLING), None)
        return "it was told already" if last is None else _instead(last, notice)

    def came(self, notice: ReplayNotice, new: Replay) -> str:
        """Say why the new version tells what this one does not: what it saw, and what this one made of it."""
        before = self.of(notice) if notice.rule in self._rules else "there was no such rule"
        rows = [
            row for row in new.trace if row[2] == notice.fingerprint and row[0] <= notice.at and row[1] == "transition"
        ]
        return f"{_said(rows[-1])}; before: {before}" if rows else f"before: {before}"


def _instead(row: TraceRow, notice: ReplayNotice) -> str:
    """Say what this version knew at the time at which the other one told something."""
    data: dict[str, Any] = orjson.loads(row[5])
    since = datetime.fromtimestamp(row[0], UTC).strftime("%H:%M:%S")
    if row[1] == "transition" and data["phase"] == notice.state == "firing":
        return f"it has been firing since {since} UTC: one episode"
    if row[1] == "transition" and data["phase"] == "firing":
        return f"it still fires, since {since} UTC"
    return _said(row)


def _said(row: TraceRow) -> str:
    data: dict[str, Any] = orjson.loads(row[5])
    if row[1] == "held":
        return f"held back by {data['stage']}" + (f" ({data['detail']})" if data.get("detail") else "")
    values = ", ".join(f"{part} was {value_text(value)}" for part, value in data.get("values") or ())
    return f"{data['phase']} ({data['reason']})" + (f", {values}" if values else "")
