"""The keys that every receiver has beside its kind: timeout, send_resolved, rate, retry, fallback."""

import re
from collections.abc import Callable
from typing import Any

from hub.documents.document import Node, Problems
from hub.documents.duration import parse_duration
from hub.documents.value_schema import LASTING, with_schema
from hub.fields import Bad, Key, KeyTable, Section, boolean, duration, integer, late, text
from hub.limits import DELIVERY_AGE_SECONDS, RATE_COUNT, RECEIVER_TIMEOUT_SECONDS, RETRY_AFTER_SECONDS, RETRY_SECONDS
from hub.notify.fallback import Fallback
from hub.notify.lanes.pace import Rate
from hub.notify.lanes.retry import RetryPolicy

__all__ = [
    "COMMON",
    "FALLBACK",
    "FALLBACK_TABLE",
    "RATE",
    "RETRY",
    "RETRY_TABLE",
    "SEND_RESOLVED",
    "TIMEOUT",
    "fallback",
    "retry",
]

_PER = re.compile(r"([0-9]{1,9})\s*/\s*([0-9a-z.]+)")
_ATTEMPTS = 1000
_RATE_HINT = "write 10/m, 1/s or 100/12h"


def between(low: float, high: float, words: str) -> Callable[[Node], float]:
    """Make a reader of a duration that is more than `low` and at most `high` seconds."""

    @with_schema(LASTING)
    def convert(node: Node) -> float:
        seconds = duration(node)
        if not low < seconds <= high:
            raise Bad(node, f"must be {words}, not {node.text}")
        return seconds

    return convert


_timeout = between(0, 600, "more than 0 and at most 10m")
_age = between(0, 31 * 86400, "more than 0 and at most 31d")
_first = between(0, RETRY_AFTER_SECONDS, "more than 0 and at most 1h")


@with_schema({"type": "string", "pattern": r"^[0-9]+\s*/\s*[0-9a-z.]+$"})
def rate(node: Node) -> Rate:
    """Read `10/m`, `1/s`, `100/12h`."""
    written = text(node).strip()
    found = _PER.fullmatch(written)
    if found is None:
        raise Bad(node, f"{written!r} is not a rate", _RATE_HINT)
    try:
        seconds = parse_duration(found[2] if found[2][0].isdigit() else f"1{found[2]}")
    except ValueError:
        raise Bad(node, f"{found[2]!r} is not a time", _RATE_HINT) from None
    if not 0 < int(found[1]) <= RATE_COUNT:
        raise Bad(node, f"a rate is 1 to {RATE_COUNT} notifications in a time")
    if not 0 < seconds <= 86400:
        raise Bad(node, "a rate counts over a day at most")
    return Rate(int(found[1]), seconds)


_ATTEMPTS_KEY = Key("attempts", integer(1, _ATTEMPTS), 0, "The most attempts; without it only the age counts.", 5)
_AGE = Key("age", _age, DELIVERY_AGE_SECONDS, "How old a notification may get, at most 31d.", "1h")
_FIRST = Key("first", _first, RETRY_SECONDS[0], "The longest wait before the second attempt, at most 1h.", "1s")
_LONGEST = Key("longest", _first, RETRY_SECONDS[1], "The longest wait between attempts, at most 1h.", "5m")
RETRY_TABLE = KeyTable("retry", _ATTEMPTS_KEY, _AGE, _FIRST, _LONGEST)


def retry(problems: Problems) -> Callable[[Node], RetryPolicy]:
    """Make a reader of `{attempts, age, first, longest}`."""

    def convert(node: Node) -> RetryPolicy:
        if not isinstance(node.value, dict):
            raise Bad(node, "must be a mapping", "as in {attempts: 5, age: 1h}")
        section = Section(node, problems, "'retry'", RETRY_TABLE)
        attempts = section.take(_ATTEMPTS_KEY)
        age = section.take(_AGE)
        first = section.take(_FIRST)
        longest = section.take(_LONGEST, default=max(_LONGEST.default, first))
        section.finish()
        if longest < first:
            raise Bad(node, "'longest' is shorter than 'first'")
        return RetryPolicy(first, longest, age=age, attempts=attempts)

    return convert


_TO = Key("to", text, "", "The receiver that is told instead.", "sms", required=True)
_AFTER = Key("after", _age, None, "Already when it was not delivered for so long.", "10m")
FALLBACK_TABLE = KeyTable("a fallback", _TO, _AFTER)


def fallback(problems: Problems) -> Callable[[Node], Fallback | None]:
    """Make a reader of a receiver's name, or `{to, after}`."""

    def convert(node: Node) -> Fallback | None:
        if not isinstance(node.value, dict):
            return Fallback(text(node), None, node)
        section = Section(node, problems, "'fallback'", FALLBACK_TABLE)
        to, after = section.take(_TO), section.take(_AFTER)
        section.finish()
        return Fallback(to, after, section.values["to"]) if to else None

    return convert


TIMEOUT = Key("timeout", _timeout, RECEIVER_TIMEOUT_SECONDS, "Time limit of one attempt, at most 10m.", "15s")
SEND_RESOLVED = Key("send_resolved", boolean, True, "Whether it is told that an alert has ended.", usual=True)
RATE = Key("rate", rate, None, "The most notifications in a time; the others wait.", "10/m", "1/s", "100/12h")
RETRY: Key[RetryPolicy] = Key(
    "retry",
    late,
    RetryPolicy(),
    "How often and how long it is tried again.",
    schema=RETRY_TABLE.schema,
)
FALLBACK: Key[Fallback | None] = Key(
    "fallback",
    late,
    None,
    "Who is told where this one does not take a notification.",
    *("sms", {"to": "sms", "after": "10m"}),
    schema={"anyOf": [{"type": "string"}, FALLBACK_TABLE.schema]},
)
COMMON: tuple[Key[Any], ...] = (TIMEOUT, SEND_RESOLVED, RATE, RETRY, FALLBACK)
"""What stands beside a kind."""
