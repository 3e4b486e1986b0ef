import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.operate.shown import shown, shown_event, shown_json, shown_labels


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("21 °C, 二十一", "21 °C, 二十一"),
        ("a\nb\tc", "a\\x0ab\\x09c"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31m", "\\x9b31m"),
        ("user\u202egnp.exe", "user\\u202egnp.exe"),
        ("\ud800", "\\ud800"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        (None, "None"),
    ],
)
def test_control_characters_become_visible_and_text_stays(text, line):
    assert shown(text) == line


@given(st.text())
def test_whatever_a_device_sends_is_one_printable_line(text):
    line = shown(text)
    assert len(line.splitlines()) <= 1
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in line)


TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.dictionaries(TEXT, TEXT))
def test_json_shows_no_control_character_either_and_means_the_same(value):
    for indent in (True, False):
        text = shown_json(value, indent=indent)
        assert json.loads(text) == value
        assert not any((ord(char) < 32 and char != "\n") or 127 <= ord(char) < 160 or char == "\u202e" for char in text)


def test_a_long_text_is_cut_with_an_ellipsis():
    assert shown("x" * 50, 10) == "x" * 9 + "…"
    assert len(shown("x" * 100_000)) <= 2000


def test_a_payload_that_is_not_text_is_shown_with_escapes():
    assert shown_event("t/x", b'{"a":\xff\x00}') == 't/x {"a":\\xff\\x00}'


def test_labels_are_shown_without_those_that_stand_elsewhere_and_quoted_where_needed():
    labels = {"alertname": "X", "site": "a b", "device": "7", "note": "", "q": 'say "hi" '}
    assert shown_labels(labels) == 'site="a b" device=7 note="" q="say \\"hi\\" "'
