"""The page in a real Chromium, in front of a running hub and a real broker."""

import asyncio
import contextlib
import re
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest
from playwright.async_api import expect

from tests.operate.web.conftest import running, until
from tests.support import prefork
from tests.support.proxy import Proxy

pytestmark = pytest.mark.asyncio(loop_scope="module")

ACCESSIBLE = Path(__file__).with_name("accessible.js").read_text("utf-8")
PAGES = ("", "history", "rules", "rules/TooWarm", "devices", "delivery", "silences")
PHONE = {"viewport": {"width": 360, "height": 740}}


def card(page, text):
    return page.get_by_role("article").filter(has_text=text)


async def shell(desk, *arguments):
    """Run a command of the shell beside the hub."""
    env = {"PASSWORD": desk.hub.broker.settings("hub").password.reveal()}
    process = await prefork.start(*arguments, "-c", "hub.yaml", "--json", cwd=desk.hub.folder, env=env)
    said, _ = await process.communicate()
    return orjson.loads(said)


APPEARED = """text => new Promise((done) => {
  const has = (node) => node.textContent.startsWith(text);
  const look = () => [...document.querySelectorAll("main h3")].some(has) && done();
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
})"""


async def test_an_alert_appears_within_a_second_of_its_event(desk, browser):
    async with browser.page(desk.url) as page:
        await page.get_by_text("live", exact=True).wait_for()
        took = []
        for room in ("quick-1", "quick-2", "quick-3"):
            seen = asyncio.create_task(page.evaluate(APPEARED, f"{room} has"))
            await page.title()  # by now it looks
            begun = time.perf_counter()
            await desk.warm(room)
            await seen
            took.append(time.perf_counter() - begun)
        assert sorted(took)[1] < 1.0, took
        await expect(card(page, "quick-1 has")).to_contain_text("critical")
        await desk.warm("quick-1", 20)
        await card(page, "quick-1 has").filter(has_text="resolved").wait_for()


async def test_what_is_acknowledged_on_the_page_is_acknowledged_in_the_shell(desk, browser):
    await desk.warm("ack")
    async with browser.page(desk.url) as page:
        await card(page, "ack has").get_by_role("button", name="Acknowledge").click()
        await page.get_by_label("Comment").fill("fan ordered")
        await page.get_by_label("Until").select_option("4 hours")
        await page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
        await card(page, "ack has").get_by_text("Acknowledged by local: fan ordered, until").wait_for()
        listed = await shell(desk, "alerts")
        (found,) = [each for each in listed if each["labels"].get("room") == "ack"]
        assert (found["acknowledged"]["by"], found["acknowledged"]["comment"]) == ("local", "fan ordered")
        await card(page, "ack has").get_by_role("button", name="Take back").click()
        await card(page, "ack has").get_by_role("button", name="Acknowledge").wait_for()
        assert (await desk.alert("TooWarm", room="ack"))["acknowledged"] is None


async def test_what_is_acknowledged_elsewhere_shows_on_the_page(desk, browser):
    await desk.warm("elsewhere")
    async with browser.page(desk.url) as page:
        await card(page, "elsewhere has").wait_for()
        await desk.ask("/api/hub/ack", id=(await desk.alert("TooWarm", room="elsewhere"))["id"], by="anna")
        await card(page, "elsewhere has").get_by_text("Acknowledged by anna").wait_for()


