import pytest

from tests.devices.fleets import fleet_of, problems_of

HEAD = "fleet: t\ntopic: site/{site}/t/{device}\nevery: 1s\n"
DEVICES = "devices: [{site: a, device: 1}, {site: a, device: 2}]\n"
FIELDS = "payload:\n  door: {on: 10s, every: 1m}\n  x: {walk: [0, 1]}\n  name: hello\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("topic: t/{device}\ndevices: 1", "fleet.yaml:1:1: the fleet needs the key 'fleet'"),
        ("fleet: t\ndevices: 1", "fleet.yaml:1:1: the fleet needs the key 'topic'"),
        ("fleet: a b\ntopic: t/{device}\ndevices: 1", "fleet.yaml:1:8: 'a b' cannot be a fleet's name"),
        ("fleet: t\ntopic: t/{device}", "fleet.yaml:1:1: the fleet needs the key 'devices'"),
        ("fleet: t\ntopic: t/+\ndevices: 1", "fleet.yaml:2:8: a device publishes to one topic, '+' means many"),
        ("fleet: t\ntopic: t/x{device}\ndevices: 1", "'x{device}' cannot be a level of a topic"),
        ("fleet: t\ntopic: t/{rest...}\ndevices: 1", "{rest...} is no capture"),
        ("fleet: t\ntopic: t/{a}/{a}\ndevices: 1", "{a} stands twice"),
        ("fleet: t\ntopic: $SYS/{a}\ndevices: 1", "topics that begin with $"),
        (HEAD + "devices: 3", "the device needs 'site', a level of its topic site/{site}/t/{device}"),
        (HEAD + "devices: [{site: a/b, device: 1}]", "4:11: 'site' must be one level of a topic"),
        (HEAD + "devices: [{site: a, device: 1}, {site: a, device: 1}]", "4:33: the device site/a/t/1 is there twice"),
        (HEAD + "devices: [{count: 3, site: a, device: d}]", "the device site/a/t/d is there twice"),
        (HEAD + "devices: [{count: 0, site: a}]", "must be from 1 to 100000, not 0"),
        (HEAD + "devices: [{site: a, device: 1, max-temp: 3}]", "'max-temp' cannot be an attribute's name"),
        (
            HEAD + "devices: [{site: a, device: 1, mail: '{sit}@x'}]",
            "unknown name {sit} in '{sit}@x' (did you mean 'site'",
        ),
        (HEAD + "devices: [{site: a, device: 1, mail: 'a}'}]", "a single } in 'a}'"),
        (HEAD + DEVICES + "evry: 2s", "5:1: unknown key 'evry' in the fleet (did you mean 'every'?)"),
        (HEAD.replace("1s", "10") + DEVICES, "3:8: 10 of what? (write a duration with its unit"),
        (HEAD.replace("every: 1s\n", "") + DEVICES + "payload: {x: 1}", "the fleet needs the key 'every'"),
        (HEAD + DEVICES + "jitter: 2s", "must not be longer than 'every'"),
        (HEAD + DEVICES + "qos: 2", "must be from 0 to 1, not 2"),
        (HEAD + DEVICES + "will: {topic: 'fleet/{site}'}", "the will is the fleet's, so its topic has no captures"),
        (HEAD + DEVICES + "payload: 21.5", "must be a mapping of fields"),
        (HEAD + DEVICES + "payload: {x: 1}\nvalue: 2", "payload or value, not both"),
        (HEAD + DEVICES + "payload: {x: {wlak: [0, 1]}}", "must be one signal, not none (did you mean 'walk'?)"),
        (HEAD + DEVICES + "payload: {x: {walk: [0, 1], sine: [0, 1]}}", "must be one signal, not walk and sine"),
        (HEAD + DEVICES + "payload: {x: {walk: [1, 0]}}", "the lower bound 1 is above the upper bound 0"),
        (HEAD + DEVICES + "payload: {x: {walk: 3}}", "must be two numbers: [low, high]"),
        (
            HEAD + DEVICES + "payload: {x: {walk: [0, 1], stpe: 1}}",
            "unknown key 'stpe' in the signal walk (did you mean 'step'?)",
        ),
        (HEAD + DEVICES + "payload: {x: {of: y}}", "no field 'y' above"),
        (HEAD + DEVICES + FIELDS + "  y: {of: name}", "'name' is not a number"),
        (HEAD + DEVICES + FIELDS + "  y: {of: dor}", "no field 'dor' above (did you mean 'door'?)"),
        (HEAD + DEVICES + FIELDS + "  y: {walk: [0, 1], while: x, toward: 3, within: 1s}", "'x' is never on or off"),
        (HEAD + DEVICES + FIELDS + "  y: {walk: [0, 1], while: door}", "the signal walk needs the key 'toward'"),
        (HEAD + DEVICES + "payload: {x: {choice: []}}", "must be a list of what can be chosen"),
        (
            HEAD + DEVICES + "payload: {x: {choice: [a, b], weights: [1]}}",
            "must be one weight for each of the 2 choices",
        ),
        (HEAD + DEVICES + "payload: {x: {choice: [a, b], take: [1, 3]}}", "must be how many of the 2 choices"),
        (HEAD + DEVICES + "payload: {x: [{a: 1}, {a: 2}], y: {sum: x, key: b}}", "needs a key that holds a number: a"),
        (HEAD + DEVICES + "payload: {x: [{a: b}], y: {sum: x, key: a}}", "no list 'x' above that could be summed"),
        (
            HEAD + DEVICES + "payload: {x: {choice: [{a: 1, b: 2}, {a: 3}]}, y: {of: x, key: b}}",
            "no field 'x' above that always has the key 'b'",
        ),
        (HEAD + DEVICES + "payload: {x: '{nme}'}", "unknown name {nme} in '{nme}'"),
        (HEAD + DEVICES + FIELDS + "faults: [{fault: dirft}]", "must be one of bad_json, drift"),
        (
            HEAD + DEVICES + FIELDS + "faults: [{fault: drift, field: xx, by: 1, every: 1h, for: 1m}]",
            "no field 'xx' in the payload",
        ),
        (
            HEAD + DEVICES + FIELDS + "faults: [{fault: drift, field: name, by: 1, every: 1h, for: 1m}]",
            "'name' is not a number",
        ),
        (HEAD + DEVICES + FIELDS + "faults: [{fault: drift, field: x, every: 1h, for: 1m}]", "drift needs 'by'"),
        (
            HEAD + DEVICES + FIELDS + "faults: [{fault: spike, field: x, every: 1h}]",
            "spike needs 'to' (a value) or 'by'",
        ),
        (
            HEAD + DEVICES + FIELDS + "faults: [{fault: spike, field: x, to: high, every: 1h}]",
            "must be a number, not text",
        ),
        (
            HEAD + DEVICES + FIELDS + "faults: [{fault: silence, for: 1m}]",
            "a fault needs 'every' (the mean time between) or 'at'",
        ),
        (HEAD + DEVICES + FIELDS + "faults: [{fault: silence, at: 1m}]", "silence needs 'for', how long it lasts"),
        (
            HEAD + DEVICES + FIELDS + "faults: [{fault: silence, at: 1s, every: 5s, for: 6s}]",
            "'every' must be longer than 'for'",
        ),
        (
            HEAD + DEVICES + FIELDS + "faults: [{fault: silence, at: 1s, for: 1s, only: {device: 9}}]",
            "no device of the fleet is meant",
        ),
        (
            HEAD + DEVICES + FIELDS + "faults: [{fault: silence, at: 1s, for: 1s, only: {devic: 1}}]",
            "no device has 'devic' (did you mean 'device'?)",
        ),
        (HEAD + DEVICES + FIELDS + "faults: {fault: silence}", "must be a list of faults"),
        (HEAD + DEVICES + FIELDS + "demo: {devices: 0}", "must be from 1 to"),
        (HEAD + DEVICES + FIELDS + "demo: {evry: 1s}", "unknown key 'evry' in the demo (did you mean 'every'?)"),
        ("- a\n- b", "the fleet must be a mapping"),
    ],
)
def test_a_problem_is_told_with_its_place_and_what_to_do(text, problem):
    found = problems_of(text)
    assert any(problem in each for each in found), found
    assert all(each.startswith("fleet.yaml:") for each in found)


