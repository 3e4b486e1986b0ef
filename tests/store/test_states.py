"""State files of earlier hubs, opened by this one: nobody is told anew what he was told, and what was due still is.

How each file in `states` was made stands beside it (.txt, runs with the hub of that time) with its rules (.yaml).
"""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.store.opening import SAVED, Hub, parts, shown

STATES = Path(__file__).with_name("states")


@pytest.fixture
def opened(tmp_path):
    """Open a copy of a state file; return the hub."""
    hubs = []

    def open_(name, after=0.0):
        file = tmp_path / f"{len(hubs)}.db"
        shutil.copy(STATES / f"{name}.db", file)
        hubs.append(Hub(STATES / f"{name}.yaml", file, SAVED + after))
        return hubs[-1]

    yield open_
    for each in hubs:
        each.database.close()


# the last hub that had groups

DUE = {  # what was due when it was saved, in half an hour: seconds after SAVED, who, what
    "Plain": [],
    "Repeats": [(300, "chat", "1 firing repeat-2")],  # told, repeated after 10m; 20m later
    "Steps": [(300, "chief", "1 firing escalate-2")],  # told 15m ago, boss called 5m ago
    "Acked": [  # 1 is acknowledged; 2 was after 2m, for 8m in which its steps stood still
        (120, "chat", "2 firing repeat-1"),
        (600, "boss", "2 firing escalate-1"),
        (720, "chat", "2 firing repeat-2"),
        (720, "boss", "2 firing repeat-2"),
        (1320, "chat", "2 firing repeat-3"),
        (1320, "boss", "2 firing repeat-3"),
    ],
    "Quiet": [(1800, "chat", "2 firing repeat-1"), (1800, "chat", "1 firing firing")],  # a silence ends
    "Gateway": [],
    "Behind": [],
    "Limited": [(600, "chat", "1 firing firing")],
    "Flaps": [(30, "chat", "1 resolved resolved")],  # of 2 the end is not owed: it fires
    "Rang": [(1800, "chat", "1 event event")],
    "Disk": [],
    "Grouped": [
        (5, "chat", "genf/1 firing, genf/2 firing"),
        (70, "chat", "kiel/2 firing, kiel/1 firing"),  # kiel/1 was told before
        (70, "chat", "graz/1 resolved"),
        (70, "chat", "linz/2 firing, linz/1 resolved"),
        (610, "chat", "rome/1 firing"),  # 30m after a repeat
        (610, "chat", "bonn/1 firing, bonn/2 firing"),
    ],
    "Stepped": [(310, "chief", "nice/1 firing, nice/2 firing")],
    "Knocked": [(5, "chat", "genf event")],
}
FIRING = {  # who was told of it; of the others nobody was, or of their end, too
    "Plain": {"1": ["chat", "mail"], "2": ["chat", "mail"]},
    "Repeats": {"1": ["chat"]},
    "Steps": {"1": ["chat", "boss"]},
    "Acked": {"1": ["chat"], "2": ["chat"]},
    "Quiet": {"1": [], "2": ["chat"]},
    "Gateway": {"a": ["chat"]},
    "Behind": {"a/1": []},
    "Limited": {"1": []},
    "Flaps": {"1": ["chat"], "2": ["chat"]},
    "Grouped": {
        **dict.fromkeys(["rome/1", "bonn/1", "bonn/2", "bern/1", "kiel/1", "linz/1", "linz/2", "graz/1"], ("chat",)),
        **dict.fromkeys(["kiel/2", "genf/1", "genf/2"], ()),
    },
    "Stepped": {"nice/1": ["chat", "boss"], "nice/2": ["chat", "boss"], "lyon/1": []},
}


def step(body):
    return shown(body) if "alerts" in body else f"{shown(body)} {body['state']} {body['id'].split('-', 2)[2]}"


@pytest.mark.parametrize("alertname", DUE)
def test_repeats_steps_and_what_waits_go_on_from_where_they_were(opened, alertname):
    hub = opened("telling")
    assert hub.told == []
    hub.pass_time(1804)
    assert [(at, who, step(body)) for at, who, body in hub.told if body["alertname"] == alertname] == DUE[alertname]


