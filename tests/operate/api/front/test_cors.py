"""Pages of the origins in http.origins may ask with a token, as karma does in a browser or through its proxy."""

import aiohttp
import pytest

from hub.operate.api.front.actor import OPERATOR, Refused
from hub.operate.api.front.login import COOKIE
from tests.operate.api.front.test_access import KEY, Logins, asked, guard
from tests.operate.api.front.test_access import TOKENS as KNOWN
from tests.operate.api.test_alertmanager import _silence, running
from tests.support.chromium import chromium
from tests.support.ends import Web

KARMA, OTHER = "http://karma.example.org:8081", "https://evil.example"
TOKENS = "tokens: [{name: karma, role: operator, token: the-secret-of-karma}]"
BEARER = {"Authorization": "Bearer the-secret-of-karma"}
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
PATHS = ("/api/v2/silences", "/api/hub/ack", "/events/a/b")


def http(*origins):
    return f"{{listen: '127.0.0.1:0', origins: [{', '.join(repr(each) for each in origins)}], {TOKENS}}}"


@pytest.fixture
async def desk(tmp_path, broker):
    async with running(tmp_path, broker, http(KARMA)) as made:
        yield made


async def ask(desk, method, path, headers, **more):
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{desk.url}{path}", headers=headers, **more) as response,
    ):
        return response.status, response.headers, await response.text()


@pytest.mark.parametrize("path", PATHS)
async def test_a_preflight_of_a_named_origin_is_answered_without_credentials(desk, path):
    status, headers, body = await ask(desk, "OPTIONS", path, {"Origin": KARMA, **ASKS})
    assert (status, body) == (204, "")
    assert headers["Access-Control-Allow-Origin"] == KARMA
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert "Authorization" in headers["Access-Control-Allow-Headers"]
    assert {"POST", "DELETE"} <= set(headers["Access-Control-Allow-Methods"].split(", "))
    assert headers["Vary"] == "Origin"


@pytest.mark.parametrize("origin", [OTHER, "null", "http://karma.example.org", f"{KARMA}0", KARMA.upper(), "*"])
async def test_no_other_origin_is_let_in_or_told_more(desk, origin):
    for method, headers in (("OPTIONS", ASKS), ("GET", BEARER), ("POST", BEARER)):
        status, said, _ = await ask(desk, method, "/api/v2/silences", {"Origin": origin, **headers}, json={})
        assert not [name for name in said if name.lower().startswith("access-control")]
        assert said["Vary"] == "Origin"
        assert status == 200 if method == "GET" else status == 403


async def test_a_named_page_makes_and_ends_a_silence_with_a_token_and_may_read_why_it_may_not(desk):
    asked = {"Origin": KARMA, "Sec-Fetch-Site": "cross-site"}
    status, headers, _ = await ask(desk, "POST", "/api/v2/silences", asked, json=_silence())
    assert (status, headers["Access-Control-Allow-Origin"]) == (401, KARMA)
    status, headers, body = await ask(desk, "POST", "/api/v2/silences", asked | BEARER, json=_silence())
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, KARMA)
    assert "Retry-After" in headers["Access-Control-Expose-Headers"]
    made = body.split('"')[3]
    status, _, _ = await ask(desk, "DELETE", f"/api/v2/silence/{made}", asked | BEARER)
    assert status == 200


async def test_the_login_of_who_reads_it_works_for_no_page_elsewhere(desk):
    status, headers, _ = await ask(desk, "POST", "/login", {}, json={"token": "the-secret-of-karma"})
    cookie = {"Cookie": headers["Set-Cookie"].partition(";")[0]}
    assert (status, cookie["Cookie"].startswith(COOKIE)) == (200, True)
    assert (await ask(desk, "GET", "/api/hub/alerts", cookie))[0] == 200
    assert (await ask(desk, "GET", "/api/hub/alerts", cookie | {"Origin": KARMA}))[0] == 401
    assert (await ask(desk, "POST", "/api/hub/silence", cookie | {"Origin": KARMA}, json={}))[0] == 401
    assert (await ask(desk, "POST", "/login", {"Origin": KARMA}, json={"token": "the-secret-of-karma"}))[0] == 403


async def test_karmas_proxy_passes_on_what_the_browser_says_to_it(desk):
    """What its reverse proxy sends: the browser's headers, X-Forwarded-For, and `headers` of its configuration."""
    passed = {"Origin": KARMA, "Sec-Fetch-Site": "same-origin", "X-Forwarded-For": "192.0.2.7", "Cookie": "theme=dark"}
    status, _, body = await ask(desk, "POST", "/api/v2/silences", passed | BEARER, json=_silence())
    assert status == 200, body
    assert (await ask(desk, "POST", "/api/v2/silences", passed, json=_silence()))[0] == 401


async def test_karma_finds_the_version_that_it_chooses_its_api_by(desk):
    status, _, text = await ask(desk, "GET", "/metrics", BEARER)
    assert status == 200
    (line,) = [each for each in text.splitlines() if each.startswith("alertmanager_build_info{")]
    assert 'version="0.34.0"' in line
    assert line.endswith(" 1.0")


async def test_without_origins_nothing_is_said_of_them(tmp_path, broker):
    async with running(tmp_path, broker, f"{{listen: '127.0.0.1:0', {TOKENS}}}") as desk:
        status, headers, _ = await ask(desk, "OPTIONS", "/api/v2/silences", {"Origin": KARMA, **ASKS})
        assert (status, "Vary" in headers) == (405, False)
        assert (await ask(desk, "POST", "/api/v2/silences", {"Origin": KARMA, **BEARER}, json={}))[0] == 403


SCRIPT = """async ([url, token, silence]) => {
  const asked = {method: "POST", credentials: "include", body: JSON.stringify(silence),
                 headers: {"Content-Type": "application/json", "Authorization": token}}
  try { const answer = await fetch(url, asked); return [answer.status, await answer.text()] }
  catch (error) { return [0, String(error)] }
}"""


async def test_a_browser_itself_lets_the_named_page_make_a_silence_and_no_other(tmp_path, broker):
    async with Web(lambda _: 200) as karma, Web(lambda _: 200) as other, chromium() as browser:
        origin = karma.url.replace("127.0.0.1", "localhost")
        async with running(tmp_path, broker, http(origin)) as desk:
            asked = [f"{desk.url}/api/v2/silences", BEARER["Authorization"], _silence()]
            async with browser.page(f"{origin}/karma") as page:
                status, body = await page.evaluate(SCRIPT, asked)
                assert (status, "silenceID" in body) == (200, True), body
            async with browser.page(f"{other.url}/x", allowed=("CORS", "Failed to load")) as page:
                assert (await page.evaluate(SCRIPT, asked))[0] == 0


def test_the_hubs_own_origin_named_too_keeps_its_logins():
    logins = Logins(KEY)
    made = guard(logins=logins)
    object.__setattr__(made._settings, "origins", ("http://127.0.0.1:8080", KARMA))
    cookie = {"cookie": f"{COOKIE}={logins.sign(KNOWN[1], 2000)}"}
    assert made.admit(asked("POST", origin="http://127.0.0.1:8080", **cookie), OPERATOR).name == "olga"
    with pytest.raises(Refused):
        made.admit(asked("POST", origin=KARMA, **cookie), OPERATOR)
