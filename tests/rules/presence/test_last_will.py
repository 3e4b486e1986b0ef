"""offline: what a topic says of a device beside its messages, a last will say."""

import pytest

from hub.rules.running.engine import Engine
from hub.store.changes import Snapshot
from hub.store.keeper import restore_all, take_all
from tests.rules.making import Drive, rules
from tests.rules.running.test_engine import Disk, reload

GONE = (
    '- {alert: Gone, topic: "tele/{device}/SENSOR", absent: 1h,'
    ' offline: {topic: "tele/{device}/LWT", when: value == "Offline"}}\n'
)
FIRES, ENDS = ("7", "firing", "reported offline"), ("7", "resolved", "reported online")


def what(said):
    return [each[1:] for each in said]


def test_a_device_that_is_reported_gone_is_absent_at_once_and_back_when_its_topic_says_so():
    drive = Drive(GONE)
    drive.send("tele/7/SENSOR", {"t": 1})
    drive.send("tele/7/LWT", "Offline", after=60)
    assert what(drive.wait(0)) == [FIRES]
    assert what(drive.send("tele/7/LWT", "Online", after=60)) == [ENDS]
    assert drive.wait(3599) == []


def test_a_message_of_the_device_is_a_sign_of_life_too_but_a_retained_one_is_none():
    drive = Drive(GONE)
    drive.send("tele/7/SENSOR", {"t": 1})
    drive.send("tele/7/LWT", "Offline")
    assert what(drive.wait(1)) == [FIRES]
    assert drive.send("tele/7/SENSOR", {"t": 1}, retain=True) == []
    assert [each[2] for each in drive.send("tele/7/SENSOR", {"t": 1})] == ["resolved"]
    assert drive.wait(3599) == []
    assert what(drive.wait(1)) == [("7", "firing", "no message within its time")]


def test_a_retained_report_counts_also_of_a_device_that_was_never_heard():
    drive = Drive(GONE)
    drive.send("tele/7/LWT", "Offline", retain=True)
    assert what(drive.wait(1)) == [FIRES]


def test_without_absent_only_the_report_counts():
    drive = Drive(GONE.replace("absent: 1h,", ""))
    drive.send("tele/7/SENSOR", {"t": 1})
    assert drive.wait(10 * 86400) == []
    drive.send("tele/7/LWT", "Offline")
    assert what(drive.wait(1)) == [FIRES]
    assert what(drive.send("tele/7/LWT", "Online")) == [ENDS]


def test_a_report_on_a_topic_that_the_rule_hears_is_no_sign_of_life():
    drive = Drive(GONE.replace("/SENSOR", "/+"))
    drive.send("tele/7/STATE", {"t": 1})
    drive.send("tele/7/LWT", "Offline")
    assert what(drive.wait(1)) == [FIRES]
    assert drive.send("tele/7/LWT", "Offline") == []


def test_a_gateway_that_is_gone_takes_its_devices_with_it():
    drive = Drive(
        '- {alert: Gone, topic: "g/{gateway}/dev/{device}", offline: {topic: "g/{gateway}/state", when: gone}}\n'
    )
    for device in ("1", "2"):
        drive.send(f"g/a/dev/{device}", 1)
    drive.send("g/b/dev/1", 1)
    drive.send("g/a/state", {"gone": True})
    assert sorted(each[1] for each in drive.wait(1)) == ["a/1", "a/2"]


def test_beside_a_condition_it_is_an_alert_of_its_own():
    drive = Drive(GONE.replace("absent: 1h", "when: t > 5"))
    assert [each[2] for each in drive.send("tele/7/SENSOR", {"t": 9})] == ["firing"]
    drive.send("tele/7/LWT", "Offline")
    assert [each[1] for each in drive.wait(1)] == ["7/absent"]


@pytest.mark.parametrize("how", ["restart", "reload"])
def test_what_was_reported_outlives_a_restart_and_a_reload(how):
    drive, disk = Drive(GONE), Disk()
    drive.send("tele/7/LWT", "Offline", retain=True)
    drive.wait(1)
    rows = take_all(drive.engine.beside.keepers).desk
    disk.commit(drive.engine)
    if how == "restart":
        drive.engine = Engine(drive.rules)
        restore_all(drive.engine.beside.keepers, Snapshot(desk=list(rows)))
        drive.engine.restore([(*key, state) for key, state in disk.rows.items()], disk.rules, drive.now)
    else:
        reload(drive, GONE.replace("1h", "2h"))
    assert drive.wait(60) == []
    assert what(drive.send("tele/7/LWT", "Online")) == [ENDS]


def test_a_report_that_says_nothing_is_counted_and_changes_nothing():
    drive = Drive(GONE.replace('value == "Offline"', "state > 5"))
    drive.send("tele/7/SENSOR", {"t": 1})
    assert drive.send("tele/7/LWT", "Offline") == []
    assert drive.engine.states["Gone"].errors == 1


@pytest.mark.parametrize(
    ("offline", "why"),
    [
        ('{topic: "x/{other}", when: value == "o"}', "{other} is no capture of the rule's topic"),
        ('{topic: "x/{d}"}', "'when'"),
        ("homie", "is a mapping of topic and when"),
        ('{topic: "x/{d}", when: "avg(t, 1h) > 2"}', "avg"),
    ],
)
def test_what_is_no_report_is_refused_with_the_reason(offline, why):
    with pytest.raises(AssertionError, match=why):
        rules(f'- {{alert: A, topic: "t/{{d}}", offline: {offline}}}')
