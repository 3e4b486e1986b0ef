"""Which device a topic is about, which rules stand for devices, and what must be heard beside their topics."""

import pytest

from hub.rules.reading.loader import RuleSet
from hub.rules.reading.subjects import MessageKind, Says, about, kinds, presence_filters
from tests.rules.making import rules


def made(topic, more="absent: 10m"):
    (found,) = rules(f'- {{alert: A, topic: "{topic}", {more}}}')
    return found


@pytest.mark.parametrize(
    ("topic", "subject", "kind", "says"),
    [
        ("spBv1.0/g/NBIRTH/n", "spBv1.0/g/n", MessageKind.NODE, Says.BIRTH),
        ("spBv1.0/g/NDEATH/n", "spBv1.0/g/n", MessageKind.NODE, Says.DEATH),
        ("spBv1.0/g/DDATA/n/d", "spBv1.0/g/n/d", MessageKind.DEVICE, Says.DATA),
        ("spBv1.0/g/DCMD/n/d", "spBv1.0/g/n/d", MessageKind.DEVICE, Says.NOTHING),
        ("homie/kitchen/$state", "homie/kitchen", MessageKind.HOMIE, Says.STATE),
        ("homie/kitchen/sensor/temperature", "homie/kitchen", MessageKind.HOMIE, Says.DATA),
        ("homie/kitchen/lamp/power/set", "homie/kitchen", MessageKind.HOMIE, Says.NOTHING),
        ("homie/kitchen/$fw/name", "homie/kitchen", MessageKind.HOMIE, Says.DATA),
        ("homie/5/kitchen/$state", "homie/5/kitchen", MessageKind.HOMIE5, Says.STATE),
        ("homie/5/kitchen/$description", "homie/5/kitchen", MessageKind.HOMIE5, Says.DESCRIPTION),
        ("homie/5/kitchen/lamp/power/$target", "homie/5/kitchen", MessageKind.HOMIE5, Says.DATA),
    ],
)
def test_a_topic_is_about_a_device_and_says_something(topic, subject, kind, says):
    found = about(topic)
    assert (found.subject, found.kind, found.says) == (subject, kind, says)


@pytest.mark.parametrize(
    "topic",
    [
        *["spBv1.0", "spBv1.0/g", "spBv1.0/STATE/scada", "spBv1.0/g/NBIRTH", "spBv1.0/g/NBIRTH/n/d"],
        *[
            "spBv1.0/g/DDATA/n",
            "spBv1.0/g/OTHER/n",
            "spBv1.0/g/DDATA/n/d/more",
            "homie",
            "homie/x",
            "homie/5/x",
            "homie/5",
        ],
        *["homie/$broadcast/alert", "homie/5/$broadcast/alert", "homies/x/$state", "site/homie/x/$state", ""],
    ],
)
def test_other_topics_are_about_no_device(topic):
    assert about(topic) is None


@pytest.mark.parametrize(
    ("topic", "by", "expected"),
    [
        ("spBv1.0/{group}/+/{node}/{device}", None, {MessageKind.DEVICE}),
        ("spBv1.0/plant/DDATA/line1/{device}", None, {MessageKind.DEVICE}),
        ("spBv1.0/{group}/+/{node}/#", None, {MessageKind.NODE}),
        ("spBv1.0/{group}/+/{node}/+", None, {MessageKind.NODE}),
        ("spBv1.0/{group}/NDATA/{node}", None, {MessageKind.NODE}),
        ("spBv1.0/{group}/+/{node}/{rest...}", None, {MessageKind.NODE, MessageKind.DEVICE}),
        ("spBv1.0/{group}/+/{node}/{device}", "[group, node]", {MessageKind.NODE}),
        ("spBv1.0/{group}/+/{node}/{device}", "[device]", set()),
        ("spBv1.0/+/+/{node}/{device}", None, set()),
        ("spBv1.0/#", None, set()),
        ("homie/{device}/{node}/{property}", None, {MessageKind.HOMIE}),
        ("homie/{device}/{node}/{property}", "[device]", {MessageKind.HOMIE}),
        ("homie/{device}/{node}/{property}", "[node]", set()),
        ("homie/{path...}", None, {MessageKind.HOMIE}),
        ("homie/kitchen/+/+", None, {MessageKind.HOMIE}),
        ("homie/+/{node}/{property}", None, set()),
        ("homie/5/{device}/{node}/{property}", None, {MessageKind.HOMIE5}),
        ("homie/5/+/{node}/{property}", None, set()),
        ("+/{device}/{node}/{property}", None, set()),
        ("site/{device}/telemetry", None, set()),
    ],
)
def test_a_rule_stands_for_devices_where_its_instances_tell_them_apart(topic, by, expected):
    rule = made(
        topic, "absent: 10m" if by is None else f"by: {by}, absent: 10m, labels: {{x: '{{topic}}'}}" if by else ""
    )
    assert kinds(rule) == expected


@pytest.mark.parametrize(
    ("topic", "more", "expected"),
    [
        ("homie/{device}/{node}/{property}", "absent: 1h", ["homie/+/$state"]),
        ("homie/kitchen/{node}/{property}", "absent: 1h", ["homie/kitchen/$state"]),
        ("homie/{device}/{node}/{property}", "when: value > 3", []),
        ("homie/5/{device}/{node}/{property}", "absent: 1h", ["homie/5/+/$state", "homie/5/+/$description"]),
        (
            "spBv1.0/g/DDATA/{node}/{device}",
            "absent: 1h",
            [f"spBv1.0/g/{what}" for what in ("NBIRTH/+", "DBIRTH/+/+", "NDEATH/+", "DDEATH/+/+")],
        ),
        ("spBv1.0/g/DDATA/{node}/{device}", "when: x > 3", ["spBv1.0/g/NBIRTH/+", "spBv1.0/g/DBIRTH/+/+"]),
        ("spBv1.0/g/NDATA/{node}", "when: x > 3", ["spBv1.0/g/NBIRTH/+"]),
        ("spBv1.0/STATE/{host}", "when: online", []),
        ("site/{device}/telemetry", "absent: 1h", []),
    ],
)
def test_beside_the_topic_only_what_tells_of_births_and_deaths_is_subscribed(topic, more, expected):
    rule = made(topic, more)
    assert presence_filters([rule]) == expected
    assert set(RuleSet({"A": rule}).filters()) == {rule.patterns[0].filter, *expected}
