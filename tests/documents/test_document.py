"""document: YAML as people write it, hostile or not; every problem has its exact place."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.documents.document import Problems, parse_document, read_document, yaml_files
from hub.documents.secret import Secret, Unset
from hub.limits import DOCUMENT_BYTES, DOCUMENT_DEPTH


def parse(text):
    problems = Problems()
    return parse_document(text, "a.yaml", problems), [str(problem) for problem in problems]


def refused(text):
    node, problems = parse(text)
    assert node is None
    (problem,) = problems
    return problem


@pytest.mark.parametrize(
    "word", ["no", "on", "off", "yes", "y", "02:00", "1:30", "0x", "1_000", "2026-03-01", ".inf", ".nan"]
)
def test_words_that_yaml_1_1_takes_for_something_else_stay_text(word):
    node, problems = parse(f"key: {word}")
    assert (node.value["key"].value, problems) == (word, [])


@pytest.mark.parametrize(
    ("word", "value"),
    [
        *[("012", 12), ("0o14", 12), ("0x1F", 31), ("-5", -5), ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5)],
        *[("true", True), ("False", False), ("~", None), ("null", None), ("", None)],
        *[("1e999", "1e999"), ("9" * 21, "9" * 21)],
    ],
)
def test_plain_scalars_follow_the_yaml_1_2_core_schema(word, value):
    node, _ = parse(f"key: {word}")
    assert node.value["key"].value == value
    assert type(node.value["key"].value) is type(value)


@pytest.mark.parametrize("quoted", ["'no'", '"12"', '"true"', "'~'", "! 12"])
def test_quoted_and_marked_scalars_are_text_whatever_they_look_like(quoted):
    node, _ = parse(f"key: {quoted}")
    assert type(node.value["key"].value) is str


def test_an_alias_bomb_is_refused_at_its_first_alias_without_being_walked():
    bomb = "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert (
        refused(bomb)
        == "a.yaml:2:8: aliases are not read: *a (write the value out; text that begins with * must be quoted)"
    )


def test_an_alias_as_a_key_and_a_merge_key_do_not_pass_either():
    assert "a key must be a word" in refused("a: &a x\n*a : y")
    assert "aliases are not read" in refused("a: &a {x: 1}\nb:\n  <<: *a")


def test_a_duplicate_key_is_refused_with_both_places_and_the_rest_is_read():
    node, problems = parse("a: 1\nb: 2\n\na: 3")
    assert problems == ["a.yaml:4:1: key 'a' stands twice, first in line 1 (remove one)"]
    assert node.plain() == {"a": 1, "b": 2}


def test_all_duplicate_keys_are_reported_at_once_also_inside_each_other():
    _, problems = parse("a: {x: 1, x: 2}\nb: 1\nb: {y: 1, y: 2}")
    assert [problem.split(": ")[0] for problem in problems] == ["a.yaml:1:11", "a.yaml:3:11", "a.yaml:3:1"]


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a: ", "}")])
def test_nesting_is_bounded_before_anything_recurses(opening, closing):
    fits = opening * DOCUMENT_DEPTH + "1" + closing * DOCUMENT_DEPTH
    assert parse(fits)[1] == []
    assert f"nested deeper than {DOCUMENT_DEPTH}" in refused(opening + fits + closing)
    assert "nested deeper" in refused(opening * 50_000)


def test_a_file_beyond_the_limit_is_refused_without_reading_all_of_it(tmp_path):
    path, problems = tmp_path / "big.yaml", Problems()
    path.write_bytes(b"#" * DOCUMENT_BYTES)
    assert read_document(path, problems) is None
    assert not problems
    path.write_bytes(b"#" * (DOCUMENT_BYTES + 1))
    assert read_document(path, problems) is None
    assert str(problems[0]) == f"{path}: larger than 8 MB (split it into several files)"


def test_a_device_without_an_end_is_too_large():
    problems = Problems()
    assert read_document(Path("/dev/zero"), problems) is None
    assert "larger than 8 MB" in problems[0].message


@pytest.mark.parametrize("tag", ["!secret", "!include", "!!python/object:os.system", "!!str"])
def test_an_unknown_tag_says_to_quote_text_that_begins_so(tag):
    problem = refused(f"key: {tag} x")
    assert problem.startswith("a.yaml:1:6: unknown tag")
    assert f'text that begins with ! must be quoted: "{tag} x"' in problem


def test_a_tag_on_a_mapping_a_list_or_a_key_is_refused():
    assert "unknown tag !env" in refused("a: !env {b: c}")
    assert "unknown tag !x" in refused("a: !x [b]")
    assert "a key must be a word" in refused("!env A: 1")


def test_env_and_file_fetch_secrets_and_file_paths_are_relative_to_the_document(tmp_path, monkeypatch):
    monkeypatch.setenv("HUB_TEST", "from env")
    (tmp_path / "token").write_text("from file\n", "utf-8")
    (tmp_path / "a.yaml").write_text('a: !env HUB_TEST\nb: !file token\nc: !file "token"', "utf-8")
    node = read_document(tmp_path / "a.yaml", Problems())
    assert [value.reveal() for value in node.plain().values()] == ["from env", "from file", "from file"]
    assert all(isinstance(value, Secret) for value in node.plain().values())


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("!env HUB_NOT_SET", "environment variable HUB_NOT_SET is not set (export HUB_NOT_SET=… first)"),
        ("!file no/such", "cannot be read: No such file or directory"),
        ("!file /", "cannot be read: Is a directory"),
        ('!file "a\\0b"', "cannot be read: not UTF-8 text"),
    ],
)
def test_a_secret_that_cannot_be_fetched_is_a_problem_at_its_place(value, why):
    node, (problem,) = parse(f"key: {value}\nnext: 1")
    assert problem.startswith("a.yaml:1:6: ")
    assert why in problem
    assert isinstance(node.value["key"].value, Unset)
    assert node.value["next"].value == 1


def test_without_secrets_what_is_not_set_is_no_problem_and_all_else_is():
    problems = Problems(secrets=False)
    node = parse_document("a: !env HUB_NOT_SET\nb: !file no/such\nc: 1\nc: 2", "a.yaml", problems)
    assert [str(problem) for problem in problems] == ["a.yaml:4:1: key 'c' stands twice, first in line 3 (remove one)"]
    assert [type(node.value[key].value) for key in "ab"] == [Unset, Unset]


def test_secrets_never_show_in_repr_text_or_problem(monkeypatch):
    monkeypatch.setenv("HUB_TEST", "hunter2")
    node, _ = parse("key: !env HUB_TEST")
    shown = f"{node!r} {node.plain()} {node.value['key'].value} {node.value['key'].problem('wrong')}"
    assert "hunter2" not in shown
    assert "<secret>" in shown


def test_bytes_that_are_not_utf_8_are_refused_with_their_line(tmp_path):
    path, problems = tmp_path / "a.yaml", Problems()
    path.write_bytes("a: é\nb: ".encode() + b"\xff\n")
    assert read_document(path, problems) is None
    assert str(problems[0]) == f"{path}:2:1: not UTF-8 text (save the file as UTF-8)"


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfkey: 1")
    node = read_document(tmp_path / "a.yaml", Problems())
    assert (list(node.value), node.column) == (["key"], 1)


def test_control_characters_are_refused_at_their_place():
    assert refused('a: é\nb: "é\x07"') == "a.yaml:2:6: not YAML: it holds the character U+0007"
    assert refused("a\x00b") == "a.yaml:1:2: not YAML: it holds the character U+0000"


@pytest.mark.parametrize(
    ("text", "place"),
    [("a:\n\t- x", "2:1"), ("a: 'x", "1:6"), ("a: @x", "1:4"), ("a: b: c", "1:5"), ("a: 1\n b: 2", "2:3")],
)
def test_what_is_no_yaml_says_where(text, place):
    assert refused(text).startswith(f"a.yaml:{place}: not YAML: ")


def test_a_bracket_that_is_not_closed_says_where_it_was_opened():
    assert refused("a: 1\nb: [1,\n  2\nc: 3\n") == (
        "a.yaml:4:2: not YAML: did not find expected ',' or ']' (while parsing a flow sequence that begins in line 2)"
    )


def test_a_second_document_is_refused():
    assert refused("a: 1\n---\nb: 2").startswith("a.yaml:2:1: a second document in one file")
    assert refused("---\n---\na: 1").startswith("a.yaml:2:1: a second document in one file")
    assert parse("---\na: 1\n...\n")[0].plain() == {"a": 1}


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "~"])
def test_an_empty_file_is_nothing_and_no_problem(text):
    assert parse(text) == (None, [])


def test_a_file_that_is_not_there_or_a_folder_is_a_problem(tmp_path):
    problems = Problems()
    assert read_document(tmp_path, problems) is None
    assert read_document(tmp_path / "no.yaml", problems) is None
    assert [problem.message for problem in problems] == [
        "cannot be read: Is a directory",
        "cannot be read: No such file or directory",
    ]


# places


def column_of(text, word, *path):
    """Return the problem's place and the character of the file that stands there."""
    node, problems = parse(text)
    assert not problems
    for key in path:
        node = node.value[key]
    problem = node.problem("here", offset=node.text.index(word))
    return problem.line, problem.column


