"""Who may ask what; requests that pages of other sites make a browser send are refused."""

import base64
from ipaddress import ip_network
from pathlib import Path

import pytest
from starlette.requests import HTTPConnection

from hub.clock import ManualClock
from hub.config import AccessToken, HttpSettings
from hub.documents.secret import Secret
from hub.limits import LOGIN_ADDRESSES, LOGIN_FAILURES, LOGIN_PAUSE_SECONDS, LOGOUTS
from hub.node.identity import identify
from hub.operate.api.front.access import AccessGuard
from hub.operate.api.front.actor import ADMIN, OPERATOR, VIEWER, Refused
from hub.operate.api.front.login import COOKIE, Login, Logins, find
from hub.operate.api.front.origin import household
from hub.operate.api.front.throttle import Throttle

TOKENS = (
    AccessToken("wall", VIEWER, Secret("see")),
    AccessToken("olga", OPERATOR, Secret("do")),
    AccessToken("root", ADMIN, Secret("all")),
)
KEY = b"k" * 32


def guard(tokens=TOKENS, url="", clock=None, trouble=lambda *_: None, logins=None, proxies=()):
    settings = HttpSettings(tokens=tokens, url=url, proxies=tuple(map(ip_network, proxies)))
    return AccessGuard(settings, clock or ManualClock(1000.0), logins or Logins(KEY), trouble)


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


RUBBISH = [
    "",
    "Bearer",
    "Bearer ",
    "Bearer x",
    "Basic !!",
    "Basic YQ==",
    "Basic YTo=",
    "Basic /w==",
    "Digest see",
    "see",
]


@pytest.mark.parametrize("header", RUBBISH)
@pytest.mark.parametrize("tokens", [TOKENS, (*TOKENS, AccessToken("nobody", ADMIN, Secret("")))])
def test_without_a_token_that_is_known_nobody_is_admitted(header, tokens):
    assert status(lambda: guard(tokens).admit(asked(authorization=header), VIEWER)) == 401
    assert status(lambda: guard(tokens).admit(asked(cookie=f"{COOKIE}={header}"), VIEWER)) == 401


@pytest.mark.parametrize("token", ["", " ", "\n", "\x00", "\ud800"])
def test_an_empty_token_is_nobodys_even_where_one_is_set(token):
    assert (
        find(token, (*TOKENS, AccessToken("nobody", ADMIN, Secret("")), AccessToken("blank", ADMIN, Secret(" "))))
        is None
    )


def test_a_token_may_come_as_the_password_of_basic_authorization():
    header = "Basic " + base64.b64encode(b"anybody:do").decode()
    assert guard().admit(asked(authorization=header), OPERATOR).name == "olga"


def test_without_tokens_everybody_on_this_machine_is_an_administrator_by_a_name_of_this_machine_only():
    for host in ("localhost", "localhost:8080", "127.0.0.1", "[::1]:80", "hub.localhost:1"):
        assert guard(()).admit(asked(host=host), ADMIN).name == "local"
    for host in ("evil.example", "192.0.2.7:8080", "", "localhost.evil.example"):
        assert status(lambda host=host: guard(()).admit(asked(host=host), VIEWER)) == 403
    named = guard((), "https://hub.example.org")
    for host in ("hub.example.org", "HUB.example.org", "localhost"):
        assert named.admit(asked(host=host), VIEWER)
    for host in ("evil.example", "hub.example.org:8443", "evil.hub.example.org", ""):
        assert status(lambda host=host: named.admit(asked(host=host), VIEWER)) == 403


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip"])
def test_without_tokens_what_a_proxy_has_passed_on_is_refused(header):
    asking = asked(host="localhost", **{header.replace("-", "_"): "192.0.2.9"})
    assert status(lambda: guard(()).admit(asking, VIEWER)) == 403


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
    cookie = Logins(KEY).sign(TOKENS[1], 2000)
    asking = asked("POST", cookie=f"{COOKIE}={cookie}")
    assert guard().admit(asking, OPERATOR).name == "olga"
    assert status(lambda: guard(clock=ManualClock(2000.0)).admit(asking, VIEWER)) == 401
    changed = (AccessToken("olga", OPERATOR, Secret("another")),)
    assert status(lambda: guard(changed).admit(asking, VIEWER)) == 401
    assert status(lambda: guard(TOKENS[:1]).admit(asking, VIEWER)) == 401


