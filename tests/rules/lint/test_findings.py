"""Every finding about conditions and timers is held against the engine: what it says is so, whatever devices send."""

import json
import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.documents.document import Problems, parse_document
from hub.errors import CompileError, EvaluationError
from hub.expressions import Scope, compile_condition
from hub.model import Phase
from hub.rules.instances.instance import samples_of
from hub.rules.lint.conditions import conditions
from hub.rules.lint.moment import Moment
from hub.rules.lint.overlaps import overlaps
from hub.rules.lint.timing import timers
from hub.rules.lint.traps import traps
from hub.rules.reading.rule_reader import NO_DEFAULTS, read_rule
from hub.rules.reading.rule_values import KnownNames
from hub.rules.running.engine import Engine
from tests.rules.making import event, schedules

SCOPE = Scope(("d",), history=True, schedules=frozenset({"night"}))
SUBJECTS = (
    "x", "y", "payload.x", "payload['x']", "payload.?x.orValue(1)", "value", "payload.value", "size(payload)",
    "size(x)",
    "avg(x, 10m)", "last(y)", "count(x > 1, 10m)", "x + 1", "x / y", "x * x", "double(x)", "event.qos", "event.size",
)  # fmt: skip
CONSTANTS = ("0", "1", "2", "2.5", "-1", "'a'", "'b'", "''", "true", "null")
VALUES = (0, 1, 2, 2.5, 3, -2, 0.0, "a", "b", "", True, False, None, {"a": 1}, [1, "a"])
LEAVES = (
    "true", "false", "x", "y", "has(payload.x)", "'x' in payload", "'a' in x", "payload.exists(k, v, v > 1)",
    "payload.all(k, k != 'y')", "payload == {}", "changed(x)", "d == '1'", "d == '3'", "topic == 't/1'", "night",
    "labels.d == '2'", "now > timestamp('2001-01-01T00:00:00Z')", "event.retain", "1 > 2", "1 < 2",
    "x == x", "x / y == x / y", "x.matches('a')", "payload.?x.hasValue()", "{'a': 1}.exists(k, k == 'a')",
)  # fmt: skip
comparisons = st.builds(
    lambda a, o, b, turned: f"{b} {o} {a}" if turned else f"{a} {o} {b}",
    st.sampled_from(SUBJECTS),
    st.sampled_from(("<", "<=", ">", ">=", "==", "!=")),
    st.sampled_from(CONSTANTS + SUBJECTS),
    st.booleans(),
)
members = st.builds("{} in [{}]".format, st.sampled_from(SUBJECTS), st.lists(st.sampled_from(CONSTANTS)).map(", ".join))


def recursive(leaves):
    """Return conditions over these."""
    return st.recursive(
        leaves,
        lambda inner: (
            st.builds("({} && {})".format, inner, inner)
            | st.builds("({} || {})".format, inner, inner)
            | st.builds("!({})".format, inner)
            | st.builds("({} ? {} : {})".format, inner, inner, inner)
        ),
        max_leaves=5,
    )


def compiles(text):
    """Tell whether a rule may have it."""
    try:
        compile_condition(text, SCOPE)
    except CompileError:
        return False
    return True


# few subjects and constants meet often, many seldom: both are tried
narrow = st.builds(
    "{} {} {}".format, st.sampled_from(("x", "payload.x", "value", "x / y")),
    st.sampled_from(("<", "<=", ">", ">=", "==", "!=")), st.sampled_from(("1", "2", "2.5")),
)  # fmt: skip
expressions = (recursive(narrow) | recursive(comparisons | members | st.sampled_from(LEAVES))).filter(compiles)
objects = st.fixed_dictionaries({}, optional={name: st.sampled_from(VALUES) for name in ("x", "y", "value")})
payloads = objects | st.sampled_from(VALUES)
messages = st.lists(st.tuples(st.sampled_from(("t/1", "t/2")), payloads, st.booleans()), min_size=1, max_size=25)
optional = st.none() | expressions


