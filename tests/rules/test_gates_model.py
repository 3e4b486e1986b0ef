"""Pause and mute against a small model of their own, beside for, clear, clear_for and absent, over restarts and gaps.

The model keeps a few words and times for each device and knows nothing of instances, heaps, schedules or rows: the
schedules hold for the first seconds of each minute.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.rules.making import Drive, event, rules
from tests.rules.running.test_engine import Disk

DEVICES = ["1", "2"]
PAUSE, MUTE = 20, 35
GATES = {"": "", "condition": "{key}: {field}", "schedule": '{key}: "cron * * * * * for {seconds}s"'}
GATES["named"] = "{key}: in_{key} && true"
"""A condition that names a schedule: it does what the schedule alone does."""
NAMED = f'in_pause: {{cron: "* * * * *", for: {PAUSE}s}}\nin_mute: {{cron: "* * * * *", for: {MUTE}s}}\n'
CLOCKED = ("schedule", "named")
VALUE = st.sampled_from([0, 4, 6, 99, None])
FLAG = st.sampled_from([None, False, False, True])


class Device:
    """One device under `when: v > 5`, and whatever else the rule has."""

    def __init__(self, keys):
        self.keys = keys
        self.word, self.began, self.ending = "inactive", None, None
        self.heard, self.missed = None, False
        self.paused, self.last, self.alive = False, None, False
        self.kept_back, self.known = False, False
        """Under a pause: whether a message came meanwhile, and whether anybody knows of the device."""
        self.muted, self.told_of_mute = False, False
        """Of a mute that a condition decides is remembered what was told, as long as it lasts."""
        self.said = []

    def say(self, phase, reason, silent=False):
        self.said.append((silent, phase, reason, self.muted if phase == "firing" else None))

    # gates

    def is_paused(self, now, flag):
        if self.keys["pause"] in CLOCKED:
            return now % 60 < PAUSE
        return self.keys["pause"] == "condition" and (self.paused if flag is None else flag)

    def is_muted(self, now, flag):
        if self.keys["mute"] in CLOCKED:
            return now % 60 < MUTE
        return self.keys["mute"] == "condition" and (self.muted if flag is None else flag)

    def is_needed(self):
        if self.paused:
            return self.known
        muted = self.told_of_mute and self.keys["mute"] != "schedule"
        return self.word != "inactive" or self.heard is not None or muted

    def begin_pause(self):
        self.known, self.paused = self.is_needed(), True
        if self.word == "pending":
            self.word = "inactive"
            self.say("inactive", "paused")
        self.ending = None

    def end_pause(self, now):
        self.paused = self.kept_back = False
        alive, self.alive = self.alive, False
        if alive and self.missed:
            self.missed = False
            self.say("resolved", "message again", silent=True)
        if self.heard is not None and not self.missed:
            self.heard = now

    # what happens

    def hear(self, now, value, pause, mute, retain):
        if self.is_paused(now, pause):
            if not self.paused:
                self.begin_pause()
            self.alive = self.alive or not retain
            self.kept_back = self.known = True
            if self.keys["absent"] and (self.heard is None or not retain):
                self.heard = now
            self.last = value, mute
            return
        if self.paused:
            self.end_pause(now)
        self.sign_of_life(now, retain, value, mute)
        self.evaluate(now, value, mute)

    def sign_of_life(self, now, retain, value, mute):
        if value is not None:
            self.last = value, mute
        if not self.keys["absent"]:
            return
        if self.last is None or not retain:
            self.last = value, mute
        if self.heard is None or not retain:
            self.heard = now
        if self.missed and not retain:
            self.missed = False
            self.say("resolved", "message again", silent=True)

    def evaluate(self, now, value, mute):
        muted, fires, missed = self.muted, self.word == "firing", self.missed
        self.muted = self.told_of_mute = self.is_muted(now, mute)
        self.judge(now, value)
        if muted != self.muted:
            self.tell_muted(fires, missed)

    def tell_muted(self, fires, missed):
        reason = "mute began" if self.muted else "mute ended"
        if fires and self.word == "firing":
            self.say("firing", reason)
        if missed and self.missed:
            self.say("firing", reason, silent=True)

    def judge(self, now, value):
        if value is None:
            return
        if self.word == "firing":
            over = value < 3 if self.keys["clear"] else not value > 5
            if not over:
                self.ending = None
            elif not self.keys["clear_for"]:
                self.word = "inactive"
                self.say("resolved", "cleared")
            elif self.ending is None:
                self.ending = now
        elif value > 5 and self.word == "inactive":
            self.word, self.began = ("pending", now) if self.keys["for"] else ("firing", None)
            self.say(self.word, "condition")
        elif not value > 5 and self.word == "pending":
            self.word = "inactive"
            self.say("inactive", "condition")

    def pass_to(self, now):
        if self.keys["pause"] in CLOCKED and self.is_paused(now, None) != self.paused:
            if self.paused:
                new = self.kept_back
                self.end_pause(now)
                if self.last is not None and new:
                    self.evaluate(now, *self.last)
                elif self.last is not None:  # it was judged when it came: of `mute` a newer one may have said more
                    self.judge(now, self.last[0])
            else:
                self.begin_pause()
        if self.keys["mute"] in CLOCKED and self.is_muted(now, None) != self.muted:
            self.muted, self.told_of_mute = not self.muted, not self.muted and self.is_needed()
            self.tell_muted(True, True)
        if self.word == "pending" and now >= self.began + self.keys["for"]:
            self.word = "firing"
            self.say("firing", "held for its time")
        if self.word == "firing" and self.ending is not None and now >= self.ending + self.keys["clear_for"]:
            self.word, self.ending = "inactive", None
            self.say("resolved", "cleared")
        silent = self.heard is not None and self.keys["absent"] and now >= self.heard + self.keys["absent"]
        if silent and not self.paused and not self.missed:
            self.missed = True
            self.say("firing", "no message within its time", silent=True)


class Machine(RuleBasedStateMachine):
    """What the engine says and what the model says, after every step."""

    @initialize(
        pause=st.sampled_from(sorted(GATES)),
        mute=st.sampled_from(sorted(GATES)),
        hold=st.sampled_from([0, 0, 4]),
        clear=st.booleans(),
        clear_hold=st.sampled_from([0, 3, 9]),
        absent=st.sampled_from([0, 6, 15]),
        start=st.integers(0, 59),
    )
    def begin(self, pause, mute, hold, clear, clear_hold, absent, start):
        self.keys = {"pause": pause, "mute": mute, "for": hold, "clear": clear}
        self.keys |= {"clear_for": clear_hold, "absent": absent}
        lines = ["- alert: Warm", 'topic: "d/{device}"', "when: v > 5"]
        lines += [f"{key}: {self.keys[key]}s" for key in ("for", "clear_for", "absent") if self.keys[key]]
        lines += ["clear: v < 3"] * clear
        lines += [GATES[pause].format(key="pause", field="p", seconds=PAUSE)]
        lines += [GATES[mute].format(key="mute", field="m", seconds=MUTE)]
        self.text = "\n  ".join(line for line in lines if line) + "\n"
        self.drive, self.disk = Drive(self.text, start=864_000.0 + start, named=NAMED), Disk()
        self.drive.engine.tick(self.drive.now)
        self.devices = {name: Device(self.keys) for name in DEVICES}
        for device in self.devices.values():
            device.pass_to(self.drive.now)

    def agree(self):
        found = []
        for each in self.drive.engine.take_transitions():
            labels = dict(each.instance)
            muted = each.muted if each.phase.value == "firing" else None
            silent = labels.get("reason") == "absent"
            found.append((labels["device"], silent, each.phase.value, each.reason.value, muted))
        expected = []
        for name, device in self.devices.items():
            expected += [(name, *said) for said in device.said]
            device.said = []
        assert sorted(found, key=repr) == sorted(expected, key=repr)

    @rule(device=st.sampled_from(DEVICES), value=VALUE, pause=FLAG, mute=FLAG, kept=st.booleans())
    def event(self, device, value, pause, mute, kept):
        payload = {name: part for name, part in (("v", value), ("p", pause), ("m", mute)) if part is not None}
        now = self.drive.now
        self.drive.engine.process([event(f"d/{device}", payload, now, retain=kept)], now)
        self.devices[device].hear(now, value, pause, mute, kept)
        self.agree()

    @rule(seconds=st.integers(1, 25))
    def time(self, seconds):
        for _ in range(seconds):
            self.drive.now += 1
            due = self.drive.engine.next_due()
            if due is not None and due <= self.drive.now:
                self.drive.engine.tick(self.drive.now)
            for device in self.devices.values():
                device.pass_to(self.drive.now)
            self.agree()

    @rule()
    def commit(self):
        self.disk.commit(self.drive.engine)

    @rule(seconds=st.sampled_from([0, 0, 1, 7, 30, 100]))
    def restart(self, seconds):
        self.disk.commit(self.drive.engine)
        if self.keys["pause"] not in CLOCKED or self.keys["mute"] not in CLOCKED:
            self.drive.now += seconds  # else both could end at once, in either order
        assert self.disk.restart(self.drive) == {}
        self.after()

    @rule()
    def reload(self):
        assert self.drive.engine.reload(rules(self.text, named=NAMED), None, self.drive.now) == {}
        self.after()

    def after(self):
        self.drive.engine.tick(self.drive.now)
        for device in self.devices.values():
            device.pass_to(self.drive.now)
        self.agree()

    @invariant()
    def an_instance_is_kept_only_where_it_matters(self):
        if not hasattr(self, "drive"):
            return
        kept = {key[0] for key in self.drive.engine.states["Warm"].instances}
        assert kept == {name for name, each in self.devices.items() if each.is_needed()}


Machine.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestGatesModel = Machine.TestCase