@pytest.mark.parametrize("at", range(0, 100, 7))
def test_a_cookie_that_was_changed_anywhere_is_nobodys(at):
    cookie = Logins(KEY).sign(TOKENS[1], 2000)
    at = min(at, len(cookie) - 1)
    forged = cookie[:at] + ("0" if cookie[at] != "0" else "1") + cookie[at + 1 :]
    assert Logins(KEY).open(forged, TOKENS, 1000.0) is None


RUBBISH_COOKIES = ["", ".", "..", "...", "a.b.c.d", "b2xnYQ.99999999999999999999.n.x", "b2xnYQ.\u0661.n.x", "é.1.n.x"]


@pytest.mark.parametrize("cookie", [*RUBBISH_COOKIES, "b2xnYQ.2000.n.\ud800", "b2xnYQ.2000.\ud800."])
def test_a_cookie_that_is_rubbish_is_nobodys(cookie):
    assert Logins(KEY).open(cookie, TOKENS, 0.0) is None


def test_two_logins_of_one_second_are_two_and_the_end_of_one_is_not_that_of_the_other():
    logins = Logins(KEY)
    one, other = logins.sign(TOKENS[1], 2000), logins.sign(TOKENS[1], 2000)
    logins.end(logins.open(one, TOKENS, 1000.0), 1000.0)
    assert logins.open(one, TOKENS, 1000.0) is None
    assert logins.open(other, TOKENS, 1000.0).token.name == "olga"


def stored(meta, rows):
    """Return what `meta` holds when these rows were committed."""
    return {key: value for key, value in (dict(meta) | dict(rows)).items() if value is not None}


def test_a_login_that_was_ended_stays_so_over_a_restart_and_is_forgotten_when_it_would_have_expired():
    logins = Logins(KEY)
    cookie = logins.sign(TOKENS[1], 2000)
    ended = logins.end(logins.open(cookie, TOKENS, 1000.0), 1000.0)
    assert not ended.all
    meta = stored({}, ended.rows)
    who, _ = identify(Path("hub.db"), meta)
    logins = Logins(KEY, who.logouts)
    assert logins.open(cookie, TOKENS, 1000.0) is None
    meta = stored(meta, logins.end(Login(TOKENS[1], "later", 9000), 2000.0).rows)
    assert identify(Path("hub.db"), meta)[0].logouts == {"later": 9000}


def test_more_ended_logins_than_are_remembered_end_them_all(monkeypatch):
    monkeypatch.setattr("hub.operate.api.front.login.LOGOUTS", 3)
    before, rows = identify(Path("hub.db"), {})
    meta = stored({}, rows)
    logins = Logins(before.login, before.logouts)
    cookies = [logins.sign(TOKENS[0], 2000) for _ in range(5)]
    for cookie in cookies[:4]:
        ended = logins.end(logins.open(cookie, TOKENS, 1000.0), 1000.0)
        meta = stored(meta, ended.rows)
    assert ended.all
    after, _ = identify(Path("hub.db"), meta)
    assert after.login != before.login
    assert (after.token, after.vapid) == (before.token, before.vapid)
    for each in (logins, Logins(after.login, after.logouts)):
        assert [cookie for cookie in cookies if each.open(cookie, TOKENS, 1000.0)] == []
    assert after.logouts == {}
    again = Logins(after.login, after.logouts).open(logins.sign(TOKENS[0], 2000), TOKENS, 1000.0)
    assert again.token == TOKENS[0], "who logs in behind that is known, over a restart too"
    assert LOGOUTS >= 1000


# guessing


