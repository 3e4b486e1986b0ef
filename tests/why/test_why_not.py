"""Why nobody was told: because a device sleeps, somebody cares, a group waits, a stage holds it back."""

import pytest

from hub.alerts.matchers import parse_matchers
from hub.alerts.suppression.silences import Silence
from hub.limits import WHY_ALERTS
from hub.rules.reading.loader import RuleSet
from hub.trial.world import World
from hub.why.why_not import looking, why_not
from tests.rules.making import event, rule, rules


@pytest.mark.parametrize(
    ("state", "word"),
    [("sleeping", "it sleeps"), ("ready", "it is not silent yet: it fires where no message comes for 1h")],
)
def test_a_device_that_sleeps_is_said_to_sleep(state, word):
    silent = rule('- {alert: Silent, topic: "homie/{device}/+/+", by: device, absent: 1h}')
    world = World(RuleSet({"Silent": silent}), None, 1000.0)
    world.send([event("homie/kitchen/sensor/temperature", 21.5), event("homie/kitchen/$state", state)])
    (found,) = why_not(world.core, "Silent", {"device": "kitchen"}, 1500.0)["instances"]
    assert found["sentences"][1].startswith(word)


def test_a_device_whose_silence_fires_is_not_said_to_speak():
    silent = rule('- {alert: Silent, topic: "beat/{device}", absent: 10m, notify: [chat]}')
    world = World(RuleSet({"Silent": silent}), None, 1000.0)
    world.send([event("beat/1", 1, 1000.0)])
    world.pass_time(1000.0 + 660.0)
    (found,) = why_not(world.core, "Silent", {"device": "1"}, world.now)["instances"]
    assert found["sentences"][1] == "it fires: no message has come for 11m"
    assert found["sentences"][2].startswith("told to chat")


def test_which_members_count_and_for_which_a_condition_holds_is_said():
    text = '- {alert: A, topic: "s/{site}/{d}", across: d, stale: 10m, when: "count(t > -15) > 2 || count(absent) > 1"}'
    world = World(RuleSet({"A": rule(text)}), None, 1000.0)
    world.send([event("s/a/c", {"t": -20}, 1000.0)])
    world.pass_time(1000.0 + 700.0)
    world.send([event("s/a/b", {"t": -10}, world.now), event("s/a/a", {"t": -10}, world.now)])
    (found,) = why_not(world.core, "A", {}, world.now)["instances"]
    assert found["sentences"][2:] == [
        "2 of 3 members count",
        "t > -15 holds for a, b",
        "absent holds for c",
        "stale: c (silent for 11m40s)",
    ]


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


def told(text, *deeds, after=60.0):
    """Let an alert fire and people do something; return what is said of who was told of it, a while later."""
    hot = rule(f'- {{alert: Hot, topic: "t/{{site}}/{{device}}", when: value > 0, {text}}}')
    world = World(RuleSet({"Hot": hot}), None, 1000.0)
    world.send([event("t/a/7", 1)])
    for deed in deeds:
        deed(world.core.book)
        world.collect()
    world.pass_time(1000.0 + after)
    (found,) = why_not(world.core, "Hot", {"device": "7"}, world.now)["instances"]
    return found["sentences"][-1]


def acknowledged(book):
    ((fingerprint, _),) = book.firing()
    book.acknowledge(fingerprint, "ann", "", None, 1000.0)


def silenced(book):
    book.silence(Silence("", tuple(parse_matchers("site=a")), 1000.0, 5000.0, "ann", "", 1000.0))


@pytest.mark.parametrize(
    ("text", "deeds", "said"),
    [
        ("notify: [chat]", [], "told to chat; nothing more is to come before its end"),
        ("notify: [chat], repeat: 5m", [], "told to chat; the next repeat or step is due in 4m"),
        (
            "notify: [chat], escalate: [{after: 2m, to: [mail]}]",
            [],
            "told to chat; the next repeat or step is due in 1m",
        ),
        ("notify: [chat], escalate: [{after: 10s, to: [mail]}]", [], "told to chat, mail; nothing more is to come"),
        ("notify: [chat], repeat: 5m", [acknowledged], "told to chat; ann has acknowledged it, so it is not repeated"),
        ("notify: []", [], "told to nobody, its rule names no receiver"),
        ("notify: [chat]", [silenced], "nobody is told now: silence ("),
        ("notify: [chat], limit: 1/h, repeat: 10s", [], "nobody is told now: limit (1/h); told to chat before"),
        ("notify: [chat], shadow: true", [], "nobody is told now: shadow"),
    ],
)
def test_of_an_alert_that_fires_who_was_told_is_said_and_why_nobody_is_now(text, deeds, said):
    assert told(text, *deeds).startswith(said)


def test_of_an_alert_that_was_silenced_who_heard_before_is_said():
    assert told("notify: [chat]", silenced).endswith("; told to chat before")


@pytest.mark.parametrize(
    ("text", "deeds", "after", "said"),
    [
        ("group_by: [site]", [], 5, "nobody is told yet: its group (site=a) waits 10s for more, and speaks once in 5m"),
        ("group_by: [], group_wait: 3m", [], 5, "nobody is told yet: its group (all of the rule) waits 3m for more"),
        ("group_by: [site]", [], 60, "told to chat by its group (site=a)"),
        ("group_by: [site]", [acknowledged], 60, "told to chat by its group (site=a); ann has acknowledged it"),
        ("group_by: [site]", [silenced], 60, "nobody is told now: silence ("),
    ],
)
def test_of_a_member_of_a_group_is_said_that_its_group_waits_or_has_told_it(text, deeds, after, said):
    assert told(f"notify: [chat], {text}", *deeds, after=after).startswith(said)


class RestOf:
    """The steps that are left; then `answer` is what they came to."""

    def __init__(self, steps):
        self._steps = steps

    def __iter__(self):
        self.answer = yield from self._steps


def test_a_look_at_many_topics_is_made_in_steps_and_tells_of_the_latest_also_where_topics_come_meanwhile():
    hot = rule('- {alert: Hot, topic: "t/{site}/{device}", by: [device], when: value > 0}')
    world = World(RuleSet({"Hot": hot}), None, 1000.0)
    world.send([event(f"t/a/{number}", 0, 1000.0 + number) for number in range(1000)])
    world.send([event("t/b/7", 0, 3000.0), event("u/x", 0, 3000.0)])
    steps = looking(world.core, "Hot", {}, 3000.0)
    for _ in range(500):
        next(steps)
    world.send([event(f"t/c/{number}", 0, 3001.0) for number in range(5)])
    rest = RestOf(steps)
    assert sum(1 for _ in rest) > 500
    answer = rest.answer
    heard = [each["labels"]["device"] for each in answer["instances"]]
    assert heard == ["7", *(str(999 - number) for number in range(WHY_ALERTS - 1))]
    assert answer["instances"][0]["event"]["topic"] == "t/b/7"
    assert answer["heard"] == 1000
