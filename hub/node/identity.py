"""What a hub is known by over restarts: the keys that it signs with, the logins that it has ended, which start this is.

All of it stands in the store's `meta`. What is missing is made when the store is opened, and the first commit holds it:
links, cookies and push subscriptions that are made with a key must outlive the process that made it.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.store.changes import MetaRow
from hub.store.sqlite.damage import damaged_row

__all__ = ["Identity", "identify", "key_row", "logout_row", "new_key"]

_KEY_BYTES = 32
_KEY, _LOGOUT, _STARTS = "key:", "logout:", "count:start"


@dataclass(frozen=True, slots=True)
class Identity:
    """Three secrets of 32 random bytes, the number of this start, and the logins that were ended."""

    token: bytes
    """Signs the links and tokens that acknowledge."""
    vapid: bytes
    """The seed of the key by which push services know the hub (RFC 8292)."""
    login: bytes
    """Signs the cookies of people who have logged in."""
    start: int
    """Which start of the hub this is, from 1: the ids of the live feed begin with it."""
    logouts: Mapping[str, int]
    """The logins that were ended, by the mark in the cookie, and when each would have expired, seconds since 1970."""


def identify(path: Path, meta: Mapping[str, str]) -> tuple[Identity, list[MetaRow]]:
    """Read who this hub is; return also the rows that have to be on disk before anybody hears of it.

    `path` is the file that `meta` is from, for the message.

    Raises:
        StoreUnusable: a row cannot be read; it is named.

    """
    new: list[MetaRow] = []

    def key(name: str) -> bytes:
        row = _KEY + name
        if row not in meta:
            fresh = new_key()
            new.append(key_row(name, fresh))
            return fresh
        return _key(path, row, meta[row])

    def number(row: str, text: str) -> int:
        if not (text.isascii() and text.isdecimal()):
            raise damaged_row(path, "meta", [row], "no number")
        return int(text)

    token, vapid, login = (key(name) for name in ("token", "vapid", "login"))
    start = number(_STARTS, meta.get(_STARTS, "0")) + 1
    new.append((_STARTS, str(start)))
    ended = {row.removeprefix(_LOGOUT): number(row, text) for row, text in meta.items() if row.startswith(_LOGOUT)}
    return Identity(token, vapid, login, start, ended), new


def _key(path: Path, row: str, text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:  # a shorter one could be guessed
        raise damaged_row(path, "meta", [row], "no key; links made with it lose their value")
    return key


def new_key() -> bytes:
    """Return a secret that nobody can guess."""
    return secrets.token_bytes(_KEY_BYTES)


def key_row(name: str, key: bytes) -> MetaRow:
    """Return a key as a row of `meta`."""
    return _KEY + name, key.hex()


def logout_row(mark: str, expires: int | None) -> MetaRow:
    """Return the row of `meta` that says that a login was ended; without `expires`, the row that deletes it."""
    return _LOGOUT + mark, None if expires is None else str(expires)