class Played:
    """A rule, and all that came of messages: what its conditions were at each, and its transitions."""

    def __init__(self, text, sent):
        problems = Problems()
        self.named = schedules("night: daily 00:10-00:40", problems)
        node = parse_document(text, "rules.yaml", problems)
        self.nodes = node.value
        known = KnownNames(("chat",), self.named)
        self.rules = [read_rule(item, problems, NO_DEFAULTS, known) for item in self.nodes]
        assert not problems, "\n".join(map(str, problems))
        self.engine, self.now = Engine(self.rules), 0.0
        self.engine.restore([], {}, 0.0)
        self.seen, self.transitions = [], []
        for topic, payload, retain in sent:
            self.pass_time(60.0)
            heard = event(topic, payload, self.now, retain=retain)
            self.engine.process([heard], self.now)
            self.take()
            self.seen.append({key: self.truth(rule, program, heard) for rule, key, program in self.programs()})
        self.pass_time(86_400.0)

    def pass_time(self, seconds):
        """Let deadlines come."""
        until = self.now + seconds
        while (due := self.engine.next_due()) is not None and due <= until:
            self.now = max(self.now, due)
            self.engine.tick(self.now)
            self.take()
        self.now = until

    def take(self):
        self.transitions += self.engine.take_transitions()

    def programs(self):
        """Yield every condition."""
        for rule in self.rules:
            for key in ("when", "clear", "pause", "mute"):
                found = getattr(rule, key)
                program = found.condition if key in ("pause", "mute") and found is not None else found
                if program is not None:
                    yield rule, (rule.name, key), program

    def truth(self, rule, program, heard):
        """Return what a condition comes to, by the samples as they are now."""
        state = self.engine.states[rule.name]
        captures = (heard.topic.split("/")[1],)
        instance = state.instances.get(captures)
        if state.samples is not None and (instance is None or instance.history is None):
            return None
        try:
            context = state.evaluator.context(heard, captures, self.now)
            return program.run(heard.fields, captures, context, samples_of(instance))
        except EvaluationError:
            return None

    def came(self, *phases, rule="A"):
        """Return the transitions to these phases that no silence made."""
        silence = ("no message within its time", "message again")
        return [t for t in self.transitions if t.rule.name == rule and t.phase in phases and t.reason not in silence]

    def was(self, key, rule="A"):
        """Return all that a condition came to."""
        return [each[rule, key] for each in self.seen]


def written(**keys):
    """Write a rule."""
    return "- {" + ", ".join(f"{key}: {json.dumps(value)}" for key, value in keys.items() if value is not None) + "}\n"


def hold(played, message):
    """Fail where a finding is not so."""
    muted = [t.muted for t in played.came(Phase.FIRING, Phase.EVENT)]
    when = played.was("when")
    if re.search("never (fires|speaks)", message) or "it never fires" in message:
        assert not played.came(Phase.FIRING, Phase.EVENT)
    if "'when' can never be true" in message or "its topic never is" in message or "is one level" in message:
        assert True not in when
    if "'when' can never be false" in message:
        assert False not in when
    if "never clears" in message:
        assert not [t for t in played.came(Phase.RESOLVED) if t.reason == "cleared"]
    if "'clear' can never be true" in message:
        assert True not in played.was("clear")
    if "'clear' holds whenever 'when' does" in message:
        assert all(end is True for begin, end in zip(when, played.was("clear"), strict=True) if begin is True)
    for gate in ("pause", "mute"):
        if f"'{gate}' of rule 'A' can never be true" in message:
            assert True not in played.was(gate)
    if "always muted" in message:
        assert all(muted)
    if "paused whenever 'when' is true" in message:
        assert all(shut is True for held, shut in zip(when, played.was("pause"), strict=True) if held is True)
    if found := re.search(r"both hold at (\S+)", message):
        (rule,), at = played.rules, float(found[1])
        fields, evaluator = {"x": at, "y": at, "value": at}, played.engine.states["A"].evaluator
        both = [
            program.run(fields, ("1",), evaluator.context(event("t/1", payload, 1.0), ("1",), 1.0)) is True
            for program in (rule.when, rule.clear)
            for payload in ([at] if "value" in program.text else [fields])
        ]
        assert all(both)


