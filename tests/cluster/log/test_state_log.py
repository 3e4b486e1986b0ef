"""state_log: what an owner concludes from the servers' answers, with a stream that answers as a test says.

The real servers, where they give such answers, are in tests/cluster/test_log.py and test_servers_lost.py.
"""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.cluster.log.log_record import RecordKind, Tip, chained
from hub.cluster.log.state_log import LogNames, StateLog
from hub.cluster.servers.jetstream import LogFull, LogRefused, Stored, WrongTip
from hub.cluster.servers.link import LinkError, NotConnected
from hub.errors import StoreFenced
from hub.limits import LOG_ROOM_BYTES

WRONG, FULL, NO = {"err_code": 10071}, {"err_code": 10077, "description": "maximum bytes exceeded"}, {"err_code": 1}


class Stream:
    """A log in memory. `answers` are what happens to the next appends, in order: "ok" where nothing more is there.

    lost: stored, and not answered. late: not answered, and stored when the log was asked for its end so often.
    """

    def __init__(self, *answers, late=0):
        self.records, self.answers, self.late, self.pending = [], list(answers), late, None
        self.asked, self.led = 0, True

    async def is_led(self, _):
        return self.led

    async def append(self, _, data, headers, expected):
        answer = self.answers.pop(0) if self.answers else "ok"
        if isinstance(answer, Exception):
            raise answer
        if self.pending is not None or expected != (self.records[-1].seq if self.records else 0):
            raise WrongTip(WRONG)  # the leader counts what is on its way
        record = Stored(len(self.records) + 1, data, 0.0, headers)
        if answer == "late":
            self.pending = record
            raise LinkError("no answer")
        self.records.append(record)
        if answer == "lost":
            raise LinkError("no answer")
        return record.seq

    async def last(self, *_):
        self.asked += 1
        if self.pending is not None and self.asked > self.late:
            self.records.append(self.pending)
            self.pending = None
        return self.records[-1] if self.records else None


class Link:
    def __init__(self):
        self.max_payload = 1 << 20


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for name in ("LOG_AGAIN_SECONDS", "LOG_IN_FLIGHT_SECONDS"):
        monkeypatch.setattr(f"hub.cluster.log.state_log.{name}", 0.001)


def log_on(stream, tip=Tip()):  # noqa: B008 - a tuple
    made = StateLog(Link(), LogNames("t"), "a.1", tip)
    made._stream = stream
    made.said = []
    made.failing = made.said.append
    return made


async def test_an_owner_that_is_refused_while_its_own_record_is_on_its_way_waits_for_it(quick):
    stream = Stream("late", late=5)
    log = log_on(stream)
    tip = await log.append(RecordKind.DELTA, b"x")
    assert [each.data for each in stream.records] == [b"x"]
    assert tip == Tip(1, chained("", stream.records[0].headers["Hub-Nonce"]))
    assert stream.asked == 6, "10071 with an unchanged tip is no verdict"
    assert log.lost_answers == 1


async def test_a_record_whose_answer_was_lost_is_found_by_any_of_its_nonces_and_is_once_in_the_log():
    stream = Stream(LinkError("no answer"), LogRefused(NO), "lost")
    log = log_on(stream)
    await log.append(RecordKind.DELTA, b"x")
    await log.append(RecordKind.DELTA, b"y")
    assert [each.data for each in stream.records] == [b"x", b"y"]
    first = stream.records[0].headers
    assert stream.records[1].headers["Hub-Prior"] == chained(first["Hub-Prior"], first["Hub-Nonce"])
    assert log.tip.seq == 2
    assert log.said == ["no answer", ""]
    assert log.why_failing == ""


async def test_the_parts_of_a_long_commit_are_each_written_once_though_answers_are_lost(monkeypatch):
    monkeypatch.setattr("hub.cluster.log.state_log.LOG_RECORD_BYTES", 2)
    stream = Stream("ok", "lost", "lost")
    await log_on(stream).append(RecordKind.DELTA, b"abcde")
    assert [(each.data, each.headers["Hub-Part"]) for each in stream.records] == [
        (b"ab", "1/3"), (b"cd", "2/3"), (b"e", "3/3"),
    ]  # fmt: skip


class Shrinking(Stream):
    """Servers that change: `takes` are what those of the next appends take in one message."""

    def __init__(self, *answers, takes):
        super().__init__(*answers)
        self.takes = list(takes)

    async def append(self, subject, data, headers, expected):
        assert len(data) <= self.link.max_payload - LOG_ROOM_BYTES, "nats-py refuses it, and would do so for ever"
        try:
            return await super().append(subject, data, headers, expected)
        finally:
            if self.takes:
                self.link.max_payload = LOG_ROOM_BYTES + self.takes.pop(0)


def read_back(records):
    """Return the bodies that a follower reads."""
    found, parts = [], []
    for record in records:
        number, _, count = record.headers.get("Hub-Part", "1/1").partition("/")
        parts = [record.data] if number == "1" else [*parts, record.data]
        if number == count:
            found.append(b"".join(parts))
    return found