SCALARS = {
    "plain": "when: a + BAD",
    "plain over lines": "when: a +\n  b\n   + BAD",
    "single quoted": "when: 'a + BAD'",
    "single quoted with a quote": "when: 'a == ''x'' + BAD'",
    "double quoted": 'when: "a + BAD"',
    "double quoted with escapes": r'when: "a == \"\x41\u00e9\t\\\" + BAD"',
    "double quoted over lines": 'when: "a +\n   b \\\n   + BAD"',
    "literal block": "when: |\n  a +\n    BAD",
    "literal block with a header": "when: |2-  # why\n    a +\n    BAD",
    "folded block": "when: >-\n  a +\n  b\n\n  + BAD\n",
    "beyond the first plane": "when: 𝄞é + BAD",
}


@pytest.mark.parametrize("text", SCALARS.values(), ids=SCALARS)
def test_a_place_inside_a_scalar_is_that_of_the_character_in_the_file(text):
    line, column = column_of(text, "BAD", "when")
    assert text.splitlines()[line - 1][column - 1 :].startswith("BAD")


def test_a_place_behind_the_end_is_right_behind_it():
    for text in ("when: a +", "when: 'a +'", 'when: "a +"', "when: |\n  a +"):
        node, _ = parse(text)
        problem = node.value["when"].problem("here", offset=len("a +"))
        assert text.splitlines()[problem.line - 1][: problem.column - 1].endswith("a +")


