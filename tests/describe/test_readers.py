"""What a reader takes, its schema takes: for every key of every file, with values of all sorts."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from hub.documents.document import Problems, parse_document
from hub.errors import CompileError
from hub.fields import Bad, late
from tests.describe.test_schema import tables

KEYS = {f"{table.title}.{key.name}": key for table in tables() for key in table.keys.values()}
BESIDE = {"a schedule.for", "a rule.labels", "defaults.labels", "a rule.topic", "hub.yaml.discovery"}
"""Keys of which more is checked where they are read: parts of the value, how many there are, that it is not 0."""
READ = {name: key for name, key in KEYS.items() if key.convert is not late and name not in BESIDE}
SCHEMAS = {name: Draft7Validator(key.schema) for name, key in READ.items()}
EXAMPLES = [example for key in KEYS.values() for example in (*key.examples, *([key.usual] if key.usual else []))]
ONCE = [*{json.dumps(each): each for each in [*EXAMPLES, *range(-1, 4), 99, 10_000, True, False, None]}.values()]

WORDS = st.text(st.sampled_from("ab0159 ./:-,{}+#@%$ÄŽhmsd"), max_size=12)
SCALARS = st.one_of(WORDS, st.integers(-10, 100_000), st.floats(-10, 10), st.booleans(), st.sampled_from(EXAMPLES))
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b-c", "Ä", "at"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def node_of(value):
    return parse_document(f"k: {json.dumps(value)}", "a.yaml", Problems()).value["k"]


@settings(max_examples=500)
@given(value=VALUES)
def test_what_the_reader_of_a_key_takes_fits_its_schema(value):
    """Each value goes to all readers: drawing it takes far longer than reading it."""
    assert not misfits(value), value


def test_what_the_reader_of_a_key_takes_of_other_keys_examples_fits_its_schema():
    for value in ONCE:
        assert not misfits(value), value


def misfits(value):
    """Return what the schema of each key says against a value that the key's reader takes."""
    node = node_of(value)
    return {name: errors for name in READ if taken(name, node) and (errors := errors_of(name, node.plain()))}


def errors_of(name, value):
    return [error.message for error in SCHEMAS[name].iter_errors(value)]


def taken(name, node):
    try:
        READ[name].convert(node)
    except (Bad, CompileError):
        return False
    return True


@pytest.mark.parametrize("name", READ)
def test_every_example_of_a_key_is_taken_by_its_reader(name):
    for example in READ[name].examples:
        if "…" not in str(example):
            READ[name].convert(node_of(example))


def test_most_keys_have_a_reader_that_needs_to_know_nothing_else():
    assert len(READ) > 0.6 * len(KEYS)
