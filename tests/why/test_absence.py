"""Why nobody was told of a device that says nothing: because it sleeps."""

import pytest

from hub.rules.loader import RuleSet
from hub.trial.world import World
from hub.why.absence import why_not
from tests.rules.making import event, rule


@pytest.mark.parametrize(("state", "word"), [("sleeping", "it sleeps"), ("ready", "it is not silent")])
def test_a_device_that_sleeps_is_said_to_sleep(state, word):
    silent = rule('- {alert: Silent, topic: "homie/{device}/+/+", by: device, absent: 1h}')
    world = World(RuleSet({"Silent": silent}), None, 1000.0)
    world.send([event("homie/kitchen/sensor/temperature", 21.5), event("homie/kitchen/$state", state)])
    (found,) = why_not(world.core, "Silent", {"device": "kitchen"}, 1500.0)["instances"]
    assert found["sentences"][1].startswith(word)
