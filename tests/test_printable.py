"""printable: what nobody sees is written out, in one form for all; what comes by pasting has a name and a remedy."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.printable import first_odd, odd, one_line, plain, shown, shown_event, shown_json, shown_labels, visible


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


# for terminals and for people

UNSEEN = [
    *map(chr, [*range(0x20), *range(0x7F, 0xA0), 0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E]),
    *map(chr, [*range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0x3164, 0xFEFF, 0xFFA0]),
    *map(chr, [0xFFF9, 0xFFFA, 0xFFFB, 0xD800, 0xDFFF, 0x1D173, 0xE0001, 0xE0041, 0xE007F]),
]


@pytest.mark.parametrize("char", UNSEEN, ids=ascii)
def test_what_nobody_sees_is_written_out_in_one_form_wherever_it_is_shown(char):
    text = f"a{char}b"
    written = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(char)
    code = ord(char)
    written = written or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}")
    assert shown(text) == visible(text) == f"a{written}b"
    assert visible(text, layout=True) == (text if char in "\n\t" else f"a{written}b")
    assert char not in one_line(text)
    if not 0xD800 <= code < 0xE000:
        assert json.loads(shown_json([text])) == [text]
        assert char not in shown_json([text], indent=False)


@given(st.characters())
def test_what_has_neither_width_nor_form_by_unicode_is_in_the_table(char):
    """Of the categories of Unicode: controls, formats, separators of lines, surrogates; but for marks within words."""
    within_words = "\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
    hidden = unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Cs")
    egyptian = 0x13430 <= ord(char) <= 0x1345F or 0x1BCA0 <= ord(char) <= 0x1BCA3
    if hidden and char not in within_words and not egyptian:
        assert char not in shown(char)
        assert char not in visible(char)


@pytest.mark.parametrize(
    "text",
    ["21 °C, 二十一", "می\u200cخواهم", "क्\u200dष", "👩\u200d👩\u200d👧", "❤\ufe0f", "naïve — “so”"],  # noqa: RUF001 - words as they are written
)
def test_words_and_emoji_are_told_to_people_as_they_were_written(text):
    assert visible(text) == one_line(text) == text


@pytest.mark.parametrize("text", ["pay\u200dpal", "a\u200c", "\u200d", "é\u200db", "é \u200d é", "é\u200d\u200dé"])
def test_a_joiner_that_joins_no_such_word_is_written_out(text):
    assert not {"\u200c", "\u200d"} & set(visible(text))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("21 °C, 二十一", "21 °C, 二十一"),
        ("a\nb\tc", "a\\nb\\tc"),
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
