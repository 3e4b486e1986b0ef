"""fields: a mapping read key by key; what is wrong is said once, for all keys, with a way out."""

import pytest

from hub import fields
from hub.documents.document import Problems, parse_document
from hub.fields import Section, boolean, did_you_mean, duration, integer, list_of, number, one_of, secret, text


def section(yaml):
    problems = Problems()
    return Section(parse_document(yaml, "a.yaml", problems), problems, "a thing")


def take(yaml, convert, default=None):
    """Read key `k`; return its value and the problems."""
    found = section(yaml)
    return found.take("k", convert, default), [str(problem) for problem in found.problems]


@pytest.mark.parametrize(
    ("yaml", "convert", "value"),
    [
        ("k: x", text, "x"),
        ("k: 021", text, "021"),
        ("k: 1.50", text, "1.50"),
        ("k: on", text, "on"),
        ("k: true", boolean, True),
        ("k: 3", number, 3.0),
        ("k: 2.5", number, 2.5),
        ("k: 3", integer(1, 3), 3),
        ("k: 90s", duration, 90.0),
        ("k: 0", duration, 0.0),
        ("k: b", one_of("a", "b"), "b"),
        ("k: x", list_of(text), ("x",)),
        ("k: [x, 1]", list_of(text), ("x", "1")),
        ("k: []", list_of(text), ()),
        ("other: 1", text, "default"),
        ("k:", text, "default"),
    ],
)
def test_a_value_is_read_as_its_key_asks(yaml, convert, value):
    assert take(yaml, convert, "default") == (value, [])


@pytest.mark.parametrize(
    ("yaml", "convert", "problem"),
    [
        ("k: [x]", text, "a.yaml:1:4: must be text, not a list"),
        ("k: {a: 1}", text, "a.yaml:1:4: must be text, not a mapping"),
        ("k: no", boolean, "a.yaml:1:4: must be true or false, not 'no'"),
        ("k: x", number, "a.yaml:1:4: must be a number, not text"),
        ("k: true", number, "a.yaml:1:4: must be a number, not true/false"),
        ("k: 1.5", integer(1, 3), "a.yaml:1:4: must be a whole number, not a number"),
        ("k: true", integer(0, 3), "a.yaml:1:4: must be a whole number, not true/false"),
        ("k: 4", integer(1, 3), "a.yaml:1:4: must be from 1 to 3, not 4"),
        ("k: 5", duration, "a.yaml:1:4: 5 of what? (write a duration with its unit: 90s, 5m, 1h30m, 7d)"),
        ("k: 5 m", duration, "a.yaml:1:4: '5 m' is not a duration; write it as 90s, 5m, 1h30m or 7d"),
        ("k: false", duration, "a.yaml:1:4: 'false' is not a duration; write it as 90s, 5m, 1h30m or 7d"),
        (
            "k: wraning",
            one_of("info", "warning"),
            "must be one of info, warning, not 'wraning' (did you mean 'warning'?)",
        ),
    ],
)
def test_a_wrong_value_is_a_problem_at_its_place_and_reads_as_the_default(yaml, convert, problem):
    value, problems = take(yaml, convert, "default")
    assert value == "default"
    assert len(problems) == 1
    assert problem in problems[0]


def test_every_wrong_item_of_a_list_is_reported_not_only_the_first():
    value, problems = take("k: [1, x, 2,\n  y]", list_of(number), ())
    assert value == ()
    assert [problem.split(": ")[0] for problem in problems] == ["a.yaml:1:8", "a.yaml:2:3"]


def test_a_secret_is_kept_whether_fetched_or_written_out_and_no_text_key_takes_one(monkeypatch):
    monkeypatch.setenv("HUB_TEST", "hunter2")
    for yaml in ("k: !env HUB_TEST", "k: hunter2"):
        value, problems = take(yaml, secret)
        assert (value.reveal(), problems) == ("hunter2", [])
    value, problems = take("k: !env HUB_TEST", text)
    assert problems == ["a.yaml:1:4: must be text, not a secret"]


def test_an_unknown_key_is_reported_with_the_word_that_was_meant_or_all_that_there_are():
    found = section("tpoic: a\nk: 1\nzzz: 1")
    found.take("k", number, 0.0)
    found.take("topic", text, "")
    found.finish()
    assert [str(problem) for problem in found.problems] == [
        "a.yaml:1:1: unknown key 'tpoic' in a thing (did you mean 'topic'?)",
        "a.yaml:3:1: unknown key 'zzz' in a thing (known keys: k, topic)",
    ]


def test_what_is_no_mapping_is_one_problem_and_reads_as_empty():
    found = section("- a")
    assert found.take("k", text, "default") == "default"
    found.finish()
    assert [str(problem) for problem in found.problems] == [
        "a.yaml:1:1: a thing must be a mapping (key: value), not a list"
    ]


@pytest.mark.parametrize("yaml", ["a: 1", "k:\na: 1"])
def test_a_required_key_that_is_absent_or_without_a_value_is_a_problem(yaml):
    found = section(yaml)
    assert found.require("k", text, "") == ""
    assert str(found.problems[0]) == "a.yaml:1:1: a thing needs the key 'k'"


def test_membership_tells_what_was_written_and_get_what_has_a_value():
    found = section("k:\na: 1")
    assert "k" in found
    assert found.get("k") is None
    assert "b" not in found


def test_a_far_word_gets_no_suggestion():
    assert did_you_mean("xyzzy", ["topic", "when"]) == ""
    assert did_you_mean("whne", ["topic", "when"]) == "did you mean 'when'?"


def test_bad_is_an_exception_that_a_reader_of_ones_own_may_raise():
    def even(node):
        if node.value % 2:
            raise fields.Bad(node, "odd", "double it")
        return node.value

    assert take("k: 3", even, 0) == (0, ["a.yaml:1:4: odd (double it)"])
    assert take("k: 4", even, 0) == (4, [])