async def test_a_silence_begins_with_the_alerts_own_matchers_and_tells_what_it_hides(desk, browser):
    await desk.warm("loud")
    async with browser.page(desk.url, allowed=("400",)) as page:
        await card(page, "loud has").get_by_role("button", name="Silence").click()
        matchers = page.get_by_label("Matchers")
        assert await matchers.input_value() == 'alertname="TooWarm", room="loud"'
        await page.get_by_text("matches 1 alert that fire").wait_for()
        await matchers.fill('room="nowhere"')
        await page.get_by_text("matches 0 alerts").wait_for()
        await matchers.fill("room")
        await page.get_by_role("dialog").get_by_role("button", name="Silence").click()
        await page.get_by_role("dialog").get_by_role("alert").filter(has_text="room").wait_for()
        await matchers.fill('room="loud"')
        await page.get_by_label("Comment").fill("repair")
        await page.get_by_role("dialog").get_by_role("button", name="Silence").click()
        await page.get_by_text("Silenced 1 alert", exact=True).wait_for()
        (made,) = (await desk.ask("/api/hub/silences"))["silences"]
        assert (made["createdBy"], made["comment"]) == ("local", "repair")
        await page.get_by_role("link", name="Silences").click()
        await page.get_by_role("button", name="End it").click()
        await page.get_by_text("No silence.").wait_for()
        assert (await desk.ask("/api/hub/silences"))["silences"] == []


async def test_a_silence_for_everything_is_refused_in_its_dialog_and_one_for_nothing_is_warned_of(desk, browser):
    async with browser.page(f"{desk.url}/#/silences", allowed=("400",)) as page:
        await page.get_by_role("button", name="New silence").click()
        send = page.get_by_role("dialog").get_by_role("button", name="Silence")
        await page.get_by_label("Matchers").fill('zone=~".*"')
        await send.click()
        await page.get_by_role("dialog").get_by_role("alert").filter(has_text="must not match the empty").wait_for()
        await page.get_by_label("Matchers").fill("romo=loud")
        await page.get_by_label("From").fill("2100-12-24T22:00")
        await page.get_by_label("For").select_option("4h")
        await send.click()
        await page.get_by_text("no alert or rule has a label 'romo'; did you mean 'room'?").wait_for()
        assert await page.locator("#toast").get_attribute("data-wrong") == "false"  # it was done all the same
        (made,) = (await desk.ask("/api/hub/silences"))["silences"]
        starts, ends = (datetime.fromisoformat(made[key]) for key in ("startsAt", "endsAt"))
        assert (ends - starts, starts.year) == (timedelta(hours=4), 2100)
        shown = page.locator(".silence")
        await shown.filter(has_text="pending from").wait_for()
        await shown.get_by_role("button", name="End it").click()
        await page.get_by_text("No silence.").wait_for()


async def test_the_keyboard_is_enough(desk, browser):
    await desk.warm("keys")
    async with browser.page(desk.url) as page:
        await card(page, "keys has").wait_for()
        await page.get_by_label("Filter").fill("room=keys")
        await page.get_by_label("Filter").press("Tab")
        reached = []
        for _ in range(12):
            focused = await page.evaluate("document.activeElement.textContent")
            reached.append(focused)
            if focused.startswith("keys has"):
                break
            await page.keyboard.press("Tab")
        assert reached[-1].startswith("keys has"), reached
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        await page.keyboard.press("s")
        await page.get_by_role("dialog", name="Silence").wait_for()
        await page.keyboard.press("Escape")
        await page.get_by_role("dialog").wait_for(state="detached")
        assert (await page.evaluate("document.activeElement.textContent")).startswith("keys has")
        await page.keyboard.press("a")
        await page.get_by_role("dialog", name="Acknowledge").wait_for()
        await page.keyboard.type("by hand")
        await page.keyboard.press("Enter")
        await card(page, "keys has").get_by_text("Acknowledged by local: by hand").wait_for()
        assert (await page.evaluate("document.activeElement.textContent")).startswith("keys has")
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Why").wait_for()


async def test_somebody_who_does_not_see_it_is_told_of_what_comes(desk, browser):
    async with browser.page(desk.url) as page:
        await page.get_by_text("live", exact=True).wait_for()
        await desk.warm("spoken")
        said = page.locator("[aria-live=polite]").get_by_text("firing critical alert: spoken has 35.0 °C")
        await said.wait_for(state="attached")
        await desk.warm("spoken", 20)
        await (
            page.locator("[aria-live=polite]").get_by_text("resolved critical alert: spoken").wait_for(state="attached")
        )


