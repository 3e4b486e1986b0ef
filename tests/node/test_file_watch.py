"""watch: every way to change files is seen, again and again, and what cannot be seen ends nothing."""

import asyncio
import os
import shutil

import pytest

from hub.node import file_watch as module
from hub.node.file_watch import look, watch


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(module, "RELOAD_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(module, "RELOAD_LOOK_SHARE", 1000.0)
    monkeypatch.setattr(module, "RELOAD_QUIET_SECONDS", 0.01)


class Watching:
    """Counts what is told."""

    def __init__(self, *paths):
        self.told = asyncio.Semaphore(0)
        self.task = asyncio.create_task(watch(paths, self.told.release, look(paths)))

    async def once(self):
        """Wait until it is told; then, that it is told no more."""
        async with asyncio.timeout(20):
            await self.told.acquire()
        await asyncio.sleep(0.1)
        while not self.told.locked():
            await self.told.acquire()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        assert not self.task.done(), self.task.exception()
        self.task.cancel()


def version(folder, name, text="rules: []"):
    made = folder / name
    made.mkdir()
    (made / "a.yaml").write_text(text)
    return made


async def test_a_file_that_is_written_renamed_made_readable_or_removed_is_seen(tmp_path):
    folder = version(tmp_path, "rules")
    file = folder / "a.yaml"
    async with Watching(folder) as seen:
        for change in (
            lambda: file.write_text("rules: [] # "),
            lambda: file.rename(folder / "b.yaml"),
            lambda: (folder / "b.yaml").chmod(0o600),
            lambda: shutil.copy2(folder / "b.yaml", folder / "c.yaml"),
            (folder / "c.yaml").unlink,
            (folder / "b.yaml").unlink,
        ):
            change()
            await seen.once()


async def test_what_is_not_there_yet_and_goes_and_comes_again_is_seen(tmp_path):
    folder = tmp_path / "deep" / "rules"
    async with Watching(folder) as seen:
        folder.parent.mkdir()
        for _ in range(3):
            version(folder.parent, "rules")
            await seen.once()
            shutil.rmtree(folder)
            await seen.once()


async def test_a_folder_that_is_moved_away_and_back_is_seen_and_what_changes_in_it_after(tmp_path):
    folder = version(tmp_path, "rules")
    async with Watching(folder) as seen:
        for _ in range(3):
            folder.rename(tmp_path / "away")
            await seen.once()
            (tmp_path / "away").rename(folder)
            await seen.once()
            (folder / "a.yaml").write_text("rules: [] #")
            await seen.once()


@pytest.mark.parametrize("where", ["the path itself", "a parent"])
async def test_a_link_that_is_swapped_is_seen_every_time(tmp_path, where):
    for name in ("one", "two"):
        made = tmp_path / name
        made.mkdir()
        version(made, "rules", f"rules: [] # {name}")
    target = (lambda name: f"{name}/rules") if where == "the path itself" else (lambda name: name)
    link = tmp_path / "current"
    link.symlink_to(target("one"))
    async with Watching(link if where == "the path itself" else link / "rules") as seen:
        for name in ("two", "one", "two", "one"):
            (tmp_path / "new").symlink_to(target(name))
            (tmp_path / "new").rename(link)  # as `ln -sfn` does
            await seen.once()


async def test_a_configmap_that_is_swapped_is_seen_every_time(tmp_path):
    mount = tmp_path / "mount"
    mount.mkdir()
    version(mount, "..1")
    (mount / "..data").symlink_to("..1")
    (mount / "a.yaml").symlink_to("..data/a.yaml")
    async with Watching(mount) as seen:
        for number in range(2, 6):
            version(mount, f"..{number}")
            (mount / "..data_tmp").symlink_to(f"..{number}")
            (mount / "..data_tmp").rename(mount / "..data")
            shutil.rmtree(mount / f"..{number - 1}")
            await seen.once()


async def test_a_file_that_is_named_itself_is_seen_whatever_its_ending(tmp_path):
    file = tmp_path / "rules.yml"
    async with Watching(file) as seen:
        for text in ("rules: []", "rules: [] #"):
            file.write_text(text)
            await seen.once()


async def test_what_changed_while_it_was_read_at_the_start_is_seen(tmp_path):
    folder = version(tmp_path, "rules")
    before = look([folder])
    (folder / "a.yaml").write_text("rules: [] # newer")
    told = asyncio.Event()
    task = asyncio.create_task(watch([folder], told.set, before))
    async with asyncio.timeout(20):
        await told.wait()
    task.cancel()


async def test_pipes_links_to_nowhere_and_folders_with_a_files_name_end_nothing(tmp_path):
    folder = version(tmp_path, "rules")
    async with Watching(folder) as seen:
        for change in (
            lambda: os.mkfifo(folder / "pipe.yaml"),
            lambda: (folder / "nowhere.yaml").symlink_to("none"),
            lambda: (folder / "circle.yaml").symlink_to("circle.yaml"),
            (folder / "folder.yaml").mkdir,
        ):
            change()
            await seen.once()


async def test_other_files_of_an_editor_are_nothing_to_tell(tmp_path):
    folder = version(tmp_path, "rules")
    async with Watching(folder) as seen:
        (folder / ".a.yaml.swp").write_text("x")
        (folder / "a.yaml~").write_text("x")
        (folder / ".#a.yaml").symlink_to("nobody@nowhere")
        await asyncio.sleep(0.2)
        assert seen.told.locked()


async def test_a_burst_is_told_when_it_has_ended_and_one_without_an_end_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "RELOAD_QUIET_LOOKS", 5)
    folder = version(tmp_path, "rules")
    async with Watching(folder) as seen:
        writing = asyncio.create_task(_always(folder / "a.yaml"))
        await seen.once()
        writing.cancel()


async def _always(file):
    number = 0
    while True:
        number += 1
        file.write_text("#" * number)
        await asyncio.sleep(0.001)
