"""The machine's own time zone, asked once at the start; everything else is handed it."""

from datetime import UTC, tzinfo

import tzlocal

__all__ = ["local_zone"]


def local_zone() -> tzinfo:
    """Return the zone of TZ or of the system; UTC where neither can be read."""
    try:
        return tzlocal.get_localzone()
    except (OSError, ValueError, LookupError):
        return UTC
