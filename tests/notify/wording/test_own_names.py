"""own_names: in templates of receivers a rule's `{id}` and `{state}` are the rule's, and no other rule's change."""

import pytest

from hub.documents.document import Problems, parse_document
from hub.model import OWN, Notification
from hub.notify.wording.own_names import named
from hub.notify.wording.templating import names, template, topic

RULES = {"Battery": {"id", "state", "reason", "device"}}
LABELS = {"alertname": "Battery", "severity": "warning", "id": "5", "state": "BY", "reason": "absent", "device": "d"}


def body(alertname="Battery", **more):
    made = {"id": "abc-1-firing", "alertname": alertname, "state": "firing", "reason": "condition", "labels": LABELS}
    return made | more


def dressed(told, receiver="chat"):
    dress = named(lambda name: RULES.get(name, ()))
    return dress(Notification("abc-1-firing", receiver, "abc", told, 0.0))


def filled(read, text, told):
    node = parse_document(f'"{text}"', "rules.yaml", Problems())
    return read(node).render(*names(dressed(told).body)).text


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (body(), "5 BY d condition abc-1"),
        (body("Other"), "abc-1-firing firing d condition abc-1"),  # its labels are no captures: Prometheus posted it
        (body(labels={"id": "6"}, alerts=[]), "6 firing ? condition abc-1"),
    ],
)
def test_a_name_of_the_rule_goes_before_a_key_of_the_notification(told, expected):
    assert filled(template, "{id} {state} {device} {reason} {key}", told) == expected


def test_a_publish_topic_knows_the_rules_names_too():
    node = parse_document('"alerts/{id}/{device}"', "rules.yaml", Problems())
    made = topic(node)
    assert made.render(*names(dressed(body()).body)) == "alerts/5/d"


@pytest.mark.parametrize(("told", "receiver"), [(body("Other"), "chat"), (body(), OWN), ({"topic": "x"}, "chat")])
def test_what_needs_no_names_goes_out_as_it_is(told, receiver):
    assert dressed(told, receiver).body is told
