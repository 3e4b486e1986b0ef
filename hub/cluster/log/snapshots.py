"""Snapshots: a node's whole copy, kept beside the log, so that the log can be cut and a new node need not read it all.

A snapshot is the state file as SQLite writes it, compressed, in pieces; a manifest behind the last piece says what it
is. So a snapshot without a manifest is none, and the newest manifest is the one to take.
"""

import asyncio
import contextlib
import hashlib
import secrets
import time
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from hub import __version__
from hub.cluster.log.log_record import Tip
from hub.cluster.log.replica import Replica
from hub.cluster.log.row_formats import our_formats
from hub.cluster.log.state_log import LogNames
from hub.cluster.servers.jetstream import JetStream, Stored
from hub.cluster.servers.link import Link
from hub.errors import StoreError, StoreUnusable
from hub.limits import LOG_ROOM_BYTES, SNAPSHOT_PIECE_BYTES, SNAPSHOT_TORN_SECONDS

__all__ = ["Manifest", "Snapshots"]


class Manifest(NamedTuple):
    """What a snapshot is: up to which record, in how many pieces, how large, and of which bytes."""

    seq: int
    chain: str
    place: str
    """The word in the subjects of its pieces: one for each attempt, so that two of them never mix."""
    pieces: int
    bytes: int
    sha256: str
    version: str
    formats: str
    node: str
    made: float
    """Seconds since 1970."""

    @property
    def tip(self) -> Tip:
        """Where in the log it stands."""
        return Tip(self.seq, self.chain)


class Snapshots:
    """Puts snapshots of a unit beside its log, and gets them."""

    def __init__(self, link: Link, names: LogNames) -> None:
        """Ask nothing yet."""
        self._link, self._stream, self._names = link, JetStream(link), names
        self._torn = set[str]()
        """Where this process began to store one that has not become one."""

    async def latest(self) -> Manifest | None:
        """Return the manifest of the newest snapshot, None where there is none.

        Raises:
            LogRefused, LinkError: the servers cannot say.

        """
        found = await self._stream.last(self._names.snapshots, self._names.snapshot)
        return None if found is None else _manifest(found.data)

    async def put(self, replica: Replica, node: str) -> Manifest:
        """Copy what a node has, beside its writer, and store the copy; then forget the snapshots before.

        Raises:
            StoreError: the copy cannot be made.
            WrongTip: another node has made a snapshot meanwhile, and that is the newest.
            LogRefused, LinkError: it cannot be stored.

        """
        before = await self._stream.last(self._names.snapshots, self._names.snapshot)
        await self._forget_torn(before)
        aside = replica.store.path.with_name(f"{replica.store.path.name}.snapshot")
        try:
            tip = await replica.copy_to(aside)
            place = f"{tip.seq}-{secrets.token_hex(4)}"
            self._torn.add(place)
            pieces, size, digest = 0, 0, hashlib.sha256()
            async for piece in _compressed(aside, min(SNAPSHOT_PIECE_BYTES, self._link.max_payload - LOG_ROOM_BYTES)):
                await self._stream.append(f"{self._names.snapshot}.{place}.{pieces}", piece, {}, None)
                pieces, size = pieces + 1, size + len(piece)
                digest.update(piece)
        except OSError as error:
            raise StoreError(f"{aside}: no snapshot can be made of it: {error}") from None
        finally:
            await asyncio.to_thread(aside.unlink, missing_ok=True)
        digested, made_at = digest.hexdigest(), time.time()
        made = Manifest(tip.seq, tip.chain, place, pieces, size, digested, __version__, our_formats(), node, made_at)
        # only if no other came between: its end would forget the pieces of this one
        expected = before.seq if before is not None else 0
        await self._stream.append(self._names.snapshot, orjson.dumps(made._asdict()), {}, expected)
        self._torn.discard(place)
        for each in await self._places():
            if each != place and _seq(each) <= tip.seq:
                await self._forget(each)
        return made

    async def _forget_torn(self, latest: Stored | None) -> None:
        """Delete what is no snapshot: what this node could not end, and what a node left that died long ago.

        They would fill the room that the next one needs.
        """
        kept = _manifest(latest.data).place if latest is not None else ""
        for place in await self._places():
            if place == kept:
                continue
            begun = await self._stream.last(self._names.snapshots, f"{self._names.snapshot}.{place}.0")
            if place in self._torn or (begun is not None and time.time() - begun.time > SNAPSHOT_TORN_SECONDS):
                await self._forget(place)
        self._torn.clear()

    async def _places(self) -> list[str]:
        """Return where pieces stand, be they of a snapshot or not."""
        info = await self._stream.api(
            f"STREAM.INFO.{self._names.snapshots}", {"subjects_filter": f"{self._names.snapshot}.*.0"}
        )
        return [subject.split(".")[-2] for subject in info.get("state", {}).get("subjects") or {}]

    async def _forget(self, place: str) -> None:
        await self._stream.api(f"STREAM.PURGE.{self._names.snapshots}", {"filter": f"{self._names.snapshot}.{place}.*"})

    async def get(self, manifest: Manifest, file: Path) -> None:
        """Write a snapshot into a file.

        Raises:
            StoreUnusable: a piece is missing, or it is not what the manifest says.
            StoreError: the file cannot be written.
            LogRefused, LinkError: the servers do not give it.

        """
        digest, unpack = hashlib.sha256(), zlib.decompressobj()
        with _writable(file), file.open("wb") as out:
            for number in range(manifest.pieces):
                subject = f"{self._names.snapshot}.{manifest.place}.{number}"
                found = await self._stream.last(self._names.snapshots, subject)
                if found is None:
                    raise StoreUnusable(f"the snapshot at record {manifest.seq} lacks piece {number}")
                digest.update(found.data)
                with _readable(manifest):
                    out.write(await asyncio.to_thread(unpack.decompress, found.data))
            with _readable(manifest):
                out.write(unpack.flush())
        if digest.hexdigest() != manifest.sha256:
            raise StoreUnusable(f"the snapshot at record {manifest.seq} is not the one that was stored")


@contextlib.contextmanager
def _writable(file: Path) -> Any:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{file}: cannot be written: {error}") from None


@contextlib.contextmanager
def _readable(manifest: Manifest) -> Any:
    try:
        yield
    except zlib.error as error:
        raise StoreUnusable(f"the snapshot at record {manifest.seq} cannot be read: {error}") from None


async def _compressed(file: Path, most: int) -> AsyncIterator[bytes]:
    """Yield the file's bytes compressed, in pieces of so many bytes."""
    pack, waiting = zlib.compressobj(1), b""
    with file.open("rb") as source:
        while block := await asyncio.to_thread(source.read, 4 * SNAPSHOT_PIECE_BYTES):
            waiting += await asyncio.to_thread(pack.compress, block)
            while len(waiting) >= most:
                yield waiting[:most]
                waiting = waiting[most:]
    waiting += pack.flush()
    for start in range(0, len(waiting), most):
        yield waiting[start : start + most]


def _seq(place: str) -> int:
    return int(place.partition("-")[0])


def _manifest(data: bytes) -> Manifest:
    try:
        return Manifest(**orjson.loads(data))
    except (ValueError, TypeError) as error:
        raise StoreUnusable(f"the newest snapshot's manifest cannot be read: {error}") from None
