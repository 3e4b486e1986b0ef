import time

import pytest

from hub.devices.registry import Registry, load_fleets
from hub.documents.document import Problems
from tests.devices.fleets import fleet_of

FREEZERS = """
    fleet: freezers
    topic: site/{site}/freezer/{device}/telemetry
    attributes: {limit: -15}
    devices: [{site: a, device: 1, owner: Ada}, {site: a, device: 2}, {site: b, device: 1}]
"""


@pytest.fixture
def registry():
    return Registry([fleet_of(FREEZERS), fleet_of("fleet: boiler\ntopic: cellar/boiler\nattributes: {owner: me}")])


def test_a_topic_has_the_attributes_of_its_device(registry):
    assert registry.attributes("site/a/freezer/1/telemetry") == {
        "fleet": "freezers", "site": "a", "device": "1", "limit": -15, "owner": "Ada"
    }  # fmt: skip
    assert registry.attributes("cellar/boiler")["owner"] == "me"


def test_other_topics_of_the_same_device_have_them_too(registry):
    assert registry.attributes("site/a/freezer/1/door/state")["owner"] == "Ada"


@pytest.mark.parametrize(
    "topic", ["site/a/freezer/9/telemetry", "site/a/freezer", "site", "", "cellar/boiler2", "x/y/z/w/v"]
)
def test_an_unknown_topic_has_none(registry, topic):
    assert dict(registry.attributes(topic)) == {}


def test_attributes_cannot_be_changed_through_the_unknown_ones(registry):
    with pytest.raises(TypeError):
        registry.attributes("nobody")["x"] = 1


@pytest.mark.parametrize(
    ("topic_filter", "count"),
    [
        ("site/+/freezer/+/telemetry", 3),
        ("site/a/freezer/+/telemetry", 2),
        ("site/+/freezer/1/telemetry", 2),
        ("site/b/freezer/1/telemetry", 1),
        ("site/b/freezer/2/telemetry", 0),
        ("site/+/freezer/+/door", 0),
        ("site/+/freezer/+", 0),
        ("site/+/freezer/+/telemetry/+", 0),
        ("site/+/freezer/+/telemetry/#", 3),
        ("site/a/#", 2),
        ("#", 4),
        ("cellar/boiler", 1),
    ],
)
def test_a_filter_gives_the_topics_of_the_registered_devices_it_matches(registry, topic_filter, count):
    assert len(list(registry.topics(topic_filter))) == count
    assert list(registry.topics(topic_filter)) == list(registry.topics(topic_filter))
    fleets = {fleet.name for fleet in registry.fleets(topic_filter)}
    assert fleets == {device.fleet for device in registry.devices() if device.topic in registry.topics(topic_filter)}


def test_devices_are_all_there_with_their_captures(registry):
    assert len(registry) == 4
    assert [dict(device.captures) for device in registry.devices()][:2] == [
        {"site": "a", "device": "1"},
        {"site": "a", "device": "2"},
    ]


def test_two_fleets_of_the_same_devices_know_together_what_each_knows():
    doors = (
        FREEZERS.replace("telemetry", "door")
        .replace("fleet: freezers", "fleet: doors")
        .replace("limit: -15", "lock: x")
    )
    registry = Registry([fleet_of(FREEZERS), fleet_of(doors)])
    known = registry.attributes("site/a/freezer/2/door")
    assert (known["limit"], known["lock"], known["fleet"]) == (-15, "x", "freezers")


def test_without_fleets_nothing_is_known():
    registry = Registry()
    assert len(registry) == 0
    assert dict(registry.attributes("a/b")) == {}
    assert list(registry.topics("#")) == []


def test_lookups_among_ten_thousand_devices_cost_what_they_cost_among_ten():
    def cost(count):
        registry = Registry([fleet_of(FREEZERS).sized(count)])
        topics = [device.topic for device in registry.devices()][-10:]
        list(registry.topics(f"site/+/freezer/{topics[0].split('/')[3]}/telemetry"))
        best = float("inf")
        for _ in range(20):
            start = time.perf_counter()
            for topic in topics * 10:
                registry.attributes(topic)
                list(registry.topics(topic))
            best = min(best, time.perf_counter() - start)
        return best

    small, large = cost(10), cost(10_000)
    assert large < small * 20  # a scan would take a thousand times as long


def test_files_and_folders_are_read_and_all_problems_told(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.yaml").write_text("fleet: a\ntopic: a/{device}\ndevices: 2\n")
    (tmp_path / "sub" / "b.yaml").write_text("fleet: b\ntopic: b/{device}\ndevices: 0\nqos: 9\n")
    (tmp_path / "sub" / "c.yaml").write_text("fleet: [\n")
    (tmp_path / "notes.txt").write_text("no fleet")
    problems = Problems()
    fleets = load_fleets([tmp_path, tmp_path / "none.yaml"], problems)
    assert [fleet.name for fleet in fleets] == ["a"]
    told = [str(problem).replace(str(tmp_path), "") for problem in problems]
    assert [each.split(": ")[0] for each in told] == [
        "/none.yaml",
        "/sub/b.yaml:3:10",
        "/sub/b.yaml:4:6",
        "/sub/c.yaml:2:1",
    ]


def test_a_fleet_twice_and_a_topic_in_two_fleets_are_problems(tmp_path):
    (tmp_path / "a.yaml").write_text("fleet: a\ntopic: a/{device}\ndevices: 2\n")
    (tmp_path / "b.yaml").write_text("fleet: a\ntopic: b/{device}\ndevices: 2\n")
    (tmp_path / "c.yaml").write_text("fleet: c\ntopic: a/{device}\ndevices: 1\n")
    problems = Problems()
    load_fleets([tmp_path], problems)
    assert "a fleet 'a' is already in" in str(problems[0])
    assert "the fleet 'a' has devices with the same topics" in str(problems[1])


def test_a_file_named_twice_is_read_once(tmp_path):
    (tmp_path / "a.yaml").write_text("fleet: a\ntopic: a/{device}\ndevices: 2\n")
    problems = Problems()
    assert len(load_fleets([tmp_path, tmp_path / "a.yaml"], problems)) == 1
    assert not problems


def test_a_fleet_named_twice_is_told_also_where_one_of_the_two_has_another_problem(tmp_path):
    (tmp_path / "a.yaml").write_text("fleet: a\ntopic: t/{device}\ndevices: {count: many}\n")
    (tmp_path / "b.yaml").write_text("fleet: a\ntopic: u/{device}\ndevices: {count: 2}\n")
    problems = Problems()
    assert load_fleets([tmp_path], problems) == ()
    assert [str(each).split(": ")[0] for each in problems if "a fleet 'a' is already in" in str(each)] == [
        f"{tmp_path}/b.yaml:1:1"
    ]
