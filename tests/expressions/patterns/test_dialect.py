"""RE2 itself is the oracle, where it has wheels: what it takes is taken, what it refuses is not, both match alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.expressions.patterns.dialect import PatternError, translate
from hub.expressions.patterns.linear import Linear
from hub.limits import REGEX_DEPTH, REGEX_SIZE

try:
    import re2
except ImportError:  # a machine for which there are no wheels of google-re2
    re2 = None

oracle = pytest.mark.skipif(re2 is None, reason="google-re2 has no wheel for this machine")

_WRITTEN = r"""
a b k K s é 日 x 1 _ - & ~ ] } { , : = < ! # / \. \- \& \/ \n \t \a \v \f \x41 \x{e9} \101 \0 \07
. ^ $ \d \D \w \W \s \S \b \B \A \z \pL \PL \p{Lu} \P{Lu} \p{^Lu} \p{Greek} \p{Cs} \P{Cs} \p{C} \pN \p{Any}
[a-c] [^a-c] []a] [^]a] [a-] [-a] [a&&b] [a--b] [a~~b] [[a] [a[b] [\d-z] [\w\-] [^\W] [^\s\S] [k] [^k] [:a:]
[[:alpha:]] [[:^alpha:]x] [^[:space:]] [[:word:]_] [[:punct:]] [\pL\d] [^\PL] [\x00-\x{10FFFF}] [\x{d800}]
[^\x{100}-\x{ffff}] [^\x00-\x{d7ff}\x{e000}-\x{10ffff}]
\Qa.b\E \Q[\E \Q\E (?i) (?-i) (?s) (?m) (?-m) (?U) (?) (?ii) (?is-m) {2} {0} {1,2} {,2} {2,} {01} {a}
* + ? *? +? ?? | ( ) (?: (?i: (?P<n> (?<m> (?s: (?m: (?i-s: \_ \e \Z \1 \8 \E (?= (?<! (?P= (?i- [z-a] [ \ \p{x
"""
_ODD = "\ud7ff\ue000\u017f\u00df\u1e9e\u03b1\u0391\u212a\U0001f600"
_PIECES = [*_WRITTEN.split(), *_ODD, " ", "\n"]
_TEXTS = st.text(st.sampled_from(f"aAbBkKsSéÉ日1_- \n\t\v\r.]&~x\0{_ODD}"), max_size=8)


def _re2(pattern):
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    try:
        return re2.compile(pattern, options)
    except re2.error:
        return None


@oracle
@given(st.lists(st.sampled_from(_PIECES), max_size=7).map("".join), st.lists(_TEXTS, min_size=1, max_size=6))
def test_every_pattern_is_taken_or_refused_and_matches_as_in_re2(pattern, texts):
    theirs = _re2(pattern)
    if theirs is None:
        with pytest.raises(PatternError):
            Linear(pattern)
        return
    ours = Linear(pattern)
    for text in texts:
        if r"\B" in pattern:  # RE2 finds one between the bytes of a character
            text = text.encode("ascii", "ignore").decode()  # noqa: PLW2901
        assert ours.matches(text) is (theirs.search(text) is not None), (pattern, text, translate(pattern).text)
        assert Linear(pattern, whole=True).matches(text) is (theirs.fullmatch(text) is not None), (pattern, text)


@oracle
@pytest.mark.parametrize("flags", ["", "(?i)"])
@pytest.mark.parametrize(
    "pattern",
    [r"\d", r"\w", r"\s", r"\W", "[[:punct:]]", "[[:^space:]]", "[k-s]", "[^k-s]", ".", r"[^\x{80}-\x{FFFF}]"],
)
def test_a_class_has_the_same_characters_as_in_re2(pattern, flags):
    theirs, ours = _re2(flags + pattern), Linear(flags + pattern)
    some = [chr(code) for code in [*range(0x300), 0x2028, 0x212A, 0x1E9E, 0xD7FF, 0xE000, 0x1F600, 0x10FFFF]]
    assert [mark for mark in some if ours.matches(mark)] == [mark for mark in some if theirs.search(mark)]


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("a(b", "the closing ) is missing for the ( at character 2"),
        ("ab)", "a ) without its ( at character 3"),
        ("a[bc", "the closing ] is missing for the [ at character 2"),
        ("[c-a]", "the range c-a ends before it begins at character 2"),
        ("a|*b", "* has nothing to repeat at character 3"),
        ("a**", "a repetition of a repetition: put the inner one in ( ) at character 3"),
        (r"(a)\1", "back-references are not known at character 4"),
        ("(?=a)", "look-around is not known at character 1"),
        ("(?<!a)b", "look-around is not known at character 1"),
        (r"\ya", r"no such escape: \y at character 1"),
        ("a\\", "a \\ at the end escapes nothing at character 2"),
        (r"\x4", r"\x takes two hexadecimal digits, or up to 10FFFF in braces at character 1"),
        (r"\p{Nonsense", r"\p takes a category or script of Unicode: \pL, \p{Lu}, \p{Greek} at character 1"),
        ("[[:nope:]]", "no class of characters is called [:nope:] at character 2"),
        ("a{1001}", "a count is at most 1000, and the first of two the lower at character 2"),
        ("(a{100}){11}", "counts of counts come to more than 1000 at character 9"),
        (r"\C", r"\C, a single byte, is not known: . is a character at character 1"),
        ("(?P<n>a)(?P<n>b)", "two groups have the name n at character 9"),
        (r"\pL{900}", "its counts and classes make it too large: write shorter ones"),
    ],
)
def test_what_is_wrong_and_where_is_said(pattern, why):
    with pytest.raises(PatternError) as caught:
        Linear(pattern)
    assert str(caught.value) == why


def test_a_script_that_unicode_does_not_know_is_refused():
    with pytest.raises(PatternError, match="not found"):
        Linear(r"\p{Klingon}")


def test_groups_in_one_another_are_bounded():
    assert Linear("(" * REGEX_DEPTH + "a" + ")" * REGEX_DEPTH).matches("a")
    with pytest.raises(PatternError, match=f"more than {REGEX_DEPTH} deep"):
        Linear("(" * (REGEX_DEPTH + 1) + "a" + ")" * (REGEX_DEPTH + 1))


@pytest.mark.parametrize(
    "pattern", ["a" * 1000, "[^a]{1000}", r"(?:[\w.]{1,60}@){10}", r"\pL{60}", "日{1000}", "(?i)(?:k{30}){30}"]
)
def test_what_is_not_too_large_the_engine_takes(pattern):
    assert translate(pattern).size <= REGEX_SIZE
    Linear(pattern)
