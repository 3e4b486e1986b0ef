"""A host name that an event chose: what can be none is known before anybody is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.notify.outward.hostname import unusable

LABEL = "a" * 63


@pytest.mark.parametrize(
    "host",
    [
        *("h", "d7.local", "a_b.example", "x-1.example.org.", "1.2.3.4", "xn--bcher-kva.example", "xn--strae-oqa.de"),
        *(
            "localhost",
            f"{LABEL}.example",
            ".".join([LABEL, LABEL, LABEL, "a" * 61]),
            "0x.example",
            "7.d",
            "XN--BCHER-KVA",
        ),
    ],
)
def test_a_name_is_one(host):
    assert unusable(host) == ""


@pytest.mark.parametrize(
    ("host", "why"),
    [
        *((host, "it is no host name") for host in ("", ".", "..", "a..b", ".a", "a..", "-a", "a-", "a.-b.c", "a b")),
        *((host, "it is no host name") for host in ("a\n", "a%41", "a:1", "a@b", "a/b", "[::1]", "1.2.3.4.")),
        *((host, "it is no host name") for host in ("127.1", "0x7f000001", "2130706433", "0177.0.0.1", "a.0x1", "0")),
        *((host, "it is too long for a host name") for host in ("a" * 64, f"x.{'a' * 64}.example", "a." * 127 + "a")),
        *((f"{label}.example", "a part of it that begins with xn-- stands for no name")
          for label in ("xn--a", "xn--zzzzzz99999", "xn--99zzzzzz99", "xn--999999999")),
        *((host, "it is no host name") for host in ("xn--", "256.1.1.1", "ä")),
        ("device.invalid", "there is no such host"),
    ],
)  # fmt: skip
def test_what_is_none_says_why(host, why):
    assert unusable(host) == why


@given(st.text(max_size=80) | st.from_regex(r"\A[xX][nN]--[a-z0-9-]{0,70}(\.[a-z0-9-]{1,5})?\Z"))
def test_what_is_one_can_be_asked_for(host):
    if not unusable(host):
        assert all(0 < len(label) < 64 for label in host.removesuffix(".").split("."))
        host.encode("ascii").decode("ascii").removesuffix(".").encode("idna")
