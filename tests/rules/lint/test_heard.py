"""Does anybody hear it: rules that tell nobody, what an import left, names in a template that no rule has."""

import pytest

from hub.project.files import check

BOARD = "receivers:\n  board: {mqtt: {topic: 'notify/{room}'}}\n"
ROOM = "topic: 'site/{site}/room/{room}', when: v > 3"


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Check rule files; return what is told, without self-watch's note, which all of these have."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "hub.yaml").write_text("self_watch: {enabled: false}\n")

    def told(*texts):
        for number, text in enumerate(texts):
            (tmp_path / "rules" / f"{number}.yaml").write_text(text, "utf-8")
        return [("note: " if each.note else "") + each.message for each in check(None, [], notes=True)]

    return told


def rules(*texts):
    return "rules:\n" + "".join(f"  - {{{text}}}\n" for text in texts)


CHAT = "receivers: {chat: 'json://localhost/chat', mail: 'json://localhost/mail'}\n"


@pytest.mark.parametrize(
    "texts",
    [
        [CHAT + rules(f"alert: A, {ROOM}, notify: [chat, mail]")],
        # by defaults, of this file or of one without rules
        [CHAT + "defaults: {notify: [chat, mail]}\n" + rules(f"alert: A, {ROOM}")],
        [CHAT + "defaults: {notify: [chat, mail]}\n", rules(f"alert: A, {ROOM}")],
        # a step alone, and who is told where that one does not take it
        [CHAT + rules(f"alert: A, {ROOM}, notify: [mail], escalate: [{{after: 1h, to: chat}}]")],
        [CHAT + rules(f"alert: A, {ROOM}, notify: [], escalate: [{{after: 1h, to: [chat, mail]}}]")],
        [
            "receivers:\n  mail: json://localhost/mail\n"
            "  chat: {apprise: 'json://localhost/', fallback: {to: mail, after: 5m}}\n"
            + rules(f"alert: A, {ROOM}, notify: chat")
        ],
        # for alerts that others post, `defaults` of a file without rules
        [CHAT + "defaults: {notify: [mail]}\n", rules(f"alert: A, {ROOM}, notify: chat")],
        # tried out, or there to hold another back
        [CHAT + rules(f"alert: A, {ROOM}, shadow: true", f"alert: B, {ROOM} && w > 1, notify: [chat, mail]")],
        [CHAT + rules("alert: A, topic: a, when: v > 1", f"alert: B, {ROOM}, unless: A, notify: [chat, mail]")],
    ],
)
def test_where_somebody_hears_it_nothing_is_told(told, texts):
    assert told(*texts) == []


def test_each_rule_that_tells_nobody_is_named_once(told):
    heard = f"alert: C, {ROOM}, notify: [chat, mail]"
    assert told(CHAT + rules(f"alert: A, {ROOM}", "event: B, topic: b, notify: []", heard)) == [
        "note: nobody is told of rule 'A': neither it nor 'defaults' has 'notify'",
        "note: nobody is told of rule 'B': its 'notify' is empty",
    ]


def test_a_shadow_holds_nothing_back_so_a_rule_that_only_does_that_tells_nobody(told):
    tried = f"alert: B, {ROOM}, unless: A, shadow: true, notify: [chat, mail]"
    found = told(CHAT + rules("alert: A, topic: a, when: v > 1", tried))
    assert "note: nobody is told of rule 'A': neither it nor 'defaults' has 'notify'" in found


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("alert: A, topic: 'TODO/{room}', when: v > 3", ["topic"]),
        ("alert: A, topic: 'a/{room}', when: TODO, enabled: false", ["when"]),
        ("alert: A, topic: 'a/{room}', when: v > 3 && TODO", ["when"]),
        ("alert: A, topic: 'TODO/{room}', when: TODO", ["topic", "when"]),
        # words that only hold these letters, and a text that a device sends
        ("alert: A, topic: 'TODOS/{room}', when: state == \"TODO\"", []),
    ],
)
def test_what_an_import_left_is_told_until_it_is_written(told, text, keys):
    found = [each for each in told(CHAT + rules(text + ", notify: [chat, mail]")) if "still to be written" in each]
    assert found == [f"note: {key!r} of rule 'A' is still to be written: TODO" for key in keys]


@pytest.mark.parametrize(
    "text",
    [
        f"alert: A, {ROOM}, notify: board",
        f"alert: A, {ROOM}, notify: [], escalate: [{{after: 1h, to: board}}]",
        "alert: A, topic: 'site/+', when: v > 3, by: [room], notify: board",
        "alert: A, topic: 'site/+', when: v > 3, labels: {room: '{name}'}, notify: board",
        "event: A, topic: 'site/{room...}', notify: board",
    ],
)
def test_a_label_that_a_rule_has_may_stand_in_its_receivers_template(told, text):
    assert told(BOARD + rules(text)) == []


def test_one_rule_of_several_with_the_label_is_enough(told):
    other = "alert: B, topic: b, when: v > 1, notify: board"
    assert told(BOARD + rules(f"alert: A, {ROOM}, notify: board", other)) == []


@pytest.mark.parametrize(
    ("receiver", "label"),
    [
        ("{mqtt: {topic: 'notify/{floor}'}}", "floor"),
        ("{mqtt: {topic: notify, payload: 'in {room} on {labels.floor}'}}", "floor"),
        ("{webhook: {url: 'https://h.example.org/{floor}'}}", "floor"),
        ("{webhook: {url: !env HOOK}}", "floor"),
        ("{webhook: {url: 'https://h.example.org/', body: 'on {floor}'}}", "floor"),
        ("{webhook: {url: 'https://h.example.org/', body: {a: [{b: '{floor}'}]}}}", "floor"),
        ("{smtp: {host: h, from: a@example.org, to: [b@example.org], subject: '{floor}'}}", "floor"),
    ],
)
def test_a_name_that_no_rule_has_is_told_with_its_receiver(told, monkeypatch, receiver, label):
    monkeypatch.setenv("HOOK", "https://h.example.org/secret/{floor}")
    (found,) = told(f"receivers:\n  board: {receiver}\n" + rules(f"alert: A, {ROOM}, notify: board"))
    assert found == f"no rule that tells receiver 'board' has a label {label!r}, which its template names"


@pytest.mark.parametrize(
    "payload",
    [
        "{alertname} {severity} {state} {summary} {reason} {key} {count} {since} {episode}",
        "{event.topic} {topic} {payload.x} {labels.?floor.orValue('none')} {'floor' in labels ? labels.floor : ''}",
        "{has(labels.floor) ? labels.floor : '-'} {{floor}}",
    ],
)
def test_what_a_notification_has_and_what_is_asked_for_with_care_is_left_alone(told, payload):
    payload = payload.replace("'", "''")
    text = f"receivers:\n  board: {{mqtt: {{topic: notify, payload: '{payload}'}}}}\n"
    assert told(text + rules(f"alert: A, {ROOM}, notify: board")) == []


def test_where_others_post_alerts_it_is_a_note(told):
    (found,) = told(BOARD + "defaults: {notify: [board]}\n", rules("alert: A, topic: a, when: v > 3"))
    assert found.startswith("note: no rule that tells receiver 'board' has a label 'room'")
