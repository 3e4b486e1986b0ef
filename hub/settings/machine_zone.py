"""The machine's own time zone, asked once at the start; everything else is handed it. A leaf, and impure.

It stands alone, beside the schedules that use it: a command that only tells a time need not read how rules pause.
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
        return tzlocal.reload_localzone()  # get_localzone would remember what TZ once was
    except (OSError, ValueError, LookupError):
        return _by_rule(os.environ.get("TZ", ""))


def zone_named(name: str) -> tzinfo:
    """Return a zone by its name; the machine's where there is none of this name here."""
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