def test_without_an_offset_a_problem_stands_at_the_value_and_a_key_problem_at_the_key():
    node, _ = parse("a:\n  key: |\n    text\n  other: 'x'")
    inner = node.value["a"]
    assert (inner.value["key"].problem("x").line, inner.value["key"].problem("x").column) == (2, 8)
    assert (inner.value["other"].problem("x").column) == 11
    assert (inner.key_problem("other", "x").line, inner.key_problem("other", "x").column) == (4, 3)
    assert inner.key_problem("no such key", "x").line == 2


TEXT = st.text(st.sampled_from("ab'\"\\é𝄞 {}:#x"), min_size=1, max_size=20).map(lambda text: f"({text})")


@given(TEXT, st.data())
@settings(max_examples=200)
def test_each_character_of_a_quoted_or_literal_scalar_is_found_where_it_stands(text, data):
    style = data.draw(st.sampled_from("'\"|"))
    written = yaml.dump({"key": text}, default_style=style, width=1000, allow_unicode=True)
    node, problems = parse(written)
    assert not problems
    (value,) = node.value.values()
    assert value.text == text
    offset = data.draw(st.sampled_from([at for at, char in enumerate(text) if char not in " \\'\"𝄞é"]))
    problem = value.problem("here", offset=offset)
    assert written.splitlines()[problem.line - 1][problem.column - 1] == text[offset]


@given(st.text(max_size=60))
@settings(max_examples=300)
def test_no_text_whatever_raises(text):
    node, problems = parse(text.encode(errors="replace").decode())
    assert node is None or not problems


# which files


def test_folders_give_their_yaml_files_in_order_of_name_each_once_and_no_hidden_ones(tmp_path):
    for name in ("b.yaml", "a.yaml", "sub/c.yaml", "e.yml", "d.txt", ".#b.yaml", "..data/a.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("", "utf-8")
    problems = Problems()
    found = yaml_files([tmp_path, tmp_path / "a.yaml", tmp_path / "d.txt", tmp_path / "none"], problems)
    assert [str(path.relative_to(tmp_path)) for path in found] == ["a.yaml", "b.yaml", "e.yml", "sub/c.yaml", "d.txt"]
    assert [str(problem) for problem in problems] == [f"{tmp_path / 'none'}: no such file or folder"]


def test_a_hidden_folder_that_is_named_itself_is_read(tmp_path):
    (tmp_path / ".rules").mkdir()
    (tmp_path / ".rules" / "a.yaml").write_text("", "utf-8")
    assert len(yaml_files([tmp_path / ".rules"], Problems())) == 1
