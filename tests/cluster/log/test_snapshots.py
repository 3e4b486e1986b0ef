"""snapshots: one is there when its manifest is, and one that is not whole is not taken."""

import pytest

from hub.cluster.log.log_record import Tip
from hub.cluster.log.snapshots import Snapshots
from hub.cluster.servers.jetstream import JetStream, WrongTip
from hub.cluster.servers.link import LinkError
from hub.errors import StoreError, StoreUnusable
from hub.store.changes import Changes
from tests.cluster.test_log import replica_of


@pytest.fixture
async def copy(link, tmp_path, monkeypatch):
    monkeypatch.setattr("hub.cluster.log.snapshots.SNAPSHOT_PIECE_BYTES", 700)
    made = await replica_of(link, tmp_path)
    made.apply(
        Changes(meta=[(f"k{number}", f"{number * 7919 % 104729:x}" * 3) for number in range(300)]), Tip(5, "e"), 1.0
    )
    yield made
    await made.store.close()


def pieces(names, place, number):
    return f"{names.snapshot}.{place}.{number}"


async def places(snapshots):
    """Return up to which record what is stored goes, be it whole or torn."""
    return sorted(int(each.partition("-")[0]) for each in await snapshots._places())


async def test_a_snapshot_is_the_copy_and_the_ones_before_it_are_forgotten(link, copy, tmp_path):
    snapshots = Snapshots(link, link.names)
    assert await snapshots.latest() is None
    old = await snapshots.put(copy, "a")
    copy.apply(Changes(meta=[("late", "1")]), Tip(6, "f"), 1.0)
    new = await snapshots.put(copy, "b")
    assert (old.tip, new.tip, (await snapshots.latest()).node) == (Tip(5, "e"), Tip(6, "f"), "b")
    assert new.pieces > 3
    stream = JetStream(link)
    assert await stream.last(link.names.snapshots, pieces(link.names, old.place, 0)) is None
    assert await places(snapshots) == [6]
    await snapshots.get(new, tmp_path / "fetched")
    await copy.take(tmp_path / "fetched")
    assert copy.tip == Tip(6, "f")
    meta = (await copy.store.load()).meta
    assert (meta["late"], len([key for key in meta if key.startswith("k")])) == ("1", 300)


async def test_a_snapshot_of_which_a_piece_is_missing_or_another_one_is_not_taken(link, copy, tmp_path):
    snapshots, stream, names = Snapshots(link, link.names), JetStream(link), link.names
    made = await snapshots.put(copy, "a")
    second = pieces(names, made.place, 1)
    whole = (await stream.last(names.snapshots, second)).data
    await stream.append(second, whole[:-1] + bytes([whole[-1] ^ 1]), {}, None)
    with pytest.raises(StoreUnusable, match=r"cannot be read|not the one that was stored"):
        await snapshots.get(made, tmp_path / "fetched")
    await stream.append(second, whole, {}, None)
    await snapshots.get(made, tmp_path / "fetched")
    await stream.api(f"STREAM.PURGE.{names.snapshots}", {"filter": second})
    with pytest.raises(StoreUnusable, match="the snapshot at record 5 lacks piece 1"):
        await snapshots.get(made, tmp_path / "fetched")


async def test_a_snapshot_that_was_torn_while_it_was_stored_is_none_and_leaves_nothing(link, copy, tmp_path):
    snapshots = Snapshots(link, link.names)
    good = await snapshots.put(copy, "a")
    copy.apply(Changes(meta=[("late", "1")]), Tip(6, "f"), 1.0)
    append, stored = snapshots._stream.append, []

    async def torn(subject, data, headers, expected):
        if len(stored) == 2:
            raise LinkError("no answer")
        stored.append(subject)
        return await append(subject, data, headers, expected)

    snapshots._stream.append = torn
    with pytest.raises(LinkError):
        await snapshots.put(copy, "b")
    assert await snapshots.latest() == good
    assert not list(tmp_path.rglob("*.snapshot"))
    await snapshots.get(good, tmp_path / "fetched")
    snapshots._stream.append = append
    copy.apply(Changes(meta=[("later", "1")]), Tip(7, "g"), 1.0)
    await snapshots.put(copy, "b")
    assert await places(snapshots) == [7], "a torn one is deleted, too"


async def test_torn_snapshots_of_this_node_and_old_ones_of_any_do_not_fill_the_room_of_the_next(
    link, copy, monkeypatch
):
    snapshots, other = Snapshots(link, link.names), Snapshots(link, link.names)
    good = await snapshots.put(copy, "a")
    for number, each in enumerate((snapshots, snapshots, other), 6):
        copy.apply(Changes(meta=[("late", str(number))]), Tip(number, "f"), 1.0)
        append, begun = each._stream.append, []

        async def torn(subject, data, headers, expected, append=append, begun=begun):
            if begun:
                raise LinkError("no answer")
            begun.append(subject)
            return await append(subject, data, headers, expected)

        monkeypatch.setattr(each._stream, "append", torn)
        with pytest.raises(LinkError):
            await each.put(copy, "a")
        monkeypatch.undo()
    monkeypatch.setattr("hub.cluster.log.snapshots.SNAPSHOT_PIECE_BYTES", 700)
    assert await places(snapshots) == [5, 7, 8], "what it began before it has forgotten"
    await snapshots._forget_torn(await snapshots._stream.last(link.names.snapshots, link.names.snapshot))
    assert await places(snapshots) == [5, 8], "another node may still be at work"
    monkeypatch.setattr("hub.cluster.log.snapshots.SNAPSHOT_TORN_SECONDS", -1.0)
    await snapshots._forget_torn(await snapshots._stream.last(link.names.snapshots, link.names.snapshot))
    assert await places(snapshots) == [5]
    assert await snapshots.latest() == good


async def test_of_two_snapshots_at_once_the_first_is_whole_and_the_second_none(link, copy, tmp_path):
    slow, quick = Snapshots(link, link.names), Snapshots(link, link.names)
    append, others = slow._stream.append, []

    async def overtaken(subject, data, headers, expected):
        if expected is not None and not others:  # all pieces are there, the manifest is not
            others.append(await quick.put(copy, "b"))
        return await append(subject, data, headers, expected)

    slow._stream.append = overtaken
    with pytest.raises(WrongTip):
        await slow.put(copy, "a")
    assert await slow.latest() == others[0]
    await slow.get(others[0], tmp_path / "fetched")


async def test_a_snapshot_that_finds_no_room_on_the_disk_says_which_file(link, copy, tmp_path):
    made = await Snapshots(link, link.names).put(copy, "a")
    with pytest.raises(StoreError, match=r"nowhere.fetched: cannot be written: "):
        await Snapshots(link, link.names).get(made, tmp_path / "nowhere" / "fetched")
