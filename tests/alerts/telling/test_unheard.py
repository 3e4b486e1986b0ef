"""unheard: what an alert about a silence says, in whose words, and that nothing in it is an error of the rule."""

import pytest

from hub.trial.world import World
from tests.alerts.flapper import rule_set
from tests.rules.making import event

FREEZER = "alert: Warm, topic: 'site/{site}/{freezer}', when: temperature > -15, absent: 10m"
SAYS = "'{freezer} at {site} is too warm: {temperature:.1f} °C'"
TOPIC = "site/a/7"


class Registered:
    """A registry of one device."""

    def attributes(self, topic):
        del topic
        return {}

    def topics(self, wanted):
        del wanted
        return [TOPIC]


class Silent:
    """A world with one rule, of which everything that is told is kept."""

    def __init__(self, keys, registry=None):
        self.world = World(rule_set(f"- {{{keys}, notify: [chat]}}"), registry, 1000.0)

    def hear(self, payload, topic=TOPIC, after=0.0):
        self.wait(after)
        self.world.send([event(topic, payload, self.world.now)])
        self.world.collect()
        return self

    def wait(self, seconds):
        self.world.pass_time(self.world.now + seconds)
        return self

    @property
    def said(self):
        return [each.body["summary"] for each in self.world.told]


def last_words(keys, payload, topic=TOPIC):
    """Return what is said of a device that falls silent after a message."""
    return Silent(keys).hear(payload, topic).wait(600).said[-1]


def test_an_alert_of_silence_says_so_and_what_was_known_last_in_the_words_of_the_rule():
    at = Silent(f"{FREEZER}, summary: {SAYS}").hear({"temperature": -20.125}).wait(600)
    assert at.said == ["site a, freezer 7: silent for 10 min, last -20.1 °C"]


def test_its_end_says_that_the_device_was_heard_again_and_after_how_long():
    at = Silent(f"{FREEZER}, summary: {SAYS}").hear({"temperature": -20}).hear({"temperature": -19}, after=840)
    assert at.said[-1] == "site a, freezer 7: heard again after 14 min, now -19.0 °C"


def test_a_reminder_says_for_how_long_by_now():
    at = Silent(f"{FREEZER}, summary: {SAYS}, repeat: 1h").hear({"temperature": -20}).wait(600 + 3600)
    assert at.said[-1] == "site a, freezer 7: silent for 1 h 10 min, last -20.0 °C"


def test_the_condition_itself_keeps_the_words_of_its_rule():
    at = Silent(f"{FREEZER}, summary: {SAYS}").hear({"temperature": -9})
    assert at.said == ["7 at a is too warm: -9.0 °C"]


@pytest.mark.parametrize(
    ("condition", "summary", "payload", "last"),
    [
        ("temperature > 5", "'hot'", {"temperature": 1.5}, "temperature 1.5"),
        ("temperature > 5", "'{temperature}°C'", {"temperature": 1.5}, "1.5°C"),
        ("temperature > 5", "'{temperature} in {site}'", {"temperature": 1}, "temperature 1"),
        ("temperature > 5 || hum > 9", "'{temperature:.1f} °C, {hum}%'", {"temperature": 1, "hum": 3},
         "temperature 1.0 °C, hum 3%"),
        ("avg(temperature, 5m) > 5", "'{avg(temperature, 5m):.2f} K'", {"temperature": 1}, "1.00 K"),
        ("value > 5", "'{value:.1f} bar'", 2, "2.0 bar"),
        ("value > 5", "'high'", 2, "2"),
        ("payload.main.t > 5", "'high'", {"main": {"t": 2}}, "main.t 2"),
        ("state == 'open'", "'{state}'", {"state": "shut"}, "state shut"),
        ("temperature > 5", "'{temperature:.1f} °C'", {"battery": 3, "ok": True}, "battery 3, ok true"),
        ("temperature > 5", "'{temperature:.1f} °C'", {"temperature": "n/a"}, "temperature n/a"),
    ],
)  # fmt: skip
def test_the_last_values_are_those_that_the_condition_looks_at(condition, summary, payload, last):
    keys = f'alert: Warm, topic: "site/{{site}}/{{freezer}}", when: "{condition}", absent: 10m, summary: {summary}'
    assert last_words(keys, payload) == f"site a, freezer 7: silent for 10 min, last {last}"


def test_a_long_value_is_cut_and_one_that_steers_a_terminal_is_written_out():
    said = last_words(f"{FREEZER}, summary: {SAYS}", {"temperature": "\x1b[31m" + "x" * 5000})
    assert len(said) < 200
    assert "\x1b" not in said
    assert "\\x1b[31mxxx" in said


def test_a_device_that_was_never_heard_is_told_as_that_and_is_no_error_of_the_rule():
    at = Silent(f"{FREEZER}, summary: {SAYS}, details: 'it was {{temperature}}'", Registered()).wait(600)
    assert at.said == ["site a, freezer 7: never heard, silent for 10 min"]
    assert at.world.errors == []


def test_a_question_mark_in_a_text_about_a_silence_is_no_error_of_the_rule():
    keys = "alert: Mute, topic: 'site/{site}/{freezer}', absent: 10m, summary: '{freezer}: last {temperature:.1f} °C'"
    at = Silent(keys).hear({"battery": 3}).wait(600)
    assert at.said == ["7: last ? °C"]
    assert at.world.errors == []


def test_a_question_mark_in_a_text_of_the_condition_still_is_one():
    at = Silent(f"{FREEZER}, summary: '{{humidity}}'").hear({"temperature": 1})
    assert at.said == ["?"]
    assert len(at.world.errors) == 1


@pytest.mark.parametrize("asks", ["has(labels.reason)", "labels.?reason.hasValue()", "'reason' in labels"])
def test_a_summary_that_asks_for_the_reason_keeps_its_own_words(asks):
    said = last_words(f"{FREEZER}, summary: \"{{{asks} ? 'quiet' : 'warm'}}: {{temperature}}\"", {"temperature": -20})
    assert said == "quiet: -20"


def test_a_rule_that_is_about_silence_alone_keeps_its_own_words():
    keys = "alert: Mute, topic: 'site/{site}/{freezer}', absent: 10m, summary: 'No word from {freezer}'"
    assert last_words(keys, {"t": 1}) == "No word from 7"


def test_a_rule_without_a_summary_says_that_it_is_about_absence():
    assert last_words("alert: Mute, topic: 'site/{site}/{freezer}', absent: 10m", {"t": 1}) == (
        "site a, freezer 7: silent for 10 min, last t 1"
    )


def test_an_instance_without_labels_is_named_by_its_topic():
    assert last_words("alert: Boiler, topic: plant/boiler, when: t > 5, absent: 10m", {"t": 1}, "plant/boiler") == (
        "plant/boiler: silent for 10 min, last t 1"
    )


def test_a_reported_death_says_so_and_a_report_of_life_ends_it():
    keys = (
        "alert: Oven, topic: 'spBv1.0/{plant}/DDATA/{node}/{device}', when: temperature > 230, absent: 1d,"
        " summary: 'Oven {device}: {temperature} °C'"
    )
    at = Silent(keys).hear({"temperature": 180}, "spBv1.0/p/DDATA/n/d")
    at.hear({}, "spBv1.0/p/DDEATH/n/d", after=60).wait(0)
    assert at.said == ["plant p, node n, device d: reported offline, silent for 1 min, last 180 °C"]
    at.hear({"temperature": 181}, "spBv1.0/p/DDATA/n/d", after=60)
    assert at.said[-1].startswith("plant p, node n, device d: ")
    assert "again after 2 min" in at.said[-1]
