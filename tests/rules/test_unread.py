"""What cannot be read, or is no text, is a message all the same: a sign of life, and it undoes nothing."""

import pytest

from tests.rules.making import Drive, event
from tests.rules.running.test_engine import Disk

BROKEN = [b"{oops", b"[1,2", b'{"t": 1, "t": 2}', b'"open', b"[" * 500 + b"]" * 500, b"x" * 300_000]
BINARY = b"\xff\xd8\xff\xe0\0\x10JFIF"
BOTH = '- {alert: Warm, topic: "f/{device}", when: t > 5, absent: 10m, summary: "{device} {t}"}'
SILENT = '- {alert: Silent, topic: "f/{device}", absent: 10m}'
AUTO = '- {alert: Silent, topic: "f/{device}", absent: auto}'
RETURNED = ("resolved", "message again")


def what(said):
    return [each[2:] for each in said]


@pytest.mark.parametrize("payload", [*BROKEN, BINARY, b"nan", b"", b"35\xb0C"], ids=lambda payload: repr(payload[:9]))
def test_whatever_comes_is_a_sign_of_life(payload):
    drive = Drive(BOTH)
    drive.send("f/1", {"t": 1})
    for _ in range(5):
        assert drive.send("f/1", payload, after=500) == []
    assert what(drive.wait(600)) == [("firing", "no message within its time")]
    assert what(drive.send("f/1", payload, after=60)) == [RETURNED]
    assert drive.wait(599) == []


@pytest.mark.parametrize("payload", [*BROKEN, BINARY], ids=lambda payload: repr(payload[:9]))
def test_a_device_that_sends_nothing_else_is_known_and_missed_over_a_restart_too(payload):
    drive, disk = Drive(SILENT), Disk()
    drive.send("f/1", payload)
    disk.commit(drive.engine)
    drive.now += 300
    disk.restart(drive)
    assert [each[1:] for each in drive.wait(300)] == [("1", "firing", "no message within its time")]
    assert drive.engine.states["Silent"].instances[("1",)].topic == "f/1"


@pytest.mark.parametrize("payload", BROKEN, ids=lambda payload: repr(payload[:9]))
def test_what_cannot_be_read_changes_nothing_that_was_read(payload):
    drive, disk = Drive(BOTH), Disk()
    assert what(drive.send("f/1", {"t": 9})) == [("firing", "condition")]
    drive.wait(700)
    drive.engine.take_transitions()
    assert what(drive.send("f/1", payload)) == [RETURNED]
    instance = drive.engine.states["Warm"].instances[("1",)]
    assert (instance.phase.value, instance.raw) == ("firing", b'{"t":9}')
    disk.commit(drive.engine)
    disk.restart(drive)
    assert drive.engine.states["Warm"].instances[("1",)].raw == b'{"t":9}'
    assert drive.errors == []


def test_the_text_of_a_return_by_what_cannot_be_read_is_of_the_last_message_that_could():
    drive = Drive(BOTH)
    drive.send("f/1", {"t": 1})
    drive.wait(700)
    drive.engine.take_transitions()
    drive.take(event("f/1", b"{oops", drive.now))
    (transition,) = drive.engine.take_transitions()
    assert transition.event.value == {"t": 1}


@pytest.mark.parametrize("payload", [b"{oops", BINARY])
def test_absent_auto_learns_of_what_cannot_be_read_too(payload):
    drive = Drive(AUTO)
    for _ in range(20):
        drive.send("f/1", payload, after=60)
    assert drive.wait(170) == []
    assert len(drive.wait(20)) == 1, "three times its interval of a minute"


