import orjson
import pytest

from hub.commands import device_desk
from hub.devices.registry import Registry
from hub.errors import Code, RequestError
from hub.model import Phase
from hub.trial.world import World
from tests.alerts.flapper import rule_set
from tests.devices.fleets import fleet_of
from tests.rules.making import event

NOON = 1_790_000_000.0
FLEET = """
    fleet: freezers
    topic: site/{site}/freezer/{number}/telemetry
    attributes: {limit: -15, mode: eco, owner: Ada}
    settable: {limit: {min: -25, max: -10, step: 0.5}, mode: {of: [eco, full]}}
    devices: [{site: a, number: 7}, {site: a, number: 17}, {site: b, number: 7}]
"""
HOT = '- {alert: Hot, topic: "site/{site}/freezer/{number}/telemetry", when: t > device.limit, notify: [chat]}'
HELD = HOT.replace("notify", "for: 5m, notify")
SEVEN = "site/a/freezer/7/telemetry"


def world_of(rules=HOT):
    return World(rule_set(rules), Registry([fleet_of(FLEET)]), NOON)


def send(world, value, topic=SEVEN):
    world.send([event(topic, {"t": value}, world.now)])


def put(world, device="a/freezer/7", **attributes):
    made = world.core.set(device, attributes, "ann", world.now)
    world.collect()
    return made


def states(world):
    return {labels: each.state for each in world.core.book.alerts.values() if (labels := each.instance)}


def state(world):
    return next(iter(states(world).values()), Phase.INACTIVE)


def told(world):
    return [each.body["state"] for each in world.told]


def test_a_limit_that_is_set_judges_the_last_message_at_once():
    world = world_of()
    send(world, -16)
    assert state(world) is Phase.INACTIVE
    put(world, limit=-17)
    assert state(world) is Phase.FIRING
    put(world, limit=-12)
    assert told(world) == ["firing", "resolved"]


def test_what_is_judged_again_says_that_an_attribute_was_set():
    world = world_of()
    send(world, -16)
    put(world, limit=-17)
    (alert,) = world.core.book.alerts.values()
    assert alert.body()["reason"] == "an attribute of the device was set"


def test_only_the_device_that_is_meant_is_judged():
    world = world_of()
    for topic in (SEVEN, SEVEN.replace("7", "17"), SEVEN.replace("/a/", "/b/")):
        send(world, -16, topic)
    put(world, limit=-17)
    assert states(world) == {(("site", "a"), ("number", "7")): Phase.FIRING}


def test_for_begins_and_ends_with_what_is_set():
    world = world_of(HELD)
    send(world, -16)
    world.pass_time(NOON + 60)
    put(world, limit=-17)
    assert state(world) is Phase.PENDING
    world.pass_time(NOON + 60 + 299)
    assert state(world) is Phase.PENDING, "`for` counts from the moment at which it was set"
    put(world, limit=-15)
    world.pass_time(NOON + 900)
    assert told(world) == []
    put(world, limit=-17)
    world.pass_time(NOON + 900 + 300)
    assert told(world) == ["firing"]


@pytest.mark.parametrize("rules", [HOT, HELD])
def test_what_is_set_survives_a_restart_and_a_reload(rules):
    world = world_of(rules)
    put(world, limit=-17)
    world.restart()
    send(world, -16)
    assert state(world) is not Phase.INACTIVE
    world.reload()
    assert world.core.devices.attributes(SEVEN)["limit"] == -17
    put(world, limit=None)
    assert state(world) in (Phase.INACTIVE, Phase.RESOLVED)
    world.restart()
    assert world.core.devices.attributes(SEVEN)["limit"] == -15


def test_an_inactive_device_is_judged_by_its_last_message_after_a_restart():
    world = world_of()
    send(world, -16)
    world.restart()
    put(world, limit=-17)
    assert state(world) is Phase.FIRING


def test_under_a_pause_nothing_is_judged_and_at_its_end_the_last_message_is():
    world = world_of(HOT.replace("notify", "pause: payload.door, notify"))
    world.send([event(SEVEN, {"t": -16, "door": True}, world.now)])
    put(world, limit=-17)
    assert told(world) == []
    world.send([event(SEVEN, {"t": -16, "door": False}, world.now + 1)])
    assert told(world) == ["firing"]


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ({"limit": -9}, "limit of site/a/freezer/7 cannot be -9: its author allows a number from -25 to -10 in steps"),
        ({"limit": -16.2}, "steps of 0.5"),
        ({"limit": True}, "a number from"),
        ({"limit": "cold"}, "a number from"),
        ({"mode": "off"}, "mode of site/a/freezer/7 cannot be off: its author allows one of eco, full"),
        ({"owner": "Bob"}, "'owner' of site/a/freezer/7 cannot be set; what can be: limit"),
        ({"limit": -16, "owner": "Bob"}, "cannot be set"),
    ],
)  # fmt: skip
def test_what_the_author_does_not_allow_is_refused_with_the_bounds_and_changes_nothing(attributes, says):
    world = world_of()
    with pytest.raises(RequestError) as caught:
        put(world, **attributes)
    assert says in str(caught.value)
    assert world.core.devices.attributes(SEVEN)["limit"] == -15
    assert not world.core.devices.all


@pytest.mark.parametrize("name", ["site/a/freezer/7", SEVEN, "a/freezer/7", "site/a/freezer/7/door"])
def test_a_device_is_named_by_a_topic_or_the_last_levels_of_what_says_which_it_is(name):
    world = world_of()
    put(world, name, limit=-20)
    assert set(world.core.devices.all) == {"site/a/freezer/7"}


@pytest.mark.parametrize(("name", "code"), [("freezer/7", Code.CONFLICT), ("boiler", Code.MISSING), ("", Code.MISSING)])
def test_a_name_of_no_device_or_of_several_is_refused(name, code):
    with pytest.raises(RequestError) as caught:
        put(world_of(), name, limit=-20)
    assert caught.value.code is code


def test_what_the_files_no_longer_allow_stays_and_does_not_count():
    world = world_of()
    put(world, limit=-20)
    narrower = Registry([fleet_of(FLEET.replace("min: -25", "min: -18"))])
    world.core.reload(world.rules, narrower, world.now)
    assert world.core.devices.attributes(SEVEN)["limit"] == -15
    world.reload()
    assert world.core.devices.attributes(SEVEN)["limit"] == -20


def test_the_desk_lists_what_may_be_set_and_who_set_it():
    world = world_of()
    made = device_desk.set_attributes(
        world.core, {"device": "a/freezer/7", "attributes": {"limit": -16}, "by": "ann"}, world.now
    )
    assert made["changed"] == ["site/a/freezer/7: limit -15 → -16"]
    found = orjson.loads(orjson.dumps(device_desk.settings(world.core, {})))
    names = [each["device"] for each in found["devices"]]
    assert names == ["site/a/freezer/7", "site/a/freezer/17", "site/b/freezer/7"]
    assert found["devices"][0]["settable"]["limit"] == {
        "value": -16, "author": -15, "bounds": {"min": -25, "max": -10, "step": 0.5},
        "set": {"value": -16, "at": NOON, "by": "ann", "counts": True},
    }  # fmt: skip
