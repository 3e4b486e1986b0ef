"""guard: who may ask what; what pages of other sites make a browser send is refused."""

import base64

import pytest
from starlette.requests import HTTPConnection

from hub.clock import ManualClock
from hub.config import HttpSettings, Token
from hub.limits import LOGIN_ADDRESSES, LOGIN_FAILURES, LOGIN_PAUSE_SECONDS
from hub.operate.api.actor import ADMIN, OPERATOR, VIEWER, Refused
from hub.operate.api.guard import Guard
from hub.operate.api.login import COOKIE, open_cookie, sign_cookie
from hub.operate.api.throttle import Throttle
from hub.secret import Secret

TOKENS = (
    Token("wall", VIEWER, Secret("see")),
    Token("olga", OPERATOR, Secret("do")),
    Token("root", ADMIN, Secret("all")),
)
KEY = b"k" * 32


def guard(tokens=TOKENS, url="", clock=None, trouble=lambda *_: None):
    return Guard(HttpSettings(tokens=tokens, url=url), clock or ManualClock(1000.0), KEY, trouble)


def asked(method="GET", host="127.0.0.1:8080", client="192.0.2.1", **headers):
    named = {"host": host} | {name.replace("_", "-"): value for name, value in headers.items()}
    scope = {
        "type": "websocket" if method is None else "http",
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        "client": (client, 5555),
    }
    return HTTPConnection(scope | ({"method": method} if method else {}))


def bearer(token):
    return {"authorization": f"Bearer {token}"}


def status(call):
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.status


@pytest.mark.parametrize(
    ("token", "role", "may"),
    [
        ("see", VIEWER, True),
        ("see", OPERATOR, False),
        ("do", VIEWER, True),
        ("do", OPERATOR, True),
        ("do", ADMIN, False),
        ("all", ADMIN, True),
    ],
)
def test_a_role_may_what_the_ones_before_it_may_and_no_more(token, role, may):
    asking = asked(**bearer(token))
    if may:
        assert guard().admit(asking, role).may(role)
    else:
        assert status(lambda: guard().admit(asking, role)) == 403


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer x", "Basic !!", "Basic YQ==", "Digest see", "see"])
def test_without_a_token_that_is_known_nobody_is_admitted(header):
    assert status(lambda: guard().admit(asked(authorization=header), VIEWER)) == 401


def test_a_token_may_come_as_the_password_of_basic_authorization():
    header = "Basic " + base64.b64encode(b"anybody:do").decode()
    assert guard().admit(asked(authorization=header), OPERATOR).name == "olga"


def test_without_tokens_everybody_on_this_machine_is_an_administrator_by_a_name_of_this_machine_only():
    for host in ("localhost", "localhost:8080", "127.0.0.1", "[::1]:80", "hub.localhost:1"):
        assert guard(()).admit(asked(host=host), ADMIN).name == "local"
    for host in ("evil.example", "192.0.2.7:8080", "", "localhost.evil.example"):
        assert status(lambda host=host: guard(()).admit(asked(host=host), VIEWER)) == 403
    assert guard((), "https://hub.example.org").admit(asked(host="hub.example.org"), VIEWER)


@pytest.mark.parametrize("method", ["POST", "DELETE", None])
@pytest.mark.parametrize(
    ("headers", "fine"),
    [
        ({}, True),
        ({"origin": "http://127.0.0.1:8080"}, True),
        ({"origin": "https://hub.example.org"}, True),
        ({"sec_fetch_site": "same-origin", "origin": "http://127.0.0.1:8080"}, True),
        ({"sec_fetch_site": "none"}, True),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "same-site", "origin": "http://127.0.0.1:8080"}, False),
    ],
)
def test_a_write_or_a_websocket_that_a_page_of_another_site_caused_is_refused(method, headers, fine):
    asking = asked(method, **headers, **bearer("all"))
    if fine:
        assert guard(url="https://hub.example.org").admit(asking, ADMIN).name == "root"
    else:
        assert status(lambda: guard(url="https://hub.example.org").admit(asking, ADMIN)) == 403


def test_a_page_of_another_site_may_link_to_what_only_reads():
    assert guard().admit(asked(sec_fetch_site="cross-site", **bearer("see")), VIEWER)


# logins


def test_a_cookie_is_its_owners_until_it_expires_or_the_token_changes():
    cookie = sign_cookie(TOKENS[1], 2000, KEY)
    asking = asked("POST", cookie=f"{COOKIE}={cookie}")
    assert guard().admit(asking, OPERATOR).name == "olga"
    assert status(lambda: guard(clock=ManualClock(2000.0)).admit(asking, VIEWER)) == 401
    changed = (Token("olga", OPERATOR, Secret("another")),)
    assert status(lambda: guard(changed).admit(asking, VIEWER)) == 401
    assert status(lambda: guard(TOKENS[:1]).admit(asking, VIEWER)) == 401


@pytest.mark.parametrize("at", range(0, 80, 7))
def test_a_cookie_that_was_changed_anywhere_is_nobodys(at):
    cookie = sign_cookie(TOKENS[1], 2000, KEY)
    at = min(at, len(cookie) - 1)
    forged = cookie[:at] + ("0" if cookie[at] != "0" else "1") + cookie[at + 1 :]
    assert open_cookie(forged, TOKENS, KEY, 1000.0) is None


@pytest.mark.parametrize(
    "cookie", ["", ".", "..", "a.b.c", "b2xnYQ.99999999999999999999.x", "b2xnYQ.\u0661.x", "é.1.x"]
)
def test_a_cookie_that_is_rubbish_is_nobodys(cookie):
    assert open_cookie(cookie, TOKENS, KEY, 0.0) is None


# guessing


def test_who_guesses_has_to_wait_also_with_the_right_token_and_others_do_not():
    clock, told = ManualClock(1000.0), []
    made = guard(clock=clock, trouble=lambda *words: told.append(words))
    for _ in range(LOGIN_FAILURES):
        assert status(lambda: made.admit(asked(**bearer("x")), VIEWER)) == 401
    assert status(lambda: made.admit(asked(**bearer("see")), VIEWER)) == 429
    assert told == [("http", f"192.0.2.1 has shown {LOGIN_FAILURES} wrong tokens: it has to wait 60 s")]
    assert made.admit(asked(client="192.0.2.2", **bearer("see")), VIEWER)
    clock.advance(LOGIN_PAUSE_SECONDS)
    assert made.admit(asked(**bearer("see")), VIEWER)


def test_the_right_token_forgives_what_failed_before():
    made = guard()
    for _ in range(3 * LOGIN_FAILURES):
        assert status(lambda: made.admit(asked(**bearer("x")), VIEWER)) == 401
        assert made.admit(asked(**bearer("see")), VIEWER)


def test_failures_are_remembered_of_so_many_addresses_and_no_more():
    throttle = Throttle(lambda: 0.0)
    for number in range(LOGIN_ADDRESSES + 5):
        throttle.failed(str(number))
    assert len(throttle._failures) == LOGIN_ADDRESSES
