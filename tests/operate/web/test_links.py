"""Acknowledge links stand in notifications and open without login or script; to look at one changes nothing."""

import time

import aiohttp
import pytest
from playwright.async_api import expect

from hub.commands.tokens.token import Claim, read_token, sign_token
from tests.operate.web.conftest import running

pytestmark = pytest.mark.asyncio(loop_scope="module")


def key_of(hub):
    return bytes.fromhex(hub.rows("SELECT value FROM meta WHERE key = 'key:token'")[0][0])


async def link(desk, room):
    """Let a room be too warm; return the path of the link that the receiver got, and its token."""
    await desk.warm(room)
    told = await desk.told(lambda line: line["labels"].get("room") == room and line["state"] == "firing")
    base, _, token = told["ack_url"].rpartition("/")
    assert base == "https://hub.localhost/ack"
    return f"/ack/{token}", token


async def send(desk, method, path, **headers):
    async with aiohttp.ClientSession() as http:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with http.request(method, desk.url + path, headers=named, allow_redirects=False) as it:
            return it.status, await it.text(), it.headers


async def test_one_tap_acknowledges_in_the_name_of_the_receiver_without_login_or_script(desk, browser):
    path, _ = await link(desk, "tap")
    async with browser.page(desk.url + path, java_script_enabled=False) as page:
        await expect(page.get_by_role("heading", name="tap has 35.0 °C")).to_be_visible()
        await page.get_by_role("button", name="Acknowledge as journal").click()
        await expect(page.get_by_role("status")).to_contain_text("Acknowledged by journal")
        await expect(page.get_by_role("button")).to_have_count(0)
    assert (await desk.alert("TooWarm", room="tap"))["acknowledged"]["by"] == "journal"
    audit = (await desk.ask("/api/hub/audit"))["entries"]
    assert any((each["actor"], each["via"], each["action"]) == ("journal", "link", "ack") for each in audit)
    assert path.rpartition("/")[2] not in str(audit)


async def test_who_looks_at_it_in_advance_changes_nothing(desk):
    path, _ = await link(desk, "preview")
    for method in ("HEAD", "GET", "GET", "OPTIONS", "PUT", "DELETE", "PATCH"):
        await send(desk, method, path, user_agent="Slackbot-LinkExpanding 1.0")
    assert (await desk.alert("TooWarm", room="preview"))["acknowledged"] is None
    _, text, headers = await send(desk, "GET", path)
    assert headers["cache-control"] == "no-store"
    assert "noindex" in headers["x-robots-tag"]
    assert "<script" not in text


async def test_who_was_first_stays_the_one_who_cares(desk):
    path, _ = await link(desk, "first")
    alert = await desk.alert("TooWarm", room="first")
    await desk.ask("/api/hub/ack", id=alert["id"], by="anna", comment="on my way")
    status, _, headers = await send(desk, "POST", path)
    assert (status, headers["location"]) == (303, path.rpartition("/")[2])
    assert (await desk.alert("TooWarm", room="first"))["acknowledged"]["by"] == "anna"
    assert "Acknowledged by anna: on my way" in (await send(desk, "GET", path))[1]


async def test_when_it_is_over_the_page_says_so_and_the_next_episode_is_not_acknowledged(desk):
    path, _ = await link(desk, "over")
    await desk.warm("over", 20)
    await desk.told(lambda line: line["labels"].get("room") == "over" and line["state"] == "resolved")
    assert "It is over" in (await send(desk, "GET", path))[1]
    await desk.warm("over")
    await desk.told(lambda line: line["labels"].get("room") == "over" and line["episode"] == 2)
    assert (await send(desk, "POST", path))[0] == 303
    assert (await desk.alert("TooWarm", room="over"))["acknowledged"] is None
    assert "It is over" in (await send(desk, "GET", path))[1]


async def test_a_link_that_is_not_ours_or_has_expired_says_that_and_no_more(desk):
    _, token = await link(desk, "wrong")
    claim = read_token(token, key_of(desk.hub), time.time())
    late = sign_token(Claim(claim.fingerprint, claim.episode, int(time.time()) - 1, "journal"), key_of(desk.hub))
    other = sign_token(claim, b"x" * 32)
    for bad, status, words in ((late, 410, "expired"), (other, 404, "not a token"), ("x", 404, "not a token")):
        for method in ("GET", "POST"):
            found, text, _ = await send(desk, method, f"/ack/{bad}")
            assert (found, words in text) == (status, True)
            assert "wrong has" not in text
    assert (await desk.alert("TooWarm", room="wrong"))["acknowledged"] is None


async def test_what_a_device_sends_is_text_there_too(desk, browser):
    await desk.say("named/<img src=x onerror=document.title='taken'>", bad=True, text="<script>1</script>\u202e")
    told = await desk.told(lambda line: "<script>" in line["summary"])
    async with browser.page(f"{desk.url}/ack/{told['ack_url'].rpartition('/')[2]}") as page:
        assert await page.locator("h1").inner_text() == "<script>1</script>\\u202e"
        assert await page.title() == "Acknowledge"
        await expect(page.locator("img, script")).to_have_count(0)


async def test_without_a_url_there_is_no_link(desk, tmp_path):
    async with running(tmp_path, http="{listen: '127.0.0.1:0'}") as other:
        await other.warm("plain")
        assert "ack_url" not in await other.told(lambda line: line["labels"]["room"] == "plain")
