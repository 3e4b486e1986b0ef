"""Whatever names and texts a file has, the rules that come out of it load without a problem."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hub.documents.document import Problems
from hub.errors import ConfigError
from hub.importers import IMPORTERS
from hub.notify.receiver_settings import read_receivers
from hub.rules.reading.loader import load_rules

WORDS = st.sampled_from(
    [
        *(
            "{x}",
            "{{",
            "}}",
            "{",
            "{{ $labels.in }}",
            "{{ $value }}",
            "{{ states('sensor.x') }}",
            "{value:.1f}",
            "{a[b]}",
        ),
        *(
            "'",
            '"',
            "\\",
            ": ",
            " #",
            "\n",
            "\x85",
            "é",
            "on",
            "null",
            "/",
            "+",
            "#",
            "hub",
            "device",
            "severity",
            "%",
            "- ",
        ),
    ]
)
TEXT = st.lists(WORDS | st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=6).map("".join)
NAMES = st.text("abxyz_/+#:. -", min_size=1, max_size=12)
IDENTIFIERS = st.sampled_from(
    ["team", "device", "in", "namespace", "state", "value", "topic", "reason", "severity", "l"]
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("any") / "out.yaml"


def problems_of(form, text, path):
    """Return what the loader finds in the rules of a text, with every variable set."""
    made = IMPORTERS[form](text, "in.txt")
    with pytest.MonkeyPatch.context() as patch:
        for env in made.variables:
            patch.setenv(env.name, "json://localhost/hook")
        path.write_text(made.text, "utf-8")
        problems = Problems()
        load_rules([path], problems, read_receivers, "hub")
    return problems


@given(
    st.lists(
        st.fixed_dictionaries(
            {"alert": st.one_of(TEXT.filter(bool), NAMES), "expr": TEXT},
            optional={
                "labels": st.dictionaries(IDENTIFIERS, TEXT, max_size=4),
                "annotations": st.dictionaries(
                    st.sampled_from(["summary", "description", "runbook_url", "other"]), TEXT, max_size=4
                ),
                "for": st.sampled_from(["5m", "0s", "1d12h", "2y", "soon", ""]),
                "keep_firing_for": st.sampled_from(["5m", "1ms", "x"]),
            },
        ),
        min_size=1,
        max_size=3,
    )
)
def test_prometheus(path, rules):
    text = yaml.safe_dump({"groups": [{"name": "g", "rules": rules}]})
    assert problems_of("prometheus", text, path) == []


@given(
    st.dictionaries(
        NAMES,
        st.fixed_dictionaries(
            {"entity_id": st.just("sensor.x"), "name": TEXT, "notifiers": st.lists(NAMES, min_size=1, max_size=2)},
            optional={
                "message": TEXT,
                "done_message": TEXT,
                "title": TEXT,
                "state": TEXT,
                "repeat": st.lists(st.floats(0, 1e6) | st.integers(0, 60), max_size=3),
                "skip_first": st.booleans(),
            },
        ),
        min_size=1,
        max_size=3,
    )
)
def test_homeassistant(path, alerts):
    assert problems_of("homeassistant", yaml.safe_dump({"alert": alerts}), path) == []


FIELD = st.sampled_from(
    ["$input.A.x", "$input.A.y.z[0]", "$input.B.x", "$input.A.`in`", "$variable.v", "$input.A.device"]
)
TERM = st.recursive(
    FIELD | st.sampled_from(["3", "2.5", "'on'", '"o\\"ff"', "true", "-1"]),
    lambda inner: (
        st.tuples(
            inner,
            st.sampled_from(["+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!=", "&&", "||", "|", "&", "^"]),
            inner,
        ).map(" ".join)
        | inner.map(lambda text: f"!({text})")
        | st.tuples(st.sampled_from(["isNull", "isUndefined", "timeout", "currentInput", "odd"]), inner).map(
            lambda call: f"{call[0]}({call[1]})"
        )
        | st.tuples(st.sampled_from(["contains", "convert", "bitand"]), inner, inner).map(
            lambda call: f"{call[0]}({call[1]}, {call[2]})"
        )
    ),
    max_leaves=6,
)


@given(
    st.lists(TERM, min_size=2, max_size=3), TEXT, st.sampled_from(["", "id", "a.b", "device", "device.x", "severity"])
)
def test_awsiotevents(path, terms, topic, key):
    there, back, *more = terms
    tells = [{"sns": {"targetArn": f"arn:{topic}"}}, {"iotTopicPublish": {"mqttTopic": f"out/{topic}"}}]
    tells += [{"setVariable": {"variableName": "v", "value": text}} for text in more]
    states = [
        {"stateName": topic or "A", "onInput": {"transitionEvents": [{"condition": there, "nextState": "B"}]}},
        {
            "stateName": "B",
            "onEnter": {"events": [{"eventName": topic, "actions": tells}]},
            "onInput": {"transitionEvents": [{"condition": back, "nextState": topic or "A"}]},
        },
    ]
    definition = {"initialStateName": topic or "A", "states": states}
    model = {"detectorModelName": topic, "key": key, "detectorModelDefinition": definition}
    assert problems_of("awsiotevents", yaml.safe_dump(model), path) == []


@given(st.dictionaries(NAMES, st.tuples(TEXT, TEXT), min_size=1, max_size=3), TEXT)
def test_mqttwarn(path, sections, publish):
    lines = ["[config:mqttpub]", f"targets = {{'a': [{publish!r}, 0, False], 'b': ['in/x', 0, True]}}"]
    for name, (title, body) in sections.items():
        lines += [f"[{name}]", "targets = mqttpub", f"title = {title!r}", f"format = {body!r}"]
    try:
        assert problems_of("mqttwarn", "\n".join(lines), path) == []
    except ConfigError as error:  # no section is a topic, or two are one
        assert error.problems  # noqa: PT017 - both ways out are right
