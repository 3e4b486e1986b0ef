from datetime import UTC, datetime, timedelta

import pytest

from hub.errors import CompileError
from hub.expressions import Context, Scope, compile_template
from hub.limits import TEMPLATE_BYTES

SCOPE = Scope(("site", "device"), frozenset(("alertname", "since", "summary")))
FIELDS = {
    "temperature": 31.46,
    "whole": 21.0,
    "n": 1234567,
    "share": 0.256,
    "door": "open",
    "on": True,
    "off": None,
    "tags": ["a", 1.5, True, None],
    "deep": {"a": {"b": [1]}},
}


def rendered(text, fields=FIELDS, scope=SCOPE, **context):
    return compile_template(text, scope).render(fields, ("berlin", "7"), Context(**context))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{device} at {site} is {temperature:.1f} °C", "7 at berlin is 31.5 °C"),
        ("{temperature} {whole} {n} {on} {off} {door}", "31.46 21 1234567 true null open"),
        ("{n:,} {share:.0%} {n:+d} {n:08.2f} {whole:d}", "1,234,567 26% +1234567 1234567.00 21"),
        ("{tags} {deep}", '["a",1.5,true,null] {"a":{"b":[1]}}'),
        ("{{{door}}} {{}}", "{open} {}"),
        ("{on ? 'a}:{' : \"b\"}", "a}:{"),
        ("{on ? 'yes' : 'no'} {[1, 2][0]}{ {'a': 5}['a'] }", "yes 15"),
        ("{payload.?nope.orValue('none')}", "none"),
        ("{5m} {1h30m - 2h} {now:%H:%M} {now}", "5m -30m 12:00 2026-03-01 12:00:00"),
        ("{type(n)} {b'abc'} {5u} {optional.of(n)} {optional.none()}", "int abc 5 1234567 none"),
        ("{1e300} {1.0 / 0.0} {123456789.0} {1e16}", "1e+300 inf 123456789 1e+16"),
        ('{r"\\d"}{"a\\"b"}', '\\da"b'),
        ("", ""),
        ("two\nlines\tkept", "two\nlines\tkept"),
    ],
)
def test_a_text_shows_values_as_a_person_expects_them(text, shown):
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
    assert rendered(text, now=noon) == rendered(text, now=noon)
    assert rendered(text, now=noon).text == shown
    assert rendered(text, now=noon).failures == ()


def test_a_time_format_reads_a_timestamp_seconds_or_rfc_3339():
    at = datetime(2026, 3, 1, 7, 5, tzinfo=UTC)
    for since in (at, at.timestamp(), at.isoformat()):
        assert rendered("{since:%d.%m. %H:%M}", extra={"since": since}).text == "01.03. 07:05"


def test_a_failed_part_is_a_question_mark_with_its_reason_and_loses_nothing():
    result = rendered("{missing} {door:.1f} {on:.1f} {temperature:d} {door:%H} ok")
    assert result.text == "? ? ? ? ? ok"
    assert len(result.failures) == 5
    assert result.failures[0] == "{missing}: no field 'missing'"
    assert rendered("{alertname}", extra={}).text == "?"
    assert rendered("{since:%Y}", extra={"since": 1e300}).text == "?"


def test_what_a_device_sends_cannot_steer_a_terminal_or_forge_a_line():
    nasty = "a\x1b[2Jb\nc\0\x7f\x9b\u202e\u2028\ud800\ufeff"
    assert rendered("{door}", {"door": nasty}).text == "a\\x1b[2Jb\\nc\\x00\\x7f\\x9b\\u202e\\u2028\\ud800\\ufeff"
    assert rendered("{door}", {"door": ["\x1b", {"\u202e": 1}]}).text == '["\\u001b",{"\\u202e":1}]'
    assert compile_template("a\x1bb", SCOPE).constant == "a\\x1bb"
    assert rendered("{door}", {"door": "smørrebrød 漢字 👋"}).text == "smørrebrød 漢字 👋"


def test_a_text_is_cut_at_its_bound_within_no_character():
    text = rendered("{door}", {"door": "é" * TEMPLATE_BYTES}).text
    assert len(text.encode()) <= TEMPLATE_BYTES
    assert text == "é" * ((TEMPLATE_BYTES - 3) // 2) + "…"
    assert rendered("{door}", {"door": "x" * TEMPLATE_BYTES}).text == "x" * TEMPLATE_BYTES


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("{temperature", 0, "without '}'"),
        ("a } b", 2, "without '{'"),
        ("a {} b", 2, "nothing between"),
        ("a { } b", 2, "nothing between"),
        ("is {temperature >} now", 17, "ends where"),
        ("is {nope(1)}", 4, "unknown function"),
        ("{temperature:zz}", 13, "no format"),
        ("{temperature:%Q}", 13, "no format"),
        ("{temperature:.1f:}", 13, "no format"),
        ("{device:.1f}", 8, "for numbers, and this is a string"),
        ("{[1]:%H}", 5, "for timestamps, and this is a list"),
        ("{'a}", 0, "without '}'"),
    ],
)
def test_a_text_that_cannot_be_is_refused_at_its_place(text, offset, message):
    with pytest.raises(CompileError, match=message) as caught:
        compile_template(text, SCOPE)
    assert (caught.value.offset, caught.value.text) == (offset, text)


def test_a_template_knows_what_it_uses():
    template = compile_template("{device}: {temperature} {topic}", SCOPE)
    assert (template.fields, template.captures, template.needs_context) == ({"temperature"}, {"device"}, True)
    assert template.constant is None
    plain = compile_template("50 °C {{}}", SCOPE)
    assert (plain.constant, plain.fields, plain.needs_context) == ("50 °C {}", frozenset(), False)
    assert not compile_template("{device} {temperature}", SCOPE).needs_context


def test_a_duration_is_shown_short():
    assert rendered("{d}", {"d": timedelta(seconds=5400)}).text == "1h30m"