def test_all_problems_of_a_file_are_told_at_once():
    found = problems_of("fleet: a b\ntopic: t/+\nevery: 3\nqos: 7\npayload: {x: {wlak: 1}}\nnonsense: 1\n")
    assert len(found) >= 6


def test_a_secret_is_no_attribute(monkeypatch):
    monkeypatch.setenv("FLEET_TOKEN", "hunter2")
    found = problems_of(HEAD + "devices: [{site: a, device: 1, tokens: [!env FLEET_TOKEN]}]")
    assert "so a secret cannot be one" in found[0]
    assert "hunter2" not in "".join(found)


def test_a_count_numbers_its_devices_and_takes_lists_in_turn():
    fleet = fleet_of(HEAD + "devices: [{count: 3, site: [a, b], floor: [1, 2], label: 'no {n} of {site}'}]")
    assert [device.topic for device in fleet.devices] == ["site/a/t/1", "site/b/t/2", "site/a/t/3"]
    assert [device.attributes["floor"] for device in fleet.devices] == [1, 2, 1]
    assert fleet.devices[2].attributes["label"] == "no 3 of a"


def test_attributes_of_the_fleet_hold_for_all_devices_and_a_device_may_have_its_own():
    fleet = fleet_of(
        HEAD
        + "attributes: {limit: -15, mail: '{site}@x'}\n"
        + "devices: [{site: a, device: 1}, {site: b, device: 1, limit: -18}]"
    )
    assert [device.attributes["limit"] for device in fleet.devices] == [-15, -18]
    assert [device.attributes["mail"] for device in fleet.devices] == ["a@x", "b@x"]


