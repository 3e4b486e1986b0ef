"""`set` in a test of a rule file: as `hub set` on a running hub."""

import pytest

from tests.support import prefork

FLEET = """
fleet: fridges
topic: f/{number}/telemetry
attributes: {limit: 8}
settable: {limit: {min: 4, max: 12}}
devices: [{number: 7}]
"""
RULES = """
rules:
  - {alert: Warm, topic: "f/{number}/telemetry", when: value > device.limit, for: 5m, notify: []}
tests:
  - name: a limit that is set is judged at once
    topic: f/7/telemetry
    send: {0m: 7}
    set: SET
    expect:
      - {at: 9m, alert: Warm, state: inactive}
      - {at: 14m, alert: Warm, state: pending}
      - {at: 15m, alert: Warm, state: firing}
      - {at: 20m, alert: Warm, state: resolved}
"""


@pytest.fixture
def run(tmp_path):
    def play(what):
        (tmp_path / "devices").mkdir()
        (tmp_path / "devices" / "f.yaml").write_text(FLEET, "utf-8")
        (tmp_path / "rules").mkdir()
        (tmp_path / "rules" / "r.yaml").write_text(RULES.replace("SET", what), "utf-8")
        return prefork.run("test", cwd=tmp_path, env={})

    return play


def test_a_set_is_judged_at_its_time(run):
    code, out, err = run("[{at: 10m, device: f/7, limit: 6}, {at: 20m, device: f/7, limit: 8}]")
    assert (code, out, err) == (0, "1 passed, 0 failed\n", "")


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("{at: 10m, device: f/7, limit: 13}", "its author allows a number from 4 to 12"),
        ("{at: 10m, device: f/9, limit: 6}", "no device 'f/9' in the registry"),
        ("{at: 10m, device: f/7}", "'set' sets nothing"),
        ("{at: 10m, limit: 6}", "device"),
    ],
)
def test_what_a_hub_would_refuse_is_told_with_its_place(run, what, says):
    code, out, err = run(what)
    assert code != 0
    assert says in out + err
    assert "rules/r.yaml:8:10" in out + err