async def test_what_fires_before_the_page_has_loaded_is_told_although_the_feed_brings_it_later(desk, browser):
    held, go_on = [], asyncio.Event()

    async def wait(route):
        await go_on.wait()
        await route.continue_()

    def hold(socket):
        hub = socket.connect_to_server()
        hub.on_message(lambda text: held.append(text) if orjson.loads(text)["type"] == "alert" else socket.send(text))

    async with browser.page("about:blank") as page:
        await page.route("**/api/hub/alerts", wait)
        await page.route_web_socket("**/ws", hold)
        await page.goto(desk.url)
        await page.get_by_text("live", exact=True).wait_for()
        await desk.warm("early")
        await until(lambda: _come(held))
        go_on.set()
        said = page.locator("[aria-live=polite]").get_by_text("firing critical alert: early has 35.0 °C")
        await said.wait_for(state="attached")


async def _come(found):
    return bool(found)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_is_accessible_and_fits_a_phone(desk, browser, scheme):
    for value in (20, 24, 28, 35):
        await desk.warm("shown", value)
    await desk.say("named/shown", bad=True, text="x" * 400)
    alert = await desk.alert("TooWarm", room="shown")
    async with browser.page(desk.url, color_scheme=scheme, **PHONE) as page:
        for name in (*PAGES, f"alert/{alert['fingerprint']}"):
            await page.goto(f"{desk.url}/#/{name}")
            await page.locator("main h1").wait_for()
            await page.wait_for_load_state("networkidle")
            assert await page.evaluate(ACCESSIBLE) == [], name
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width == 360, name
        await page.get_by_role("button", name="Acknowledge").click()
        assert [each for each in await page.evaluate(ACCESSIBLE) if "contrast" in each or "name" in each] == []
        ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        dark = max(map(int, re.findall(r"\d+", ground)[:3])) < 60
        assert dark == (scheme == "dark")


async def test_what_a_device_sends_is_shown_as_text(desk, browser):
    text = "<img src=x onerror=\"document.title='taken'\"> {{7*7}} \u202e\u0007"
    await desk.say('named/<b>bold"\\n', bad=True, text=text)
    async with browser.page(desk.url) as page:
        heading = page.get_by_role("heading", name="<img src=x")
        await heading.wait_for()
        await expect(heading).to_contain_text("onerror=\"document.title='taken'\"> {{7*7}} \\u202e")
        assert await page.get_by_text('<b>bold"\\n').count() > 0
        await card(page, "<img src=x").get_by_role("button", name="Silence").click()
        await page.get_by_text("matches 1 alert that fire").wait_for()
        await page.keyboard.press("Escape")
        for name in ("history", "rules/Named", "devices"):
            await page.goto(f"{desk.url}/#/{name}")
            await page.get_by_text("<b>bold").first.wait_for()
        await expect(page.locator("main :is(img, b:text-is('bold'))")).to_have_count(0)
        assert "taken" not in await page.title()


async def test_a_rule_shows_its_last_values_with_its_limits(desk, browser):
    async def sampled():
        found = (await desk.ask("/api/hub/values?topic=room/chart/climate"))["series"]
        return found and found[0]["points"][-1][1] == value

    for value in (22, 29, 33):
        await desk.warm("chart", value)
        await until(sampled)  # the hub does once a second
    async with browser.page(f"{desk.url}/#/rules/TooWarm") as page:
        chart = page.get_by_role("img", name="temperature of room/chart/climate: now 33")
        await chart.wait_for()
        assert "between 22 and 33" in await chart.get_attribute("aria-label")
        await expect(chart.get_by_text("when 30")).to_have_count(1)
        await expect(chart.get_by_text("clear 25")).to_have_count(1)
        await expect(page.get_by_text("temperature > 30", exact=True)).to_be_visible()
        await page.get_by_text("last heard").first.wait_for()