@pytest.mark.parametrize("pause", ["daily 00:16-00:30", "t > 5"])
@pytest.mark.parametrize("payload", [b"{oops", BINARY])
def test_under_a_pause_it_counts_from_its_end(pause, payload):
    drive = Drive(f'- {{alert: Silent, topic: "f/{{device}}", absent: 10m, pause: {pause!r}}}', start=864_000.0)
    drive.send("f/1", {"t": 9}, after=900)
    drive.send("f/1", payload, after=120)
    instance = drive.engine.states["Silent"].instances[("1",)]
    assert instance.gates.paused
    assert instance.gates.heard
    assert instance.seen == drive.now
    assert drive.wait(700) == []
    if pause == "t > 5":
        drive.send("f/1", {"t": 1})
    assert drive.wait(90) == []
    assert len(drive.wait(1000)) == 1


@pytest.mark.parametrize("payload", [b"{oops", BINARY])
def test_who_was_never_heard_before_a_pause_and_sends_nothing_else_under_it_is_missed_from_its_end_on(payload):
    drive = Drive('- {alert: Silent, topic: "f/{device}", absent: 10m, pause: "daily 00:16-00:30"}', start=864_000.0)
    drive.send("f/1", payload, after=1000)
    assert drive.wait(800 + 599) == []
    assert what(drive.wait(1)) == [("firing", "no message within its time")]


@pytest.mark.parametrize("payload", [b"{oops", BINARY])
def test_a_retained_one_is_no_sign_of_life(payload):
    drive = Drive(SILENT)
    drive.send("f/1", {"t": 1})
    drive.send("f/1", payload, after=300, retain=True)
    assert len(drive.wait(300)) == 1


def test_a_silence_tells_of_the_last_sign_of_life_and_of_no_retained_message_since():
    drive = Drive(SILENT)
    drive.send("f/1", {"t": 5})
    drive.send("f/1", {"t": 1}, after=300, retain=True)
    drive.now += 300
    drive.engine.tick(drive.now)
    (transition,) = drive.engine.take_transitions()
    assert (transition.phase.value, transition.event.value) == ("firing", {"t": 5})


@pytest.mark.parametrize("payload", [b"{oops", BINARY])
def test_when_it_came_is_known_after_a_restart(payload):
    drive, disk = Drive(SILENT), Disk()
    drive.send("f/1", {"t": 1})
    drive.send("f/1", payload, after=500)
    disk.commit(drive.engine)
    disk.restart(drive)
    assert drive.wait(599) == []
    assert len(drive.wait(1)) == 1


def test_where_a_field_makes_the_instance_nobody_can_know_whose_it_is():
    drive = Drive('- {alert: Silent, topic: "f", by: [id], absent: 10m}')
    drive.send("f", {"id": "a"})
    assert drive.send("f", b"{oops", after=300) == []
    assert len(drive.wait(300)) == 1
    assert drive.errors == []


@pytest.mark.parametrize("payload", [b"{oops", BINARY])
def test_it_is_the_last_that_its_topic_said(payload):
    drive = Drive(SILENT)
    drive.send("f/1", {"t": 1})
    drive.send("f/1", payload, after=5)
    assert list(drive.engine.last_messages()) == [("f/1", payload, drive.now)]


def test_a_value_of_bytes_is_seen_by_conditions_and_comes_back_after_a_restart():
    rule = '- {alert: Image, topic: "cam/{cam}", when: size(value) > 5 && event.size == size(value), for: 1m}'
    drive, disk = Drive(rule), Disk()
    assert what(drive.send("cam/1", BINARY)) == [("pending", "condition")]
    disk.commit(drive.engine)
    disk.restart(drive)
    drive.wait(60)
    state = drive.engine.states["Image"]
    last, _ = state.instances.last(state.instances[("1",)])
    assert (last.value, last.raw) == (BINARY, BINARY)


def test_what_looks_back_leaves_bytes_out():
    drive = Drive('- {alert: A, topic: t, when: "changed(value) || distinct(value, 10m) > 1 || avg(value, 10m) > 1"}')
    drive.send("t", "21")
    drive.send("t", BINARY)
    assert what(drive.send("t", "22")) == [("firing", "condition")]
