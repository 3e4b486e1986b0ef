"""inert: whatever a device says, a chat shows it and nothing comes of it."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.notify.wording.inert import as_html, defuse, marked
from hub.printable import visible

GAP = "\u202f"
MENTIONS = r"[@\uff20](?:everyone|here|all|channel|room|user)|<[!@#]|<users/|<at\b|\[CQ:|\[~|\(met\)all"
LINKS = r"\]\s?\(|\]\[|<https?:|<mailto:|://|www\.\w"
LIVE = re.compile(f"{MENTIONS}|{LINKS}", re.IGNORECASE)
FRAGMENTS = [
    *("@", "\uff20", "everyone", "here", "all", "channel", "room", "user", "<", ">", "!", "#", "&", "|", "||"),
    *(
        "<!channel>",
        "<!here>",
        "<@U123>",
        "<@&1>",
        "<at id='all'>",
        "<users/all>",
        "[CQ:at,qq=all]",
        "[~",
        "(met)all(met)",
    ),
    *(
        "[",
        "]",
        "(",
        ")",
        ":",
        "/",
        "//",
        "http",
        "https://",
        "evil.example",
        "www",
        ".",
        "mailto:",
        "&#64;",
        "&commat;",
    ),
    *(
        "`",
        "```",
        "*",
        "_",
        "~~",
        "\\",
        " ",
        "\n",
        "\t",
        "\u200b",
        "\u200c",
        "\u200d",
        "\u2060",
        "\ufeff",
        "\u202e",
        "\u00ad",
    ),
]
HOSTILE = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.characters(codec="utf-8")), max_size=30).map("".join)


def as_a_service_may_read_it(text):
    """Without what has no width, and without backslashes, which some take for nothing."""
    return "".join(char for char in text if unicodedata.category(char) != "Cf").replace("\\", "")


@given(HOSTILE)
def test_nothing_that_mentions_or_links_is_left_of_any_text(text):
    for written in (defuse(text), marked(text), defuse(visible(text, layout=True))):
        assert not LIVE.search(written), written
        assert not LIVE.search(as_a_service_may_read_it(written)), written


@given(HOSTILE)
def test_html_has_no_tag_but_line_ends_and_no_entity_of_the_device(text):
    written = as_html(text)
    assert not re.search(r"<(?!br/>)", written)
    assert not LIVE.search(
        written.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("<br/>", "\n")
    )


@given(HOSTILE)
def test_it_stays_readable_and_twice_changes_no_more_than_once(text):
    once = defuse(text)
    assert once.replace(GAP, "").replace("\u02cb", "`") == text.replace(GAP, "").replace("\u02cb", "`")
    assert defuse(once) == once


@pytest.mark.parametrize(
    "text", ["-9.0 °C < 3", "a <= b", "7 at a", "x: y", "100 % (of 3)", "[firing] a", "5 | 6", "a & b"]
)
def test_what_is_no_mention_stays_as_it_is(text):
    assert defuse(text) == text


def test_markdown_shows_stars_and_underscores_and_makes_no_heading():
    assert marked("# a_b *c* ~d~ \\ x\n> q # r") == "\\# a\\_b \\*c\\* \\~d\\~ \\\\ x\n\\> q # r"


def test_a_code_fence_cannot_swallow_what_follows():
    assert "`" not in defuse("``` and `") + marked("```")
