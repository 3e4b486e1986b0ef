"""The page's files are complete, load nothing from elsewhere, and give a foreign script no way to run."""

import gzip
import json
import re
from importlib.resources import files

import aiohttp
import pytest
from yarl import URL

from hub.operate.web import assets

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOLDER = files("hub.operate.web").joinpath("assets")
FILES = sorted(each.name for each in FOLDER.iterdir())
TEXTS = [name for name in FILES if not name.endswith(".png")]


class Answer:
    def __init__(self, response, content):
        self.status, self.headers, self.content = response.status, response.headers, content


@pytest.fixture
def get(desk):
    async def ask(path, method="GET", **headers):
        named = {"Accept-Encoding": "identity"} | {name.replace("_", "-"): value for name, value in headers.items()}
        url = URL(desk.url + path, encoded=True)
        async with aiohttp.ClientSession(auto_decompress=False) as http, http.request(method, url, headers=named) as it:
            return Answer(it, await it.read())

    return ask


def text(name):
    return FOLDER.joinpath(name).read_text("utf-8")


def address(name):
    return {"index.html": "/", "sw.js": "/sw.js", "manifest.webmanifest": "/manifest.webmanifest"}.get(
        name, f"/assets/{name}"
    )


@pytest.mark.parametrize("name", FILES)
async def test_a_file_is_served_as_it_is_with_its_kind_and_a_strict_policy(get, name):
    answer = await get(address(name))
    assert answer.status == 200
    assert answer.content == FOLDER.joinpath(name).read_bytes()
    assert answer.headers["content-type"].split(";")[0] == assets._MEDIA["." + name.split(".")[-1]].split(";")[0]
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", FILES)
async def test_a_browser_that_has_it_is_told_so(get, name):
    tag = (await get(address(name))).headers["etag"]
    again = await get(address(name), if_none_match=f'"other", W/{tag}')
    assert (again.status, again.content) == (304, b"")
    assert (await get(address(name), if_none_match='"other"')).status == 200


async def test_what_is_long_is_compressed_for_who_can_read_that(get):
    answer = await get("/assets/style.css", accept_encoding="gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(answer.content).decode() == text("style.css")
    assert len(answer.content) < len(text("style.css")) / 2
    assert "content-encoding" not in (await get("/assets/style.css")).headers


async def test_head_answers_like_get(get):
    assert (await get("/", "HEAD")).headers["etag"] == (await get("/")).headers["etag"]


async def test_nothing_else_is_served(get):
    for path in ("/assets/", "/assets/../assets.py", "/assets/%2e%2e/assets.py", "/assets/index.html", "/assets.py"):
        assert (await get(path)).status == 404, path


@pytest.mark.parametrize("name", TEXTS)
async def test_no_file_names_another_host(name):
    hosts = set(re.findall(r"(?:https?:)?//([a-z0-9.-]+\.[a-z]{2,})", text(name)))
    assert hosts <= {"www.w3.org"}  # the name of SVG's namespace


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".js")])
async def test_no_script_makes_markup_or_code_of_text_and_each_import_is_there(name):
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser", text(name)
    )
    for other in re.findall(r'from "\./([\w.]+)"', text(name)):
        assert other in FILES


async def test_the_page_names_only_files_that_are_there_and_has_no_script_of_its_own(get):
    page = text("index.html")
    for path in re.findall(r'(?:href|src)="([^#"]+)"', page):
        assert (await get(f"/{path}")).status == 200, path
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=|<style", page)


async def test_it_can_be_installed(get):
    manifest = json.loads(text("manifest.webmanifest"))
    assert manifest["display"] == "standalone"
    assert {each["sizes"] for each in manifest["icons"]} >= {"192x192", "512x512"}
    for icon in manifest["icons"]:
        assert (await get(f"/{icon['src']}")).headers["content-type"] == icon["type"]
