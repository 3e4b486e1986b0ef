"""The engine against a small model of its own, over events, time, restarts and reloads in any order.

The model keeps one word and three times for each device and knows nothing of instances, heaps, plans or rows.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.rules.making import Drive, event, rules
from tests.rules.running.test_engine import Disk

DEVICES = ["1", "2", "3"]
OTHERS = [
    "",
    '- {event: Other, topic: "d/#", when: v > 90}\n',
    '- {alert: Other, topic: "d/{x}", when: v > 95, for: 7s}\n',
    '- {alert: Other, topic: "e/{x}", when: kind == "x", absent: 3s}\n',
]


class Model:
    """One device under a rule: `when: v > 5`, and `for`, `clear: v < 3`, `clear_for`, `absent` where they are given.

    What it says is (alert, phase, why, since when, the value that is told): a timer tells of the last message.
    """

    def __init__(self, name, hold, clear, clear_hold, absent):
        self.name, self.hold, self.clear, self.clear_hold, self.absent = name, hold, clear, clear_hold, absent
        self.word, self.began, self.ending, self.heard, self.missed = "inactive", None, None, None, None
        self.value = None

    def hear(self, now, value):
        """Return what a message brings."""
        said = []
        if self.absent:
            self.heard, self.value = now, value
            if self.missed is not None:
                said.append((f"{self.name}/absent", "resolved", "message again", self.missed, value))
                self.missed = None
        if value is None:
            return said
        if self.word == "firing":
            self.value = value
            over = value < 3 if self.clear else not value > 5
            if not over:
                self.ending = None
            elif not self.clear_hold:
                self.word = "inactive"
                said.append((self.name, "resolved", "cleared", self.began, value))
            elif self.ending is None:
                self.ending = now
        elif value > 5:
            self.value = value
            if self.word == "inactive":
                self.word, self.began = "pending" if self.hold else "firing", now
                said.append((self.name, self.word, "condition", now, value))
        elif self.word == "pending":
            self.word = "inactive"
            said.append((self.name, "inactive", "condition", self.began, value))
        return said

    def pass_to(self, now):
        """Return what the clock brings."""
        said = []
        if self.word == "pending" and now >= self.began + self.hold:
            self.word, self.began = "firing", now
            said.append((self.name, "firing", "held for its time", now, self.value))
        if self.word == "firing" and self.ending is not None and now >= self.ending + self.clear_hold:
            self.word, self.ending = "inactive", None
            said.append((self.name, "resolved", "cleared", self.began, self.value))
        if self.absent and self.heard is not None and self.missed is None and now >= self.heard + self.absent:
            self.missed = now
            said.append((f"{self.name}/absent", "firing", "no message within its time", now, self.value))
        return said


def told(transition):
    """Return the value that a transition tells of."""
    return transition.event.fields.get("v")


class Machine(RuleBasedStateMachine):
    """What the engine says and what the model says, after every step."""

    @initialize(hold=st.sampled_from([0, 0, 4]), clear=st.booleans(), more=st.tuples(*[st.sampled_from([0, 3, 9])] * 2))
    def begin(self, hold, clear, more):
        clear_hold, absent = more
        self.text = '- alert: Warm\n  topic: "d/{device}"\n  when: v > 5\n  repeat: 1h\n  notify: [chat]\n'
        self.text += f"  for: {hold}s\n" * bool(hold) + "  clear: v < 3\n" * clear
        self.text += f"  clear_for: {clear_hold}s\n" * bool(clear_hold) + f"  absent: {absent}s\n" * bool(absent)
        self.drive, self.disk = Drive(self.text), Disk()
        self.models = {name: Model(name, hold, clear, clear_hold, absent) for name in DEVICES}

    def agree(self, expected):
        ours = [
            ("/".join(value for _, value in each.instance), each.phase.value, each.reason.value, each.since, told(each))
            for each in self.drive.engine.take_transitions()
            if each.rule.name == "Warm" and each.at == self.drive.now
        ]
        assert sorted(ours, key=repr) == sorted(expected, key=repr)

    @rule(device=st.sampled_from(DEVICES), value=st.sampled_from([0, 4, 6, 99, None]))
    def event(self, device, value):
        payload = {"v": value} if value is not None else {"other": 1}
        self.drive.take(event(f"d/{device}", payload, self.drive.now))
        self.agree(self.models[device].hear(self.drive.now, value))

    @rule(seconds=st.integers(1, 12))
    def time(self, seconds):
        for _ in range(seconds):
            expected = [said for model in self.models.values() for said in model.pass_to(self.drive.now + 1)]
            self.drive.now += 1
            due = self.drive.engine.next_due()
            if due is not None and due <= self.drive.now:
                self.drive.engine.tick(self.drive.now)
            self.agree(expected)

    @rule()
    def commit(self):
        self.disk.commit(self.drive.engine)

    @rule()
    def restart(self):
        self.disk.commit(self.drive.engine)
        assert self.disk.restart(self.drive).keys() <= {"Other"}
        self.agree([])

    @rule(other=st.sampled_from(OTHERS), first=st.booleans())
    def reload_others(self, other, first):
        text = other + self.text if first else self.text + other
        assert self.drive.engine.reload(rules(text), None, self.drive.now).keys() <= {"Other"}
        self.drive.rules = rules(text)
        self.agree([])

    @rule(other=st.sampled_from(OTHERS))
    def restart_with_others(self, other):
        self.disk.commit(self.drive.engine)
        assert self.disk.restart(self.drive, self.text + other).keys() <= {"Other"}

    @invariant()
    def an_inactive_instance_is_not_kept(self):
        if hasattr(self, "drive"):
            kept = {key[0] for key in self.drive.engine.states["Warm"].instances}
            known = {name for name, model in self.models.items() if model.word != "inactive" or model.heard is not None}
            assert kept == known

    @invariant()
    def what_fires_is_told_as_it_is_now(self):
        """What the desk asks for when it tells something again."""
        if hasattr(self, "drive"):
            words = {name: (each.began, each.value) for name, each in self.models.items() if each.word == "firing"}
            asked = {name: self.drive.engine.now_of("Warm", (("device", name),), self.drive.now) for name in words}
            assert {name: (each.since, told(each)) for name, each in asked.items()} == words


Machine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestEngineModel = Machine.TestCase
