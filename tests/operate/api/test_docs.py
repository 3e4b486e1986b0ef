"""docs/http.md has every endpoint and every type of the feed's messages."""

import inspect
import re
from pathlib import Path

from hub.operate.api.feed import feed, stream
from hub.operate.api.front import server

TEXT = (Path(__file__).parents[3] / "docs" / "http.md").read_text("utf-8")


def test_everything_that_can_be_asked_is_documented():
    known = {(each.method, each.path.replace("{topic:path}", "TOPIC")) for each in server.ENDPOINTS}
    missing = [f"{method} {path}" for method, path in known if f"{method} {path}" not in TEXT and path not in TEXT]
    assert not missing


def test_whoever_may_do_what_is_documented_as_it_is():
    told = {
        path: row.split("|")[3].strip()
        for row in TEXT.splitlines()
        for path in re.findall(r"`\w+ (/api/hub/\S+)`", row)
    }
    assert told
    wrong = {each.path: each.role for each in server.ENDPOINTS if told.get(each.path, each.role) != each.role}
    assert not wrong


def test_every_type_of_the_feed_is_documented():
    source = inspect.getsource(feed) + inspect.getsource(stream) + inspect.getsource(server)
    types = set(re.findall(r'\.(?:say|compose)\((?:at, )?"(\w+)"', source)) | set(
        re.findall(r'say\(\s*"(\w+)"', source)
    )
    assert {"event", "figures", "hello", "gap"} <= types
    assert not [each for each in types if f"`{each}`" not in TEXT]