KNOWN = (
    "never fires", "never speaks", "never clears", "'clear' holds whenever", "both hold at",
    "can never be true, so nothing",    "always muted", "always paused", "payload field", "never holds again",
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(
    st.booleans(), expressions, optional, optional, optional, st.sampled_from((None, "90s", "2h")),
    st.sampled_from((None, "3m")), st.sampled_from((None, "2m")), messages,
)  # fmt: skip
def test_what_the_linter_says_of_a_rule_is_so_whatever_its_devices_send(
    alert, when, clear, pause, mute, held, absent, clear_for, sent
):
    more = {"clear": clear, "for": held, "absent": absent, "clear_for": clear_for} if alert else {}
    text = written(**{"alert" if alert else "event": "A"}, topic="t/{d}", when=when, pause=pause, mute=mute, **more)
    played = Played(text, sent)
    (rule,), (node,) = played.rules, played.nodes
    problems = [*conditions(rule, node), *timers(rule, node, played.named, Moment(0.0)), *traps(rule, node)]
    for problem in problems:
        assert any(known in problem.message for known in KNOWN), problem.message
        hold(played, problem.message)


@settings(max_examples=300, deadline=None)
@given(
    expressions, expressions, st.sampled_from(("t/{d}", "t/{d}/#", "+/{d}")),
    st.sampled_from((None, "90s")), optional, messages,
)  # fmt: skip
def test_where_people_are_told_twice_both_rules_fire(one, other, second, held, pause, sent):
    more = {"for": held, "pause": pause, "notify": ["chat"]}
    text = written(alert="A", topic="t/{d}", when=one, **more) + written(alert="B", topic=second, when=other, **more)
    beside = [(f"{topic}/more", payload, retain) for topic, payload, retain in sent[::2]]
    played = Played(text, [each for pair in zip(sent, [*beside, *sent], strict=False) for each in pair])
    rules = {rule.name: rule for rule in played.rules}
    nodes = dict(zip(rules, played.nodes, strict=True))
    for problem in overlaps(rules, nodes):
        found = re.match(r"whenever rule '(.)' fires, '(.)'", problem.message)
        firing = {"A": set(), "B": set()}
        for each in played.transitions:
            name = each.rule.name
            if each.phase is Phase.FIRING:
                firing[name].add(each.instance)
            elif each.phase is not Phase.PENDING:
                firing[name].discard(each.instance)
            if each.phase is Phase.FIRING and name == found[1]:
                later = [t for t in played.transitions if t.at == each.at and t.phase is Phase.FIRING]
                begun = {t.instance for t in later if t.rule.name == found[2]}
                assert each.instance in firing[found[2]] | begun


@pytest.mark.parametrize(
    "condition",
    [
        '"switch:0" in payload', "payload.?battery.orValue(100) < 15", "payload.exists(k, v, v > 60)",
        "size(payload) > 3", "payload == {}", 'payload["a"] > 1', "has(payload.a)", "payload.all(k, v, v < 3)",
        "payload.?a.hasValue()", "payload.map(k, k).size() > 2",
    ],
)  # fmt: skip
def test_a_condition_over_the_whole_payload_is_no_constant_in_any_key(condition):
    for text in (condition, f"!({condition})"):
        for keys in ({"when": text}, {"when": "x > 1", "pause": text}, {"when": "x > 1", "mute": text}):
            played = Played(written(alert="A", topic="t/{d}", **keys), [])
            assert list(conditions(played.rules[0], played.nodes[0])) == []
        played = Played(written(alert="A", topic="t/{d}", when="x > 1", clear=text), [])
        assert list(conditions(played.rules[0], played.nodes[0])) == []
        played = Played(written(event="A", topic="t/{d}", when=text), [])
        assert list(conditions(played.rules[0], played.nodes[0])) == []


@pytest.mark.parametrize(("zone", "held", "told"), [("UTC", "24h", True), ("Europe/Berlin", "24h", False),
    ("Europe/Berlin", "25h", True), ("UTC", "23h", False)])  # fmt: skip
def test_a_timer_that_fits_between_two_pauses_in_the_night_of_a_longer_day_is_left_alone(zone, held, told):
    rule = written(alert="A", topic="t/{d}", when="x > 1", pause="daily 04:00-04:30", **{"for": held})
    begin = datetime(2026, 10, 24, 4, 30, 1, tzinfo=ZoneInfo(zone)).timestamp()  # clocks are set back in that night
    played = Played(rule, [])
    engine = Engine(played.rules, local=ZoneInfo(zone))
    engine.restore([], {}, begin)
    engine.process([event("t/1", {"x": 2}, begin)], begin)
    while (due := engine.next_due()) is not None and due < begin + 3 * 86_400:
        engine.tick(due)
    phases = [each.phase for each in engine.take_transitions()]
    problems = list(timers(played.rules[0], played.nodes[0], {}, Moment(begin, ZoneInfo(zone))))
    assert (bool(problems), Phase.FIRING in phases) == (told, not told)
