"""The log of one unit, as its owner writes it: each record only if the one before is the last (compare and set).

This alone keeps two owners apart: who has not seen the other's record cannot write. Correct however long an owner was
frozen, and whatever was lost on the way.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Mapping
from math import inf
from typing import NamedTuple

from hub import __version__
from hub.cluster.log.log_record import RECORD_FORMAT, Tip, chained
from hub.cluster.servers.jetstream import JetStream, LogRefused, Stored, WrongTip
from hub.cluster.servers.link import Link, LinkError, NotConnected
from hub.errors import StoreFenced
from hub.limits import (
    LOG_AGAIN_SECONDS,
    LOG_CLOSE_SECONDS,
    LOG_GIVE_UP_SECONDS,
    LOG_IN_FLIGHT_SECONDS,
    LOG_RECORD_BYTES,
    LOG_ROOM_BYTES,
    LOG_SHORTER_SECONDS,
)

__all__ = ["LogNames", "StateLog"]


class LogNames(NamedTuple):
    """What streams and subjects of a cluster are called."""

    cluster: str
    unit: str = "main"

    @property
    def stream(self) -> str:
        """The stream of all units' logs."""
        return f"HUB_{self.cluster}_STATE"

    @property
    def snapshots(self) -> str:
        """The stream of the snapshots."""
        return f"HUB_{self.cluster}_SNAP"

    @property
    def subject(self) -> str:
        """Of the unit's log."""
        return f"hub.{self.cluster}.state.{self.unit}"

    @property
    def snapshot(self) -> str:
        """Below it stand the unit's snapshots."""
        return f"hub.{self.cluster}.snap.{self.unit}"

    @property
    def alive(self) -> str:
        """Where nodes say that they live."""
        return f"hub.{self.cluster}.alive"

    def node(self, incarnation: str) -> str:
        """Where one process answers: nobody does where it is gone."""
        return f"hub.{self.cluster}.node.{incarnation}"

    def orders(self, node: str) -> str:
        """Where a node takes orders."""
        return f"hub.{self.cluster}.orders.{node}"

    @property
    def ask(self) -> str:
        """Where the unit's owner answers."""
        return f"hub.{self.cluster}.ask.{self.unit}"

    @property
    def feed(self) -> str:
        """Where the owner's live feed goes."""
        return f"hub.{self.cluster}.feed"


