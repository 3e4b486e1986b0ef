"""The machine's own time zone, read once at the start and handed to everything else. A leaf, and impure.

It is apart from the schedules that use it, so a command that only prints a time need not import these.
"""

import os
import struct
from datetime import UTC, tzinfo
from io import BytesIO
from zoneinfo import ZoneInfo

import tzlocal

__all__ = ["local_zone", "zone_named"]


def local_zone() -> tzinfo:
    """Return the zone of TZ, by its name or rule, or of the system; UTC where it cannot be read, as libc has it."""
    try:
        return tzlocal.reload_localzone()  # get_localzone would remember an earlier TZ
    except (OSError, ValueError, LookupError):
        return _by_rule(os.environ.get("TZ", ""))


def zone_named(name: str) -> tzinfo:
    """Return a zone by its name; the machine's own zone where this machine does not know the name."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return local_zone()


def _by_rule(rule: str) -> tzinfo:
    """Read `CET-1CEST,M3.5.0,M10.5.0/3` as the footer of a zone file without anything else (RFC 9636, section 3)."""
    kind = struct.pack(">lbb", 0, 0, 0) + b"UTC\0"
    block = struct.pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, 0, 1, 4) + kind
    try:
        return ZoneInfo.from_file(BytesIO(block + block + f"\n{rule}\n".encode("ascii")), key=rule)
    except ValueError:
        return UTC
