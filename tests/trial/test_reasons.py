"""reasons: a test that fails says why nothing happened, and treats every payload as the hub does."""

import json
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.documents.document import Problems
from hub.ingest.decode import decode
from hub.notify.receiver_settings import read_receivers
from hub.rules.reading.loader import load_rules
from hub.trial.case import TrialMessage
from hub.trial.trial_play import _times, play
from hub.trial.trial_reading import read_cases

RULES = """
rules:
  - {alert: Volt, topic: "e/{dev}", when: voltage > 210, for: 5m}
  - {alert: Limit, topic: "l/{dev}", when: t > device.limit}
  - {alert: Hot, topic: "esp/{node}/t", when: value > 30, absent: 10m}
  - {alert: Paused, topic: "p/{dev}", when: value > 3, pause: daily 00:00-01:00}
  - {event: Bell, topic: bell, when: value == "on"}
tests:
  - name: x
"""


@pytest.fixture
def why(tmp_path):
    """Play a test whose only expectation fails; return why it does."""

    def why(send, expect):
        path = tmp_path / "rules.yaml"
        path.write_text(RULES + f"    send: {send}\n    expect: {expect}\n", "utf-8")
        problems = Problems()
        rules = load_rules([path], problems, read_receivers, "hub", keep=True)
        (case,) = read_cases(rules, problems)
        assert not problems, "\n".join(map(str, problems))
        (failure,) = play(case, rules, None)
        return "\n".join(failure.reasons)

    return why


@pytest.mark.parametrize(
    ("send", "expect", "reason"),
    [
        (
            '[{at: 0m, topic: e/a, payload: {voltage: "219"}}]',
            "[{at: 6m, alert: Volt, state: firing}]",
            "`voltage > 210` had no value: no such overload: string > int; voltage was '219' (write double(voltage))",
        ),
        (
            "[{at: 0m, topic: l/a, payload: {t: 5}}]",
            "[{at: 0m, alert: Limit, state: firing}]",
            "(no device of the registry belongs to l/a; none is known here: `hub test --devices PATH` reads them)",
        ),
        (
            "[{at: 0m, topic: f/a, payload: {voltage: 250}}]",
            "[{at: 6m, alert: Volt, state: firing}]",
            "no message came on a topic of rule 'Volt', which listens to e/{dev}; nearest is f/a (its level 1 is 'f'",
        ),
        (
            "[{at: 0m, topic: e/a/b, payload: {voltage: 250}}]",
            "[{at: 6m, alert: Volt, state: firing}]",
            "nearest is e/a/b (it has 3 levels, not 2)",
        ),
        (
            "[{at: 9m, topic: e/a, payload: {voltage: 250}}]",
            "[{at: 6m, alert: Volt, state: firing}]",
            "nothing was sent by then; rule 'Volt' listens to e/{dev}",
        ),
        (
            "[{at: 0m, topic: e/a, payload: {voltage: 250}}]",
            "[{at: 6m, alert: Volt, labels: {dev: b}, state: firing}]",
            "no message came with dev=b; there is dev=a",
        ),
        (
            "[{at: 0m, topic: e/a, payload: {voltage: 200}}]",
            "[{at: 6m, alert: Volt, state: firing}]",
            "e/a: `voltage > 210` does not hold: voltage is 200",
        ),
        (
            "[{at: 0m, topic: p/a, payload: 5}]",
            "[{at: 6m, alert: Paused, state: firing}]",
            "p/a: the rule is paused (daily 00:00-01:00)",
        ),
        (
            "[{at: 0m, topic: esp/a/t, payload: '{oops'}]",
            "[{at: 6m, alert: Hot, state: firing}]",
            "the message at 0m on esp/a/t was not understood: broken JSON",
        ),
        (
            "[]",
            "[{at: 60m, alert: Hot, labels: {reason: absent}, state: firing}]",
            "no device of the registry is there, so that nobody is missed; none is known here",
        ),
        (
            '[{at: 0m, topic: bell, payload: "off"}]',
            "[{at: 0m, event: Bell, times: 1}]",
            "bell: `value == \"on\"` does not hold: value is 'off'",
        ),
        (
            '[{at: 0m, topic: bell, payload: "on", retain: true}]',
            "[{at: 0m, event: Bell, times: 1}]",
            "bell: only a retained message came: what a broker keeps is no moment, and makes no event",
        ),
        (
            "[{at: 0m, topic: e/a, payload: {voltage: 250}}]",
            "[{at: 6m, alert: Volt, labels: {dve: a}, state: firing}]",
            "rule 'Volt' has no label 'dve' (did you mean 'dev'?)",
        ),
        (
            '[{at: 0m, topic: e/a, payload: {voltage: "x"}}, {at: 1m, topic: e/a, payload: {voltage: 230}}]',
            "[{at: 2m, alert: Volt, state: firing}]",
            "at 0m on e/a: no such overload: string > int",
        ),
    ],
)
def test_a_failure_says_why_nothing_happened(why, send, expect, reason):
    assert reason in why(send, expect)


PAYLOADS = ["nan", '{"t": nan}', "[1,2", "{oops", "1e999", "\ufeff21.5", "\ufeff{}", "a\0b", "", " ", "café", "21,5"]


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
def test_every_payload_is_played_and_none_is_a_traceback(why, payload):
    assert why(f"[{{at: 0m, topic: esp/a/t, payload: {json.dumps(payload)}}}]", "[{at: 0m, alert: Hot, state: firing}]")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(anything)
def test_whatever_a_test_sends_is_read_as_the_hub_reads_it(payload):
    ((_, _, sent),) = _times(TrialMessage(0.0, ("a",), payload))
    assert decode(sent, 0.0)  # an Event, or an Undecodable that says why


def test_a_secret_is_nothing_that_a_test_sends(tmp_path):
    text = """\
        rules: [{alert: A, topic: t, when: value > 1}]
        tests: [{name: x, topic: t, send: {0m: {k: !env PATH}}, expect: [{at: 0m, alert: A, state: firing}]}]
        """
    (tmp_path / "r.yaml").write_text(dedent(text))
    problems = Problems()
    read_cases(load_rules([tmp_path / "r.yaml"], problems, read_receivers, "hub", keep=True), problems)
    assert [str(each).split(": ", 1)[1] for each in problems] == ["a test sends no secret (write a value of its own)"]
