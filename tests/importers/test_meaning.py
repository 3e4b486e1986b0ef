"""Imported rules at work: they tell the same people at the same times as the tool they come from."""

import pytest

from hub.project.files import load_trial
from hub.trial.trial_play import play
from tests.importers.support import sample, tried

HOME = """
tests:
  - name: skip_first waits for the first interval, then repeats until it is acknowledged, and says that it is over
    topic: home/states/plant/plant_office/state
    send: {0m: ok, 1m: problem, 60m: ok}
    ack: {at: 50m, alert: office_plant}
    expect:
      - {at: 15m, alert: office_plant, state: pending}
      - {at: 17m, alert: office_plant, state: firing, notified: [secret_mail], text: "Plant: office"}
      - {at: 47m, alert: office_plant, state: firing, notified: [secret_mail]}
      - {at: 61m, alert: office_plant, state: resolved, notified: [secret_mail]}
  - name: the intervals grow, and the text of the end is another
    topic: home/states/input_boolean/garage_door/state
    send: {0m: "off", 1m: "on", 120m: "off"}
    expect:
      - {at: 2m, alert: garage_door, state: firing, notified: [ryans_phone, kristens_phone], text: Garage is open}
      - {at: 17m, alert: garage_door, notified: [ryans_phone, kristens_phone]}
      - {at: 48m, alert: garage_door, notified: [ryans_phone, kristens_phone]}
      - {at: 106m, alert: garage_door, notified: []}
      - {at: 107m, alert: garage_door, notified: [ryans_phone, kristens_phone]}
      - {at: 121m, alert: garage_door, state: resolved, text: Garage is closed}
  - name: who has no done_message hears nothing of the end
    topic: home/states/binary_sensor/freshwater/state
    send: {0m: "on", 10m: "off"}
    expect:
      - {at: 1m, alert: freshwater, notified: [house_mail, everybody]}
      - {at: 11m, alert: freshwater, state: resolved, notified: [house_mail]}
"""

MQTTWARN = """
tests:
  - name: every message is told, with the text of its fields
    send:
      - {at: 1m, topic: weather/north/temperature, payload: {device: t7, temp: 21.26, main: {temp: 3}}}
    expect:
      - {at: 1m, event: "café \\"quoted\\": a 'name'", text: "Temperature of t7: 21.3 °C"}
  - name: silence is told each time the timeout has passed
    send: [{at: 1m, topic: heartbeat/door, payload: here}]
    expect:
      - {at: 10m, alert: heartbeat_door silent, notified: []}
      - {at: 12m, alert: heartbeat_door silent, notified: [file_f01], text: "Nothing on heartbeat/door for 600 s"}
      - {at: 22m, alert: heartbeat_door silent, notified: [file_f01]}
"""


@pytest.mark.parametrize(
    ("form", "name", "tests"), [("homeassistant", "configuration.yaml", HOME), ("mqttwarn", "mqttwarn.ini", MQTTWARN)]
)
def test_imported_rules_do_what_they_did(tmp_path, monkeypatch, form, name, tests):
    tried(form, sample(name), tmp_path, monkeypatch)
    out = tmp_path / "out.yaml"
    out.write_text(out.read_text("utf-8") + tests, "utf-8")
    files, cases = load_trial(None, [out], ())
    assert cases
    for case in cases:
        failures = play(case, files.rules, files.registry)
        assert not failures, [(case.name, each.expected, each.got) for each in failures]
