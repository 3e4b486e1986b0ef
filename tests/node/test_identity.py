"""Who a hub is outlives its process and its version: links, cookies and push subscriptions keep their worth."""

import asyncio
import lzma
from pathlib import Path

import pytest

from hub.clock import SystemClock
from hub.commands.tokens.token import Claim, read_token
from hub.config import AccessToken
from hub.documents.secret import Secret
from hub.errors import StoreUnusable
from hub.node.identity import identify
from hub.node.opening import open_state
from hub.operate.api.front.login import Logins
from hub.store.memory import MemoryStore

EARLIER = Path(__file__).parents[1] / "store" / "states" / "keys.db.xz"
VAPID = "22488180f91228cc52f1fd655376c64be47c1102b377c5fefdd8408bda777524"
LINK = "ffffffffffffffff.2.4000000000.bWFpbA.5F2tEtPcNGCkodoYFwxCVEoMf8-5sVirHPLV5MLmwb0"
COOKIE = "b2xnYQ.4000000000.Q4s3LrKwd1_AOBdG.bb4d75eacdeccff38858cecc6c4dedf1acf47cd4d7cf076ebf8b4e7b07c9c533"
ENDED = "b2xnYQ.4000000000.IK7VigSUED5W4U0e.024d526d6fa7226b52511698b927a2823a7e2140e832132a06dbe8f26e296e93"
OLGA = AccessToken("olga", "operator", Secret("do"))


async def started(file):
    """Start on a file and end at once, as a hub that is killed behind its first commit; return what it found."""
    opened = await open_state(file, lambda _: None, lambda _: None, asyncio.Event(), SystemClock())
    await opened.store.close()
    return opened


async def test_a_file_of_a_hub_that_wrote_its_keys_beside_the_commits_keeps_them_all(tmp_path):
    file = tmp_path / "hub.db"
    file.write_bytes(lzma.decompress(EARLIER.read_bytes()))
    for start in (4, 5):  # the upgrade, and the restart behind it
        found = (await started(file)).identity
        assert found.start == start
        assert found.vapid.hex() == VAPID
        assert read_token(LINK, found.token, 1000.0) == Claim("f" * 16, 2, 4_000_000_000, "mail")
        logins = Logins(found.login, found.logouts)
        assert logins.open(COOKIE, [OLGA], 1000.0).token == OLGA
        assert logins.open(ENDED, [OLGA], 1000.0) is None


async def test_a_new_hub_makes_its_keys_once_and_counts_its_starts(tmp_path):
    first, second = [(await started(tmp_path / "hub.db")).identity for _ in range(2)]
    assert (first.token, first.vapid, first.login) == (second.token, second.vapid, second.login)
    assert len({first.token, first.vapid, first.login}) == 3
    assert (first.start, second.start) == (1, 2)
    other = (await started(tmp_path / "other.db")).identity
    assert not {other.token, other.vapid, other.login} & {first.token, first.vapid, first.login}


async def test_what_a_start_makes_is_in_the_first_commit_and_nothing_is_made_that_is_there(tmp_path):
    made, rows = identify(tmp_path, {})
    assert {name for name, _ in rows} == {"key:token", "key:vapid", "key:login", "count:start"}
    again, more = identify(tmp_path, dict(rows))
    assert more == [("count:start", "2")]
    assert (again.token, again.start) == (made.token, 2)


async def test_a_hub_that_is_told_to_stop_while_its_first_commit_waits_ends(monkeypatch):
    store, stop = MemoryStore(), asyncio.Event()
    store.refuse("the disk is full")
    monkeypatch.setattr("hub.node.opening.SqliteStore", lambda *_: store)
    opening = asyncio.ensure_future(open_state(Path("hub.db"), print, print, stop, SystemClock()))
    for _ in range(50):
        await asyncio.sleep(0)
    assert not opening.done(), "nobody may hear of a key that is not on disk"
    stop.set()
    assert await asyncio.wait_for(opening, 10) is None
    assert store.ended.done()


@pytest.mark.parametrize(
    ("row", "value"),
    [("key:login", "ab"), ("key:vapid", "zz"), ("count:start", "many"), ("count:start", "²"), ("logout:m", "soon")],
)
def test_a_row_that_means_nothing_is_named_with_what_to_do(row, value):
    with pytest.raises(StoreUnusable, match=f"DELETE FROM meta WHERE key = '{row}'"):
        identify(Path("hub.db"), {row: value})
