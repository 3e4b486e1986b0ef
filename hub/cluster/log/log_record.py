"""What one record of a unit's log looks like: headers that say what it is, and the changes of a commit as its body.

    Hub-Kind     claim | delta | release | snapshot | import
    Hub-Format   the number of this layout
    Hub-Nonce    random, one for each attempt to write the record
    Hub-Prior    the chain of the record before, "" for the first of a log
    Hub-Owner    the incarnation that writes
    Hub-Version  the hub's version
    Hub-Rules    a hash of the rules by which it judged
    Hub-Quiet    for how many seconds before it was written nobody could be heard; only where that is so
    Hub-Heard-Until  up to when somebody was heard, by the clock of the server that stores the log; in a claim, and
                 "never" in all records before an owner has heard anybody
    Hub-Clock    the writer's wall clock; the time at which the server stored the record stands beside it
    Hub-Ahead    by how many seconds the clock of the state's times is ahead of the server's, where they are not yet
                 by the writer's clock
    Hub-Import   stands in the claim of an import, which is no node's
    Hub-Part     "k/n" of a commit that is longer than one message. n is by what the server takes to which k was sent:
                 it may differ from part to part, and the commit is whole where k is n

The chain of a record is made of the one before, its sequence and the nonce. Where a record names another prior chain
than the follower has, the log has lost what was acknowledged, or the follower's file is of another log.
"""

import base64
import dataclasses
import hashlib
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from hub.cluster.servers.jetstream import Stored
from hub.errors import StoreUnusable
from hub.model import Position
from hub.store.changes import Changes

__all__ = [
    "RECORD_FORMAT",
    "RecordKind",
    "Tip",
    "chained",
    "decode_changes",
    "encode_changes",
    "part_of",
    "prior_of",
]

RECORD_FORMAT = 1
"""Raise it with every change of what stands in a record; a hub does not read a higher one."""
_FIELDS = {field.name: field for field in dataclasses.fields(Changes)}
_CHAIN_BYTES = 16


class RecordKind:
    """What a record is."""

    CLAIM = "claim"
    DELTA = "delta"
    RELEASE = "release"
    SNAPSHOT = "snapshot"
    IMPORT = "import"
    """From here on the state is that of the snapshot that stands at this record, whatever was before."""


class Tip(NamedTuple):
    """The last record of a log that somebody has: its sequence and its chain. (0, "") where there is none."""

    seq: int = 0
    chain: str = ""

    def dumps(self) -> str:
        """Return it as a text of `meta`."""
        return f"{self.seq} {self.chain}"

    @classmethod
    def loads(cls, text: str) -> "Tip":
        """Read what `dumps` has written.

        Raises:
            ValueError: it is something else.

        """
        seq, _, chain = text.partition(" ")
        return cls(int(seq or 0), chain)

    @classmethod
    def of(cls, record: Stored) -> "Tip":
        """Return the tip of a log that ends with this record."""
        return cls(record.seq, chained(prior_of(record), record.headers.get("Hub-Nonce", "")))


def prior_of(record: Stored) -> str:
    """Return the chain behind which a record stands."""
    return record.headers.get("Hub-Prior", "")


def chained(prior: str, nonce: str) -> str:
    """Return the chain of a record that stands behind `prior`."""
    return hashlib.blake2b(f"{prior} {nonce}".encode(), digest_size=_CHAIN_BYTES).hexdigest()


def encode_changes(changes: Changes) -> bytes:
    """Return the changes of a commit as bytes, smaller than their JSON by half or more."""
    return zlib.compress(orjson.dumps(_plain(changes), default=list), 1)


def decode_changes(body: bytes) -> Changes:
    """Read what `encode_changes` has written.

    Raises:
        StoreUnusable: it is something else.

    """
    try:
        return _changes(orjson.loads(zlib.decompress(body))) if body else Changes()
    except (ValueError, TypeError, KeyError, zlib.error) as error:
        raise StoreUnusable(f"a record of the log cannot be read: {error}") from None


def part_of(record: Stored) -> tuple[int, int]:
    """Return which part of how many a record is.

    Raises:
        StoreUnusable: a newer hub has written it, or nobody's hub.

    """
    number = record.headers.get("Hub-Format", "")
    if not number.isdecimal():
        raise StoreUnusable(f"record {record.seq} of the log is not a hub's")
    if int(number) > RECORD_FORMAT:
        raise StoreUnusable(
            f"the log is written by a newer hub (record format {number}, this one knows {RECORD_FORMAT}); install that"
            f" version here ({record.headers.get('Hub-Version', '')}): until then this node changes nothing"
        )
    part, _, all_parts = record.headers.get("Hub-Part", "1/1").partition("/")
    return int(part), int(all_parts)


def _plain(changes: Changes) -> Mapping[str, Any]:
    """Return what is not empty; bytes become text."""
    found: dict[str, Any] = {}
    for name in _FIELDS:
        value = getattr(changes, name)
        if value is not None and (name == "rules" or len(value)):
            found[name] = value
    if "dead_letters" in found:
        found["dead_letters"] = [(at, topic, _text(head), why) for at, topic, head, why in changes.dead_letters]
    if "positions" in found:
        found["positions"] = {source: _position(each) for source, each in changes.positions.items()}
    return found


def _changes(plain: dict[str, Any]) -> Changes:
    if "dead_letters" in plain:
        plain["dead_letters"] = [(at, topic, _bytes(head), why) for at, topic, head, why in plain["dead_letters"]]
    if "positions" in plain:
        plain["positions"] = {
            source: Position(text, None if entry is None else (entry[0], _bytes(entry[1])), forget)
            for source, (text, entry, forget) in plain["positions"].items()
        }
    return Changes(**plain)


def _position(position: Position) -> tuple[str | None, tuple[int, str] | None, int]:
    entry = position.entry
    return position.text, None if entry is None else (entry[0], _text(entry[1])), position.forget


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
