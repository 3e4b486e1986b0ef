"""odd_characters: what cannot be seen has a name and a remedy, and a text as it looks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.odd_characters import first_odd, odd, plain


@pytest.mark.parametrize(
    ("char", "called", "remedy"),
    [
        ("\u00a0", "a no-break space (U+00A0)", "type one"),
        ("\u202f", "a narrow no-break space (U+202F)", "type one"),
        ("\u200b", "a zero width space (U+200B)", "delete it"),
        ("\ufeff", "a byte order mark (U+FEFF)", "delete it"),
        ("\u202e", "a sign of direction (U+202E)", "delete it"),
        ("“", "'“' (U+201C)", 'use straight quotes: "'),
        ("\u2212", "'\u2212' (U+2212)", "write -"),
        ("≥", "'≥' (U+2265)", "write >="),
        ("a", "", ""),
        (" ", "", ""),
    ],
)
def test_a_character_is_named_and_has_a_remedy(char, called, remedy):
    assert odd(char)[0] == called
    assert odd(char)[1].endswith(remedy)


@given(st.text(st.sampled_from("a é\u00a0\u200b\u202f“")))
def test_the_first_that_nobody_sees_is_found_and_none_is_left_in_the_plain_text(text):
    at = first_odd(text)
    assert at == next((place for place, char in enumerate(text) if char in "\u00a0\u200b\u202f"), -1)
    assert first_odd(plain(text)) == -1
