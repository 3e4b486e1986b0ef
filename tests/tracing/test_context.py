import random

import pytest

from hub.tracing.context import TraceContext

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_a_traceparent_is_read_and_written_as_it_was():
    text = f"00-{TRACE}-{SPAN}-01"
    read = TraceContext.read(text)
    assert read == TraceContext(TRACE, SPAN, sampled=True)
    assert str(read) == text


def test_a_later_version_is_read_as_far_as_it_is_known():
    assert TraceContext.read(f"cc-{TRACE}-{SPAN}-03-what") == TraceContext(TRACE, SPAN, sampled=True)
    assert TraceContext.read(f"00-{TRACE}-{SPAN}-02") == TraceContext(TRACE, SPAN, sampled=False)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
        f"cc-{TRACE}-{SPAN}-01-{'x' * 300}",
    ],
)
def test_what_is_no_traceparent_is_none(text):
    assert TraceContext.read(text) is None


def test_a_child_is_the_same_for_the_same_key_and_another_for_another():
    parent = TraceContext.root(random.Random(1).getrandbits)
    assert parent.child("a") == parent.child("a") != parent.child("b")
    assert parent.child("a").trace == parent.trace
    assert TraceContext.read(str(parent.child("a"))) == parent.child("a")
