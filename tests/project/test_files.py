"""What cannot be read hides nothing else and brings nothing else: each problem once, all of them at once."""

import re
from textwrap import dedent

import pytest

from hub.config import SETTINGS
from hub.devices.fleet import FLEET
from hub.project.files import check
from hub.rules.reading.loader import RULE_FILE


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Write files, check them, and return what is told."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()

    def told(files, *, secrets=True, notes=False):
        for name, text in files.items():
            (tmp_path / name).write_text(dedent(text), "utf-8")
        return [str(problem) for problem in check(None, (), secrets=secrets, notes=notes)]

    return told


SECRETS = {
    "rules/a.yaml": """\
        receivers:
          chat: !env NO_CHAT
          hook: {webhook: {url: !env NO_HOOK, secret: !file no/such, headers: {Authorization: !env NO_TOKEN}}}
          mail: {smtp: {host: h, from: a@b.c, to: a@b.c, username: u, password: !env NO_PASSWORD}}
          kafka: {webhook: {url: !env NO_CHAT}}
        rules:
          - {alert: A, topic: "t/{d}", when: value > 30, notify: [chat, hook, mail, kafka]}
        """,
    "hub.yaml": """\
        broker: {url: !env NO_BROKER, username: !env NO_USER, password: !env NO_PASSWORD}
        http:
          listen: 0.0.0.0:8080
          cert: hub.yaml
          key: hub.yaml
          tokens:
            - {name: a, role: viewer, token: !env NO_A}
            - {name: b, role: viewer, token: !env NO_B}
        heartbeat: {url: !env NO_HEARTBEAT}
        """,
}


WORDS = {"!env": "environment variable {}", "!file": "file rules/{} cannot"}


def test_all_that_is_not_set_is_named_at_once_each_at_its_place_and_nothing_follows_from_it(told):
    assert [" ".join(problem.split()[:4]) for problem in told(SECRETS)] == [
        f"{name}:{number}:{found.start() + 1}: {WORDS[found[1]].format(found[2])}"
        for name, text in sorted(SECRETS.items())
        for number, line in enumerate(dedent(text).splitlines(), 1)
        for found in re.finditer(r"(!\w+) ([\w/]+)", line)
    ]


def test_without_secrets_none_of_it_is_a_problem(told):
    assert told(SECRETS, secrets=False) == []


@pytest.mark.parametrize("secrets", [True, False])
def test_what_is_not_set_hides_no_other_problem_and_no_finding(told, secrets):
    found = told(
        {
            "rules/a.yaml": """\
                receivers: {chat: !env NO_CHAT, idle: json://localhost/x}
                rules:
                  - {alert: A, topic: "t/{d}", wen: value > 30, absent: 5m, notify: cht}
                """,
            "rules/b.yaml": """\
                rules:
                  - {alert: B, topic: !env NO_TOPIC, when: value > 30 && value < 20, notify: chat}
                  - {alert: C, topic: "t/{d}", when: value > 30 && value < 20, notify: chat}
                """,
        },
        secrets=secrets,
    )
    assert ("rules/a.yaml:1:19: environment variable NO_CHAT is not set (export NO_CHAT=… first)" in found) is secrets
    assert "rules/a.yaml:3:32: unknown key 'wen' in rule 'A' (did you mean 'when'?)" in found
    assert any(each.startswith("rules/a.yaml:3:69: no receiver 'cht'") for each in found)
    assert any(each.startswith("rules/b.yaml:2:23: must be text, not a secret") for each in found)
    assert any(each.startswith("rules/b.yaml:3:38: rule 'C' never fires") for each in found)


def test_a_receiver_that_nobody_names_is_told_of_beside_a_secret_that_is_not_set(told):
    found = told(
        {
            "rules/a.yaml": """\
                receivers: {chat: !env NO_CHAT, idle: json://localhost/x}
                rules: [{alert: A, topic: "t/{d}", when: value > 30, notify: chat}]
                """
        },
        notes=True,
    )
    assert any("no rule names the receiver 'idle'" in each for each in found)
    assert len(found) == 2


OTHERS = """\
    rules:
      - {alert: A, topic: "t/{d}", when: value > 30, notify: [chat, mail], mute: not night, unless: Cause}
      - {alert: B, topic: "t/{d}", when: night || value > 3, pause: "!night", escalate: [{after: 5m, to: [boss]}]}
    tests:
      - name: x
        topic: t/a
        send: {0m: 35}
        expect: [{at: 1m, alert: Cause, state: firing, notified: [chat]}]
    """


def test_a_file_that_is_no_yaml_invents_no_problem_in_others(told):
    broken = """\
        schedules: {night: daily 22:00-06:00}
        receivers: {chat: json://localhost/x, mail: {file: {path: x}, fallback: chat}, boss: json://localhost/y}
        rules:
          - {alert: Cause, topic: t, when: (value > 3}
         - what
        """
    found = told({"rules/a.yaml": OTHERS, "rules/b.yaml": broken, "hub.yaml": "self_watch: {notify: chat}\n"})
    assert [each.split(": ")[0].rpartition(":")[0] for each in found] == ["rules/b.yaml:5"], found


def test_names_with_problems_of_their_own_are_names(told):
    broken = """\
        schedules: {night: daily 22:00-26:00}
        receivers: {chat: jsn://localhost/x, mail: {file: {path: x}, fallback: chat}, boss: json://localhost/y}
        rules:
          - {alert: Cause, topic: t, when: value >}
        """
    found = told({"rules/a.yaml": OTHERS, "rules/b.yaml": broken})
    places = ["rules/b.yaml:1:20", "rules/b.yaml:2:19", "rules/b.yaml:4:43"]
    assert [each.split(": ")[0] for each in found] == places, found


def test_a_name_twice_is_told_also_where_one_of_the_two_has_another_problem(told):
    found = told(
        {
            "rules/a.yaml": """\
                rules:
                  - {alert: A, topic: t/1, when: value >}
                  - {alert: A, topic: t/2, when: value > 1}
                  - {event: A, topic: t/3, wen: value > 1}
                tests:
                  - {name: x, topic: t/1, send: {0m: 1}}
                  - {name: x, topic: t/1, send: {0m: 1}, expect: [{at: 0m, alert: A, state: firing}]}
                """,
        }
    )
    assert sum("a rule 'A' is already at rules/a.yaml:2" in each for each in found) == 2
    assert any("a test 'x' is already there" in each for each in found)


def test_a_key_twice_hides_no_other_problem(told):
    found = told({"rules/a.yaml": "rules:\n  - {alert: A, topic: t, topic: u, wen: 1, absent: 5m}\n"})
    assert [each.split(": ")[0] for each in found] == ["rules/a.yaml:2:26", "rules/a.yaml:2:36"]


SIGNS = {
    **{f"{key}: {{}}": "hub.yaml" for key in SETTINGS.signs},
    **{f"{key}: []": "a rule file" for key in RULE_FILE.signs},
    **{f"{key}: []": "the fleet" for key in FLEET.signs - {"devices"}},
    "devices: 3": "the fleet",
    "rules: [a]\ntracing: {}": "hub.yaml",
    "devices: [a]\nstate: x": "hub.yaml",
    "topic: t\nwhen: x": "a rule file",
}


@pytest.mark.parametrize("text", sorted(SIGNS))
def test_the_kind_of_a_file_is_known_by_each_of_its_keys(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "it.yaml").write_text(f"{text}\nnonsense: 1\n", "utf-8")
    found = [str(problem) for problem in check(None, [tmp_path / "it.yaml"])]
    assert any("unknown key 'nonsense' in " + SIGNS[text] in each for each in found), found
