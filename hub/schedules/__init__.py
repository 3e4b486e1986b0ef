"""Time schedules: daily, weekly, cron and single spans, as rules pause or mute by them (docs/schedules.md). A leaf.

A schedule is a pure function of time: whether it holds, and when that changes next. A schedule that names no zone uses
the zone that the caller hands over.
"""

from hub.schedules.schedule import Schedule
from hub.schedules.schedule_line import parse_schedule
from hub.schedules.schedule_reading import SCHEDULE, read_schedules, read_zone, schedules_schema
from hub.settings.machine_zone import local_zone, zone_named

__all__ = [
    "SCHEDULE",
    "Schedule",
    "local_zone",
    "parse_schedule",
    "read_schedules",
    "read_zone",
    "schedules_schema",
    "zone_named",
]
