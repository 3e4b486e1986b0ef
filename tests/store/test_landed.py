"""A state file of each version that ever landed, opened by today's hub: it goes on as if that had run all the time.

How the files in `states` were made stands in landed.txt. Its hour is driven through today's hub, too: what this one
tells in the hour that follows is what is expected of the file.
"""

import lzma
import runpy
from collections import Counter
from pathlib import Path

import pytest

from hub.model import OWN
from hub.store.sqlite.database import Database
from hub.store.sqlite.sqlite_reader import SqliteReader
from tests.store.opening import SAVED, Hub, parts, shown

STATES = Path(__file__).with_name("states")
MADE = runpy.run_path(str(STATES / "landed.txt"))
MADE["Packet"].content_type = None  # the versions that it drove had none
VERSIONS = [2, 3, 4, 5, 6, 7, 8]
POSTED = 5  # the first version that takes posted alerts
REST = 3 * 3600.0


@pytest.fixture
def hubs(tmp_path):
    """Make hubs: on the file of a version, or on one of their own that has lived through the same hour."""
    made = []

    def open_(version, after=0.0):
        file = tmp_path / f"{len(made)}.db"
        file.write_bytes(lzma.decompress((STATES / f"landed{version}.db.xz").read_bytes()))
        made.append(Hub(_rules(version), file, SAVED + after))
        return made[-1]

    def live(version):
        hub = Hub(_rules(version), tmp_path / f"{len(made)}.db", SAVED - 3600.0)
        made.append(hub)

        def commit(now):
            hub.now = now
            hub.commit()

        MADE["drive"](hub.core, set(hub.rules.rules), commit)
        hub.before, hub.told = hub.told, []
        return hub

    yield open_, live
    for each in made:
        each.database.close()


def _rules(version):
    return STATES / ("landed2.yaml" if version == 2 else "landed.yaml")


def said(hub, version):
    """Return all that was told, in order of time; the id of what was told alone, which no version may change."""
    found = []
    for at, receiver, body in hub.told:
        if version < POSTED and body["alertname"] == "Disk":
            continue
        identity = "" if "alerts" in body else body["id"]
        found.append((at, receiver, body["alertname"], shown(body), body.get("state", "group"), identity))
    return sorted(found)


def end_all(hub):
    """Let everything that fires by its value be over."""
    for _, what in MADE["TIMELINE"]:
        topic = what.split()[0]
        if "/" in topic and not topic.startswith(("rang", "knocked")):
            hub.send(topic, 0)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_of_an_earlier_hub_goes_on_as_if_this_one_had_run_all_the_time(hubs, version):
    open_, live = hubs
    hub, other = open_(version), live(version)
    assert hub.told == []
    for each in (hub, other):
        each.pass_time(REST)
    assert said(hub, version) == said(other, version)
    assert len(hub.told) > 3


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("after", [1.0, 400.0, 2000.0])
def test_ends_are_told_once_to_who_was_told_whichever_hub_told_them(hubs, version, after):
    open_, live = hubs
    hub, other = open_(version), live(version)
    for each in (hub, other):
        each.pass_time(after)
        end_all(each)
        each.pass_time(REST)
    assert Counter(said(hub, version)) == Counter(said(other, version))
    ends = Counter(part for part in parts(hub.told) if part[3] == "resolved")
    assert ("chat", "Plain", "1", "resolved") in ends
    assert max(ends.values()) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_what_waited_in_an_earlier_file_waits_on_once_under_its_id(hubs, version):
    open_, live = hubs
    hub, other = open_(version), live(version)
    left = sorted((receiver, body["id"]) for _, receiver, body in other.before if MADE["is_left"](body, receiver))
    assert {receiver for receiver, _ in left} == {"chat", "mail"}
    assert _waiting(hub.database) == left
    hub.restart()
    hub.pass_time(2.0)
    assert [row for row in _waiting(hub.database) if row in left] == left


def _waiting(database: Database):
    reader = SqliteReader(database.connection)
    rows = [row for receiver in reader.receivers() for row in reader.queued(receiver, 0, 1000)]
    return sorted((row[2], row[1]) for row in rows if row[2] != OWN)


@pytest.mark.parametrize("version", VERSIONS)
def test_no_id_of_an_earlier_hub_is_given_again(hubs, version):
    open_, live = hubs
    hub, other = open_(version), live(version)
    given = {(receiver, body["id"]) for _, receiver, body in other.before}
    end_all(hub)
    hub.pass_time(REST)
    for _, what in MADE["TIMELINE"]:
        if "/" in what:
            hub.send(*what.split()[:1], 50)
    hub.pass_time(2 * REST)
    ids = [(receiver, body["id"]) for _, receiver, body in hub.told]
    assert len(ids) == len(set(ids))
    assert not given & set(ids)
