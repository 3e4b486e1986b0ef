"""The five operations that the log needs of JetStream: append with a condition, last, read from, purge, and streams.

They are plain requests to the server's API (docs.nats.io, "JetStream API reference"), so that what is sent, and what
an answer means, stands here. The tip is read by STREAM.MSG.GET, which the stream's leader answers; a direct get may be
answered by a replica that lags.
"""

import base64
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from hub.cluster.servers.link import Link, LinkError, LinkInbox
from hub.errors import HubError
from hub.limits import (
    FOLLOW_BATCH,
    FOLLOW_IDLE_SECONDS,
    FOLLOW_WAIT_SECONDS,
    LEADER_HEARD_SECONDS,
    LINK_REQUEST_SECONDS,
)

__all__ = ["JetStream", "LogFull", "LogGone", "LogRefused", "Stored", "WrongTip"]

_NOT_FOUND = 10037
_NO_STREAM = 10059
_HEARTBEAT = "100"
_IDLE = (_HEARTBEAT, "404", "408")
"""A word of the server while nothing comes: it lives; no record is there; the request has ended."""
_WRONG_TIP = (10071, 10164)
_FULL = (10077, 10047)
"""Maximum bytes exceeded; insufficient resources."""


class LogRefused(HubError):
    """The server answers that it does not do this. `number` is its error code."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        """Keep the server's words."""
        super().__init__(f"NATS: {error.get('description', 'refused')} ({error.get('err_code', error.get('code'))})")
        self.number = int(error.get("err_code", 0))


class WrongTip(LogRefused):
    """The subject's last record is another one than was expected."""


class LogFull(LogRefused):
    """The stream, or the server's disk, has no room."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        """Say what that means."""
        super().__init__(error)
        self.args = (f"the log is full, or a server's disk is; commits wait until there is room: {self}",)


class LogGone(LogRefused):
    """There is no such stream: it was never made, or somebody has deleted it."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        """Say that `create` alone does not bring back what it held."""
        super().__init__(error)
        see = "before you make it anew, see 'A stream that is gone' in docs/cluster.md"
        self.args = (f"{self}: it was never made, or somebody has deleted it; {see}",)


@dataclass(frozen=True, slots=True)
class Stored:
    """One record of a stream. `time` is when the stream's leader stored it, seconds since 1970."""

    seq: int
    data: bytes
    time: float
    headers: Mapping[str, str] = field(default_factory=dict)
    subject: str = ""
    pending: int = 0
    """How many are behind it on the subject, by the server that sent it."""


class JetStream:
    """What is asked of a stream, over a link."""

    def __init__(self, link: Link) -> None:
        """Ask nothing yet."""
        self._link = link

    async def append(self, subject: str, data: bytes, headers: Mapping[str, str], expected: int | None) -> int:
        """Store a record; return its sequence. `expected` is the sequence of the subject's last record, 0 for none.

        Raises:
            WrongTip: another record is the last.
            LogFull: there is no room.
            LogRefused: anything else.
            LinkError: no answer; whether it was stored is not known.

        """
        given = dict(headers)
        if expected is not None:
            given["Nats-Expected-Last-Subject-Sequence"] = str(expected)
        answer = orjson.loads((await self._link.request(subject, data, given)).data)
        if error := answer.get("error"):
            raise _refusal(error)
        return int(answer["seq"])

    async def last(self, stream: str, subject: str) -> Stored | None:
        """Return the last record on a subject, None where there is none.

        Raises:
            LogRefused: there is no such stream.
            LinkError: no answer.

        """
        return await self._get(stream, {"last_by_subj": subject})

    async def first(self, stream: str, subject: str, begin: int = 1) -> Stored | None:
        """Return the first record on a subject at or behind a sequence, None where there is none."""
        return await self._get(stream, {"seq": begin, "next_by_subj": subject})

    async def _get(self, stream: str, which: Mapping[str, Any]) -> Stored | None:
        try:
            found = (await self.api(f"STREAM.MSG.GET.{stream}", which))["message"]
        except LogRefused as no:
            if no.number == _NOT_FOUND:
                return None
            raise
        headers = _headers(base64.b64decode(found.get("hdrs", "")))
        data = base64.b64decode(found.get("data", ""))
        return Stored(found["seq"], data, _seconds(found["time"]), headers, found["subject"])

    async def purge(self, stream: str, subject: str, below: int) -> int:
        """Delete the records of a subject below a sequence; return how many they were."""
        if below <= 1:
            return 0  # nothing is below; and the server takes 0 for no bound at all, and deletes the whole log
        answer = await self.api(f"STREAM.PURGE.{stream}", {"filter": subject, "seq": below})
        return int(answer.get("purged", 0))

    async def info(self, stream: str) -> Mapping[str, Any] | None:
        """Return configuration and state of a stream, None where there is none."""
        try:
            found: Mapping[str, Any] = await self.api(f"STREAM.INFO.{stream}", {})
        except LogRefused as no:
            if no.number == _NO_STREAM:
                return None
            raise
        return found

    async def is_led(self, stream: str) -> bool:
        """Tell whether the server that answers for a stream leads it, as most of its servers have said a moment ago.

        One that was frozen, or is cut off, goes on for a while to answer as it did when it led, by what it has.

        Raises:
            LogRefused, LinkError: nobody answers for it.

        """
        cluster = (await self.api(f"STREAM.INFO.{stream}", {})).get("cluster") or {}
        others = cluster.get("replicas") or []
        heard = [each for each in others if each.get("active", 0) < LEADER_HEARD_SECONDS * 1e9]
        return 1 + len(heard) > (1 + len(others)) / 2

    async def api(self, name: str, request: Mapping[str, Any], seconds: float = LINK_REQUEST_SECONDS) -> Any:
        """Ask the server's API.

        Raises:
            LogRefused: it answers with an error.
            LinkError: no answer.

        """
        message = await self._link.request(f"$JS.API.{name}", orjson.dumps(request), seconds=seconds)
        answer = orjson.loads(message.data)
        if error := answer.get("error"):
            raise _refusal(error)
        return answer

    async def follow(self, stream: str, subject: str, begin: int) -> AsyncIterator[Stored | None]:
        """Yield the records of a subject from a sequence on, in their order; None whenever all that is there was told.

        It ends never by itself. A consumer that the server has lost, or a gap in what came, begins a new one.

        Raises:
            LinkError: the connection was lost; go on with a new iterator, behind the last record that came.
            LogRefused: the stream is not there.

        """
        inbox = await self._link.inbox()
        try:
            while True:
                consumer = _Consumer(self._link, stream, await self._consumer(stream, subject, begin), inbox)
                async for record in consumer.records():
                    begin = begin if record is None else record.seq + 1
                    yield record
        finally:
            await inbox.close()

    async def _consumer(self, stream: str, subject: str, begin: int) -> str:
        """Make a consumer that acknowledges nothing, kept in memory until nobody asks it for a while; its name."""
        config = {
            "filter_subject": subject,
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": max(1, begin),
            "ack_policy": "none",
            "mem_storage": True,
            "num_replicas": 1,
            "inactive_threshold": int(FOLLOW_IDLE_SECONDS * 1e9),
        }
        made = await self.api(f"CONSUMER.CREATE.{stream}", {"stream_name": stream, "config": config})
        return str(made["name"])