async def test_history_and_why_tell_the_way_from_the_message_to_the_delivery(desk, browser):
    await desk.warm("story")
    await desk.told(lambda line: line["labels"].get("room") == "story")
    await desk.warm("story", 20)
    await desk.told(lambda line: line["labels"].get("room") == "story" and line["state"] == "resolved")
    async with browser.page(f"{desk.url}/#/history") as page:
        row = page.get_by_role("region", name="Timeline").get_by_role("listitem").filter(has_text="story")
        await row.wait_for()
        await expect(row.get_by_role("img", name="fired 1 time")).to_have_count(1)
        await row.get_by_role("link").click()
        await page.get_by_text("room/story/climate").first.wait_for()
        await expect(page.get_by_text("told to journal (firing)")).to_have_count(1)
        await expect(page.get_by_text("journal: delivered, attempt 1")).to_have_count(2)


def _entry(row, seconds_ago, alertname, phase, since=0.0):
    at = time.time() - seconds_ago
    said = {"phase": phase, "reason": "", "since": at - since, "labels": {"site": "a"}, "values": [], "event": None}
    when = datetime.fromtimestamp(at, UTC).isoformat()
    fingerprint = {"alertname": alertname, "fingerprint": alertname, "notification": None}
    return {"row": row, "time": when, "kind": "transition", **fingerprint, **said}


def _past():
    """Return entries of four days, newest first, more than the page reads at first, and one alert of nine seconds.

    The end of that alert is among the entries that the page reads at first; its begin is not.
    """
    phases = ["resolved", "firing"] * 3000
    found = [_entry(9000 - number, 60 * number + 1, "Chatty", phase) for number, phase in enumerate(phases)]
    found[4990] = _entry(9000 - 4990, 60 * 4990 + 1, "Brief", "resolved", since=9.0)
    return found


async def test_history_draws_bars_for_what_is_known_and_says_where_it_is_cut(desk, browser):
    past = _past()

    async def answer(route):
        query = dict(parse_qsl(urlsplit(route.request.url).query))
        before = int(query.get("before") or 10**9)
        rest = [each for each in past if each["row"] < before]
        body = {"ok": True, "entries": rest[:1000], "more": len(rest) > 1000, "kept_since": None}
        await route.fulfill(body=orjson.dumps(body).decode(), content_type="application/json")

    async with browser.page(f"{desk.url}/#/devices") as page:
        await page.route("**/api/hub/history*", answer)
        await page.goto(f"{desk.url}/#/history")
        await page.get_by_label("Span").select_option("7 days")
        said = page.get_by_text("before that there are more than 5,000 entries")
        await said.wait_for()
        row = page.get_by_role("region", name="Timeline").get_by_role("listitem").filter(has_text="Brief")
        bars = row.locator("rect.bar")
        assert [float(await bar.get_attribute("width")) for bar in await bars.all()] == [0.4]  # the least that is seen
        unknown = float(await row.locator("rect.unknown").get_attribute("width"))
        assert unknown == pytest.approx(100 * (1 - 5000 * 60 / (7 * 86400)), abs=0.5)
        await page.get_by_role("button", name="Show earlier ones").click()
        await said.wait_for(state="detached")
        await expect(page.locator("rect.unknown")).to_have_count(0)


async def _fulfil(body, route):
    await route.fulfill(body=orjson.dumps({"ok": True, **body}).decode(), content_type="application/json")


async def test_history_shows_an_alert_that_fires_all_the_time(desk, browser):
    since = datetime.fromtimestamp(time.time() - 7200, UTC).isoformat()
    alert = {"alertname": "Steady", "fingerprint": "s", "labels": {"site": "b"}, "state": "firing", "since": since}
    async with browser.page(f"{desk.url}/#/devices") as page:
        await page.route("**/api/hub/history*", partial(_fulfil, {"entries": [], "more": False, "kept_since": None}))
        await page.route("**/api/hub/alerts?state=firing", partial(_fulfil, {"alerts": [alert]}))
        await page.goto(f"{desk.url}/#/history")
        row = page.get_by_role("region", name="Timeline").get_by_role("listitem").filter(has_text="Steady")
        bar = row.locator("rect.bar")
        assert (float(await bar.get_attribute("x")), float(await bar.get_attribute("width"))) == (0, 100)


