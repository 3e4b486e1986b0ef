"""The time at which the files are checked: a schedule may be over by then."""

from datetime import UTC, tzinfo
from typing import NamedTuple

__all__ = ["Moment"]


class Moment(NamedTuple):
    """Now, in seconds since 1970, and the zone of schedules that name none."""

    now: float
    zone: tzinfo = UTC
