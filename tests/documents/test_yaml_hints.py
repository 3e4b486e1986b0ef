"""yaml_hints: a file that YAML cannot read says what to write, and what it says can be read."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.documents.document import Problems, parse_document
from hub.documents.yaml_hints import quoted


def problem(text):
    problems = Problems()
    parse_document(text, "a.yaml", problems)
    (found,) = problems
    return found


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("when: !open", "!open"),
        ("when: !open && x", "!open && x"),
        ("when: !has(payload.x)", "!has(payload.x)"),
        ('when: "a" == b', '"a" == b'),
        ("when: > 5", "> 5"),
        ("when: @x", "@x"),
        ("when: %x", "%x"),
        ("when: `x`", "`x`"),
        ("topic: {site}/door", "{site}/door"),
        ("summary: {device} is warm", "{device} is warm"),
        ("summary: {temperature:.1f} C", "{temperature:.1f} C"),
        ("summary: Warm: {value}", "Warm: {value}"),
        ("- alert: A: b", "A: b"),
        ("when: *", "*"),
    ],
)
def test_a_line_that_cannot_be_read_says_how_to_write_it_and_that_can_be_read(line, meant):
    hint = problem(line).hint
    written = re.search(r""": (".*"|'.*')$""", hint)
    node = parse_document(f"key: {written[1]}", "a.yaml", Problems())
    assert node.value["key"].value == meant


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a:\n\tb: 1", "spaces, not with tabs"),
        ("a: b\n \tc: 1", "spaces, not with tabs"),
        ("summary: 'It's hot'", "written twice"),
        ('summary: "a \\d"', "a backslash"),
        ("rules:\n  - alert: A\n   topic: b", "the same column"),
        ("notify: *chat", "must be quoted"),
        ("when: [1", "begins in line 1"),
    ],
)
def test_other_mistakes_say_what_to_do(text, hint):
    assert hint in problem(text).hint


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1))
def test_quoted_text_is_read_as_it_was(text):
    node = parse_document(f"key: {quoted(text)}", "a.yaml", Problems())
    assert node.value["key"].value == text


def test_a_value_that_is_only_a_comment_is_told_where_it_is_missed():
    node = parse_document("topic: #\nother: x\nnothing:\n", "a.yaml", Problems())
    assert [node.value[key].comment for key in ("topic", "other", "nothing")] == [True, False, False]