async def test_a_receiver_that_never_delivered_is_not_said_to_work(desk, browser):
    await desk.warm("tried")
    await desk.told(lambda line: line["labels"].get("room") == "tried")
    async with browser.page(f"{desk.url}/#/delivery") as page:
        rows = page.get_by_role("row")
        await rows.filter(has_text="journal").get_by_text("works").wait_for()
        await rows.filter(has_text="browsers").get_by_text("not tried yet").wait_for()


async def test_filter_and_groups(desk, browser):
    await asyncio.gather(desk.warm("one"), desk.warm("two"))
    async with browser.page(desk.url) as page:
        await card(page, "one has").wait_for()
        await page.get_by_label("Filter").fill("toowarm room=two")
        await card(page, "one has").wait_for(state="detached")
        await expect(card(page, "two has")).to_have_count(1)
        await page.get_by_label("Filter").fill("")
        await page.get_by_label("Group by").select_option("room")
        await page.get_by_role("region", name="one").wait_for()
        await page.get_by_role("combobox", name="Severity", exact=True).select_option("info")
        await page.get_by_text("No alert matches the filter.").wait_for()


async def test_what_was_missed_while_the_connection_was_lost_is_there_when_it_is_back(desk, browser):
    async with Proxy(int(desk.url.rpartition(":")[2])) as proxy:
        allowed = ("WebSocket", "ERR_", "fetching the script")  # the push worker may be fetched just then
        async with browser.page(f"http://127.0.0.1:{proxy.port}", allowed=allowed) as page:
            await page.get_by_text("live", exact=True).wait_for()
            proxy.hold()
            proxy.cut()
            await page.get_by_text("no connection").or_(page.get_by_text("connecting")).wait_for()
            await desk.warm("missed")
            await desk.told(lambda line: line["labels"].get("room") == "missed")
            proxy.cut()
            proxy.resume()
            await card(page, "missed has").wait_for()
            await page.get_by_text("live", exact=True).wait_for()


TOKENS = """{listen: '127.0.0.1:0', tokens: [
  {name: anna, role: operator, token: a-token-of-annas-own}, {name: wall, role: viewer, token: a-token-of-the-wall}]}"""


@contextlib.asynccontextmanager
async def signed_in(browser, url, token, **options):
    async with browser.page(url, allowed=("401",), **options) as page:
        await page.get_by_label("Token").fill(token)
        await page.get_by_label("Token").press("Enter")
        yield page


async def test_with_tokens_one_signs_in_and_acts_in_ones_own_name(browser, tmp_path):
    async with running(tmp_path, TOKENS) as desk:
        await desk.warm("secret")
        await desk.told(lambda line: line["labels"].get("room") == "secret")
        async with signed_in(browser, desk.url, "wrong") as page:
            await page.get_by_text("This token is not known.").wait_for()
            await expect(page.get_by_text("secret has")).to_have_count(0)
            assert await page.evaluate(ACCESSIBLE) == []
            await page.get_by_label("Token").fill("a-token-of-annas-own")
            await page.get_by_role("button", name="Sign in").click()
            await card(page, "secret has").get_by_role("button", name="Acknowledge").click()
            await page.keyboard.press("Enter")
            await card(page, "secret has").get_by_text("Acknowledged by anna").wait_for()
            assert await page.evaluate("document.cookie") == ""
            await page.reload()
            await card(page, "secret has").wait_for()
            await page.get_by_role("button", name="Sign out").click()
            await page.get_by_label("Token").wait_for()
            await page.reload()
            await page.get_by_label("Token").wait_for()
        async with signed_in(browser, desk.url, "a-token-of-the-wall") as page:
            await card(page, "secret has").wait_for()
            await expect(page.get_by_role("button", name=re.compile("Acknowledge|Take back|Silence"))).to_have_count(0)