@pytest.mark.parametrize("after", [0, 1, 6, 80, 305, 400, 1000])
def test_what_is_told_does_not_depend_on_a_further_start(opened, after):
    hub, other = opened("telling"), opened("telling")
    for each in (hub, other):
        each.pass_time(after)
    other.restart()
    for each in (hub, other):
        each.pass_time(3600)
    assert other.told == hub.told


def test_what_waited_while_nothing_ran_is_told_once(opened):
    hub = opened("telling", after=240)
    hub.pass_time(250)
    told = [(receiver, shown(body)) for _, receiver, body in hub.told if body["alertname"] == "Grouped"]
    kiel, linz = "kiel/2 firing, kiel/1 firing", "linz/2 firing, linz/1 resolved"
    assert told == [("chat", each) for each in ("genf/1 firing, genf/2 firing", kiel, "graz/1 resolved", linz)]


@pytest.mark.parametrize("name", ["telling", "first"])
def test_an_end_goes_once_to_who_was_told_and_to_nobody_else(opened, name):
    hub, firing = opened(name), FIRING if name == "telling" else FIRST
    hub.pass_time(1)
    for alertname, instances in firing.items():
        for instance in instances:
            hub.send(f"{alertname.lower()}/{instance}", 0)
    hub.pass_time(3500)
    told = Counter(each for each in parts(hub.told) if each[1] in firing and each[3] != "event")
    assert told == Counter(
        (receiver, alertname, instance, "resolved")
        for alertname, instances in firing.items()
        for instance, receivers in instances.items()
        for receiver in receivers
    )


def test_the_next_episode_is_told_under_ids_that_were_never_given(opened):
    hub = opened("telling")
    before = {row[1] for row in hub.reader.queued("chat", 0, 100)}
    assert len(before) == 2
    hub.pass_time(1)
    hub.send("grouped/oslo/1", 1)  # was told, and its end, in a group that is there no more
    hub.send("limited/2", 1)
    hub.pass_time(3600)
    ids = [(receiver, body["id"]) for _, receiver, body in hub.told]
    assert len(set(ids)) == len(ids)
    assert not before & {identity for _, identity in ids}
    assert ("chat", "Grouped", "oslo/1", "firing") in parts(hub.told)


@pytest.mark.parametrize(("name", "queued"), [("telling", 3), ("first", 1)])
def test_what_was_queued_is_still_to_be_sent(opened, name, queued):
    hub = opened(name)
    hub.pass_time(4)
    rows = [row for receiver in ("chat", "mail") for row in hub.reader.queued(receiver, 0, 100)]
    assert len(rows) == queued
    assert all(row[5] < SAVED for row in rows)


def test_with_another_rule_file_who_was_told_in_a_group_hears_of_its_end_alone(opened, tmp_path):
    shutil.copy(STATES / "telling.db", tmp_path / "alone.db")
    text = (STATES / "telling.yaml").read_text("utf-8")
    (tmp_path / "alone.yaml").write_text(text.replace(", group_by: [site], repeat: 30m", ""), "utf-8")
    hub = Hub(tmp_path / "alone.yaml", tmp_path / "alone.db")
    hub.pass_time(4)
    hub.send("grouped/bonn/1", 0)
    hub.pass_time(1000)
    hub.database.close()
    told = Counter(each[2:] for each in parts(hub.told) if each[1] == "Grouped")
    # at once what waited for its group: its ends, and what nobody was told of
    ended, fresh = ("graz/1", "linz/1", "bonn/1"), ("genf/1", "genf/2", "kiel/2")
    assert told == Counter([(each, "resolved") for each in ended] + [(each, "firing") for each in fresh])


# the first hub that could run its rules

FIRST = {
    "Plain": {"1": ["chat", "mail"], "2": [], "3": ["chat", "mail"]},
    "Held": {"1": ["chat"], "2": []},
    "Nobodys": {"1": []},
}


def test_an_alert_that_was_told_before_tellings_were_counted_is_told_nothing_again(opened):
    hub = opened("first")
    assert hub.told == []
    hub.pass_time(86400)
    assert [(at, *each) for (at, *_), each in zip(hub.told, parts(hub.told), strict=True)] == [
        (300, "chat", "Held", "2", "firing")
    ]
