"""A real Chromium, the system's own, driven by Playwright; each page is watched for what it complains about."""

import contextlib

from playwright.async_api import async_playwright

from tests.support.servers import program

ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
)


class Browser:
    """Opens pages; `complaints` are errors of scripts, and what the policy forbids, of all of them."""

    def __init__(self, chromium):
        self.chromium, self.complaints = chromium, []

    @contextlib.asynccontextmanager
    async def page(self, url, *, allowed=(), script="", **options):
        context = await self.chromium.new_context(**({"viewport": {"width": 1100, "height": 800}} | options))
        if script:
            await context.add_init_script(script)
        page = await context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self._said(said, allowed))
        await page.goto(url)
        try:
            yield page
        finally:
            await context.close()

    def _said(self, said, allowed):
        if said.type in ("error", "warning") and not any(word in said.text for word in allowed):
            self.complaints.append(said.text)


@contextlib.asynccontextmanager
async def chromium():
    path = program("chromium")
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        browser = Browser(running)
        try:
            yield browser
        finally:
            await running.close()