def test_a_list_of_a_single_device_stays_a_list():
    fleet = fleet_of(HEAD + "devices: [{site: a, device: 1, tags: [cold, big]}]")
    assert fleet.devices[0].attributes["tags"] == ["cold", "big"]


def test_a_topic_without_captures_is_one_device():
    fleet = fleet_of("fleet: boiler\ntopic: cellar/boiler\nattributes: {owner: me}\n")
    assert [(device.topic, dict(device.attributes)) for device in fleet.devices] == [
        ("cellar/boiler", {"fleet": "boiler", "owner": "me"})
    ]


@pytest.mark.parametrize("size", [1, 3, 4, 50])
def test_a_fleet_of_any_size_has_so_many_different_devices(size):
    for devices in ("[{site: a, device: x}, {count: 2, site: [a, b]}]", "[{site: a, device: x}, {site: b, device: y}]"):
        fleet = fleet_of(HEAD + f"devices: {devices}").sized(size)
        assert len({device.topic for device in fleet.devices}) == size
        assert fleet.devices[0].topic == "site/a/t/x"


def test_a_demo_takes_the_place_of_pace_size_and_faults():
    fleet = fleet_of(
        HEAD
        + DEVICES
        + FIELDS
        + "faults: [{fault: silence, every: 1h, for: 1m}]\ndemo: {every: 100ms, devices: 5, faults: []}"
    )
    demo = fleet.for_demo()
    assert (demo.pace.every, len(demo.devices), demo.faults) == (0.1, 5, ())
    assert (fleet.pace.every, len(fleet.devices), len(fleet.faults)) == (1.0, 2, 1)


@pytest.mark.parametrize(("every", "interval"), [("every: 10s\n", 10.0), ("", None)])
def test_the_interval_is_known_where_the_file_says_it(every, interval):
    assert fleet_of(f"fleet: f\ntopic: f\n{every}").interval == interval
