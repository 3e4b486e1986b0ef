"""Says which members of an instance count, and which a condition holds for, in a rule with `across`."""

from collections.abc import Iterator
from itertools import islice

from hub.documents.duration import format_duration
from hub.limits import MEMBER_NAMES
from hub.rules.instances.instance import Instance
from hub.rules.members.crowd import Crowd
from hub.rules.members.tallies import HeldTally
from hub.rules.reading.rule import Rule

__all__ = ["about_members"]


def about_members(rule: Rule, instance: Instance | None, now: float) -> Iterator[str]:
    """Yield a sentence for each function that asks a condition; it walks over all members, as only people ask."""
    crowd = None if instance is None else instance.members
    if crowd is None:
        return
    rows = sorted(crowd.rows.values(), key=crowd.name)
    yield f"{crowd.fresh} of {crowd.size} members count"
    for text, key in {reading.slot.text: reading.slot.key for reading in rule.readings}.items():
        tally = crowd.slots[key]
        if isinstance(tally, HeldTally) and text:
            held = [crowd.name(row) for row in rows if tally.holds(row, counts=not crowd.is_stale(row))]
            yield f"{text} holds for {_some(held)}"
    stale = [f"{crowd.name(row)} ({_silence(crowd, row, now)})" for row in rows if crowd.is_stale(row)]
    if stale:
        yield f"stale: {_some(stale)}"


def _silence(crowd: Crowd, row: int, now: float) -> str:
    silent = format_duration(max(0.0, now - crowd.seen(row)))
    return f"silent for {silent}" if crowd.was_heard(row) else f"never heard, expected for {silent}"


def _some(names: list[str]) -> str:
    shown, more = ", ".join(islice(names, MEMBER_NAMES)), len(names) - MEMBER_NAMES
    return (f"{shown} and {more} more" if more > 0 else shown) or "none"
