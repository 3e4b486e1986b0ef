"""readings: a value of a part of a condition is written as the expression language writes it."""

from datetime import timedelta

import pytest

from hub.why.readings import value_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        ("a", "'a'"),
        (2.5, "2.5"),
        (timedelta(minutes=90), "1h30m"),
        (timedelta(seconds=-5), "-5s"),
        ({"error": "no field 'x'"}, "without a value (no field 'x')"),
    ],
)
def test_a_value_is_written_as_in_an_expression(value, text):
    assert value_text(value) == text
