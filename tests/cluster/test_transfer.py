"""transfer: an import that is cut off at any of its steps can be done again, and no node owns half of it."""

import asyncio

import pytest

from hub.cluster.servers.jetstream import JetStream
from hub.cluster.servers.streams import ClusterError
from hub.cluster.transfer import import_file
from hub.errors import StoreError
from hub.store.changes import Changes
from hub.store.sqlite.writer import SqliteStore
from hub.store.store import durably
from tests.cluster.test_log import replica_of
from tests.cluster.test_standby import standing_by


class Killed(Exception):
    """The importing process ends here."""


@pytest.fixture
async def file(tmp_path):
    """The state of a single hub."""
    path = tmp_path / "single" / "hub.db"
    path.parent.mkdir()
    store = SqliteStore(path, print)
    await durably(store, Changes(meta=[("k", "imported")]))
    await store.close()
    return path


async def torn(link, file, monkeypatch, step):
    """Import until the record of this number is written; 0: until before the first."""
    append, written = JetStream.append, []

    async def cut_off(self, subject, *what):
        if len(written) == step:
            raise Killed
        written.append(subject)
        return await append(self, subject, *what)

    monkeypatch.setattr(JetStream, "append", cut_off)
    with pytest.raises(Killed):
        await import_file(link, link.names, file)
    monkeypatch.undo()
    assert not list(file.parent.glob("*.import*"))
    return written


CLAIM, IMPORT, PIECE, MANIFEST = 1, 2, 3, 4


async def owned(link, log_servers, replica):
    """Stand by until the unit is claimed; return what the copy has of the file, and whom it followed."""
    async with standing_by(link, log_servers, replica, may_claim=True) as standby:
        claim = await asyncio.wait_for(standby.claiming, 20)
    await replica.settled()
    return (await replica.store.load()).meta.get("k"), claim


async def test_the_state_of_a_hub_that_runs_is_not_imported_and_a_backup_without_a_lock_is(link, file):
    hub = SqliteStore(file, print)
    with pytest.raises(StoreError, match=r"another hub .* has this state file open"):
        await import_file(link, link.names, file)
    assert await JetStream(link).last(link.names.stream, link.names.subject) is None
    await hub.close()
    backup = file.with_name("backup.db")
    file.rename(backup)
    assert (await import_file(link, link.names, backup)).seq == 2


@pytest.mark.parametrize("step", [0, CLAIM, IMPORT, PIECE, MANIFEST])
async def test_an_import_that_was_cut_off_is_done_again(link, log_servers, file, tmp_path, monkeypatch, step):
    assert len(await torn(link, file, monkeypatch, step)) == step
    replica = await replica_of(link, tmp_path)
    if step in (IMPORT, PIECE):
        async with standing_by(link, log_servers, replica, may_claim=True) as standby, asyncio.timeout(20):
            while "do it again" not in standby.voice.trouble:
                await asyncio.sleep(0.01)
            assert not standby.claiming.done()
    await import_file(link, link.names, file)
    assert (await owned(link, log_servers, replica))[0] == "imported"
    with pytest.raises(ClusterError, match=r"b\.1 owns main: stop all nodes first"):
        await import_file(link, link.names, file)
    await replica.store.close()


async def test_an_import_of_which_only_the_release_is_missing_is_owned_as_if_it_had_come(
    link, log_servers, file, tmp_path, monkeypatch
):
    await torn(link, file, monkeypatch, MANIFEST)
    replica = await replica_of(link, tmp_path)
    state, claim = await owned(link, log_servers, replica)
    assert (state, claim.before.node) == ("imported", "import")
    await replica.store.close()


async def test_a_claim_of_an_import_that_died_is_followed_as_any(link, log_servers, file, tmp_path, monkeypatch):
    await torn(link, file, monkeypatch, CLAIM)
    replica = await replica_of(link, tmp_path)
    state, claim = await owned(link, log_servers, replica)
    assert (state, claim.before.node) == (None, "import")
    await replica.store.close()


async def test_a_file_that_is_not_there_is_told_and_not_made(link, tmp_path):
    with pytest.raises(StoreError, match="there is no such file"):
        await import_file(link, link.names, tmp_path / "no.db")
    assert not list(tmp_path.iterdir())
