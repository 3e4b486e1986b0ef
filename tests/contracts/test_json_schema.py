"""A schema is made of a type, and says what the type says."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest
from jsonschema import Draft202012Validator

from hub.contracts import answered
from hub.contracts.json_schema import Also, Time, schema_of


class Inner(TypedDict):
    """One of several."""

    at: Time


class Outer(TypedDict):
    """A type with something of everything."""

    ok: Literal[True]
    word: Literal["a", "b"]
    name: Annotated[str, Also({"maxLength": 3})]
    count: int
    share: float | None
    inner: list[Inner]
    labels: Mapping[str, str]
    any: NotRequired[Any]


FITS = {"ok": True, "word": "a", "name": "abc", "count": 1, "share": None, "inner": [{"at": "x"}], "labels": {"a": "b"}}


def test_what_the_type_allows_fits_with_and_without_what_may_be_left_out():
    schema = schema_of(Outer)
    Draft202012Validator.check_schema(schema)
    assert schema["required"] == list(FITS)
    for value in (FITS, FITS | {"any": [1]}, FITS | {"share": 0.5}, FITS | {"more": "is always allowed"}):
        Draft202012Validator(schema).validate(value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ok": False},
        {"word": "c"},
        {"name": "abcd"},
        {"count": -1},
        {"count": 1.5},
        {"share": "much"},
        {"inner": [{}]},
        {"labels": {"a": 1}},
    ],
)
def test_what_the_type_does_not_allow_does_not_fit(wrong):
    assert list(Draft202012Validator(schema_of(Outer)).iter_errors(FITS | wrong))


@pytest.mark.parametrize("name", list(FITS))
def test_what_must_be_there_must_be_there(name):
    assert list(Draft202012Validator(schema_of(Outer)).iter_errors({k: v for k, v in FITS.items() if k != name}))


@pytest.mark.parametrize("kind", [tuple[int, str], int | str, set[int], bytes])
def test_of_what_json_does_not_have_no_schema_is_made(kind):
    with pytest.raises(TypeError):
        schema_of(kind)


@pytest.mark.parametrize("name", answered.__all__)
def test_a_schema_is_made_of_every_answer(name):
    Draft202012Validator.check_schema(schema_of(getattr(answered, name)))
