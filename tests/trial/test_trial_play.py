"""trial: tests of rules come true where the hub would do what they say; a failure says what was there instead."""

from textwrap import dedent

import pytest

from hub.documents.document import Problems
from hub.errors import ConfigError
from hub.notify.receiver_settings import read_receivers
from hub.rules.reading.loader import load_rules
from hub.trial.trial_play import play
from hub.trial.trial_reading import read_cases

RULES = """
receivers: {chat: json://localhost/chat, mail: json://localhost/mail, boss: json://localhost/boss}
schedules: {night: daily 22:00-06:00}
rules:
  - alert: Hot
    topic: t/{site}/{device}
    when: value > 30
    notify: [chat]
    repeat: 1h until ack
    escalate: [{after: 90m, to: [boss]}]
    unless: SiteOff
    mute: night
    summary: "{device} has {value}"
  - alert: SiteOff
    topic: s/{site}
    when: value == "off"
    notify: [mail]
  - event: Open
    topic: d/{door}
    limit: 2/h
    notify: [chat]
    summary: "{door} is open"
  - alert: Many
    topic: m/{site}/{device}
    when: value > 30
    group_by: [site]
    notify: [chat]
  - alert: Quiet
    topic: q/{x}
    when: value > 1
    shadow: true
    notify: [chat]
  - alert: Flaps
    topic: f/{x}
    when: value > 5
    clear_for: 30s
    notify: [chat]
tests:
"""


@pytest.fixture
def read(tmp_path):
    """Return the rules, their tests and what is wrong with them."""

    def read(text):
        path = tmp_path / "rules.yaml"
        path.write_text(RULES + dedent(text).strip("\n"), "utf-8")
        problems = Problems()
        rules = load_rules([path], problems, read_receivers, "hub", keep=True)
        return rules, read_cases(rules, problems), problems

    return read


@pytest.fixture
def run(read):
    def run(text):
        rules, cases, problems = read(text)
        assert not problems, str(ConfigError(problems))
        return [failure for case in cases for failure in play(case, rules, None)]

    return run


@pytest.fixture
def passes(run):
    def passes(text):
        failures = run(text)
        assert not failures, [(each.expectation.at, each.expected, each.got) for each in failures]

    return passes


def test_firing_and_resolved_go_to_the_receivers_with_their_texts(passes):
    passes("""
      - name: x
        start: 2026-01-01T12:00:00Z
        topic: t/a/1
        send: {0m: 35, 5m: 20}
        expect:
          - {at: 0m, alert: Hot, state: firing, notified: [chat], text: "1 has 35", times: 1}
          - {at: 5m, alert: Hot, state: resolved, notified: [chat], text: "1 has 20"}
          - {at: 21m, alert: Hot, state: inactive, notified: []}
    """)


def test_it_is_repeated_and_escalated_until_somebody_acknowledges(passes):
    passes("""
      - name: x
        start: 2026-01-01T12:00:00Z
        topic: t/a/1
        send: {0m: 35, 4h: 20}
        ack: {at: 100m, alert: Hot, by: ann}
        expect:
          - {at: 59m, alert: Hot, notified: [chat], times: 1}
          - {at: 60m, alert: Hot, notified: [chat], times: 1}
          - {at: 90m, alert: Hot, notified: [boss], times: 1}
          - {at: 239m, alert: Hot, notified: [], acknowledged: true}
          - {at: 4h, alert: Hot, state: resolved, notified: [boss, chat]}
    """)


def test_without_an_acknowledgement_the_repeats_go_on_to_all_who_were_told(passes):
    passes("""
      - name: x
        start: 2026-01-01T12:00:00Z
        topic: t/a/1
        send: {0m: 35}
        ack: {at: 30m, alert: Hot, for: 15m}
        expect:
          - {at: 119m, alert: Hot, notified: [boss, chat], times: 3}
          - {at: 120m, alert: Hot, notified: [boss, chat], times: 1}
    """)