class _Consumer:
    """One consumer on the server, asked for a batch of records at a time."""

    def __init__(self, link: Link, stream: str, name: str, inbox: LinkInbox) -> None:
        self._link, self._name, self._inbox = link, name, inbox
        self._more = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}"
        self._wanted = self._delivered = 0

    async def records(self) -> AsyncIterator[Stored | None]:
        """Yield records until one is missing, or the server knows the consumer no more."""
        while True:
            if self._wanted <= 0:
                await self._ask()
            message = await self._inbox.next(FOLLOW_WAIT_SECONDS + LINK_REQUEST_SECONDS)
            if message is None:
                if not self._link.connected:
                    raise LinkError("the connection was lost")
                return  # neither a record nor the end of the request came
            place = _place(message.reply)
            if place is None:
                status = (message.headers or {}).get("Status", "")
                if status not in _IDLE:
                    return
                self._wanted = 0 if status != _HEARTBEAT else self._wanted
                yield None
            elif place.consumer == self._name:  # else it is of a consumer before
                if place.delivered != self._delivered + 1:
                    return
                self._delivered, self._wanted = place.delivered, self._wanted - 1
                headers, pending = message.headers or {}, place.pending
                yield Stored(place.seq, message.data, place.time, headers, message.subject, pending)
                if not place.pending:
                    yield None

    async def _ask(self) -> None:
        request = {"batch": FOLLOW_BATCH, "expires": int(FOLLOW_WAIT_SECONDS * 1e9)}
        if not await self._link.publish(self._more, orjson.dumps(request), self._inbox.subject):
            raise LinkError("the connection was lost")
        self._wanted = FOLLOW_BATCH


class _Place(NamedTuple):
    """Where a record stands, as the server says it in the subject for the acknowledgement."""

    consumer: str
    seq: int
    delivered: int
    time: float
    pending: int


def _place(reply: str | None) -> _Place | None:
    """Read `$JS.ACK.…` in both of its forms (with a domain it has two words more); None where this is no record."""
    words = (reply or "").split(".")
    if len(words) < 9 or words[1] != "ACK":
        return None
    consumer, _, seq, delivered, nanoseconds, pending = words[5:11] if len(words) > 10 else words[3:9]
    return _Place(consumer, int(seq), int(delivered), int(nanoseconds) / 1e9, int(pending))


def _refusal(error: Mapping[str, Any]) -> LogRefused:
    number = error.get("err_code", 0)
    if number in _WRONG_TIP:
        return WrongTip(error)
    if number == _NO_STREAM:
        return LogGone(error)
    return LogFull(error) if number in _FULL else LogRefused(error)


def _headers(block: bytes) -> dict[str, str]:
    """Read a block of headers as NATS stores it."""
    found = {}
    for line in block.split(b"\r\n")[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            found[name.decode("ascii", "replace").strip()] = value.decode("utf-8", "replace").strip()
    return found


def _seconds(text: str) -> float:
    """Read a time; of its nanoseconds Python takes six digits."""
    return datetime.fromisoformat(text).timestamp()