async def test_a_commit_is_cut_anew_where_the_next_server_takes_less():
    stream = Shrinking("ok", LinkError("no answer"), takes=[5, 2])
    log = log_on(stream)
    stream.link, log._link.max_payload = log._link, LOG_ROOM_BYTES + 6
    await log.append(RecordKind.DELTA, b"0123456789abcdef")
    assert [each.headers["Hub-Part"] for each in stream.records] == ["1/3", "2/6", "3/6", "4/6", "5/6", "6/6"]
    assert read_back(stream.records) == [b"0123456789abcdef"]


@given(
    st.binary(min_size=1, max_size=30),
    st.lists(st.integers(1, 12), min_size=1, max_size=8),
    st.lists(st.sampled_from(["ok", "lost", LinkError("no answer"), LogRefused(NO), NotConnected("away")]), max_size=8),
)
async def test_a_commit_is_in_the_log_once_and_whole_whichever_servers_take_its_parts(body, takes, answers):
    stream = Shrinking(*answers, takes=takes)
    log = log_on(stream)
    stream.link, log._link.max_payload = log._link, LOG_ROOM_BYTES + 9
    await log.append(RecordKind.DELTA, body)
    await log.append(RecordKind.DELTA, b"next")
    assert read_back(stream.records) == [body, b"next"]


async def test_an_owner_behind_whose_tip_another_has_written_is_fenced_and_says_who_owns():
    stream = Stream()
    await log_on(stream).append(RecordKind.CLAIM)
    heir = StateLog(Link(), LogNames("t"), "b.7", Tip(1, "x"))
    heir._stream = stream
    await heir.append(RecordKind.CLAIM)
    late = log_on(stream, Tip(1, "x"))
    with pytest.raises(StoreFenced, match=r"b\.7 owns main now"):
        await late.append(RecordKind.DELTA, b"x")
    assert [each.data for each in stream.records] == [b"", b""]


async def test_an_owner_whose_record_was_stored_unheard_and_followed_by_a_claim_is_fenced():
    stream = Stream("lost")
    log, last = log_on(stream), stream.last

    async def claimed(*asked):
        stream.last = last
        stream.records.append(Stored(2, b"", 0.0, {"Hub-Owner": "b.7", "Hub-Nonce": "n"}))
        return await last(*asked)

    stream.last = claimed
    with pytest.raises(StoreFenced, match=r"b\.7"):
        await log.append(RecordKind.DELTA, b"x")


async def test_an_answer_of_a_leader_of_old_which_has_less_of_the_log_fences_nobody():
    stream = Stream()
    log = log_on(stream)
    await log.append(RecordKind.CLAIM)
    await log.append(RecordKind.DELTA, b"x")
    stream.answers, real, old = ["lost"], stream.last, [stream.records[:1]] * 3

    async def last(*asked):
        return old.pop()[-1] if old else await real(*asked)

    stream.last = last
    await log.append(RecordKind.DELTA, b"y")
    assert [each.data for each in stream.records] == [b"", b"x", b"y"]
    assert log.lost_answers == 1


async def test_an_owner_whose_log_has_lost_records_ends_by_the_word_of_the_leader_alone(monkeypatch):
    monkeypatch.setattr("hub.cluster.log.state_log.LOG_SHORTER_SECONDS", 0.05)
    stream = Stream()
    log = log_on(stream)
    for _ in range(3):
        await log.append(RecordKind.DELTA)
    del stream.records[1:]
    stream.led = False
    writing = asyncio.create_task(log.append(RecordKind.DELTA, b"x"))
    await asyncio.wait({writing}, timeout=0.3)
    assert not writing.done(), "who answers may have led before"
    stream.led = True
    with pytest.raises(StoreFenced, match="the log ends with record 1 now, and had our record 3"):
        await writing


async def test_an_attempt_has_a_nonce_of_its_own_only_where_one_before_it_may_be_stored():
    stream = Stream(*[NotConnected("away")] * 50, LogRefused(NO), LinkError("no answer"), "lost")
    log, seen, append = log_on(stream), [], stream.append

    async def noted(subject, data, headers, expected):
        seen.append(headers["Hub-Nonce"])
        return await append(subject, data, headers, expected)

    stream.append = noted
    await log.append(RecordKind.DELTA, b"x")
    assert len(set(seen[:52])) == 1, "after a day without servers there would be a million to remember"
    assert len(set(seen)) == 3
    assert log.lost_answers == 1


async def test_a_full_log_is_said_once_and_written_when_there_is_room():
    stream = Stream(LogFull(FULL), LogFull(FULL), LogFull(FULL))
    log = log_on(stream)
    await log.append(RecordKind.DELTA, b"x")
    [why, again] = log.said
    assert "the log is full" in why
    assert "maximum bytes exceeded (10077)" in why
    assert again == ""
    assert log.tip.seq == 1


async def test_a_claim_is_tried_once_and_never_later():
    stream = Stream(LinkError("no answer"))
    log = log_on(stream)
    with pytest.raises(LinkError):
        await log.try_once(RecordKind.CLAIM)
    assert stream.records == []
    assert log.tip == Tip()
    tip = await log.try_once(RecordKind.CLAIM)
    assert tip == log.tip == Tip(1, chained("", stream.records[0].headers["Hub-Nonce"]))
