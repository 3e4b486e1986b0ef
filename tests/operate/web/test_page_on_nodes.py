"""The page of a node in a real Chromium: on a standby, while the owner dies, and while nobody owns."""

from contextlib import asynccontextmanager

import pytest
from playwright.async_api import expect

from tests.operate.web.conftest import RULES
from tests.operate.web.test_page import card
from tests.support.cluster import OWNED_SECONDS, Cluster
from tests.support.mqtt import client

pytestmark = pytest.mark.asyncio(loop_scope="module")

REFUSED = ("503", "504")  # what Chromium itself complains of where a request gets this answer
OWNED_MS = 1000 * OWNED_SECONDS


class Nodes:
    """Two nodes, which of them owned first, and a device that says where it is warm."""

    def __init__(self, cluster, device, first):
        self.cluster, self._device, self.first = cluster, device, first
        [self.second] = {*cluster.nodes} - {first}

    async def warm(self, room):
        assert await self._device.publish(f"room/{room}/climate", b'{"temperature": 35}') == 0

    async def leave(self, name):
        assert await self.cluster.command("cluster", "leave", name) == 0


@asynccontextmanager
async def nodes(tmp_path, broker):
    async with (
        Cluster(tmp_path, broker, RULES, http="{listen: '127.0.0.1:0'}") as cluster,
        client(broker.settings("device"), "a-device") as device,
    ):
        yield Nodes(cluster, device, await cluster.owner())


@asynccontextmanager
async def page_of(browser, nodes, name):
    async with browser.page(await nodes.cluster.nodes[name].url(), allowed=REFUSED) as page:
        page.set_default_timeout(OWNED_MS)
        await live(page)
        yield page


async def live(page):
    await page.get_by_text("live", exact=True).wait_for()


async def acknowledge(page, text):
    await card(page, text).get_by_role("button", name="Acknowledge").click()
    await page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()


@pytest.mark.time_limit(150, "the owner is killed, another one takes over, and it is given back")
async def test_the_page_of_a_standby_is_the_owners_and_goes_on_when_that_is_killed_and_when_it_owns_itself(
    tmp_path, broker, browser
):
    async with nodes(tmp_path, broker) as here, page_of(browser, here, here.second) as page:
        await here.warm("one")
        await acknowledge(page, "one has")
        await card(page, "one has").get_by_text("Acknowledged by local").wait_for()
        await here.cluster.nodes[here.first].kill()
        await here.warm("two")
        await expect(card(page, "one has")).to_be_visible()
        await acknowledge(page, "two has")  # by now this node owns
        await card(page, "two has").get_by_text("Acknowledged by local").wait_for()
        await live(page)
        await here.cluster.nodes[here.first].start(connected=False)
        await here.cluster.nodes[here.first].says(" standby ", f"which {here.second} owns")
        assert await here.cluster.command("cluster", "move", "main", here.first) == 0
        await here.warm("three")
        await acknowledge(page, "three has")
        await card(page, "three has").get_by_text("Acknowledged by local").wait_for()
        await live(page)


@pytest.mark.time_limit(150, "nobody owns for a while")
async def test_the_page_says_that_nobody_owns_keeps_what_it_shows_and_goes_on_by_itself(tmp_path, broker, browser):
    async with nodes(tmp_path, broker) as here, page_of(browser, here, here.second) as page:
        await here.warm("kept")
        await card(page, "kept has").wait_for()
        await here.leave(here.second)
        await here.cluster.nodes[here.first].kill()
        await page.get_by_text("not live: no node owns the hub at this moment").wait_for()
        await acknowledge(page, "kept has")
        refused = page.get_by_role("dialog").get_by_role("alert")
        await refused.filter(has_text="no node owns the hub at this moment; try again soon").wait_for()
        await here.warm("later")
        await here.cluster.nodes[here.first].start(connected=False)
        await live(page)
        await page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
        await card(page, "kept has").get_by_text("Acknowledged by local").wait_for()
        await card(page, "later has").wait_for()
        await here.leave(here.first)
        await page.get_by_text("not live: ").wait_for()
        await page.reload()
        await page.get_by_text("no node owns the hub at this moment; try again soon; the next attempt is in").wait_for()
        assert await here.cluster.nodes[here.first].stop() == 0
        await here.cluster.nodes[here.first].start(connected=False)
        await card(page, "later has").wait_for()
        await live(page)
