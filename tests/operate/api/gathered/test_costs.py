"""A condition is timed with the last message of a topic, within bounds, and nothing else changes by that."""

from hub.commands.owner import OwnerAsk
from hub.documents.document import Problems
from hub.limits import COST_RULES, COST_SECONDS
from hub.operate.api.gathered.costs import Costs
from hub.rules.reading.loader import load_rules
from hub.spine.core import Core
from tests.rules.making import event

HOT = '  - {alert: Hot, topic: "t/{x}", when: v > 30}\n'
BAD = '  - {alert: Bad, topic: "t/{x}", when: w > 30}\n'


class Timer:
    """Each look at it is `step` later."""

    def __init__(self, step=1e-6):
        self.at, self.step, self.looks = 0.0, step, 0

    def __call__(self):
        self.at, self.looks = self.at + self.step, self.looks + 1
        return self.at


def core(folder, rules):
    path = folder / "rules.yaml"
    path.write_text("rules:\n" + rules, "utf-8")
    problems = Problems()
    found = load_rules([path], problems, lambda *_: {}, "hub")
    assert not problems
    return Core(found, None, "hub", {}, lambda *_: None)


def test_a_rule_costs_what_its_condition_takes_also_where_it_has_no_value(tmp_path):
    made, costs = core(tmp_path, HOT + BAD), Costs(Timer(5e-6))
    made.process([event("t/1", {"v": 1})], 1000.0)
    assert costs.microseconds("Hot") is None
    costs.look(OwnerAsk(made), 1000.0)
    costs.look(OwnerAsk(made), 1000.0)
    assert (costs.microseconds("Hot"), costs.microseconds("Bad")) == (5.0, 5.0)
    assert made.engine.states["Hot"].evaluations == 1


def test_every_topic_has_its_turn_and_a_look_is_bounded(tmp_path):
    made, timer = core(tmp_path, HOT), Timer(1e-9)
    made.process([event(f"t/{n}", {"v": n}) for n in range(COST_RULES * 2)], 1000.0)
    seen, costs = [], Costs(timer)
    rehearsals = made.engine.rehearsals
    made.engine.rehearsals = lambda event, now: seen.append(event.topic) or rehearsals(event, now)
    looks = 0
    while len(set(seen)) < COST_RULES * 2:
        before = len(seen)
        costs.look(OwnerAsk(made), 1000.0)
        looks += 1
        assert len(seen) - before <= COST_RULES
        assert looks <= 4


def test_a_slow_condition_ends_the_look(tmp_path):
    made, timer = core(tmp_path, HOT), Timer(COST_SECONDS)
    made.process([event(f"t/{n}", {"v": n}) for n in range(10)], 1000.0)
    Costs(timer).look(OwnerAsk(made), 1000.0)
    assert timer.looks <= 5


def test_a_rule_that_is_gone_is_forgotten(tmp_path):
    made, costs = core(tmp_path, HOT + BAD), Costs()
    made.process([event("t/1", {"v": 1})], 1000.0)
    costs.look(OwnerAsk(made), 1000.0)
    costs.look(OwnerAsk(made), 1000.0)
    assert costs.microseconds("Bad") > 0
    costs.look(OwnerAsk(core(tmp_path, HOT)), 1000.0)
    assert costs.microseconds("Bad") is None
