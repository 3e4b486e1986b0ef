"""`hub doctor` tells what `hub check` notes: rules that tell nobody, files that are not read, and the like."""

import json
import os

from tests.support import prefork

RULES = """
receivers: {log: {file: {path: n.ndjson}}}
rules:
  - {alert: Hot, topic: 'room/{room}', when: v > 3, notify: log}
  - {alert: Wet, topic: 'room/{room}', when: humidity > 3}
  - {alert: Never, topic: 'room/{room}', when: v > 3 && v < 2, notify: log}
"""


def test_notes_are_warnings_with_their_place_and_findings_are_counted(tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text(RULES)
    (tmp_path / "rules" / "b.yaml.bak").write_text(RULES)
    code, out, _ = prefork.run("doctor", "--broker", "mqtt://127.0.0.1:1", "--json", cwd=tmp_path, env=os.environ)
    assert code == 1, "there is no broker"
    found = [each for each in json.loads(out) if each["subject"] == "rules and devices" and each["level"] == "warning"]
    assert [each["text"].split(" (")[0] for each in found] == [
        "hub.yaml: nobody is told of the hub's own alerts, such as HubBrokerAway: 'self_watch' has no receiver",
        "rules/a.yaml:5:6: nobody is told of rule 'Wet': neither it nor 'defaults' has 'notify'",
        "rules/b.yaml.bak: is not read: it does not end with .yaml or .yml",
        "1 more findings",
    ]
    assert all(each["remedy"] for each in found)
