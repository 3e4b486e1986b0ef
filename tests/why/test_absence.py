"""Why nobody was told: because a device sleeps, or because a gate that names a schedule holds."""

import pytest

from hub.rules.loader import RuleSet
from hub.trial.world import World
from hub.why.absence import why_not
from tests.rules.making import event, rule, rules


@pytest.mark.parametrize(("state", "word"), [("sleeping", "it sleeps"), ("ready", "it is not silent")])
def test_a_device_that_sleeps_is_said_to_sleep(state, word):
    silent = rule('- {alert: Silent, topic: "homie/{device}/+/+", by: device, absent: 1h}')
    world = World(RuleSet({"Silent": silent}), None, 1000.0)
    world.send([event("homie/kitchen/sensor/temperature", 21.5), event("homie/kitchen/$state", state)])
    (found,) = why_not(world.core, "Silent", {"device": "kitchen"}, 1500.0)["instances"]
    assert found["sentences"][1].startswith(word)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("mute", "nobody is told now: mute (night && t < 50: night is true, t is 40)"),
        ("pause", "the rule is paused (night && t < 50: night is true, t is 40): nothing is evaluated"),
    ],
)
def test_a_gate_that_names_a_schedule_is_told_with_what_its_parts_are(key, said):
    text = f'- {{alert: A, topic: "a/{{x}}", when: t > 30, notify: [chat], {key}: night && t < 50}}'
    (made,) = rules(text, named="night: {daily: 22:00-07:00}")
    world = World(RuleSet({"A": made}), None, 82_800.0)
    world.send([event("a/1", {"t": 40}, 82_800.0)])
    (found,) = why_not(world.core, "A", {}, 82_800.0)["instances"]
    assert said in found["sentences"]
    assert found["stage"] == key
