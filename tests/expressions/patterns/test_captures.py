"""captures: what groups hold is what RE2 says, in time linear in the text."""

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.expressions.patterns.captures import CapturePattern
from hub.expressions.patterns.dialect import PatternError

ATOMS = st.sampled_from(["a", "b", "c", ".", "[ab]", "[^a]", r"\w", r"\d", "^", "$", r"\b", "(?i:A)", "é"])


def combined(inner):
    several = st.lists(inner, min_size=1, max_size=3)
    repeated = st.tuples(inner, st.sampled_from(["*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,2}?", "{2,}"]))
    return st.one_of(
        several.map("".join),
        several.map(lambda parts: f"({'|'.join(parts)})"),
        several.map(lambda parts: f"(?:{'|'.join(parts)})"),
        repeated.map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
        repeated.map(lambda pair: f"({pair[0]}){pair[1]}"),
    )


PATTERNS = st.recursive(ATOMS, combined, max_leaves=8)


def free(_steps):
    """Charge nothing."""


def spans(pattern, text):
    found = CapturePattern(pattern).find(text, 0, free)
    return found and tuple(zip(found[::2], found[1::2], strict=True))


@given(PATTERNS, st.text("abcA1 é\n", max_size=12))
@settings(max_examples=400, deadline=None)
def test_match_and_groups_are_those_of_re2(pattern, text):
    theirs = re2.compile(pattern).search(text)
    expected = theirs and tuple(theirs.span(number) for number in range(theirs.re.groups + 1))
    assert spans(pattern, text) == expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("(?U)(a+)", "aaa", ((0, 1), (0, 1))),
        ("(?U)(a+?)", "aaa", ((0, 3), (0, 3))),
        ("(?P<x>b)|(a)", "ca", ((1, 2), (-1, -1), (1, 2))),
        ("(?m)^b$", "a\nb\nc", ((2, 3),)),
        ("x", "abc", None),
    ],
)
def test_names_flags_and_groups_without_a_part(pattern, text, expected):
    assert spans(pattern, text) == expected


def test_a_pattern_that_is_none_says_where():
    with pytest.raises(PatternError, match="character 1"):
        CapturePattern("(a")


def test_a_hostile_pattern_takes_steps_that_grow_with_the_text_only():
    counts = []
    for length in (500, 1000):
        steps = []
        assert CapturePattern("(a*)*b").find("a" * length, 0, steps.append) is None
        counts.append(sum(steps))
    assert counts[1] < 2.1 * counts[0]