class StateLog:
    """Writes one log as one owner."""

    def __init__(self, link: Link, names: LogNames, owner: str, tip: Tip, now: Callable[[], float] = time.time) -> None:
        """Write behind `tip`; `owner` is this process's incarnation, `now` its wall clock."""
        self._link, self._stream, self.names, self.owner, self._now = link, JetStream(link), names, owner, now
        self.tip, self._wrong = tip, ""
        self.failing: Callable[[str], None] = lambda _: None
        """Hears why nothing can be written now, and "" when it can again."""
        self.lost_answers = 0
        """How many records were found in the log whose acknowledgement was lost."""

    async def append(self, kind: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Tip:
        """Write one record, or its parts, and return when a majority of the servers has it on disk.

        It goes on until that is so, however long no server answers.

        Raises:
            StoreFenced: another owner has written behind our tip.

        """
        rest, number = memoryview(body), 1
        while True:
            rest = rest[await self._write(kind, rest, number, headers or {}) :]
            if not rest:
                return self.tip
            number += 1

    async def try_once(self, kind: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Tip:
        """Write a record if that goes at once; as a claim does, which must not be made long after it was wanted.

        Raises:
            WrongTip: another record is the last.
            LogRefused, LinkError: it was not written, or that is not known.

        """
        nonce = _nonce()
        prior = self.tip
        seq = await self._stream.append(self.names.subject, body, self._headers(kind, nonce, headers or {}), prior.seq)
        self.tip = Tip(seq, chained(prior.chain, nonce))
        return self.tip

    async def _write(self, kind: str, rest: memoryview, number: int, headers: Mapping[str, str]) -> int:
        """Write the next part of a body, of which this is the rest; return how many bytes of it were in the record."""
        prior, nonce, sent, shorter_since = self.tip, _nonce(), dict[str, int](), inf
        while True:
            # anew at each attempt: the server of now may take less than the one before, and would refuse it for ever
            most = min(LOG_RECORD_BYTES, self._link.max_payload - LOG_ROOM_BYTES)
            part = bytes(rest[:most])
            # of each record that may be stored: a nonce is used again only where the one before is surely not
            sent[nonce] = len(part)
            try:
                about = self._headers(kind, nonce, {**headers, **_part_header(number, len(rest), most)})
                seq = await self._stream.append(self.names.subject, part, about, prior.seq)
            except WrongTip:
                pass  # ours of before, whose answer was lost, or another owner's: the log says which
            except LogRefused as no:  # a full log is one, too
                await self._wait(str(no))
                continue
            except LinkError as error:
                # another one where this one may be stored; after a day without servers there would be a million
                nonce = nonce if isinstance(error, NotConnected) else _nonce()
                await self._wait(str(error), LOG_IN_FLIGHT_SECONDS)
                continue
            else:
                self._done(Tip(seq, chained(prior.chain, nonce)))
                return len(part)
            last = await self._last()
            if last is not None and (size := sent.get(last.headers.get("Hub-Nonce", ""))) is not None:
                self.lost_answers += 1
                self._done(Tip(last.seq, chained(prior.chain, last.headers["Hub-Nonce"])))
                return size
            end = last.seq if last is not None else 0
            if end < prior.seq:
                # a server answers that has led before, or the log has lost what was acknowledged
                shorter_since = min(shorter_since, time.monotonic())
                if await self._stays_shorter(shorter_since):
                    raise StoreFenced(f"the log ends with record {end} now, and had our record {prior.seq}")
                await asyncio.sleep(LOG_IN_FLIGHT_SECONDS)
                continue
            if end == prior.seq:
                # refused, and yet nobody has written: a proposal of mine is on its way without a majority. The leader
                # counts it, and the stream does not show it yet
                await asyncio.sleep(LOG_IN_FLIGHT_SECONDS)
                continue
            owner = last.headers.get("Hub-Owner", "somebody") if last is not None else "somebody"
            raise StoreFenced(f"{owner} owns {self.names.unit} now: its log has gone on behind ours")

    async def _last(self) -> Stored | None:
        while True:
            try:
                return await self._stream.last(self.names.stream, self.names.subject)
            except (LogRefused, LinkError) as error:
                await self._wait(str(error), LOG_IN_FLIGHT_SECONDS)

    async def _stays_shorter(self, since: float) -> bool:
        """Tell whether the log was shorter than it had been for long enough, by the word of who leads it now."""
        if time.monotonic() - since < LOG_SHORTER_SECONDS:
            return False
        with contextlib.suppress(LogRefused, LinkError):
            return await self._stream.is_led(self.names.stream)
        return False

    async def _wait(self, why: str, seconds: float = LOG_AGAIN_SECONDS) -> None:
        if not self._wrong:
            self.failing(why)
        self._wrong = why
        await asyncio.sleep(seconds)

    def _done(self, tip: Tip) -> None:
        self.tip = tip
        if self._wrong:
            self._wrong = ""
            self.failing("")

    @property
    def why_failing(self) -> str:
        """Why nothing can be written now; "" while it can."""
        return self._wrong

    @property
    def patience(self) -> float:
        """For how many seconds an owner that ends should wait for its last records."""
        return LOG_GIVE_UP_SECONDS if self._wrong else LOG_CLOSE_SECONDS

    def _headers(self, kind: str, nonce: str, headers: Mapping[str, str]) -> dict[str, str]:
        return {
            "Hub-Kind": kind,
            "Hub-Format": str(RECORD_FORMAT),
            "Hub-Nonce": nonce,
            "Hub-Prior": self.tip.chain,
            "Hub-Owner": self.owner,
            "Hub-Version": __version__,
            "Hub-Clock": f"{self._now():.3f}",
            **headers,
        }


def _part_header(number: int, rest: int, most: int) -> dict[str, str]:
    """Return what says which part of a commit a record is, of which so many bytes are left; nothing where it is all."""
    parts = number - 1 + max(1, -(-rest // most))
    return {"Hub-Part": f"{number}/{parts}"} if parts > 1 else {}


def _nonce() -> str:
    return secrets.token_hex(8)
