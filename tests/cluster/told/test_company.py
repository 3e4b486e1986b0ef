"""What an owner says of its cluster to its own rules, under a clock that is moved: each node, and who has left."""

from dataclasses import dataclass, field

import pytest

from hub.clock import ManualClock
from hub.cluster.log.mark import Mark
from hub.cluster.log.state_log import LogNames
from hub.cluster.told.cluster_picture import LogEnd
from hub.cluster.told.company import Company
from hub.cluster.voice import Voice
from hub.contracts.own_voice import OWN_FIELDS
from hub.ingest.topics import matches
from hub.limits import SELF_WATCH_CALM_SECONDS
from hub.model import OWN_TOPICS
from hub.observer import Observer
from tests.cluster.told.test_cluster_picture import SNAPSHOT, beat


@dataclass
class Heard:
    """Members of which each says what the test lets it say."""

    node: str = "a"
    incarnation: str = "a.1"
    said: dict = field(default_factory=dict)

    def beats(self):
        return [self.said["a"], *self.others()]

    def others(self):
        return [each for name, each in self.said.items() if name != "a"]


class Scene:
    """The owner a with b and c beside it."""

    def __init__(self):
        self.clock, self.end = ManualClock(1700000100.0), LogEnd(Mark(), "a.1", 500, 1000, SNAPSHOT)
        self.members = Heard(said={"a": beat("a", owns=True, disk={"free_bytes": 1, "free_percent": 1.0})})
        for name in "bc":
            self.members.said[name] = beat(name, disk={"free_bytes": 5, "free_percent": 2.0})
        self.voice = Voice(Observer(), "a", "main")
        self.company = Company(
            names=LogNames("t"),
            members=self.members,
            voice=self.voice,
            clock=self.clock,
            end=lambda: self.end,
            lost_answers=lambda: 4,
        )
        self.company.look(left=False)

    def told(self):
        """Return what is told, by topic and node; none of it twice."""
        events = [(topic, fields["node"], fields) for topic, fields in self.company.events()]
        found = {(topic, node): fields for topic, node, fields in events}
        assert len(found) == len(events)
        return found

    def loses(self, name):
        del self.members.said[name]
        self.company.look(left=False)


@pytest.fixture
def scene():
    return Scene()


def test_every_event_has_the_fields_that_are_documented(scene):
    scene.loses("c")
    for (topic, _), fields in scene.told().items():
        (known,) = (each for each in OWN_FIELDS if matches(each, OWN_TOPICS + topic))
        assert set(fields) == {*OWN_FIELDS[known], "node"}, topic


def test_the_owner_says_how_the_cluster_is_and_what_those_that_stand_by_know_of_themselves(scene):
    found = scene.told()
    assert found["cluster", "a"] == {
        "nodes": 3, "heard": 3, "standbys": 2, "gone": "", "log_bytes": 500, "log_percent": 50.0,
        "snapshot_seconds": 100.0, "node": "a",
    }  # fmt: skip
    assert found["disk", "b"] == {"free_bytes": 5, "free_percent": 2.0, "node": "b"}
    assert {node for topic, node in found if topic == "disk"} == {"b", "c"}  # its own disk the watcher looks at
    scene.members.said["b"]["refused"] = "rooms.yaml:3:5: unknown key"
    scene.members.said["b"] |= {"rules": "other", "trouble": "no snapshot has more", "forked": True, "applied": 90}
    scene.members.said["b"]["applied_time"] = 940.0
    found = scene.told()
    assert found["rules", "b"] == {"refused": True, "detail": "rooms.yaml:3:5: unknown key", "node": "b"}
    b = found["node/b", "b"]
    assert (b["rules_differ"], b["forked"], b["detail"]) == (True, True, "no snapshot has more")
    assert (b["records_behind"], b["seconds_behind"]) == (10, 60.0)
    assert found["node/c", "c"]["rules_differ"] is False
    assert found["cluster", "a"]["standbys"] == 1


def test_a_node_that_is_gone_is_told_for_how_long_and_when_it_is_forgotten_that_all_is_well(scene):
    scene.loses("c")
    scene.clock.advance(70)
    found = scene.told()
    assert (found["node/c", "c"]["alive"], found["node/c", "c"]["gone_seconds"]) == (False, 70.0)
    assert (found["cluster", "a"]["gone"], found["cluster", "a"]["standbys"]) == ("c", 1)
    assert ("disk", "c") not in found  # nobody knows
    assert scene.company.forget("b") == "b is there; tell it to leave"
    assert scene.company.forget("x") == "there is no node 'x'"
    assert scene.company.forget("c") == ""
    found = scene.told()
    assert found["cluster", "a"]["nodes"] == 2
    assert found["node/c", "c"]["gone_seconds"] == 0.0
    assert found["disk", "c"]["free_percent"] == 100.0
    scene.clock.advance(SELF_WATCH_CALM_SECONDS + 1)
    assert not [node for _, node in scene.told() if node == "c"]


def test_a_new_owner_goes_on_with_those_that_the_one_before_knew_and_those_of_whom_it_spoke(scene):
    scene.company.recall({"log:nodes": '{"a":null,"d":1699999000.0}'}, ["$hub/node/e", "$hub/node/b", "$hub/disk"])
    found = scene.told()
    assert found["node/d", "d"]["gone_seconds"] == 1100.0
    assert found["node/e", "e"]["gone_seconds"] == 0.0
    assert scene.company.notes().keys() == {"log:nodes"}


def test_a_standby_takes_the_owners_word_for_who_belongs_to_the_cluster(scene):
    scene.end = scene.end._replace(owner="b.1")
    scene.members.said["a"]["owns"], scene.members.said["b"]["owns"] = False, True
    scene.members.said["b"]["known"] = {"a": None, "b": None, "c": None, "z": 5.0}
    scene.company.look(left=False)
    assert scene.company.known.gone == {"a": None, "b": None, "c": None, "z": 5.0}
    assert scene.company.roles() == {"node": "a", "owner": "b"}


def test_alertmanagers_status_has_the_nodes_that_are_heard_as_peers(scene):
    scene.members.said["b"]["address"] = "https://b.example"
    found = scene.company.alertmanager()
    assert (found["name"], found["status"]) == ("a", "ready")
    assert {"name": "b", "address": "https://b.example"} in found["peers"]
    scene.end = scene.end._replace(owner="")
    assert scene.company.alertmanager()["status"] == "settling"


def test_the_figures_are_those_of_this_node(scene):
    scene.members.said["a"] |= {"applied": 98, "applied_time": 999.0}
    scene.voice.owns(1, "", None)
    found = {each.name: each.value for each in scene.company.figures()}
    assert found == {
        "hub_unit_owned": 1, "hub_unit_lag_records": 2, "hub_unit_lag_seconds": 1.0, "hub_takeovers": 1,
        "hub_fenced": 0, "hub_log_bytes": 500, "hub_log_lost_answers": 4,
    }  # fmt: skip