def test_who_shows_wrong_tokens_has_to_wait_and_the_right_one_is_taken_all_the_same():
    clock, told = ManualClock(1000.0), []
    made = guard(clock=clock, trouble=lambda *words: told.append(words))
    for number in range(LOGIN_FAILURES):
        assert status(lambda number=number: made.admit(asked(**bearer(f"x{number}")), VIEWER)) == 401
    with pytest.raises(Refused) as refused:
        made.admit(asked(**bearer("another")), VIEWER)
    assert (refused.value.status, refused.value.after) == (429, LOGIN_PAUSE_SECONDS)
    assert f"try again in {LOGIN_PAUSE_SECONDS:.0f} s" in refused.value.message
    assert made.admit(asked(**bearer("see")), VIEWER).name == "wall"
    assert status(lambda: made.admit(asked(**bearer("another")), VIEWER)) == 429
    ((what, message),) = told
    assert (what, f"192.0.2.1 has shown wrong tokens {LOGIN_FAILURES} times" in message) == ("http", True)
    assert status(lambda: made.admit(asked(client="192.0.2.2", **bearer("x")), VIEWER)) == 401
    clock.advance(LOGIN_PAUSE_SECONDS - 0.5)
    assert status(lambda: made.admit(asked(**bearer("another")), VIEWER)) == 429
    clock.advance(0.5)
    assert status(lambda: made.admit(asked(**bearer("another")), VIEWER)) == 401


def test_one_wrong_token_again_and_again_locks_no_other_at_the_same_address():
    made = guard()
    for _ in range(LOGIN_FAILURES):
        assert status(lambda: made.admit(asked(**bearer("old")), VIEWER)) == 401
    assert status(lambda: made.admit(asked(**bearer("old")), VIEWER)) == 429
    assert status(lambda: made.admit(asked(**bearer("mistyped")), VIEWER)) == 401
    assert status(lambda: made.admit(asked(client="192.0.2.2", **bearer("old")), VIEWER)) == 401


def test_the_addresses_of_one_network_of_ipv6_count_as_one():
    assert household("2001:db8:1:2::3") == household("2001:db8:1:2:ffff::4") != household("2001:db8:1:3::3")
    assert household("::ffff:192.0.2.1") == household("192.0.2.1") != household("192.0.2.2")


def test_failures_are_remembered_of_so_many_addresses_and_no_more():
    throttle = Throttle(lambda: 0.0)
    for number in range(LOGIN_ADDRESSES + 5):
        throttle.failed(f"192.0.{number >> 8}.{number & 255}", "x")
    for number in range(3 * LOGIN_FAILURES):
        throttle.failed("198.51.100.1", str(number))
    assert len(throttle._failures) == LOGIN_ADDRESSES


# proxies


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),  # nobody said that this one is a proxy
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.7, 203.0.113.9", "203.0.113.9"),  # the left one is what the client wrote itself
        ("127.0.0.1", "198.51.100.7, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9:4711, [10.1.2.3]:80", "203.0.113.9"),
        ("127.0.0.1", "[2001:db8::1]:80", "2001:db8::1"),
        ("127.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("::ffff:127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.7, rubbish, 10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("10.9.9.9", "10.1.1.1, 10.2.2.2", "10.1.1.1"),
    ],
)
def test_who_asks_is_the_last_hop_that_no_proxy_of_ours_has_written(peer, forwarded, address):
    made = guard(proxies=["127.0.0.1", "10.0.0.0/8"])
    assert made.origin.address(asked(client=peer, x_forwarded_for=forwarded)) == address


def test_who_guesses_behind_a_proxy_does_not_lock_the_others_there():
    made = guard(proxies=["127.0.0.1"])

    def guess(address, token="x"):
        return status(lambda: made.admit(asked(client="127.0.0.1", x_forwarded_for=address, **bearer(token)), VIEWER))

    assert [guess("203.0.113.9", f"x{n}") for n in range(LOGIN_FAILURES + 1)] == [401] * LOGIN_FAILURES + [429]
    assert guess("203.0.113.10") == 401
    forged = "203.0.113.10, 203.0.113.9"
    assert guess(forged) == 429


def test_a_proxys_word_on_tls_is_believed_of_our_own_alone():
    made = guard(proxies=["127.0.0.1"])
    headers = {"x_forwarded_proto": "https"}
    assert made.origin.is_https(asked(client="127.0.0.1", **headers))
    assert not made.origin.is_https(asked(client="192.0.2.1", **headers))
    assert not made.origin.is_https(asked(client="127.0.0.1"))