def test_what_is_muted_is_told_when_that_ends_and_it_still_fires(passes):
    passes("""
      - name: x
        start: 2026-01-01T05:00:00Z
        send:
          - {at: 0m, topic: t/a/1, payload: 35}
          - {at: 0m, topic: t/a/2, payload: 35}
          - {at: 30m, topic: t/a/2, payload: 20}
        expect:
          - {at: 59m, alert: Hot, labels: {device: 1}, state: firing, not_notified: mute}
          - {at: 59m, alert: Hot, labels: {device: 2}, state: inactive, not_notified: mute}
          - {at: 60m, alert: Hot, labels: {device: 1}, notified: [chat]}
          - {at: 60m, alert: Hot, labels: {device: 2}, notified: []}
    """)


def test_resolved_reaches_who_was_told_also_under_a_mute_a_silence_and_unless(passes):
    passes("""
      - name: x
        start: 2026-01-01T21:00:00Z
        topic: t/a/1
        send: [{at: 0m, payload: 35}, {at: 10m, topic: s/a, payload: "off"}, {at: 90m, payload: 20}]
        silence: {at: 20m, matchers: site=a, for: 5h}
        expect:
          - {at: 0m, alert: Hot, notified: [chat]}
          - {at: 89m, alert: Hot, state: firing, notified: []}
          - {at: 90m, alert: Hot, state: resolved, notified: [chat]}
    """)


def test_who_is_held_back_by_another_alert_of_the_same_site_is_told_when_that_resolves(passes):
    passes("""
      - name: x
        start: 2026-01-01T12:00:00Z
        send:
          - {at: 0m, topic: s/a, payload: "off"}
          - {at: 1m, topic: t/a/1, payload: 35}
          - {at: 1m, topic: t/b/1, payload: 35}
          - {at: 9m, topic: s/a, payload: "on"}
        expect:
          - {at: 1m, alert: Hot, labels: {site: a}, state: firing, not_notified: unless}
          - {at: 1m, alert: Hot, labels: {site: b}, notified: [chat]}
          - {at: 9m, alert: SiteOff, state: resolved, notified: [mail]}
          - {at: 9m9s, alert: Hot, labels: {site: a}, not_notified: unless}
          - {at: 9m10s, alert: Hot, labels: {site: a}, notified: [chat]}
    """)


@pytest.mark.parametrize(
    ("silence", "column"),
    [
        ("{at: 0m, matchers: 'zone=~\".*\"'}", 32),
        ("{at: 0m, matchers: ['zone!=x', 'a=\"\"']}", 31),
        ("{at: 0m, labels: {zone: ''}}", 12),
    ],
)
def test_a_silence_that_a_running_hub_refuses_is_a_problem_with_its_place(read, silence, column):
    _, cases, (problem,) = read(f"""
      - name: n
        silence: {silence}
        expect: {{at: 2m, alert: Hot, state: inactive}}
    """)
    assert not cases
    assert "at least one matcher must not match the empty string" in problem.message
    assert problem.hint.startswith("name a label that is meant")
    assert (problem.line, problem.column) == (RULES.count("\n") + 2, column)


def test_a_silence_that_ends_lets_through_what_still_fires(passes):
    passes("""
      - name: x
        start: 2026-01-01T12:00:00Z
        topic: t/a/1
        silence: {at: 0m, matchers: 'alertname=Hot, site=~"a|b"', for: 30m}
        send: {5m: 35}
        expect:
          - {at: 29m, alert: Hot, state: firing, not_notified: silence}
          - {at: 30m, alert: Hot, notified: [chat]}
    """)


def test_what_a_limit_holds_back_is_counted_and_the_last_of_it_told(passes):
    passes("""
      - name: x
        topic: d/1
        send: {0m: 1, 1m: 1, 2m: 1, 3m: 1}
        expect:
          - {at: 1m, event: Open, notified: [chat], times: 2}
          - {at: 59m, event: Open, not_notified: limit}
          - {at: 60m, event: Open, notified: [chat], times: 1, text: "(1 more held back)"}
    """)


