from hypothesis import example, given
from hypothesis import strategies as st

from hub.documents.document import Problems, parse_document
from hub.importers.draft import Draft, DraftEntry, Env
from hub.importers.rule_writer import scalar, write

ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
YAMLISH = st.text("ab :#-'\"{}[],&*!|>%@`~?=<1.0/\\\n\t", max_size=30)


def parsed(text):
    problems = Problems()
    node = parse_document(text, "x.yaml", problems)
    assert not problems, (text, problems)
    return node.plain()


@given(ANY | YAMLISH)
@example("on")
@example("Null")
@example("1h, 2h until ack")
@example("1e5")
@example("a: b")
@example("a #b")
@example("a # b")
@example("\x85\u2028\ufeff\ufffe\x7f")
@example("\U0001f511")
@example("<<")
@example("!env HOME")
def test_any_text_is_read_back_as_itself_in_a_line_and_inside_of_brackets(text):
    assert parsed(f"key: {scalar(text)}\n") == {"key": text}
    assert parsed(f"key: [{scalar(text, inside=True)}, {{a: {scalar(text, inside=True)}}}]\n") == {
        "key": [text, {"a": text}]
    }


def test_half_a_character_becomes_a_replacement():
    assert parsed(f"key: {scalar(chr(0xD83D))}\n") == {"key": "\N{REPLACEMENT CHARACTER}"}


@given(ANY | YAMLISH, ANY | YAMLISH)
def test_no_comment_ends_its_line_or_becomes_a_value(comment, beside):
    draft = Draft("x", head=[comment])
    draft.receivers["r"] = DraftEntry({"file": {"path": "x"}}, [comment], {"file": beside})
    draft.rules.append(DraftEntry({"alert": "A", "topic": "t"}, [comment], {"alert": beside, "topic": beside}))
    made = parsed(write(draft).text)
    assert made == {"receivers": {"r": {"file": {"path": "x"}}}, "rules": [{"alert": "A", "topic": "t"}]}


def test_values_that_do_not_fit_into_a_line_stand_below_their_key(monkeypatch):
    monkeypatch.setenv("SECRET", "x")
    labels = {f"label_{number}": "a value: of some length" for number in range(9)}
    draft = Draft("x", rules=[DraftEntry({"event": "E", "labels": labels, "deep": {"a": {"b": Env("SECRET", "")}}})])
    text = write(draft).text
    assert max(map(len, text.splitlines())) <= 120
    assert "    labels:\n      label_0: " in text
    (rule,) = parsed(text)["rules"]
    assert rule["labels"] == labels
    assert rule["deep"]["a"]["b"].reveal() == "x"


def test_names_are_made_fit_and_unique():
    draft = Draft("x")
    assert [draft.name(name) for name in ("a/b", "a_b", "a/+/b", "#", "+", "x" * 300, "  two\nwords\x00 ")] == [
        "a_b",
        "a_b_2",
        "a_b_3",
        "rule",
        "rule_2",
        "x" * 122,
        "two words",
    ]


def test_variables_are_unique_and_names_of_the_shell():
    draft = Draft("x")
    names = [draft.variable(*words, holds="").name for words in (("chat", "url"), ("chat-url",), ("1", "é"), ("é",))]
    assert names == ["CHAT_URL", "CHAT_URL_2", "SECRET_1", "SECRET"]
