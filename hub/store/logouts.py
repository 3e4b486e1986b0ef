"""Logins that were ended before they expired, in the state file: a stolen cookie stays worthless over a restart.

Only somebody with a token can log in and out, so there are few. Where there are more than LOGOUTS all the same, the key
that signs cookies is made anew: that ends every login, the ones remembered here among them.
"""

from hub.limits import LOGOUTS
from hub.store.database import Database

__all__ = ["end_login", "ended_logins"]

_ALL = "SELECT key, value FROM meta WHERE key >= 'logout:' AND key < 'logout;'"
_COUNT = "SELECT count(*) FROM meta WHERE key >= 'logout:' AND key < 'logout;'"
_FORGET = "DELETE FROM meta WHERE key >= 'logout:' AND key < 'logout;' AND CAST(value AS INTEGER) <= ?"
_EVER = 1 << 62


def ended_logins(database: Database) -> dict[str, int]:
    """Return the marks of the logins that were ended, and when each would have expired, in seconds since 1970."""
    rows = database.connection.execute(_ALL)
    return {key.removeprefix("logout:"): int(value) for key, value in rows}


def end_login(database: Database, mark: str, expires: int, now: float) -> bytes | None:
    """Remember one more, and forget those that have expired; return the new key where there were too many."""
    run = database.connection.execute
    run(_FORGET, (int(now),))
    if run(_COUNT).fetchone()[0] >= LOGOUTS:
        run("DELETE FROM meta WHERE key = 'key:login'")  # first: what a crash leaves behind may only be too much
        run(_FORGET, (_EVER,))
        return database.key("login")
    run("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO NOTHING", (f"logout:{mark}", str(expires)))
    return None
