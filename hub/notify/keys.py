"""The readers of the keys that every receiver has beside its kind: timeout, rate, retry, fallback."""

import re
from collections.abc import Callable

from hub.document import Node, Problems
from hub.duration import parse_duration
from hub.fields import Bad, Section, duration, integer, text
from hub.limits import DELIVERY_AGE_SECONDS, RATE_COUNT, RETRY_AFTER_SECONDS, RETRY_SECONDS
from hub.notify.fallback import Fallback
from hub.notify.pace import Rate
from hub.notify.retry import RetryPolicy

__all__ = ["fallback", "rate", "retry", "timeout"]

_PER = re.compile(r"([0-9]{1,9})\s*/\s*([0-9a-z.]+)")
_ATTEMPTS = 1000
_RATE_HINT = "write 10/m, 1/s or 100/12h"


def between(low: float, high: float, words: str) -> Callable[[Node], float]:
    """Make a reader of a duration that is more than `low` and at most `high` seconds."""

    def convert(node: Node) -> float:
        seconds = duration(node)
        if not low < seconds <= high:
            raise Bad(node, f"must be {words}, not {node.text}")
        return seconds

    return convert


timeout = between(0, 600, "more than 0 and at most 10m")
_age = between(0, 31 * 86400, "more than 0 and at most 31d")
_first = between(0, RETRY_AFTER_SECONDS, "more than 0 and at most 1h")


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


def retry(problems: Problems) -> Callable[[Node], RetryPolicy]:
    """Make a reader of `{attempts, age, first, longest}`."""

    def convert(node: Node) -> RetryPolicy:
        if not isinstance(node.value, dict):
            raise Bad(node, "must be a mapping", "as in {attempts: 5, age: 1h}")
        section = Section(node, problems, "'retry'")
        attempts = section.take("attempts", integer(1, _ATTEMPTS), 0)
        age = section.take("age", _age, DELIVERY_AGE_SECONDS)
        first = section.take("first", _first, RETRY_SECONDS[0])
        longest = section.take("longest", _first, max(RETRY_SECONDS[1], first))
        section.finish()
        if longest < first:
            raise Bad(node, "'longest' is shorter than 'first'")
        return RetryPolicy(first, longest, age=age, attempts=attempts)

    return convert


def fallback(problems: Problems) -> Callable[[Node], Fallback | None]:
    """Make a reader of a receiver's name, or `{to, after}`."""

    def convert(node: Node) -> Fallback | None:
        if not isinstance(node.value, dict):
            return Fallback(text(node), None, node)
        section = Section(node, problems, "'fallback'")
        to = section.require("to", text, "")
        after = section.take("after", _age, None)
        section.finish()
        return Fallback(to, after, section.values["to"]) if to else None

    return convert
