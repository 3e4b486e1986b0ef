"""nearest: a slip of the fingers finds its word, a far word and a tiny one find none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.documents.nearest import nearest

KEYS = [
    "alert",
    "topic",
    "when",
    "for",
    "clear",
    "absent",
    "notify",
    "escalate",
    "severity",
    "summary",
    "mute",
    "pause",
]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        *[("wen", "when"), ("whem", "when"), ("whne", "when"), ("alrt", "alert"), ("tpoic", "topic")],
        *[("Severity", "severity"), ("sevrity", "severity"), ("fro", "for"), ("summery", "summary")],
        *[("summ", "summary"), ("noti-fy", "notify"), ("notfy", "notify"), ("escalatte", "escalate")],
    ],
)
def test_a_slip_finds_the_word_that_was_meant(word, meant):
    assert nearest(word, KEYS) == meant


@pytest.mark.parametrize("word", ["state", "if", "id", "x", "", "message", "trigger", "not", "far", "mode", "title"])
def test_another_word_finds_none(word):
    assert nearest(word, KEYS) == ""


@pytest.mark.parametrize(
    ("word", "known"),
    [("day", "bay"), ("a", "b"), ("d1", "d2"), ("shift1", "shift2"), ("not", "int"), ("ab", "cd")],
)
def test_tiny_words_and_numbered_ones_are_no_slips_of_each_other(word, known):
    assert nearest(word, [known]) == ""


@given(st.sampled_from([key for key in KEYS if len(key) > 3]), st.data())
def test_two_letters_that_are_swapped_are_always_found(word, data):
    at = data.draw(st.integers(1, len(word) - 2))
    slipped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    assert nearest(slipped, KEYS) == word


@given(st.text(), st.lists(st.text()))
def test_what_is_found_is_known_and_a_known_word_finds_itself(word, known):
    assert nearest(word, known) in {"", *known}
    assert nearest(word, [word]) == word