def test_a_group_waits_for_what_belongs_to_it_and_tells_it_once(passes):
    passes("""
      - name: x
        send:
          - {at: 0m, topic: "m/a/{1..50}", payload: 35}
          - {at: 0m, topic: m/b/1, payload: 35}
          - {at: 2m, topic: "m/a/{1..50}", payload: 20}
        expect:
          - {at: 9s, alert: Many, not_notified: group}
          - {at: 10s, alert: Many, labels: {site: a}, notified: [chat], times: 1, text: "50 Many (site=a)"}
          - {at: 10s, alert: Many, labels: {site: b}, notified: [chat], times: 1}
          - {at: 309s, alert: Many, labels: {site: a}, notified: []}
          - {at: 310s, alert: Many, labels: {site: a}, state: resolved, notified: [chat], times: 1}
    """)


def test_flapping_ten_times_a_second_for_ten_minutes_is_told_at_most_three_times(passes):
    passes("""
      - name: x
        send:
          - {from: 0s, to: 599s, every: 200ms, topic: f/1, payload: 9}
          - {from: 100ms, to: 10m, every: 200ms, topic: f/1, payload: 1}
        expect:
          - {at: 10m, alert: Flaps, state: firing, notified: [chat], times: 1}
          - {at: 20m, alert: Flaps, notified: [chat], times: 1}
    """)


def test_a_shadow_tells_nobody(passes):
    passes("""
      - name: x
        topic: q/1
        send: {0m: 2}
        expect: [{at: 1m, alert: Quiet, state: firing, not_notified: shadow}]
    """)


@pytest.mark.parametrize("deed", ["restart", "reload"])
def test_a_restart_or_reload_at_any_time_changes_nothing(passes, deed):
    passes(f"""
      - name: x
        start: 2026-01-01T12:00:00Z
        send:
          - {{at: 0m, topic: t/a/1, payload: 35}}
          - {{at: 0m, topic: "m/a/{{1..3}}", payload: 35}}
          - {{at: 0m, topic: d/1, payload: 1}}
          - {{at: 1m, topic: d/1, payload: 1}}
          - {{at: 2m, topic: d/1, payload: 1}}
          - {{at: 200m, topic: t/a/1, payload: 20}}
        {deed}: [5s, 1m, 30m, 61m, 95m]
        silence: {{at: 62m, matchers: alertname=Hot, for: 30m}}
        ack: {{at: 121m, alert: Hot}}
        expect:
          - {{at: 10s, alert: Many, notified: [chat], times: 1}}
          - {{at: 59m, event: Open, notified: [chat], times: 2}}
          - {{at: 60m, event: Open, notified: [chat], times: 1}}
          - {{at: 60m, alert: Hot, notified: [chat], times: 2}}
          - {{at: 91m, alert: Hot, not_notified: silence}}
          - {{at: 119m59s, alert: Hot, notified: []}}
          - {{at: 120m, alert: Hot, notified: [boss, chat], times: 2}}
          - {{at: 199m, alert: Hot, notified: []}}
          - {{at: 200m, alert: Hot, state: resolved, notified: [boss, chat], times: 1}}
    """)


def test_a_failure_says_what_was_there_instead_and_what_led_there(run):
    failures = run("""
      - name: x
        start: 2026-01-01T12:00:00Z
        topic: t/a/1
        send: {0m: 35}
        expect: [{at: 1m, alert: Hot, state: inactive, notified: [mail], text: cold, times: 2, not_notified: mute}]
    """)
    assert [(each.expected, each.got) for each in failures] == [
        ("Hot is inactive", "Hot is firing"),
        ("notified 2 times", "notified 1 times"),
        ("a text with 'cold'", "the texts ['1 has 35']"),
        ("notified mail", "notified chat"),
        ("nobody notified (mute)", "notified chat"),
    ]
    assert [row[1] for row in failures[0].story] == ["transition", "notified"]


def test_a_day_of_a_hundred_devices_at_a_message_a_minute_is_played(passes):
    passes("""
      - name: x
        send: [{from: 0m, to: 24h, every: 1m, topic: "t/a/{1..100}", payload: 20}]
        expect: [{at: 24h, alert: Hot, state: inactive, notified: []}]
    """)
