"""Late messages of a group: what only an older one tells is folded into the newest of the episode. Pure.

The newest message shows every alert that fires as it is now. Ends and events are told only once, so they must not be
lost with the older message, which is not sent any more.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.limits import GROUP_ALERTS

__all__ = ["all_over", "folded"]

Body = Mapping[str, Any]


def folded(newest: Body, older: Sequence[Body]) -> tuple[Body, list[bool]]:
    """Return the newest body with the ends and events of the older ones, and for each of these whether it gave any.

    `alerts` holds GROUP_ALERTS at most; `count` counts all.
    """
    known = {member.get("id") for member in newest["alerts"]}
    more: list[Body] = []
    missing, gave = 0, []
    for body in older:
        news = [each for each in body["alerts"] if each.get("state") != "firing" and each.get("id") not in known]
        known.update(each.get("id") for each in news)
        lacks = len(news) + _only_counted(body)
        more += news
        missing += lacks
        gave.append(lacks > 0)
    if not missing:
        return newest, gave
    alerts = [*newest["alerts"], *more][:GROUP_ALERTS]
    summary = f"{newest.get('summary', '')}; and {missing} more"
    return {**newest, "alerts": alerts, "count": _count(newest) + missing, "summary": summary}, gave


def all_over(body: Body) -> bool:
    """Tell whether a body tells of nothing but ends, and shows all of them."""
    return len(body["alerts"]) == _count(body) and all(each.get("state") == "resolved" for each in body["alerts"])


def _count(body: Body) -> int:
    return int(body.get("count", len(body["alerts"])))


def _only_counted(body: Body) -> int:
    """Return how many ends and events a body counts and does not show.

    A body shows what fires first. Where it shows nothing else, what it does not show fires too, and the newest body
    counts that itself.
    """
    if all(each.get("state") == "firing" for each in body["alerts"]):
        return 0
    return max(0, _count(body) - len(body["alerts"]))
